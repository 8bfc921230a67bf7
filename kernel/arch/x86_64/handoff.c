/*
 * handoff.c - the part of the handoff for this CPU: struct handoff_x86_64. Pure.
 */
#include "kernel/arch.h"
#include "shared/arch/x86_64/page_entry.h"
#include "shared/arch/x86_64/serial_16550.h"
#include "shared/handoff.h"

uint32_t arch_handoff_machine(void)
{
    return HANDOFF_MACHINE_X86_64;
}

struct phys_addr arch_handoff_page_table_root(const struct handoff *handoff)
{
    return phys_addr(handoff->arch.x86_64.page_table_root);
}

uint64_t arch_handoff_timestamp_frequency_hz(const struct handoff *handoff)
{
    return handoff->arch.x86_64.tsc_frequency_hz;
}

uint16_t arch_handoff_serial_port(const struct handoff *handoff)
{
    uint32_t port = handoff->arch.x86_64.serial_port;
    return port <= SERIAL_16550_LAST_PORT ? (uint16_t)port : 0;
}

static bool flag_agrees(const struct handoff *handoff, uint32_t flag, bool is_on)
{
    return ((handoff->arch.x86_64.flags & flag) != 0) == is_on;
}

bool arch_handoff_features_agree(const struct handoff *handoff,
                                 const struct page_table_features *features)
{
    return flag_agrees(handoff, HANDOFF_X86_64_NO_EXECUTE, features->no_execute) &&
           flag_agrees(handoff, HANDOFF_X86_64_PAGES_1GIB,
                       features->largest_leaf_level >= PAGE_LEVEL_1GIB) &&
           flag_agrees(handoff, HANDOFF_X86_64_FIFTH_LEVEL, features->levels == 5);
}

const char *arch_handoff_features_text(void)
{
    return "the flags are not what the CPU has (NX, 1 GiB pages, five levels)";
}

const char *arch_handoff_cpu_tables_text(void)
{
    return "the GDT or the IDT in use is not in the loader's image";
}
