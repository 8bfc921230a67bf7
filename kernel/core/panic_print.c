#include "kernel/core/panic_print.h"

#include <stdarg.h>

#include "kernel/arch.h"
#include "kernel/core/backtrace_fold.h"
#include "kernel/core/cpu.h"
#include "kernel/core/image.h"
#include "kernel/core/log.h"
#include "kernel/core/panic_screen.h"
#include "kernel/core/symbols.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

/* More frames than any stack (kernel/mm/layout.h) can hold, at 16 bytes each. */
#define BACKTRACE_FRAME_LIMIT 4096
/* Room for a function, a path and a line. */
#define PLACE_CAPACITY_BYTES 192
#define LINE_CAPACITY_BYTES  320
#define CODE_BYTES_BEFORE    8
#define CODE_BYTES_BEHIND    16 /* the first of them is the one at the address */

/* Print a line "[panic] PREFIX text". The screen shows the text without the prefix. */
static void say(enum panic_part part, const char *prefix, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(enum panic_part part, const char *prefix, const char *format, ...)
{
    char line[LINE_CAPACITY_BYTES];
    va_list arguments;
    size_t start = (size_t)format_text(line, sizeof line, "[panic] %s", prefix);
    va_start(arguments, format);
    format_text_v(line + start, sizeof line - start, format, arguments);
    va_end(arguments);
    log_raw("%s\n", line);
    panic_screen_add(part, line + start, line);
}

/* --- The head --------------------------------------------------------------------------------- */

static void print_title(const struct panic_incident *incident)
{
    char title[LINE_CAPACITY_BYTES];
    char line[LINE_CAPACITY_BYTES];
    const char *name = panic_code_name(incident->code);
    format_text(line, sizeof line, "[panic] code=0x%02x name=\"%s\"", (unsigned)incident->code,
                name);
    format_text(title, sizeof title, "Panic 0x%02x: %s", (unsigned)incident->code, name);
    log_raw("\n%s\n", line);
    panic_screen_add(PANIC_PART_TITLE, title, line);
}

static void take_address(void *address, struct virt_addr return_address)
{
    *(struct virt_addr *)address = return_address;
}

/* Print the place of a panic(). The innermost frame is that of the function which called it. */
static void print_raise(const struct panic_incident *incident)
{
    struct symbol symbol;
    struct virt_addr caller = virt_addr(0);
    arch_walk_stack(incident->registers, 1, take_address, &caller);
    if (symbols_find_caller(caller, &symbol))
        say(PANIC_PART_PLACE, "raised at ", "%s:%d in %s", incident->file, incident->line,
            symbol.name);
    else
        say(PANIC_PART_PLACE, "raised at ", "%s:%d", incident->file, incident->line);
}

static void print_head(const struct panic_incident *incident)
{
    print_title(incident);
    say(PANIC_PART_CAUSE, "cause: ", "%s", incident->cause);
    if (incident->detail != NULL)
        say(PANIC_PART_CAUSE, "", "%s", incident->detail);
    say(PANIC_PART_REMEDY, "remedy: ", "%s", panic_code_remedy(incident->code));
    if (incident->file != NULL)
        print_raise(incident);
}

static void print_notes(void)
{
    const struct cpu_panic *state = &cpu_current()->panic;
    char place[PLACE_CAPACITY_BYTES];
    for (unsigned i = 0; i < state->note_count; i++) {
        struct virt_addr caller = virt_addr((uintptr_t)state->notes[i].address);
        symbols_describe_caller(caller, place, sizeof place);
        say(PANIC_PART_NOTE, "", "%s 0x%016llx %s", state->notes[i].role,
            (unsigned long long)caller.value, place);
    }
}

/* --- The place -------------------------------------------------------------------------------- */

static void print_register_line(const char *line)
{
    say(PANIC_PART_REGISTERS, "", "%s", line);
}

/* Print the place of an exception. The place of a panic() is a source line, which is printed
 * before. */
static void print_stop(struct virt_addr address)
{
    char place[PLACE_CAPACITY_BYTES];
    symbols_describe(address, place, sizeof place);
    say(PANIC_PART_PLACE, "at ", "0x%016llx %s", (unsigned long long)address.value, place);
}

/* Print the bytes of the code around an exception, and mark the byte at its address. Only the
 * kernel's code is certain to be readable. */
static void print_code(struct virt_addr address)
{
    char text[4 * (CODE_BYTES_BEFORE + CODE_BYTES_BEHIND)];
    size_t length = 0;
    if (!image_is_code(address))
        return;
    for (uint64_t i = address.value - CODE_BYTES_BEFORE; i < address.value + CODE_BYTES_BEHIND;
         i++) {
        if (image_is_code(virt_addr(i)))
            length += (size_t)format_text(text + length, sizeof text - length,
                                          i == address.value ? "<%02x> " : "%02x ",
                                          *(const unsigned char *)i);
    }
    text[length - 1] = '\0'; /* the last blank */
    say(PANIC_PART_CODE, "bytes ", "%s", text);
}

/* --- The backtrace ---------------------------------------------------------------------------- */

static void print_frame(unsigned index, struct virt_addr return_address)
{
    char place[PLACE_CAPACITY_BYTES];
    symbols_describe_caller(return_address, place, sizeof place);
    say(PANIC_PART_BACKTRACE, "", "#%u 0x%016llx %s", index,
        (unsigned long long)return_address.value, place);
}

static void print_more(unsigned count, struct virt_addr return_address)
{
    struct symbol symbol;
    const char *plural = count == 1 ? "" : "s";
    if (return_address.value != 0 && symbols_find_caller(return_address, &symbol))
        say(PANIC_PART_BACKTRACE, "", "... %u more frame%s in %s", count, plural, symbol.name);
    else
        say(PANIC_PART_BACKTRACE, "", "... %u more frame%s", count, plural);
}

static void add_frame(void *fold, struct virt_addr return_address)
{
    backtrace_fold_add(fold, return_address);
}

static void print_backtrace(const struct arch_registers *registers)
{
    struct backtrace_fold fold = {.print_frame = print_frame, .print_more = print_more};
    arch_walk_stack(registers, BACKTRACE_FRAME_LIMIT, add_frame, &fold);
    backtrace_fold_finish(&fold);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static bool (*describe_memory)(const void *context, unsigned index, char *text,
                               size_t capacity_bytes);
static const void *memory_context;

void panic_describe_memory_with(bool (*describe)(const void *context, unsigned index, char *text,
                                                 size_t capacity_bytes),
                                const void *context)
{
    describe_memory = describe;
    memory_context = context;
}

static void print_memory(void)
{
    char text[LINE_CAPACITY_BYTES];
    if (describe_memory == NULL)
        return;
    for (unsigned i = 0; describe_memory(memory_context, i, text, sizeof text); i++)
        say(PANIC_PART_MEMORY, "", "%s", text);
}

/* --- The build -------------------------------------------------------------------------------- */

static void print_build(void)
{
    char id[2 * KERNEL_BUILD_ID_SIZE_BYTES + 1];
    for (size_t i = 0; i < KERNEL_BUILD_ID_SIZE_BYTES; i++)
        format_text(id + 2 * i, sizeof id - 2 * i, "%02x", kernel_build_id[i]);
    if (symbols_slide() == 0)
        say(PANIC_PART_BUILD, "", "version=%s build=%s", HANDOFF_VERSION_TEXT, id);
    else
        say(PANIC_PART_BUILD, "", "version=%s build=%s slide=0x%llx", HANDOFF_VERSION_TEXT, id,
            (unsigned long long)symbols_slide());
}

/* --- The report ------------------------------------------------------------------------------- */

void panic_print(const struct panic_incident *incident)
{
    struct virt_addr stop = arch_registers_program_counter(incident->registers);
    print_head(incident);
    print_notes();
    arch_registers_describe(incident->registers, print_register_line);
    print_build(); /* before the backtrace, whose end a boot record may not hold */
    if (incident->file == NULL)
        print_stop(stop);
    print_backtrace(incident->registers);
    if (incident->file == NULL)
        print_code(stop);
    print_memory();
    say(PANIC_PART_END, "", "halted; nothing was written to any disk. Press %c to restart.",
        PANIC_RESTART_KEY);
}
