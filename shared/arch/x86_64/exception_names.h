/*
 * exception_names.h - the CPU's exceptions by number and by name, for the loader's report and the
 * kernel's panic. (Intel SDM Vol. 3A, table 6-1; AMD APM Vol. 2, 8.2.)
 */
#ifndef SHARED_ARCH_X86_64_EXCEPTION_NAMES_H
#define SHARED_ARCH_X86_64_EXCEPTION_NAMES_H

#define EXCEPTION_COUNT 32

#define EXCEPTION_DIVIDE             0
#define EXCEPTION_DEBUG              1
#define EXCEPTION_NMI                2
#define EXCEPTION_BREAKPOINT         3
#define EXCEPTION_UNDEFINED          6
#define EXCEPTION_DEVICE             7
#define EXCEPTION_DOUBLE_FAULT       8
#define EXCEPTION_TASK_STATE         10
#define EXCEPTION_SEGMENT            11
#define EXCEPTION_STACK              12
#define EXCEPTION_GENERAL_PROTECTION 13
#define EXCEPTION_PAGE_FAULT         14
#define EXCEPTION_MACHINE_CHECK      18
#define EXCEPTION_CONTROL_PROTECTION 21
#define EXCEPTION_VMM_COMMUNICATION  29
#define EXCEPTION_SECURITY           30

/* Return the name of an exception vector, with its mnemonic if it has one. For 32 and above, return
 * "interrupt". Never NULL. */
const char *exception_name(unsigned vector);

#endif
