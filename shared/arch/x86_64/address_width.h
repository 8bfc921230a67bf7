/*
 * address_width.h - how many bits a physical address has, by the CPU's statement.
 *
 * Pure: CPUID's word in, a number out.
 */
#ifndef SHARED_ARCH_X86_64_ADDRESS_WIDTH_H
#define SHARED_ARCH_X86_64_ADDRESS_WIDTH_H

#include <stdint.h>

/* MAXPHYADDR, 32…52, from EAX of CPUID leaf 0x80000008; pass 0 where the CPU has no such leaf. Less
 * than 32 is no statement, and then it is 36 (Intel SDM Vol. 3A, 4.1.4); an entry of a page table
 * has room for 52. */
static inline unsigned address_width_bits(uint32_t leaf_80000008_eax)
{
    unsigned stated = leaf_80000008_eax & 0xff;
    if (stated < 32)
        return 36;
    return stated < 52 ? stated : 52;
}

#endif
