/*
 * cpu.h - the instructions that C has no words for. Loader only, privilege level 0.
 */
#ifndef BOOTLOADER_ARCH_X86_64_CPU_H
#define BOOTLOADER_ARCH_X86_64_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/page_table.h"

struct cpuid {
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
};

/* All zero for a leaf that the CPU does not have (Intel SDM Vol. 2A, CPUID; the hypervisor's
 * leaves at 0x40000000 exist only where the CPU says that it is a guest). */
struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf);

uint64_t cpu_read_tsc(void);
uint64_t cpu_read_cr2(void);
uint64_t cpu_read_cr3(void);

/* One random number by RDRAND. False if the CPU has none or gives none in ten tries (Intel SDM
 * Vol. 1, section 7.3.17.1). */
bool cpu_random(uint64_t *ret_random);

/* The TSC's frequency as the CPU or the hypervisor states it; 0 if neither does. */
uint64_t cpu_stated_tsc_frequency_hz(void);

/* What bootstrap page tables may use. The number of levels is the one that is in force now
 * (CR4.LA57). */
struct page_table_features cpu_page_table_features(void);

/* The bits MCE and PGE of CR4, as far as the CPU has them: to set one that it lacks is a #GP. */
uint64_t cpu_optional_cr4(void);

/* True if the CPU can do five levels of page tables, in force or not. */
bool cpu_has_fifth_level(void);

void cpu_disable_interrupts(void);
_Noreturn void cpu_halt_forever(void);

uint8_t cpu_port_read8(uint16_t port);
void cpu_port_write8(uint16_t port, uint8_t value);
void cpu_port_write32(uint16_t port, uint32_t value);

#endif
