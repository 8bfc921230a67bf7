#include "shared/arch/x86_64/cpuid.h"

#include <stdbool.h>

#define GROUP_MASK UINT32_C(0xf0000000)

static bool has_leaf(uint32_t leaf)
{
    uint32_t group = leaf & GROUP_MASK;
    if (group == CPUID_HYPERVISOR && (cpuid(CPUID_FEATURES, 0).ecx & CPUID_ECX_GUEST) == 0)
        return false;
    return leaf <= cpuid(group, 0).eax;
}

struct cpuid_result cpuid_read(uint32_t leaf, uint32_t subleaf)
{
    return has_leaf(leaf) ? cpuid(leaf, subleaf) : (struct cpuid_result){0};
}
