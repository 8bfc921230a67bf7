/*
 * heap_checks.h - HEAP_CHECKS is 0 in one build only: a library of the host benchmark, which shows
 * the cost of the checks. Without them the policies trust each pointer, header and canary.
 */
#ifndef KERNEL_MM_HEAP_HEAP_CHECKS_H
#define KERNEL_MM_HEAP_HEAP_CHECKS_H

#ifndef HEAP_CHECKS
#define HEAP_CHECKS 1
#endif

#endif
