/*
 * no_execute.h - decide whether firmware may have switched no-execute pages off.
 *
 * Intel CPUs have a switch in MISC_ENABLE, which some firmware offers in its setup. With the switch
 * off, CPUID reports no NX (Intel SDM Vol. 4, table 2-2, IA32_MISC_ENABLE, bit 34).
 *
 * Pure.
 */
#ifndef BOOTLOADER_ARCH_X86_64_NO_EXECUTE_H
#define BOOTLOADER_ARCH_X86_64_NO_EXECUTE_H

#include <stdbool.h>
#include <stdint.h>

struct no_execute_facts {
    uint32_t vendor[3]; /* CPUID leaf 0: EBX, EDX, ECX */
    uint32_t signature; /* CPUID leaf 1: EAX */
    bool has_no_execute;
};

/* Return true if the CPU reports no NX and has the switch. On other CPUs a read of MISC_ENABLE may
 * raise #GP. */
bool no_execute_may_be_off(const struct no_execute_facts *facts);

#endif
