#include "kernel/boot/boot.h"
#include "kernel/boot/boot_audit.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/boot/boot_end.h"
#include "kernel/diagnostics/print_map.h"
#include "shared/text/command_line.h"

void boot_print_map(struct kernel *kernel)
{
    struct page_audit_result result;
    if (!command_line_has(kernel->view.command_line, "once"))
        boot_end_prepare(kernel);
    if (!command_line_has(kernel->view.command_line, "print-map"))
        return;
    boot_stage_begin(kernel, "kernel: print map");
    boot_audit_late(kernel, &result);
    print_map(&kernel->address_space);
}
