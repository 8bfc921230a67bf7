/*
 * boot_audit.h - the audit of the live page tables, and the memory that it works in. For
 * kernel/boot/ only.
 */
#ifndef KERNEL_BOOT_BOOT_AUDIT_H
#define KERNEL_BOOT_BOOT_AUDIT_H

#include "kernel/kernel.h"
#include "kernel/mm/paging/page_audit.h"

/* Audit in memory of the early heap, before it is retired. Panic (PANIC_PAGE_AUDIT) on a violation.
 */
void boot_audit_early(struct kernel *kernel, struct page_audit_result *ret_result);

/* The same after the early heap is retired, in memory of the permanent heap. */
void boot_audit_late(struct kernel *kernel, struct page_audit_result *ret_result);

#endif
