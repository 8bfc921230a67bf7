/*
 * exception_names.h - the CPU's exceptions by name, for the loader's report and the kernel's panic.
 */
#ifndef SHARED_ARCH_X86_64_EXCEPTION_NAMES_H
#define SHARED_ARCH_X86_64_EXCEPTION_NAMES_H

#define EXCEPTION_COUNT 32

/* The name of an exception vector, with its mnemonic if it has one; for 32 and above, "interrupt".
 * Never NULL. */
const char *exception_name(unsigned vector);

#endif
