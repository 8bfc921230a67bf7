#include "bootloader/arch/x86_64/cpu.h"

#include "shared/arch/x86_64/address_width.h"
#include "shared/arch/x86_64/page_entry.h"

#define CPUID_EXTENDED   UINT32_C(0x80000000)
#define CPUID_HYPERVISOR UINT32_C(0x40000000)

#define CPUID_1_ECX_RDRAND     (UINT32_C(1) << 30)
#define CPUID_1_ECX_HYPERVISOR (UINT32_C(1) << 31)
#define CPUID_1_EDX_MCE        (UINT32_C(1) << 7)
#define CPUID_1_EDX_PGE        (UINT32_C(1) << 13)
#define CPUID_1_EDX_PAT        (UINT32_C(1) << 16)

#define CPUID_7_ECX_LA57 (UINT32_C(1) << 16)

#define CPUID_EXTENDED_1_EDX_NX   (UINT32_C(1) << 20)
#define CPUID_EXTENDED_1_EDX_1GIB (UINT32_C(1) << 26)

#define CR4_MCE  (UINT64_C(1) << 6)
#define CR4_PGE  (UINT64_C(1) << 7)
#define CR4_LA57 (UINT64_C(1) << 12)

static struct cpuid cpu_cpuid_unchecked(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid result;
    __asm__ volatile("cpuid"
                     : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx), "=d"(result.edx)
                     : "a"(leaf), "c"(subleaf));
    return result;
}

struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
    uint32_t group = leaf & UINT32_C(0xf0000000);
    bool is_guest = (cpu_cpuid_unchecked(1, 0).ecx & CPUID_1_ECX_HYPERVISOR) != 0;

    if ((group == CPUID_HYPERVISOR && !is_guest) || leaf > cpu_cpuid_unchecked(group, 0).eax)
        return (struct cpuid){0, 0, 0, 0};
    return cpu_cpuid_unchecked(leaf, subleaf);
}

uint64_t cpu_read_tsc(void)
{
    uint32_t low;
    uint32_t high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

uint64_t cpu_read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

uint64_t cpu_read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static uint64_t cpu_read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

bool cpu_random(uint64_t *ret_random)
{
    if ((cpu_cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND) == 0)
        return false;
    for (unsigned attempt = 0; attempt < 10; attempt++) {
        uint64_t value;
        bool valid;
        __asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(valid));
        if (valid) {
            *ret_random = value;
            return true;
        }
    }
    return false;
}

uint64_t cpu_stated_tsc_frequency_hz(void)
{
    /* Leaf 15h: TSC = crystal (ecx) × ebx / eax. Where the crystal is not stated, leaf 16h gives
     * the base frequency in MHz, which the TSC then runs at (Intel SDM Vol. 3B, section 18.7.3). */
    struct cpuid ratio = cpu_cpuid(0x15, 0);
    if (ratio.eax != 0 && ratio.ebx != 0) {
        if (ratio.ecx != 0)
            return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
        uint32_t base_mhz = cpu_cpuid(0x16, 0).eax & 0xffff;
        if (base_mhz != 0)
            return base_mhz * UINT64_C(1000000);
    }
    /* The timing leaf that VMware defined and KVM can offer: TSC in kHz. */
    return cpu_cpuid(CPUID_HYPERVISOR + 0x10, 0).eax * UINT64_C(1000);
}

struct page_table_features cpu_page_table_features(void)
{
    uint32_t features = cpu_cpuid(CPUID_EXTENDED + 1, 0).edx;
    return (struct page_table_features){
        .levels = (cpu_read_cr4() & CR4_LA57) != 0 ? 5 : 4,
        .physical_bits = address_width_bits(cpu_cpuid(CPUID_EXTENDED + 8, 0).eax),
        .no_execute = (features & CPUID_EXTENDED_1_EDX_NX) != 0,
        .largest_leaf_level =
            (features & CPUID_EXTENDED_1_EDX_1GIB) != 0 ? PAGE_LEVEL_1GIB : PAGE_LEVEL_2MIB,
        .write_combining = (cpu_cpuid(1, 0).edx & CPUID_1_EDX_PAT) != 0,
    };
}

uint64_t cpu_optional_cr4(void)
{
    uint32_t features = cpu_cpuid(1, 0).edx;
    return ((features & CPUID_1_EDX_MCE) != 0 ? CR4_MCE : 0) |
           ((features & CPUID_1_EDX_PGE) != 0 ? CR4_PGE : 0);
}

bool cpu_has_fifth_level(void)
{
    return (cpu_cpuid(7, 0).ecx & CPUID_7_ECX_LA57) != 0;
}

void cpu_disable_interrupts(void)
{
    __asm__ volatile("cli" ::: "memory");
}

_Noreturn void cpu_halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

uint8_t cpu_port_read8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

void cpu_port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void cpu_port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
