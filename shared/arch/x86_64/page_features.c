#include "shared/arch/x86_64/page_features.h"

#include "shared/arch/x86_64/address_width.h"
#include "shared/arch/x86_64/control.h"
#include "shared/arch/x86_64/cpuid.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/arch/x86_64/page_entry.h"

void page_features_read(struct page_table_features *ret_features)
{
    uint32_t extended = cpuid_read(CPUID_EXTENDED_FEATURES, 0).edx;
    *ret_features = (struct page_table_features){
        .levels = (cr4_read() & control_mask(CR4_BIT_FIVE_LEVELS)) != 0 ? 5 : 4,
        .physical_bits = address_width_bits(cpuid_read(CPUID_ADDRESS_WIDTH, 0).eax),
        .no_execute = (extended & CPUID_EDX_NO_EXECUTE) != 0,
        .largest_leaf_level =
            (extended & CPUID_EDX_PAGES_1GIB) != 0 ? PAGE_LEVEL_1GIB : PAGE_LEVEL_2MIB,
        .write_combining = (cpuid_read(CPUID_FEATURES, 0).edx & CPUID_EDX_PAT) != 0,
    };
}
