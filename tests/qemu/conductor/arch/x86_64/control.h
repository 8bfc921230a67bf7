/*
 * control.h - the control registers for page protection (Intel SDM Vol. 3A, 4.1).
 */
#ifndef CONDUCTOR_ARCH_X86_64_CONTROL_H
#define CONDUCTOR_ARCH_X86_64_CONTROL_H

#include "shared/arch/x86_64/control.h"
#include "shared/arch/x86_64/instructions.h"

/* Return true if the supervisor cannot write to read-only pages. */
static inline void control_write_protect(bool enable)
{
    uint64_t mask = control_mask(CR0_BIT_WRITE_PROTECT);
    cr0_write(enable ? cr0_read() | mask : cr0_read() & ~mask);
}

static inline void control_enable_no_execute(void)
{
    msr_write(MSR_EFER, msr_read(MSR_EFER) | control_mask(EFER_BIT_NO_EXECUTE));
}

static inline uint64_t control_table_root(void)
{
    return cr3_read() & ~UINT64_C(0xfff);
}

static inline void control_set_no_execute_off(void)
{
    msr_write(MSR_MISC_ENABLE,
              msr_read(MSR_MISC_ENABLE) | control_mask(MISC_ENABLE_BIT_NO_EXECUTE_OFF));
}

static inline bool control_has_no_execute_off(void)
{
    return (msr_read(MSR_MISC_ENABLE) & control_mask(MISC_ENABLE_BIT_NO_EXECUTE_OFF)) != 0;
}

static inline bool control_has_five_levels(void)
{
    return (cr4_read() & control_mask(CR4_BIT_FIVE_LEVELS)) != 0;
}

static inline void control_flush_translations(void)
{
    cr3_write(cr3_read());
}

#endif
