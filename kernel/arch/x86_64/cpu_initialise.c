/*
 * cpu_initialise.c - a processor from the loader's tables to the kernel's. A file of its own: a
 * panic needs cpu.c, and the descriptor tables lead to everything that can panic.
 */
#include "kernel/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/descriptor_tables.h"

void arch_cpu_initialise(struct arch_cpu *cpu)
{
    descriptor_tables_load(cpu);
    cpu_enable_protections();
}
