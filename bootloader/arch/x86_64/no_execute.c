#include "bootloader/arch/x86_64/no_execute.h"

/* "GenuineIntel", in EBX, EDX and ECX. */
#define INTEL_EBX UINT32_C(0x756e6547)
#define INTEL_EDX UINT32_C(0x49656e69)
#define INTEL_ECX UINT32_C(0x6c65746e)

/* The first CPU of family 6 with the switch. Later families have it, too. */
#define FAMILY_P6 6
#define MODEL_MIN 13

/* The base family is enough: extended families begin at 15. */
static bool has_switch(uint32_t signature)
{
    uint32_t family = signature >> 8 & 0xf;
    uint32_t model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);
    return family > FAMILY_P6 || (family == FAMILY_P6 && model >= MODEL_MIN);
}

bool no_execute_may_be_off(const struct no_execute_facts *facts)
{
    bool is_intel = facts->vendor[0] == INTEL_EBX && facts->vendor[1] == INTEL_EDX &&
                    facts->vendor[2] == INTEL_ECX;
    return is_intel && !facts->has_no_execute && has_switch(facts->signature);
}
