/* Code and cause of the panics for exceptions of the CPU. */
#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "kernel/core/fault.h"
#include "kernel/core/guard.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "tests/unit/support/arch_stub.h"
#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/panic_stub.h"

#define PAGE_FAULT   14
#define DOUBLE_FAULT 8
#define STACK        (LAYOUT_STACKS_BASE + 0x10000)
#define HEAP_GUARD   (LAYOUT_HEAP_WINDOW_BASE - PAGE_SIZE_BYTES)

static struct address_space space;

static struct virt_range page_at(uint64_t address)
{
    return virt_range(address, address + PAGE_SIZE_BYTES);
}

static int start(void **state)
{
    (void)state;
    memset(&space, 0, sizeof space);
    address_space_add_guard(&space, page_at(0), "null page", false);
    address_space_add_guard(&space, page_at(STACK), "main stack", true);
    address_space_add_guard(&space, page_at(HEAP_GUARD), "heap window", false);
    guard_use(&space);
    return 0;
}

static struct fault page_fault(enum page_fault_access access, uint64_t address)
{
    return (struct fault){.kind = FAULT_PAGE,
                          .number = PAGE_FAULT,
                          .page.access = access,
                          .address = virt_addr(address)};
}

static void assert_report(enum panic_code code, const char *cause, struct fault fault)
{
    expect_panic(code, fault_report(&fault));
    assert_string_equal(panic_stub.message, cause);
}

static void test_null_pointers(void **state)
{
    (void)state;
    assert_report(PANIC_NULL_ACCESS, "read of 0x0: a null pointer", page_fault(PAGE_FAULT_READ, 0));
    assert_report(PANIC_NULL_ACCESS, "write to 0xfff: a null pointer",
                  page_fault(PAGE_FAULT_WRITE, 0xfff));
    assert_report(PANIC_NULL_ACCESS, "instruction fetch from 0x10: a null pointer",
                  page_fault(PAGE_FAULT_FETCH, 0x10));
}

static void test_guard_pages(void **state)
{
    (void)state;
    assert_report(PANIC_STACK_OVERFLOW,
                  "write to 0xffffe00000010000: the guard page of the main stack",
                  page_fault(PAGE_FAULT_WRITE, STACK));
    assert_report(PANIC_GUARD_PAGE, "read of 0xffffcfffffffffff: the guard page of the heap window",
                  page_fault(PAGE_FAULT_READ, HEAP_GUARD + PAGE_SIZE_BYTES - 1));
}

static void test_pages_that_are_not_there(void **state)
{
    (void)state;
    arch_stub.page_features.levels = 4;
    assert_report(
        PANIC_EXCEPTION_BASE + PAGE_FAULT,
        "read of 0x1000: no page is mapped there, in the lower half, which the kernel does not use",
        page_fault(PAGE_FAULT_READ, 0x1000));
    assert_report(PANIC_EXCEPTION_BASE + PAGE_FAULT,
                  "write to 0xffff800000000000: no page is mapped there, in the direct map",
                  page_fault(PAGE_FAULT_WRITE, LAYOUT_DIRECT_MAP_BASE));
    /* Before there is an address space. */
    guard_use(NULL);
    assert_report(PANIC_EXCEPTION_BASE + PAGE_FAULT,
                  "write to 0xffffe00000010000: no page is mapped there, in the kernel's stacks",
                  page_fault(PAGE_FAULT_WRITE, STACK));
}

static void test_pages_that_do_not_allow_it(void **state)
{
    (void)state;
    struct fault fault = page_fault(PAGE_FAULT_WRITE, LAYOUT_KERNEL_IMAGE_BASE);
    fault.page.obstacle = PAGE_FAULT_NOT_WRITABLE;
    assert_report(PANIC_WRITE_PROTECTION, "write to 0xffffffff80000000: the page is read-only",
                  fault);
    fault.page.access = PAGE_FAULT_FETCH;
    fault.page.obstacle = PAGE_FAULT_NOT_EXECUTABLE;
    assert_report(PANIC_EXECUTE_PROTECTION,
                  "instruction fetch from 0xffffffff80000000: the page is not executable", fault);
    fault.page.obstacle = PAGE_FAULT_BAD_ENTRY;
    assert_report(PANIC_EXCEPTION_BASE + PAGE_FAULT,
                  "instruction fetch from 0xffffffff80000000: a page-table entry has reserved bits "
                  "set",
                  fault);
}

static void test_fault_that_could_not_be_delivered(void **state)
{
    (void)state;
    struct fault fault = {.kind = FAULT_UNDELIVERED,
                          .number = DOUBLE_FAULT,
                          .address = virt_addr(STACK + 8),
                          .stack_pointer = virt_addr(STACK + 16)};
    assert_report(PANIC_STACK_OVERFLOW,
                  "the stack pointer 0xffffe00000010010 ran into the guard page of the main stack",
                  fault);
    fault.address = virt_addr(HEAP_GUARD);
    assert_report(PANIC_EXCEPTION_BASE + DOUBLE_FAULT, "CPU exception 8, #DF double fault", fault);
    fault.address = virt_addr(0x123456);
    assert_report(PANIC_EXCEPTION_BASE + DOUBLE_FAULT, "CPU exception 8, #DF double fault", fault);
}

static void test_other_exceptions_and_interrupts(void **state)
{
    (void)state;
    /* The address belongs to an older fault, and has no meaning. */
    struct fault fault = {.kind = FAULT_EXCEPTION, .number = 6, .address = virt_addr(STACK)};
    assert_report(PANIC_EXCEPTION_BASE + 6, "CPU exception 6, #UD invalid opcode", fault);
    fault.kind = FAULT_INTERRUPT;
    fault.number = 0x21;
    assert_report(PANIC_UNEXPECTED_INTERRUPT, "interrupt vector 33 has no handler", fault);
}

static void test_detail_and_registers_are_passed_on(void **state)
{
    (void)state;
    int anything;
    struct fault fault = {.kind = FAULT_EXCEPTION,
                          .number = 13,
                          .detail = "error code 0x0",
                          .registers = (const struct arch_registers *)&anything};
    expect_panic(PANIC_EXCEPTION_BASE + 13, fault_report(&fault));
    assert_ptr_equal(panic_stub.detail, fault.detail);
    assert_ptr_equal(panic_stub.registers, fault.registers);
}

/* The last test: from here on the kernel's heap is online. */
static void test_blocks_between_guard_pages(void **state)
{
    (void)state;
    static struct heap_arena arena;
    struct heap *heap;
    char cause[128];
    heap_arena_create(&arena, (size_t)1 << 20);
    struct heap_configuration configuration = heap_arena_growing(&arena, (size_t)1 << 20);
    heap_arena_add_guarded(&arena, &configuration, (size_t)64 << 20, 8192, 0);
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
    kmalloc_online(heap);
    uint8_t *block = kmalloc(8192);
    assert_non_null(block);

    struct fault fault = page_fault(PAGE_FAULT_WRITE, (uintptr_t)block + 8192);
    (void)snprintf(cause, sizeof cause, "write to %p: 1 byte behind the block of 8192 bytes",
                   (void *)(block + 8192));
    assert_report(PANIC_HEAP_GUARD, cause, fault);
    assert_non_null(panic_stub_noted("allocated by"));
    assert_null(panic_stub_noted("freed by"));

    /* For a mapped page only its permissions count, also beside a guarded block. */
    fault.page.obstacle = PAGE_FAULT_NOT_WRITABLE;
    (void)snprintf(cause, sizeof cause, "write to %p: the page is read-only",
                   (void *)(block + 8192));
    assert_report(PANIC_WRITE_PROTECTION, cause, fault);

    kfree(block);
    (void)snprintf(cause, sizeof cause, "read of %p: 0 bytes into a freed block of 8192 bytes",
                   (void *)block);
    assert_report(PANIC_HEAP_GUARD, cause, page_fault(PAGE_FAULT_READ, (uintptr_t)block));
    assert_non_null(panic_stub_noted("freed by"));
}

#define WITH_GUARDS(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_GUARDS(test_null_pointers),
        WITH_GUARDS(test_guard_pages),
        WITH_GUARDS(test_pages_that_are_not_there),
        WITH_GUARDS(test_pages_that_do_not_allow_it),
        WITH_GUARDS(test_fault_that_could_not_be_delivered),
        WITH_GUARDS(test_other_exceptions_and_interrupts),
        WITH_GUARDS(test_detail_and_registers_are_passed_on),
        WITH_GUARDS(test_blocks_between_guard_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
