#include "kernel/panic.h"

#include <stdarg.h>
#include <stddef.h>

#include "kernel/log.h"
#include "kernel/panic_report.h"
#include "kernel/symbols.h"
#include "shared/format.h"

#define BACKTRACE_LIMIT 32

static unsigned panic_depth;
static uint16_t debug_exit_port;
static unsigned backtrace_index;

static struct {
    const char *role;
    const void *address;
} notes[PANIC_NOTE_LIMIT];
static unsigned note_count;

void panic_note(const char *role, const void *address)
{
    if (address == NULL || note_count == PANIC_NOTE_LIMIT)
        return;
    notes[note_count].role = role;
    notes[note_count++].address = address;
}

void panic_set_debug_exit_port(uint16_t port)
{
    debug_exit_port = port;
}

static _Noreturn void stop(enum panic_code code)
{
    if (debug_exit_port != 0)
        arch_debug_exit(debug_exit_port, (uint32_t)code);
    arch_halt();
}

static void print_address(uint64_t address)
{
    struct symbol symbol;
    if (symbols_find(address, &symbol))
        log_raw("0x%016llx %s+0x%llx\n", (unsigned long long)address, symbol.name,
                (unsigned long long)symbol.offset_bytes);
    else
        log_raw("0x%016llx (not in the kernel's text)\n", (unsigned long long)address);
}

static void print_backtrace_entry(uint64_t return_address)
{
    log_raw("[panic] #%u ", backtrace_index++);
    print_address(return_address);
}

static void print_notes(void)
{
    for (unsigned i = 0; i < note_count; i++) {
        log_raw("[panic] %s ", notes[i].role);
        print_address((uint64_t)(uintptr_t)notes[i].address);
    }
}

_Noreturn void panic_report(enum panic_code code, const char *cause, const char *file, int line,
                            const struct arch_registers *registers)
{
    if (panic_depth++ > 0) {
        /* What failed may be the printing itself: one short attempt, then silence. */
        if (panic_depth == 2)
            log_raw("[panic] code=0x%02x name=\"%s\" while printing a panic: %s\n", PANIC_NESTED,
                    panic_code_name(PANIC_NESTED), cause);
        stop(PANIC_NESTED);
    }

    log_raw("\n[panic] code=0x%02x name=\"%s\"\n", (unsigned)code, panic_code_name(code));
    log_raw("[panic] cause: %s\n", cause);
    if (file != NULL)
        log_raw("[panic] raised at %s:%d\n", file, line);
    print_notes();
    arch_print_registers(registers);
    log_raw("[panic] at ");
    print_address(registers->rip);
    arch_walk_stack(registers->rbp, BACKTRACE_LIMIT, print_backtrace_entry);
    log_raw(
        "[panic] halted; nothing was written to any disk. What to do: docs/LOG.md, \"Panics\".\n");
    stop(code);
}

_Noreturn void panic_raise(const char *file, int line, enum panic_code code, const char *format,
                           ...)
{
    struct arch_registers registers;
    arch_capture_registers(&registers);

    char cause[256];
    va_list arguments;
    va_start(arguments, format);
    format_text_v(cause, sizeof cause, format, arguments);
    va_end(arguments);
    panic_report(code, cause, file, line, &registers);
}
