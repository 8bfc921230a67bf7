/*
 * cpu.c - the loader's functions for the CPU, except faults and the switch.
 */
#include "bootloader/arch.h"
#include "shared/arch/x86_64/cache.h"
#include "shared/arch/x86_64/cpuid.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/arch/x86_64/page_entry.h"
#include "shared/arch/x86_64/page_features.h"

/* Intel SDM Vol. 1, 7.3.17.1: a source that fails ten times in a row is broken. */
#define RANDOM_TRY_LIMIT 10

uint32_t arch_machine(void)
{
    return HANDOFF_MACHINE_X86_64;
}

void arch_page_features(struct page_table_features *ret_features)
{
    page_features_read(ret_features);
}

/* A CPU without five levels has four, which UEFI demands. */
const char *arch_levels_obstacle(unsigned levels)
{
    bool has_levels =
        levels == 4 || (cpuid_read(CPUID_MORE_FEATURES, 0).ecx & CPUID_ECX_FIVE_LEVELS) != 0;
    return has_levels ? NULL : "no LA57 in the CPU";
}

/* CR3 has flags below and above the address (Intel SDM Vol. 3A, table 4-12). */
struct phys_addr arch_page_table_root(void)
{
    return phys_addr(cr3_read() & PAGE_ENTRY_ADDRESS_MASK);
}

void arch_flush_cache(const void *start, size_t size_bytes)
{
    cache_flush(start, size_bytes);
}

uint64_t arch_timestamp(void)
{
    return timestamp_read();
}

const char *arch_clock_name(void)
{
    return "TSC";
}

uint64_t arch_stated_clock_frequency_hz(void)
{
    /* TSC = crystal (ecx) × ebx / eax. Where the crystal is not stated, the next leaf gives the
     * base frequency in MHz, which the TSC then runs at (Intel SDM Vol. 3B, section 18.7.3). */
    struct cpuid_result ratio = cpuid_read(CPUID_CLOCK_RATIO, 0);
    if (ratio.eax != 0 && ratio.ebx != 0) {
        if (ratio.ecx != 0)
            return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
        uint32_t base_mhz = cpuid_read(CPUID_CLOCK_BASE, 0).eax & 0xffff;
        if (base_mhz != 0)
            return base_mhz * UINT64_C(1000000);
    }
    /* A leaf that VMware defined and that KVM can offer: the frequency of the TSC in kHz. */
    return cpuid_read(CPUID_HYPERVISOR_CLOCK, 0).eax * UINT64_C(1000);
}

bool arch_random(uint64_t *ret_random)
{
    if ((cpuid_read(CPUID_FEATURES, 0).ecx & CPUID_ECX_RDRAND) == 0)
        return false;
    for (unsigned i = 0; i < RANDOM_TRY_LIMIT; i++) {
        if (random_read(ret_random))
            return true;
    }
    return false;
}

void arch_describe(struct phys_addr root, const struct page_table_features *features,
                   uint64_t clock_frequency_hz, union handoff_arch *ret_arch)
{
    *ret_arch = (union handoff_arch){0};
    ret_arch->x86_64.page_table_root = root.value;
    ret_arch->x86_64.tsc_frequency_hz = clock_frequency_hz;
    ret_arch->x86_64.flags =
        (features->no_execute ? HANDOFF_X86_64_NO_EXECUTE : 0) |
        (features->largest_leaf_level >= PAGE_LEVEL_1GIB ? HANDOFF_X86_64_PAGES_1GIB : 0) |
        (features->levels == 5 ? HANDOFF_X86_64_FIFTH_LEVEL : 0);
    ret_arch->x86_64.physical_address_bits = features->physical_bits;
}

void arch_interrupts_disable(void)
{
    interrupts_off();
}

_Noreturn void arch_halt(void)
{
    halt_forever();
}

/* isa-debug-exit: the device is an I/O port. */
void arch_debug_exit(uint64_t device, uint32_t value)
{
    if (device <= UINT16_MAX)
        port_write_32((uint16_t)device, value);
}
