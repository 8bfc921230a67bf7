#include "kernel/diagnostics/print_leaks.h"

#include "kernel/core/log.h"
#include "kernel/core/symbols.h"
#include "kernel/mm/heap/include/handoff/heap_leaks.h"

static void print_site(const struct heap_leak_site *site)
{
    struct symbol symbol = {.name = "unknown"};
    (void)symbols_find_caller(virt_addr((uintptr_t)site->allocated_by), &symbol);
    log_line("leak", "blocks=%zu bytes=%zu caller=%p function=%s+0x%llx", site->block_count,
             site->used_bytes, site->allocated_by, symbol.name,
             (unsigned long long)symbol.offset_bytes);
}

void print_leaks(const struct heap *heap)
{
    struct heap_leaks leaks;
    heap_leaks_find(heap, &leaks);
    for (size_t i = 0; i < leaks.site_count; i++)
        print_site(&leaks.sites[i]);
    log_line("leak", "sites=%zu others_blocks=%zu others_bytes=%zu", leaks.site_count,
             leaks.others.block_count, leaks.others.used_bytes);
}
