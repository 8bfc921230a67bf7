/*
 * cpu.c - the loader's functions for the CPU, except faults and the switch.
 */
#include "bootloader/arch.h"
#include "bootloader/arch/x86_64/confidential.h"
#include "bootloader/arch/x86_64/no_execute.h"
#include "shared/arch/x86_64/cache.h"
#include "shared/arch/x86_64/control.h"
#include "shared/arch/x86_64/cpuid.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/arch/x86_64/page_entry.h"
#include "shared/arch/x86_64/page_features.h"
#include "shared/text/packed_text.h"

/* Intel SDM Vol. 1, 7.3.17.1: a source that fails ten times in a row is broken. */
#define RANDOM_TRY_LIMIT 10

#define FLAGS_INTERRUPTS (UINT64_C(1) << 9)

uint32_t arch_machine(void)
{
    return HANDOFF_MACHINE_X86_64;
}

void arch_page_features(struct page_table_features *ret_features)
{
    page_features_read(ret_features);
}

const char *arch_confidential_technology(void)
{
    struct cpuid_result tdx = cpuid_read(CPUID_TDX, 0);
    struct confidential_facts facts = {
        .tdx_name = {tdx.ebx, tdx.edx, tdx.ecx},
        .encryption_features = cpuid_read(CPUID_ENCRYPTION, 0).eax,
    };
    if (confidential_has_status(facts.encryption_features))
        facts.sev_status = msr_read(MSR_SEV_STATUS);
    return confidential_technology(&facts);
}

bool arch_no_execute_switch_on(void)
{
    const uint64_t off = control_mask(MISC_ENABLE_BIT_NO_EXECUTE_OFF);
    struct cpuid_result vendor = cpuid_read(CPUID_VENDOR, 0);
    const struct no_execute_facts facts = {
        .vendor = {vendor.ebx, vendor.edx, vendor.ecx},
        .signature = cpuid_read(CPUID_FEATURES, 0).eax,
        .has_no_execute = (cpuid_read(CPUID_EXTENDED_FEATURES, 0).edx & CPUID_EDX_NO_EXECUTE) != 0,
    };
    if (!no_execute_may_be_off(&facts) || (msr_read(MSR_MISC_ENABLE) & off) == 0)
        return false;
    msr_write(MSR_MISC_ENABLE, msr_read(MSR_MISC_ENABLE) & ~off);
    return true;
}

/* A CPU without five levels has four, which UEFI demands. */
const char *arch_levels_obstacle(unsigned levels)
{
    bool has_levels =
        levels == 4 || (cpuid_read(CPUID_MORE_FEATURES, 0).ecx & CPUID_ECX_FIVE_LEVELS) != 0;
    return has_levels ? NULL : PACKED("no LA57 in the CPU");
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

/* TSC = crystal (ecx) × ebx / eax. Where the crystal is not stated, the next leaf gives the base
 * frequency in MHz, which the TSC then runs at (Intel SDM Vol. 3B, section 18.7.3). */
static uint64_t cpu_clock_hz(void)
{
    struct cpuid_result ratio = cpuid_read(CPUID_CLOCK_RATIO, 0);
    if (ratio.eax == 0 || ratio.ebx == 0)
        return 0;
    if (ratio.ecx != 0)
        return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
    return (cpuid_read(CPUID_CLOCK_BASE, 0).eax & 0xffff) * UINT64_C(1000000);
}

/* A leaf that VMware defined and that KVM can offer: the frequency of the TSC in kHz. */
static uint64_t hypervisor_clock_hz(void)
{
    return cpuid_read(CPUID_HYPERVISOR_CLOCK, 0).eax * UINT64_C(1000);
}

uint64_t arch_stated_clock_frequency_hz(const char **ret_source)
{
    uint64_t frequency_hz = cpu_clock_hz();
    const char *source = "CPU";
    if (frequency_hz == 0) {
        frequency_hz = hypervisor_clock_hz();
        source = "hypervisor";
    }
    if (frequency_hz != 0)
        *ret_source = source;
    return frequency_hz;
}

uint32_t arch_io_read_32(uint16_t port)
{
    return port_read_32(port);
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
                   const struct arch_facts *facts, union handoff_arch *ret_arch)
{
    *ret_arch = (union handoff_arch){0};
    ret_arch->x86_64.page_table_root = root.value;
    ret_arch->x86_64.tsc_frequency_hz = facts->clock_frequency_hz;
    ret_arch->x86_64.serial_port = facts->serial_port;
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

void arch_interrupts_enable(void)
{
    interrupts_on();
}

bool arch_interrupts_are_enabled(void)
{
    return (flags_read() & FLAGS_INTERRUPTS) != 0;
}

/* Not inlined: a test finds the function by its only SFENCE. */
__attribute__((noinline)) void arch_flush_pixels(void)
{
    write_combining_flush();
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
