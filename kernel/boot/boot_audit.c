#include "kernel/boot/boot_audit.h"

#include "kernel/core/panic.h"
#include "kernel/mm/kmalloc.h"

/* Frames of the four stacks and the image's data, each in a run of its own at worst. */
#define RUN_LIMIT 512

static void audit_with(struct kernel *kernel, struct phys_range *scratch, size_t scratch_count,
                       struct page_audit_result *ret_result)
{
    const struct page_audit_input input = {
        .space = &kernel->address_space,
        .layout = &kernel->layout,
        .regions = kernel->view.regions.first,
        .region_count = kernel->view.regions.count,
        .image_unmapped_bytes = kernel->image_unmapped_bytes,
        .scratch = scratch,
        .scratch_count = scratch_count,
    };
    if (!page_audit_run(&input, ret_result))
        panic(PANIC_PAGE_AUDIT, "%llu violation%s, the first: %s",
              (unsigned long long)ret_result->violation_count,
              ret_result->violation_count == 1 ? "" : "s", ret_result->first_violation);
}

void boot_audit_early(struct kernel *kernel, struct page_audit_result *ret_result)
{
    struct early_heap_mark before = early_heap_mark(&kernel->early_heap);
    struct phys_range *scratch = early_heap_allocate_or_panic(
        &kernel->early_heap, RUN_LIMIT * sizeof *scratch, _Alignof(struct phys_range));
    audit_with(kernel, scratch, RUN_LIMIT, ret_result);
    early_heap_release(&kernel->early_heap, before);
}

/* The audit's memory is mapped too, so there is space for one more run per page. */
void boot_audit_late(struct kernel *kernel, struct page_audit_result *ret_result)
{
    size_t page_count = (size_t)(heap_window_mapped_bytes(&kernel->heap_window) / PAGE_SIZE_BYTES);
    size_t run_limit = RUN_LIMIT + page_count + page_count / 64;
    struct phys_range *scratch = kmalloc(run_limit * sizeof *scratch);
    if (scratch == NULL)
        panic(PANIC_PAGE_AUDIT, "no memory for the audit");
    audit_with(kernel, scratch, run_limit, ret_result);
    kfree(scratch);
}
