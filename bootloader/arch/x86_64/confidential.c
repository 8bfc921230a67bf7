#include "bootloader/arch/x86_64/confidential.h"

#include <stddef.h>

/* "IntelTDX    ", in EBX, EDX and ECX (Intel TDX Module Base Specification, "CPUID leaf 0x21"). */
#define TDX_NAME_EBX UINT32_C(0x65746e49)
#define TDX_NAME_EDX UINT32_C(0x5844546c)
#define TDX_NAME_ECX UINT32_C(0x20202020)

#define FEATURE_SEV (UINT32_C(1) << 1)

/* SEV_STATUS. Each bit says that the technology is active in this guest. */
#define STATUS_SEV     (UINT64_C(1) << 0)
#define STATUS_SEV_ES  (UINT64_C(1) << 1)
#define STATUS_SEV_SNP (UINT64_C(1) << 2)

bool confidential_has_status(uint32_t encryption_features)
{
    return (encryption_features & FEATURE_SEV) != 0;
}

const char *confidential_technology(const struct confidential_facts *facts)
{
    if (facts->tdx_name[0] == TDX_NAME_EBX && facts->tdx_name[1] == TDX_NAME_EDX &&
        facts->tdx_name[2] == TDX_NAME_ECX)
        return "Intel TDX";
    if (!confidential_has_status(facts->encryption_features))
        return NULL;
    if ((facts->sev_status & STATUS_SEV_SNP) != 0)
        return "AMD SEV-SNP";
    if ((facts->sev_status & STATUS_SEV_ES) != 0)
        return "AMD SEV-ES";
    return (facts->sev_status & STATUS_SEV) != 0 ? "AMD SEV" : NULL;
}
