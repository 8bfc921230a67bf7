/*
 * enter.c - the state of the CPU in which the kernel begins (docs/HANDOFF.md, "The CPU at entry").
 *
 * The firmware calls, and is called, by Microsoft's convention (UEFI 2.10, section 2.3.4.2), and so
 * are the functions of the .S files: functions without an attribute have to follow it.
 */
#include "bootloader/arch/x86_64/enter.h"

#include "bootloader/arch.h"
#include "bootloader/arch/x86_64/level_switch.h"
#include "shared/arch/x86_64/control.h"
#include "shared/arch/x86_64/cpuid.h"
#include "shared/arch/x86_64/page_entry.h"

_Static_assert(__builtin_types_compatible_p(void (*)(void *),
                                            void(__attribute__((ms_abi)) *)(void *)),
               "functions without an attribute must follow the firmware's calling convention");

#define EFER_LONG_MODE UINT64_C(0x500) /* LME, LMA */

/* PAE, OSFXSR, OSXMMEXCPT: every x86-64 CPU has them. */
#define CR4_ALWAYS UINT64_C(0x620)

/* In the image: it is read on both sides of the switch. */
static struct enter_state enter_state;

/* Setting a bit that the CPU lacks raises #GP. */
uint64_t enter_cr4(unsigned levels)
{
    uint32_t cpu = cpuid_read(CPUID_FEATURES, 0).edx;
    uint64_t cr4 = CR4_ALWAYS;
    if ((cpu & CPUID_EDX_MACHINE_CHECK) != 0)
        cr4 |= control_mask(CR4_BIT_MACHINE_CHECK);
    if ((cpu & CPUID_EDX_GLOBAL_PAGES) != 0)
        cr4 |= control_mask(CR4_BIT_GLOBAL_PAGES);
    if (levels == 5)
        cr4 |= control_mask(CR4_BIT_FIVE_LEVELS);
    return cr4;
}

struct arch_trampoline arch_trampoline_for(unsigned levels)
{
    struct page_table_features now;
    arch_page_features(&now);
    if (levels == now.levels)
        return (struct arch_trampoline){0};
    return (struct arch_trampoline){LEVEL_SWITCH_SIZE_BYTES, phys_addr(LEVEL_SWITCH_LIMIT_ADDRESS)};
}

_Noreturn void arch_enter_kernel(const struct arch_entry *entry)
{
    const struct page_table_features *features = entry->features;
    enter_state = (struct enter_state){
        .page_table_root = entry->root.value,
        .entry = entry->entry.value,
        .handoff = entry->handoff.value,
        .stack_top = entry->stack_top.value,
        .efer = EFER_LONG_MODE | (features->no_execute ? control_mask(EFER_BIT_NO_EXECUTE) : 0),
        .cr4 = enter_cr4(features->levels),
        .pat = features->write_combining ? PAGE_ENTRY_PAT_MSR_VALUE : 0,
        .level_switch = entry->trampoline.value,
        .switch_root = entry->trampoline_root.value,
        .handler_displacement = entry->image_displacement,
        .switched = (uint64_t)entry->switched,
        .context = (uint64_t)entry->context,
    };
    if (entry->trampoline.value != 0)
        level_switch_prepare(entry->trampoline, entry->trampoline_root, features->levels,
                             &enter_state);
    enter_kernel(&enter_state);
}
