/*
 * cpu_initialise.c - replace the loader's descriptor tables by the kernel's. It is a separate file,
 * since a panic needs cpu.c, and the descriptor tables need code that can panic.
 */
#include "kernel/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/descriptor_tables.h"

void arch_cpu_initialise(struct arch_cpu *cpu)
{
    descriptor_tables_load(cpu);
    cpu_enable_protections();
}
