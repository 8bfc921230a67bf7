#include "bootloader/fault_report.h"

#include "bootloader/arch.h"
#include "bootloader/pure/bootstrap_tables.h"
#include "shared/text/format.h"
#include "shared/text/packed_text.h"

/* Return the kind of the address in words, or NULL. */
static const char *address_text(const struct arch_fault *fault)
{
    if (fault->address_name == NULL)
        return NULL;
    if (BOOTSTRAP_STACK_VIRTUAL_BASE - fault->address.value <= PAGE_SIZE_BYTES)
        return PACKED("in the page below the kernel's first stack: it overflowed");
    if (fault->is_beside_stack)
        return PACKED("beside the stack pointer: the stack is used up, or its pointer is wrong");
    return fault->is_page_fault
               ? page_fault_address_text(fault->address, fault->address_is_canonical)
               : NULL;
}

struct report {
    char *text;
    size_t used_bytes; /* at most the capacity, less one for the NUL */
};

static void add_packed(struct report *report, struct packed_text format, ...)
{
    size_t room_bytes = FAULT_REPORT_CAPACITY_BYTES - report->used_bytes;
    va_list arguments;
    va_start(arguments, format);
    size_t wanted_bytes = (size_t)format_text_v(report->text + report->used_bytes, room_bytes,
                                                packed_text_read(format.text), arguments);
    va_end(arguments);
    report->used_bytes += wanted_bytes < room_bytes ? wanted_bytes : room_bytes - 1;
}

#define add(report, format, ...)                                                                   \
    add_packed(report, PACKED_FORMAT(format, ##__VA_ARGS__), ##__VA_ARGS__)

static void add_cause(struct report *report, const struct arch_fault *fault)
{
    char code[PAGE_FAULT_CAPACITY_BYTES];
    const char *address = address_text(fault);
    if (fault->is_page_fault)
        page_fault_describe(&fault->page_fault, code, sizeof(code));
    if (fault->is_page_fault || fault->code[0] != '\0')
        add(report, "  code:   %s\n", fault->is_page_fault ? code : fault->code);
    if (address != NULL)
        add(report, "  %s:    %s\n", fault->address_name, address);
}

void fault_report_format(const struct arch_fault *fault, const char *phase, const char *file,
                         uint64_t address, char *text)
{
    struct report report = {text, 0};
    add(&report, "\n[loader] fault: %s, %s\n", fault->name, phase);
    add_cause(&report, fault);
    add(&report, "  remedy: %s.\n", fault->remedy);
    if (file != NULL)
        add(&report,
            "          addr2line -e %s 0x%llx names the line, if it has debug information.\n", file,
            (unsigned long long)address);
    arch_format_registers(fault->registers, text + report.used_bytes,
                          FAULT_REPORT_CAPACITY_BYTES - report.used_bytes);
}

/* A fault while a report is being printed ends at once: the first report is the one that matters.
 */
static void print_fault(void *context, const struct arch_fault *fault)
{
    struct fault_report *report = context;
    struct post_exit *post_exit = report->post_exit;
    char text[FAULT_REPORT_CAPACITY_BYTES];

    if (!report->is_reporting) {
        report->is_reporting = true;
        fault_report_format(fault, PACKED("before the kernel's handlers"), "KERNEL.elf",
                            fault->instruction.value - report->kernel_slide, text);
        post_exit_write(post_exit, text);
        post_exit_keep(post_exit, POST_MORTEM_PANIC, DEBUG_EXIT_LOADER_FAULT, text);
    }
    post_exit_rescue(post_exit);
    post_exit_stop(post_exit, DEBUG_EXIT_LOADER_FAULT);
}

static void print_return(void *context)
{
    struct post_exit *post_exit = ((struct fault_report *)context)->post_exit;
    const char *text = PACKED("\n[loader] kernel entry returned\n"
                              "  remedy: end the entry with an endless loop; it has no caller to "
                              "return to.\n");
    post_exit_write(post_exit, text);
    post_exit_keep(post_exit, POST_MORTEM_PANIC, DEBUG_EXIT_KERNEL_RETURNED, text);
    post_exit_stop(post_exit, DEBUG_EXIT_KERNEL_RETURNED);
}

void fault_report_install(struct fault_report *report, struct post_exit *post_exit,
                          uint64_t kernel_slide)
{
    *report = (struct fault_report){.post_exit = post_exit, .kernel_slide = kernel_slide};
    const struct arch_fault_sink sink = {report, print_fault, print_return};
    arch_install_fault_handlers(&sink);
}
