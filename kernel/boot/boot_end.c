#include "kernel/boot/boot_end.h"

#include <stddef.h>

#include "kernel/arch.h"
#include "kernel/core/boot_record.h"
#include "kernel/core/interrupts.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/core/power.h"
#include "kernel/diagnostics/monitor/monitor.h"
#include "kernel/diagnostics/screen_pages.h"
#include "kernel/input/keys.h"
#include "shared/text/command_line.h"
#include "shared/text/text.h"

/* 5 to 200 ms by the clock of the CPU's timer, 1 GHz in QEMU and 25 to 100 MHz in PCs. */
#define KEY_POLL_PERIOD_TICKS 5000000

/* A poll takes about 2 µs, for the status of two devices. At 115200 baud a byte takes 87 µs. */
#define AWAKE_POLL_COUNT 500

/* The command line has at most 1023 bytes. */
#define RUN_CAPACITY_BYTES 1024

static _Noreturn void power_off_machine(struct kernel *kernel)
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

/* Without a timer nothing is mapped. boot_end() checks this again. */
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

static void act_on(struct kernel *kernel, enum monitor_action action)
{
    switch (action) {
    case MONITOR_STAY:
        return;
    case MONITOR_POWER_OFF:
        log_line("ready", "action=power-off");
        interrupts_forbid();
        power_off_machine(kernel);
    case MONITOR_RESTART:
        log_line("ready", "action=restart");
        boot_record_set_stage(POST_MORTEM_ENDED);
        arch_reset();
    }
}

/* The commands of the command line. */
static void run_words(struct kernel *kernel, struct monitor *monitor)
{
    char list[RUN_CAPACITY_BYTES];
    const char *words = kernel->view.command_line;
    if (command_line_value(words, "run", list, sizeof list))
        act_on(kernel, monitor_run(monitor, (struct piece){list, text_length(list)}));
    else if (command_line_mentions(words, "run"))
        log_warning("command-line", "run= is ignored: write run=\"heap; frames\"");
}

/* A person types slowly, but a terminal pastes a text at the speed of the port. So the kernel looks
 * for the next key for a while before it sleeps. */
static void take_keys(struct kernel *kernel, struct monitor *monitor, struct keys *keys)
{
    for (unsigned poll = 0; poll < AWAKE_POLL_COUNT; poll++) {
        key_code key = keys_take(keys);
        if (key == KEY_NONE)
            continue;
        act_on(kernel, monitor_take(monitor, key));
        poll = 0;
    }
}

static void print_keyboard(enum arch_keyboard keyboard)
{
    static const char *const names[] = {
        [ARCH_KEYBOARD_ABSENT] = "absent",
        [ARCH_KEYBOARD_SILENT] = "silent",
        [ARCH_KEYBOARD_ANSWERS] = "ps2",
    };
    log_line("ready", "keyboard=%s", names[keyboard]);
    if (keyboard != ARCH_KEYBOARD_ANSWERS)
        log_warning("ready", "no PS/2 keyboard answers, and the firmware emulates none for USB: "
                             "type on the serial port");
}

/* A quiet boot leaves the picture of the firmware until a person asks for another one. Meanwhile the
 * log goes on in memory. */
static void open_screen(struct kernel *kernel)
{
    char value[sizeof "off"];
    const char *words = kernel->view.command_line;
    bool is_off =
        command_line_value(words, "overview", value, sizeof value) && text_equal(value, "off");
    bool is_quiet = command_line_has(words, "quiet");
    if (kernel->has_screen)
        framebuffer_text_show_cursor(&kernel->screen);
    if (is_quiet) {
        framebuffer_text_hide(&kernel->screen);
        log_open_kept_sink();
    }
    if (!is_off && !is_quiet && screen_pages_show_overview(kernel) == NULL)
        log_line("ready", "screen=overview");
}

static _Noreturn void stay(struct kernel *kernel, struct monitor *monitor)
{
    struct keys keys;
    keys_open(&keys);
    kernel->has_keyboard = keys.keyboard == ARCH_KEYBOARD_ANSWERS;
    print_keyboard(keys.keyboard);
    open_screen(kernel);
    monitor_begin(monitor);
    for (;;) {
        take_keys(kernel, monitor, &keys);
        if (start_ticks(kernel)) /* again, since a command may have used the timer */
            arch_wait_for_interrupt();
        else
            arch_pause();
    }
}

_Noreturn void boot_end(struct kernel *kernel, bool once)
{
    static struct monitor monitor;
    monitor_initialise(&monitor, kernel);
    run_words(kernel, &monitor);
    if (once)
        power_off_machine(kernel);
    stay(kernel, &monitor);
}
