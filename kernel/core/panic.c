#include "kernel/core/panic.h"

#include <stdarg.h>
#include <stddef.h>

#include "kernel/arch.h"
#include "kernel/core/boot_record.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/core/log_serial.h"
#include "kernel/core/panic_print.h"
#include "kernel/core/panic_report.h"
#include "kernel/core/panic_screen.h"
#include "kernel/input/keys.h"
#include "shared/text/format.h"

static uint16_t debug_exit_port;

void panic_note(const char *role, const void *address)
{
    struct cpu_panic *state = &cpu_current()->panic;
    if (address == NULL || state->note_count == PANIC_NOTE_LIMIT)
        return;
    state->notes[state->note_count++] = (struct cpu_panic_note){role, address};
}

void panic_set_debug_exit_port(uint16_t port)
{
    debug_exit_port = port;
}

static void leave_qemu(enum panic_code code)
{
    if (debug_exit_port != 0)
        arch_debug_exit(debug_exit_port, (uint32_t)code);
}

/* The report stays on the screen until a key restarts the machine. Keys are polled, since
 * interrupts may be broken. */
static _Noreturn void wait_for_restart(void)
{
    struct keys keys;
    keys_open(&keys);
    for (;;) {
        key_code key = keys_take(&keys);
        if (key == PANIC_RESTART_KEY || key == PANIC_RESTART_KEY_SHIFTED)
            arch_reset();
        arch_pause();
    }
}

/* The output itself may have failed, so there is one short attempt. The screen shows the lines of
 * the first panic that were printed, unless it failed, too. */
static _Noreturn void report_nested(const struct panic_incident *incident)
{
    struct cpu_panic *state = &cpu_current()->panic;
    if (state->depth == 2) {
        log_raw("[panic] code=0x%02x name=\"%s\" while printing a panic: %s\n", PANIC_NESTED,
                panic_code_name(PANIC_NESTED), incident->cause);
        panic_screen_show();
    }
    boot_record_end_panic();
    leave_qemu(PANIC_NESTED);
    arch_halt();
}

_Noreturn void panic_report(const struct panic_incident *incident)
{
    if (cpu_current()->panic.depth++ > 0)
        report_nested(incident);

    panic_screen_take_log();
    log_serial_open_default();
    log_open_kept_sink(); /* the screen, after a quiet boot */
    boot_record_begin_panic(incident->code);
    panic_print(incident);
    boot_record_end_panic();
    panic_screen_show();
    leave_qemu(incident->code);
    wait_for_restart();
}

/* The data of a panic() until its registers are known. */
struct raise {
    const char *file;
    int line;
    enum panic_code code;
    const char *format;
    va_list arguments;
};

static void report_raise(void *context, const struct arch_registers *registers)
{
    struct raise *raise = context;
    char cause[256];
    format_text_v(cause, sizeof cause, raise->format, raise->arguments);
    va_end(raise->arguments);
    panic_report(&(struct panic_incident){
        .code = raise->code,
        .cause = cause,
        .file = raise->file,
        .line = raise->line,
        .registers = registers,
    });
}

_Noreturn void panic_raise(const char *file, int line, enum panic_code code, const char *format,
                           ...)
{
    struct raise raise = {.file = file, .line = line, .code = code, .format = format};
    va_start(raise.arguments, format);
    arch_capture_registers(report_raise, &raise);
}
