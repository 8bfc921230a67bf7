/*
 * address_width.h - the number of bits of a physical address, from the CPUID leaf.
 *
 * Pure: the word of CPUID in, a number out.
 */
#ifndef SHARED_ARCH_X86_64_ADDRESS_WIDTH_H
#define SHARED_ARCH_X86_64_ADDRESS_WIDTH_H

#include <stdint.h>

/* Return MAXPHYADDR, 32…52, from EAX of CPUID leaf 0x80000008. Pass 0 if the CPU has no such leaf.
 * A value below 32 is invalid, and the width is then 36 (Intel SDM Vol. 3A, 4.1.4). A page-table
 * entry has 52 bits for the address. */
static inline unsigned address_width_bits(uint32_t leaf_80000008_eax)
{
    unsigned stated = leaf_80000008_eax & 0xff;
    if (stated < 32)
        return 36;
    return stated < 52 ? stated : 52;
}

#endif
