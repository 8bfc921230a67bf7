#include "bootloader/fault_report.h"

#include "bootloader/arch.h"
#include "bootloader/pure/bootstrap_tables.h"

/* Return the kind of the address in words, or NULL. */
static const char *address_text(const struct arch_fault *fault)
{
    if (fault->address_name == NULL)
        return NULL;
    if (BOOTSTRAP_STACK_VIRTUAL_BASE - fault->address.value <= PAGE_SIZE_BYTES)
        return "in the page below the kernel's first stack: it overflowed";
    return fault->is_page_fault
               ? page_fault_address_text(fault->address, fault->address_is_canonical)
               : NULL;
}

static void print_cause(struct post_exit *post_exit, const struct arch_fault *fault)
{
    char code[PAGE_FAULT_CAPACITY_BYTES];
    const char *address = address_text(fault);
    if (fault->is_page_fault)
        page_fault_describe(&fault->page_fault, code, sizeof(code));
    if (fault->is_page_fault || fault->code[0] != '\0')
        post_exit_print(post_exit, "  code:   %s\n", fault->is_page_fault ? code : fault->code);
    if (address != NULL)
        post_exit_print(post_exit, "  %s:    %s\n", fault->address_name, address);
    post_exit_print(post_exit,
                    "  remedy: %s.\n"
                    "          addr2line -e KERNEL.elf 0x%llx names the line, if it has debug "
                    "information.\n",
                    fault->remedy, fault->instruction.value);
}

/* A fault while a report is being printed ends at once: the first report is the one that matters.
 */
static void print_fault(void *context, const struct arch_fault *fault)
{
    struct fault_report *report = context;
    struct post_exit *post_exit = report->post_exit;
    char registers[ARCH_REGISTERS_CAPACITY_BYTES];

    if (!report->is_reporting) {
        report->is_reporting = true;
        post_exit_print(post_exit, "\n[loader] fault: %s, before the kernel's handlers\n",
                        fault->name);
        print_cause(post_exit, fault);
        arch_format_registers(fault->registers, registers, sizeof(registers));
        post_exit_print(post_exit, "%s", registers);
    }
    post_exit_rescue(post_exit);
    post_exit_stop(post_exit, DEBUG_EXIT_LOADER_FAULT);
}

static void print_return(void *context)
{
    struct post_exit *post_exit = ((struct fault_report *)context)->post_exit;
    post_exit_print(post_exit, "\n[loader] kernel entry returned\n"
                               "  remedy: end the entry with an endless loop; it has no caller to "
                               "return to.\n");
    post_exit_stop(post_exit, DEBUG_EXIT_KERNEL_RETURNED);
}

void fault_report_install(struct fault_report *report, struct post_exit *post_exit)
{
    *report = (struct fault_report){.post_exit = post_exit};
    const struct arch_fault_sink sink = {report, print_fault, print_return};
    arch_install_fault_handlers(&sink);
}
