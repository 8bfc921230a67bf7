/*
 * cpu.h - the functions of cpu.c for the other files of this folder.
 */
#ifndef KERNEL_ARCH_X86_64_CPU_H
#define KERNEL_ARCH_X86_64_CPU_H

/* Switch on every protection that the CPU has: CR0.WP, SMEP, SMAP, UMIP, and global pages. */
void cpu_enable_protections(void);

#endif
