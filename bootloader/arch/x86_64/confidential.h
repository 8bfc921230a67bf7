/*
 * confidential.h - decide whether this machine is a confidential guest: one whose memory is
 * encrypted against its host.
 *
 * The loader supports none. Under AMD SEV each page-table entry needs the C-bit, or the CPU reads
 * memory without decrypting it. Under SEV-ES and SEV-SNP also CPUID and port I/O raise #VC, and
 * under Intel TDX #VE. Only the firmware's handlers know these exceptions, so after the exit the
 * machine would reset without a message.
 *
 * Pure.
 */
#ifndef BOOTLOADER_ARCH_X86_64_CONFIDENTIAL_H
#define BOOTLOADER_ARCH_X86_64_CONFIDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

struct confidential_facts {
    /* CPUID leaf 0x21, subleaf 0: EBX, EDX, ECX. All 0 if the CPU has no such leaf. */
    uint32_t tdx_name[3];
    /* CPUID leaf 0x8000001f: EAX. 0 if the CPU has no such leaf. */
    uint32_t encryption_features;
    /* MSR 0xc0010131. 0 if confidential_has_status() is false. */
    uint64_t sev_status;
};

/* Return true if the CPU has MSR 0xc0010131 (AMD APM Vol. 2, 15.34.10). On other CPUs a read of it
 * raises #GP. */
bool confidential_has_status(uint32_t encryption_features);

/* Return the name of the technology; NULL for an ordinary machine. */
const char *confidential_technology(const struct confidential_facts *facts);

#endif
