/*
 * cpuid.h - the CPUID leaves and bits that loader and kernel use, by name. (Intel SDM Vol. 2A,
 * CPUID; AMD APM Vol. 3, appendix E.)
 */
#ifndef SHARED_ARCH_X86_64_CPUID_H
#define SHARED_ARCH_X86_64_CPUID_H

#include <stdint.h>

#include "shared/arch/x86_64/instructions.h"

/* Leaves. The first of each group states the last of it. */
#define CPUID_VENDOR            UINT32_C(0)
#define CPUID_FEATURES          UINT32_C(1)
#define CPUID_MORE_FEATURES     UINT32_C(7)
#define CPUID_TOPOLOGY          UINT32_C(0xb)
#define CPUID_CLOCK_RATIO       UINT32_C(0x15)
#define CPUID_CLOCK_BASE        UINT32_C(0x16)
#define CPUID_TDX               UINT32_C(0x21)       /* its name, in a TDX guest */
#define CPUID_HYPERVISOR        UINT32_C(0x40000000) /* only in a guest */
#define CPUID_HYPERVISOR_CLOCK  UINT32_C(0x40000010)
#define CPUID_EXTENDED_FEATURES UINT32_C(0x80000001)
#define CPUID_NAME_FIRST        UINT32_C(0x80000002) /* 48 characters in three leaves */
#define CPUID_NAME_LAST         UINT32_C(0x80000004)
#define CPUID_ADDRESS_WIDTH     UINT32_C(0x80000008)
#define CPUID_ENCRYPTION        UINT32_C(0x8000001f) /* of memory: SME, SEV */

/* CPUID_FEATURES */
#define CPUID_ECX_RDRAND        (UINT32_C(1) << 30)
#define CPUID_ECX_GUEST         (UINT32_C(1) << 31)
#define CPUID_EDX_MACHINE_CHECK (UINT32_C(1) << 7)
#define CPUID_EDX_GLOBAL_PAGES  (UINT32_C(1) << 13)
#define CPUID_EDX_PAT           (UINT32_C(1) << 16)

/* CPUID_MORE_FEATURES, subleaf 0 */
#define CPUID_EBX_SMEP        (UINT32_C(1) << 7)
#define CPUID_EBX_SMAP        (UINT32_C(1) << 20)
#define CPUID_ECX_UMIP        (UINT32_C(1) << 2)
#define CPUID_ECX_FIVE_LEVELS (UINT32_C(1) << 16) /* LA57 */

/* CPUID_EXTENDED_FEATURES */
#define CPUID_EDX_NO_EXECUTE (UINT32_C(1) << 20)
#define CPUID_EDX_PAGES_1GIB (UINT32_C(1) << 26)

/* All fields are zero for a leaf that the CPU does not have. */
struct cpuid_result cpuid_read(uint32_t leaf, uint32_t subleaf);

#endif
