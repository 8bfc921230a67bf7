#include "kernel/core/panic.h"

#include <stdarg.h>
#include <stddef.h>

#include "kernel/arch.h"
#include "kernel/core/backtrace_fold.h"
#include "kernel/core/boot_record.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/core/log_serial.h"
#include "kernel/core/panic_report.h"
#include "kernel/core/symbols.h"
#include "shared/text/format.h"

/* More frames than any stack (kernel/mm/layout.h) can hold, at 16 bytes each. */
#define BACKTRACE_FRAME_LIMIT 4096
#define PANIC_RESTART_KEY     'r'
/* Room for a function, a path and a line. */
#define PLACE_CAPACITY_BYTES 192

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
    arch_keys_initialise();
    for (;;) {
        char key;
        if (arch_key_take(&key) && key == PANIC_RESTART_KEY)
            arch_reset();
        arch_pause();
    }
}

static void print_caller(struct virt_addr return_address)
{
    char place[PLACE_CAPACITY_BYTES];
    symbols_describe_caller(return_address, place, sizeof place);
    log_raw("0x%016llx %s\n", (unsigned long long)return_address.value, place);
}

static void print_frame(unsigned index, struct virt_addr return_address)
{
    log_raw("[panic] #%u ", index);
    print_caller(return_address);
}

static void print_more(unsigned count, struct virt_addr return_address)
{
    struct symbol symbol;
    const char *plural = count == 1 ? "" : "s";
    if (return_address.value != 0 && symbols_find_caller(return_address, &symbol))
        log_raw("[panic] ... %u more frame%s in %s\n", count, plural, symbol.name);
    else
        log_raw("[panic] ... %u more frame%s\n", count, plural);
}

static void add_frame(void *fold, struct virt_addr return_address)
{
    backtrace_fold_add(fold, return_address);
}

/* Print the place of an exception. The place of a panic() is a source line, which is printed
 * before. */
static void print_stop(const struct arch_registers *registers)
{
    char place[PLACE_CAPACITY_BYTES];
    struct virt_addr address = arch_registers_program_counter(registers);
    symbols_describe(address, place, sizeof place);
    log_raw("[panic] at 0x%016llx %s\n", (unsigned long long)address.value, place);
}

static void print_backtrace(const struct panic_incident *incident)
{
    struct backtrace_fold fold = {.print_frame = print_frame, .print_more = print_more};
    if (incident->file == NULL)
        print_stop(incident->registers);
    arch_walk_stack(incident->registers, BACKTRACE_FRAME_LIMIT, add_frame, &fold);
    backtrace_fold_finish(&fold);
}

static void print_notes(void)
{
    const struct cpu_panic *state = &cpu_current()->panic;
    for (unsigned i = 0; i < state->note_count; i++) {
        log_raw("[panic] %s ", state->notes[i].role);
        print_caller(virt_addr((uintptr_t)state->notes[i].address));
    }
}

static void print_head(const struct panic_incident *incident)
{
    log_raw("\n[panic] code=0x%02x name=\"%s\"\n", (unsigned)incident->code,
            panic_code_name(incident->code));
    log_raw("[panic] cause: %s\n", incident->cause);
    if (incident->detail != NULL)
        log_raw("[panic] %s\n", incident->detail);
    log_raw("[panic] remedy: %s\n", panic_code_remedy(incident->code));
    if (incident->file != NULL)
        log_raw("[panic] raised at %s:%d\n", incident->file, incident->line);
}

_Noreturn void panic_report(const struct panic_incident *incident)
{
    struct cpu_panic *state = &cpu_current()->panic;
    if (state->depth++ > 0) {
        /* The output itself may have failed, so there is one short attempt. */
        if (state->depth == 2)
            log_raw("[panic] code=0x%02x name=\"%s\" while printing a panic: %s\n", PANIC_NESTED,
                    panic_code_name(PANIC_NESTED), incident->cause);
        boot_record_end_panic();
        leave_qemu(PANIC_NESTED);
        arch_halt();
    }

    log_serial_open_default();
    log_open_kept_sink(); /* the screen, after a quiet boot */
    boot_record_begin_panic(incident->code);
    print_head(incident);
    print_notes();
    arch_registers_print(incident->registers);
    print_backtrace(incident);
    boot_record_end_panic();
    log_raw("[panic] halted; nothing was written to any disk. Press %c to restart.\n",
            PANIC_RESTART_KEY);
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
