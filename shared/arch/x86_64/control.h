/*
 * control.h - control registers and model-specific registers by name, for C and for assembly: the
 * numbers of bits and of registers. (Intel SDM Vol. 3A, 2.5; Vol. 4, table 2-2.)
 */
#ifndef SHARED_ARCH_X86_64_CONTROL_H
#define SHARED_ARCH_X86_64_CONTROL_H

#define CR0_BIT_WRITE_PROTECT 16 /* writes of the supervisor respect read-only pages */
#define CR0_BIT_PAGING        31

#define CR4_BIT_MACHINE_CHECK 6
#define CR4_BIT_GLOBAL_PAGES  7
#define CR4_BIT_UMIP          11
#define CR4_BIT_FIVE_LEVELS   12 /* LA57 */
#define CR4_BIT_SMEP          20
#define CR4_BIT_SMAP          21

#define MSR_APIC_BASE      0x1b
#define MSR_MISC_ENABLE    0x1a0
#define MSR_PAT            0x277
#define MSR_X2APIC_COMMAND 0x830
#define MSR_EFER           0xc0000080
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_SEV_STATUS     0xc0010131

#define EFER_BIT_NO_EXECUTE 11 /* NXE */

#define APIC_BASE_BIT_X2APIC 10

#define MISC_ENABLE_BIT_NO_EXECUTE_OFF 34 /* CPUID then reports no NX */

#ifndef __ASSEMBLER__

#include <stdint.h>

/* Return the mask of one of the bits above. */
static inline uint64_t control_mask(unsigned bit)
{
    return UINT64_C(1) << bit;
}

#endif

#endif
