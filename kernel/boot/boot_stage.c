#include "kernel/boot/boot_stage.h"

#include "kernel/arch.h"
#include "kernel/core/panic.h"

void boot_stage_begin(struct kernel *kernel, const char *phase)
{
    uint64_t now = arch_timestamp();
    timeline_mark(&kernel->timeline, phase, now);
    frame_allocator_begin_phase(&kernel->frames, phase, now);
}

void boot_stage_require_mapped(enum page_table_status status, const char *what)
{
    if (status != PAGE_TABLE_OK)
        panic(PANIC_PAGE_TABLES, "%s: %s", what, page_table_status_name(status));
}
