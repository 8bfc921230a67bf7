#include "kernel/boot/boot.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/boot/boot_end.h"
#include "kernel/core/boot_record.h"
#include "kernel/core/log.h"
#include "kernel/diagnostics/measure.h"
#include "kernel/diagnostics/ownership.h"
#include "kernel/diagnostics/print_heap.h"
#include "kernel/diagnostics/print_help.h"
#include "kernel/diagnostics/print_leaks.h"
#include "kernel/diagnostics/provoke.h"
#include "shared/text/command_line.h"

static void print_before_ready(struct kernel *kernel)
{
    const char *words = kernel->view.command_line;
    if (command_line_has(words, "print-help"))
        print_help();
    ownership_print(&kernel->frames, &kernel->timeline, command_line_has(words, "print-memory"));
    if (command_line_has(words, "print-timeline"))
        timeline_print_phases(&kernel->timeline);
    timeline_print(&kernel->timeline);
    if (command_line_has(words, "measure"))
        measure(kernel);
}

_Noreturn void boot_ready(struct kernel *kernel)
{
    const char *words = kernel->view.command_line;
    boot_stage_begin(kernel, "kernel: ready");
    print_before_ready(kernel);
    bool once = command_line_has(words, "once");
    boot_record_set_stage(POST_MORTEM_READY);
    log_line("ready", "action=%s", once ? "power-off" : "idle");
    provoke(kernel, false);
    if (command_line_has(words, "print-heap"))
        print_heap(kernel->heap, "ready");
    if (command_line_has(words, "print-leaks"))
        print_leaks(kernel->heap);
    boot_end(kernel, once);
}
