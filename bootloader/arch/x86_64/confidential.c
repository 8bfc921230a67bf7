/*
 * confidential.c - is this a guest with encrypted memory (AMD SEV) or a trust domain (Intel TDX)?
 */
#include "bootloader/arch.h"

/* Such guests are not detected yet. Outside of them the answer is right. */
bool arch_is_confidential(void)
{
    return false;
}
