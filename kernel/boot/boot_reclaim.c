#include "kernel/arch.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/boot_audit.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"

/* The kernel does not use the loader's tables, stack, image and data any more. */
static uint64_t reclaim_loader_memory(struct kernel *kernel)
{
    return frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_LOADER) +
           frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_COPY);
}

void boot_reclaim(struct kernel *kernel)
{
    struct page_audit_result result;
    /* This comes after the switch, since the loader's tables do not map them. */
    arch_use_interrupt_stacks(cpu_current()->arch, cpu_current()->interrupt_stack_tops);
    boot_stage_begin(kernel, "kernel: page audit");
    early_heap_begin_phase(&kernel->early_heap, "page audit");
    boot_audit_early(kernel, &result);
    boot_stage_begin(kernel, "kernel: reclaim");
    uint64_t reclaimed = reclaim_loader_memory(kernel);
    log_line("paging", "levels=%u wx=%llu audit=passed pages=%llu tables=%llu reclaimed=%llu",
             kernel->address_space.table.features.levels,
             (unsigned long long)result.writable_executable_count,
             (unsigned long long)result.page_count, (unsigned long long)result.table_count,
             (unsigned long long)reclaimed);
}
