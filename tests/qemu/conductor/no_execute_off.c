/*
 * no_execute_off.c - firmware that has switched no-execute pages off.
 *
 * Plan: `no-execute-off`. QEMU keeps the bit in MISC_ENABLE, but its CPUID does not follow it. So
 * the machine has a CPU without NX, and only the bit shows whether the loader has cleared it.
 */
#include "tests/qemu/conductor/arch/x86_64/control.h"
#include "tests/qemu/conductor/stage.h"

void no_execute_switch_off(void)
{
    control_set_no_execute_off();
    no_execute_report();
}

void no_execute_report(void)
{
    if (plan_has(&stage.plan, "no-execute-off", NULL))
        say("no-execute is switched %s", control_has_no_execute_off() ? "off" : "on");
}
