/*
 * monitor_machine.h - a kernel on the host for the commands of the monitor: real page tables, frames,
 * early heap and permanent heap over fake memory.
 *
 * An access of the monitor to an address without a page is counted: on a CPU it would fault. The
 * measurements, the lessons and the provocations only count their calls. One for each program,
 * since kmalloc() has one heap.
 */
#ifndef TESTS_UNIT_SUPPORT_MONITOR_MACHINE_H
#define TESTS_UNIT_SUPPORT_MONITOR_MACHINE_H

#include "kernel/diagnostics/monitor/monitor.h"
#include "tests/unit/support/fake_machine.h"
#include "tests/unit/support/heap_arena.h"

struct monitor_machine {
    struct fake_machine fake;
    struct heap_arena arena;
    struct kernel kernel;
    struct monitor monitor;
    bool discards_writes; /* poke changes nothing: the page tables lie in the same memory */
    unsigned fault_count; /* accesses to an address without a page, or writes to a read-only one */
    unsigned measure_count;
    unsigned lesson_count;
    unsigned provoke_count;
    char provoked[64]; /* the last name */
};

/* Return the machine. The first call makes it. Abort on any failure. */
struct monitor_machine *monitor_machine(void);

/* Run a line, as if it was typed. Return what it printed; valid until the next call. */
const char *monitor_machine_ask(const char *line);

/* Free all blocks of the heap. */
void monitor_machine_reset(void);

#endif
