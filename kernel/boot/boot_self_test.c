#include "kernel/boot/boot.h"
#include "kernel/boot/boot_audit.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/log.h"
#include "kernel/diagnostics/heap_pages_test.h"
#include "kernel/diagnostics/interrupt_test.h"
#include "kernel/diagnostics/print_heap.h"
#include "kernel/diagnostics/self_test.h"
#include "shared/text/command_line.h"
#include "shared/text/text.h"

/* True if the command line has `self-test=NAME`. */
static bool is_requested(const struct kernel *kernel, const char *name)
{
    char which[16];
    return command_line_value(kernel->view.command_line, "self-test", which, sizeof which) &&
           text_equal(which, name);
}

/* `self-test=interrupts`: it takes seconds and needs a device, so it runs only on request. */
static void test_interrupts(struct kernel *kernel)
{
    if (!is_requested(kernel, "interrupts"))
        return;
    struct interrupt_test_result result;
    if (heap_frees_newest_only(kernel->heap))
        log_warning("self-test", "a bump heap frees only in reverse order: no test of interrupts");
    else if (!interrupt_test_run(kernel->heap, &kernel->timer, &kernel->address_space, &result))
        log_warning("self-test", "this CPU has no timer: no test of interrupts");
    else
        log_line("interrupts", "operations=%llu interrupts=%llu deferred=%llu check=passed",
                 (unsigned long long)result.operation_count,
                 (unsigned long long)result.interrupt_count,
                 (unsigned long long)result.deferred_count);
}

/* `self-test=heap-pages`: it takes 8 MiB, so it runs only on request. */
static void test_heap_pages(struct kernel *kernel, size_t block_bytes)
{
    struct heap_pages_test_result result;
    if (!is_requested(kernel, "heap-pages"))
        return;
    if (!heap_pages_test_run(kernel->heap, &kernel->frames, block_bytes, &result))
        log_warning("self-test", "this heap keeps its free pages: no test of them");
    else
        log_line("heap-pages", "size=%zu freed=%llu returned=%llu absent=%llu check=passed",
                 block_bytes, (unsigned long long)result.freed_bytes,
                 (unsigned long long)result.returned_bytes,
                 (unsigned long long)result.absent_bytes);
}

/* The boot leaves no blocks on the heap, so the self-test prints the heap while it is in use. */
static void print_used_heap(const struct heap *heap)
{
    print_heap(heap, "self-test");
}

void boot_self_test(struct kernel *kernel)
{
    boot_stage_begin(kernel, "kernel: self-test");
    early_heap_begin_phase(&kernel->early_heap, "self-test");
    bool prints_heap = command_line_has(kernel->view.command_line, "print-heap");
    struct self_test_result result = self_test_run(
        kernel->heap, &kernel->frames, &kernel->early_heap, prints_heap ? print_used_heap : NULL);
    result.passed_count +=
        self_test_address_space(&kernel->address_space, &kernel->frames, &kernel->shoot_down_count);
    struct page_audit_result audit;
    boot_audit_early(kernel, &audit);
    struct heap_statistics heap;
    heap_statistics(kernel->heap, &heap);
    log_line("self-test", "passed=%u blocks=%u heap_peak=%llu", result.passed_count,
             result.allocation_count, (unsigned long long)heap.peak_used_bytes);
    test_interrupts(kernel);
    test_heap_pages(kernel, HEAP_PAGES_TEST_MEDIUM_BYTES);
    test_heap_pages(kernel, HEAP_PAGES_TEST_LARGE_BYTES);
}
