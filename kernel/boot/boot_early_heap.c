#include "kernel/boot/boot.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/diagnostics/provoke.h"
#include "kernel/handoff/handoff_temp_heap.h"
#include "shared/memory.h"
#include "shared/text/command_line.h"
#include "shared/text/text.h"

/* The fallback region, at a link-time address in the image: the early heap uses it if it cannot use
 * the temporary heap. */
#define FALLBACK_SIZE_BYTES (1024 * 1024)
static _Alignas(4096) uint8_t fallback[FALLBACK_SIZE_BYTES]
    __attribute__((section(".bss.early_heap_fallback")));

static void copy_regions(struct kernel *kernel)
{
    size_t size_bytes = (size_t)kernel->view.regions.count * sizeof(struct handoff_region);
    struct handoff_region *regions = early_heap_allocate_or_panic(&kernel->early_heap, size_bytes,
                                                                  _Alignof(struct handoff_region));
    for (uint32_t i = 0; i < kernel->view.regions.count; i++)
        regions[i] = *region_list_at(&kernel->view.regions, i);
    kernel->view.regions.first = regions;
    kernel->view.regions.stride_bytes = sizeof *regions;
}

static void copy_command_line(struct kernel *kernel)
{
    size_t text_bytes = (size_t)kernel->handoff.command_line.size_bytes + 1;
    char *command_line = early_heap_allocate_or_panic(&kernel->early_heap, text_bytes, 1);
    memcpy(command_line, kernel->view.command_line, text_bytes);
    kernel->view.command_line = command_line;
}

/* After this, the loader's data block is not needed. */
static void copy_handed_over_data(struct kernel *kernel)
{
    copy_regions(kernel);
    copy_command_line(kernel);
    kernel->power_tables = power_acpi_find_tables(&kernel->view, kernel->direct_map_base);
    /* The other texts are lost with the loader's block. */
    kernel->view.log = NULL;
    kernel->view.efi_map = NULL;
    kernel->view.timeline = NULL;
    kernel->view.modules = NULL;
}

/* With heap=strict there is no fallback. */
static void accept_fallback(const struct kernel *kernel, enum handoff_temp_heap_status status)
{
    char policy[16];
    if (command_line_value(kernel->view.command_line, "heap", policy, sizeof policy) &&
        text_equal(policy, "strict"))
        panic(PANIC_EARLY_HEAP_STRICT, "heap=strict, and the temporary heap is refused: %s",
              handoff_temp_heap_text(status));
    log_warning("early-heap", "the early heap uses the fallback region: %s",
                handoff_temp_heap_text(status));
}

void boot_early_heap(struct kernel *kernel)
{
    boot_stage_begin(kernel, "kernel: early heap");
    enum handoff_temp_heap_status status = handoff_temp_heap_check(&kernel->view);
    void *base = boot_stage_access(kernel, phys_addr(kernel->handoff.temp_heap_base));
    uint64_t size_bytes = kernel->handoff.temp_heap_size;
    if (status != HANDOFF_TEMP_HEAP_OK) {
        accept_fallback(kernel, status);
        kernel->early_heap_is_fallback = true;
        base = fallback;
        size_bytes = sizeof fallback;
    }

    enum early_heap_status started =
        early_heap_initialise(&kernel->early_heap, virt_addr((uint64_t)base), size_bytes);
    kernel_assert(started == EARLY_HEAP_OK);
    early_heap_begin_phase(&kernel->early_heap, "handoff");
    copy_handed_over_data(kernel);
    log_line("early-heap", "source=%s base=%p size=%llu reason=\"%s\"",
             kernel->early_heap_is_fallback ? "fallback" : "handoff", base,
             (unsigned long long)size_bytes, handoff_temp_heap_text(status));
    provoke(kernel, true);
}
