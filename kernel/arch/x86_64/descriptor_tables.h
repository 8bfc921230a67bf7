/*
 * descriptor_tables.h - the kernel's GDT, TSS and IDT (Intel SDM Vol. 3A, chapters 3, 6 and 7).
 */
#ifndef KERNEL_ARCH_X86_64_DESCRIPTOR_TABLES_H
#define KERNEL_ARCH_X86_64_DESCRIPTOR_TABLES_H

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_TASK_STATE  0x18

#ifndef __ASSEMBLER__
struct arch_cpu;

/* Fill and load all three for this processor, and reload every segment register. Each processor
 * calls it once, with interrupts off. */
void descriptor_tables_load(struct arch_cpu *cpu);
#endif

#endif
