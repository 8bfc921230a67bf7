/*
 * cpu_initialise.c - take a processor from the loader's descriptor tables to the kernel's. A panic
 * needs cpu.c, and the descriptor tables need code that can panic, so this is a file of its own.
 */
#include "kernel/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/descriptor_tables.h"

void arch_cpu_initialise(struct arch_cpu *cpu)
{
    descriptor_tables_load(cpu);
    cpu_enable_protections();
}
