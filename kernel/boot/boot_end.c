#include "kernel/boot/boot_end.h"

#include <stddef.h>

#include "kernel/arch.h"
#include "kernel/core/boot_record.h"
#include "kernel/core/interrupts.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/core/power.h"
#include "kernel/diagnostics/print_help.h"
#include "kernel/boot/ready_keys.h"

/* 5 to 200 ms by the clock of the CPU's timer, 1 GHz in QEMU and 25 to 100 MHz in PCs. */
#define KEY_POLL_PERIOD_TICKS 5000000

_Noreturn void boot_end_power_off(struct kernel *kernel)
{
    enum page_table_status status =
        runtime_space_build(&kernel->runtime_space, &kernel->address_space,
                            kernel->view.regions.first, kernel->view.regions.count);
    if (status != PAGE_TABLE_OK)
        panic(PANIC_PAGE_TABLES, "the firmware's runtime services: %s",
              page_table_status_name(status));
    boot_record_set_stage(POST_MORTEM_ENDED);
    power_off(kernel->runtime_space.table.root, &kernel->power_tables, kernel->direct_map_base,
              phys_addr(kernel->handoff.efi_system_table), &kernel->view.regions);
}

static void on_tick(void *context)
{
    (void)context;
}

/* Without a timer nothing is mapped. boot_end_stay() checks this again. */
void boot_end_prepare(struct kernel *kernel)
{
    (void)timer_prepare(&kernel->timer, &kernel->address_space);
}

/* A few ticks per second are enough for a user's keys, and cost almost nothing. Without a timer the
 * loop spins. */
static bool start_ticks(struct kernel *kernel)
{
    interrupts_set_handler(INTERRUPT_TIMER, on_tick, NULL);
    if (!timer_start(&kernel->timer, &kernel->address_space, KEY_POLL_PERIOD_TICKS))
        return false;
    interrupts_allow();
    return true;
}

static void act_on(struct kernel *kernel, enum ready_action action)
{
    switch (action) {
    case READY_NOTHING:
        return;
    case READY_POWER_OFF:
        log_line("ready", "action=power-off");
        interrupts_forbid();
        boot_end_power_off(kernel);
    case READY_RESTART:
        log_line("ready", "action=restart");
        boot_record_set_stage(POST_MORTEM_ENDED);
        arch_reset();
    case READY_HELP:
        print_help();
        break;
    case READY_HINT:
        break;
    }
    log_line("ready", "keys=\"%s\"", READY_KEYS_TEXT);
}

_Noreturn void boot_end_stay(struct kernel *kernel)
{
    struct ready_keys keys = {0};
    arch_keys_initialise();
    log_line("ready", "keys=\"%s\"", READY_KEYS_TEXT);
    bool has_ticks = start_ticks(kernel);
    for (;;) {
        char key;
        while (arch_key_take(&key))
            act_on(kernel, ready_keys_decide(&keys, key));
        if (has_ticks)
            arch_wait_for_interrupt();
        else
            arch_pause();
    }
}
