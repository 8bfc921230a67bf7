#include "kernel/boot/boot.h"
#include "kernel/boot/boot_further_heaps.h"
#include "kernel/boot/boot_modules.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/diagnostics/lesson_request.h"
#include "kernel/diagnostics/print_early_heap.h"
#include "shared/text/command_line.h"

/* The fallback region is part of the image. Its pages are unmapped there before they are reused, so
 * that no frame is mapped writable twice. */
static struct phys_range detach(struct kernel *kernel, struct virt_range untouched)
{
    uint64_t size_bytes = virt_range_size_bytes(untouched);
    struct phys_addr base = phys_addr(untouched.start.value - kernel->direct_map_base.value);
    if (kernel->early_heap_is_fallback) {
        boot_stage_require_mapped(
            page_table_unmap(&kernel->address_space.table, untouched.start, size_bytes),
            "the fallback region");
        kernel->image_unmapped_bytes = size_bytes;
        base = phys_addr_add(kernel->layout.physical_base,
                             untouched.start.value - kernel->layout.virtual_base.value);
    }
    return (struct phys_range){base, phys_addr_add(base, size_bytes)};
}

/* Return the number of frames that became free. */
static uint64_t give_back(struct kernel *kernel, struct virt_range untouched)
{
    uint64_t frame_count = virt_range_size_bytes(untouched) / FRAME_SIZE_BYTES;
    struct phys_range memory = phys_range(0, 0);
    if (frame_count > 0)
        memory = detach(kernel, untouched);
    /* Nobody uses the memory now, and it is the first heap's: the lessons run there. */
    lesson_request(kernel, kernel->view.command_line, memory);
    if (frame_count > 0) {
        bool reclaimed = frame_allocator_reclaim(&kernel->frames, memory);
        kernel_assert(reclaimed);
    }
    return frame_count + boot_further_heaps_give_back(kernel);
}

void boot_retire(struct kernel *kernel)
{
    boot_stage_begin(kernel, "kernel: retire");
    struct early_heap_statistics statistics = early_heap_statistics(&kernel->early_heap);
    uint64_t frame_count = give_back(kernel, early_heap_retire(&kernel->early_heap));
    log_line("early-heap", "retired used=%llu peak=%llu returned=%llu",
             (unsigned long long)statistics.used_bytes, (unsigned long long)statistics.peak_bytes,
             (unsigned long long)frame_count);
    boot_modules_give_back(kernel);
    if (command_line_has(kernel->view.command_line, "print-early-heap"))
        print_early_heap(&kernel->early_heap);
}
