#include "kernel/diagnostics/provoke.h"

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch.h"
#include "kernel/core/image.h"
#include "kernel/core/log.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/core/nearest.h"
#include "kernel/core/panic.h"
#include "kernel/core/panic_screen.h"
#include "kernel/diagnostics/provoke_heap.h"
#include "kernel/diagnostics/sanitizer/address.h"
#include "kernel/diagnostics/sanitizer/undefined.h"
#include "shared/text/command_line.h"
#include "shared/text/text.h"

#define BLOCK_SIZE_BYTES 64

/* --- Forbidden accesses to every kind of mapping --- */

static void read_at(uint64_t address)
{
    (void)*(volatile uint8_t *)address;
}

static void write_at(uint64_t address)
{
    *(volatile uint8_t *)address = 1;
}

/* Volatile: the compiler must not see that the address may be 0. */
static void call_at(uint64_t address)
{
    void (*volatile code)(void) = (void (*)(void))address;
    code();
}

/* Write a function that only returns, and call it. The call faults if the memory is not
 * executable. */
static void execute(void *memory)
{
    arch_provoke_write_return(memory);
    call_at((uint64_t)memory);
}

/* Return the address at which the direct map shows a physical address. */
static uint64_t in_direct_map(const struct kernel *kernel, struct phys_addr physical)
{
    return virt_addr_add(kernel->address_space.direct_map.start, physical.value).value;
}

/* Return the address at which the direct map shows the memory of `address` in the image. */
static uint64_t alias_of(const struct kernel *kernel, const char *address)
{
    struct virt_range virtual = virt_range((uint64_t)address, (uint64_t)address + 1);
    return in_direct_map(kernel, kernel_layout_physical(&kernel->layout, virtual).start);
}

static void null_read(struct kernel *kernel)
{
    (void)kernel;
    read_at(0x10);
}

static void null_write(struct kernel *kernel)
{
    (void)kernel;
    write_at(0x10);
}

static void null_execute(struct kernel *kernel)
{
    (void)kernel;
    call_at(0);
}

/* The loader's image was mapped there. */
static void identity_read(struct kernel *kernel)
{
    read_at(kernel->handoff.loader_physical_base);
}

static void rodata_write(struct kernel *kernel)
{
    (void)kernel;
    write_at((uint64_t)kernel_rodata_start);
}

static void rodata_execute(struct kernel *kernel)
{
    (void)kernel;
    call_at((uint64_t)kernel_rodata_start);
}

static void symbols_write(struct kernel *kernel)
{
    (void)kernel;
    write_at((uint64_t)kernel_symbols_start);
}

static void text_write(struct kernel *kernel)
{
    (void)kernel;
    write_at((uint64_t)kernel_text_start);
}

static void data_execute(struct kernel *kernel)
{
    (void)kernel;
    static uint8_t code[16];
    execute(code);
}

static void heap_execute(struct kernel *kernel)
{
    (void)kernel;
    void *block = kmalloc(BLOCK_SIZE_BYTES);
    kernel_assert(block != NULL);
    execute(block);
}

static void stack_execute(struct kernel *kernel)
{
    (void)kernel;
    uint8_t code[16];
    execute(code);
}

static void direct_map_execute(struct kernel *kernel)
{
    struct phys_addr frame;
    if (frame_allocator_allocate(&kernel->frames, &frame))
        execute((void *)in_direct_map(kernel, frame));
}

static void text_alias_write(struct kernel *kernel)
{
    write_at(alias_of(kernel, kernel_text_start));
}

static void text_alias_execute(struct kernel *kernel)
{
    call_at(alias_of(kernel, kernel_text_start));
}

static void rodata_alias_write(struct kernel *kernel)
{
    write_at(alias_of(kernel, kernel_rodata_start));
}

/* Write behind the highest physical address that is mapped. */
static void direct_map_beyond(struct kernel *kernel)
{
    write_at(in_direct_map(kernel, kernel->address_space.direct_map_end));
}

static void framebuffer_execute(struct kernel *kernel)
{
    kernel_assert(kernel->has_screen);
    execute((void *)in_direct_map(kernel, phys_addr(kernel->view.framebuffer.base)));
}

static struct virt_addr map_device(struct kernel *kernel)
{
    struct virt_addr registers;
    struct arch_device device = arch_provoke_device();
    enum page_table_status status =
        address_space_map_device(&kernel->address_space, device.name, device.base,
                                 device.size_bytes, PAGE_MEMORY_UNCACHED, &registers);
    kernel_assert(status == PAGE_TABLE_OK);
    return registers;
}

static void device_execute(struct kernel *kernel)
{
    call_at(map_device(kernel).value);
}

static void device_unmapped(struct kernel *kernel)
{
    struct virt_addr registers = map_device(kernel);
    read_at(registers.value);
    address_space_unmap_device(&kernel->address_space, registers);
    read_at(registers.value);
}

static void stack_guard(struct kernel *kernel)
{
    (void)kernel;
    write_at(LAYOUT_STACKS_BASE);
}

/* The addition behind the call prevents the compiler from making a loop of the recursion. The
 * limit, which no stack reaches, hides the endless recursion from the compiler. */
static unsigned recurse(volatile unsigned *depth)
{
    volatile unsigned here[64];
    here[0] = ++*depth;
    if (here[0] == UINT32_MAX)
        return 0;
    return recurse(depth) + here[0];
}

static void stack_overflow(struct kernel *kernel)
{
    (void)kernel;
    volatile unsigned depth = 0;
    recurse(&depth);
}

/* A sink that faults when the panic is printed. */
static void fault_in_sink(void *context, const char *text, size_t length_bytes)
{
    (void)context;
    (void)text;
    (void)length_bytes;
    arch_provoke("undefined");
}

static void panic_in_sink(void *context, const char *text, size_t length_bytes)
{
    (void)context;
    (void)length_bytes;
    panic(PANIC_ASSERTION, "the sink fails at \"%c\"", text[0]);
}

static void nested_fault(struct kernel *kernel)
{
    (void)kernel;
    log_add_sink((struct log_sink){fault_in_sink, NULL, NULL});
}

static void panic_in_panic(struct kernel *kernel)
{
    (void)kernel;
    log_add_sink((struct log_sink){panic_in_sink, NULL, NULL});
}

/* The screen of a panic is drawn on pixels that are not mapped. */
static void fault_on_screen(struct kernel *kernel)
{
    panic_screen_use(&kernel->view.framebuffer, (void *)virt_addr(PAGE_SIZE_BYTES).value);
    panic(PANIC_ASSERTION, "on purpose, with a screen that faults");
}

static void assertion(struct kernel *kernel)
{
    kernel_assert(kernel == NULL);
}

static void heap_guard(struct kernel *kernel)
{
    write_at(kernel->heap_window.base.value - 1);
}

static void heap_end_guard(struct kernel *kernel)
{
    write_at(kernel->heap_window.base.value + kernel->heap_window.limit_bytes);
}

/* In the window, but not mapped yet. */
static void heap_beyond(struct kernel *kernel)
{
    write_at(kernel->heap_window.base.value + kernel->heap_window.end_bytes);
}

/* Exhaustion is not a panic. The call fails, the log shows the usage, and later calls succeed. The
 * first word of each block points to the block before it. */
static void out_of_memory(struct kernel *kernel)
{
    void **newest = NULL;
    size_t count = 0;
    for (void **block; (block = kmalloc(4096)) != NULL; count++) {
        *block = newest;
        newest = block;
    }
    const char *complaint = heap_check(kernel->heap);
    if (complaint != NULL)
        panic(PANIC_SELF_TEST, "the exhausted heap: %s", complaint);
    while (newest != NULL) {
        void **block = newest;
        newest = *block;
        kfree(block);
    }
    void *again = kmalloc(BLOCK_SIZE_BYTES);
    if (again == NULL || heap_check(kernel->heap) != NULL)
        panic(PANIC_SELF_TEST, "the heap allocates nothing after it was exhausted");
    kfree(again);
    log_line("provoke", "blocks=%zu", count);
}

static void early_heap_retired(struct kernel *kernel)
{
    (void)early_heap_allocate(&kernel->early_heap, BLOCK_SIZE_BYTES, 16);
}

static void frame_double_free(struct kernel *kernel)
{
    struct phys_addr frame;
    if (frame_allocator_allocate(&kernel->frames, &frame)) {
        frame_allocator_free(&kernel->frames, frame);
        frame_allocator_free(&kernel->frames, frame);
    }
}

/* --- Before the kernel's own fault handlers --- */

static void loader_fault(struct kernel *kernel)
{
    (void)kernel;
    arch_provoke("undefined");
}

static void early_panic(struct kernel *kernel)
{
    (void)kernel;
    panic(PANIC_ASSERTION, "on purpose, before there are fault handlers");
}

static void early_heap_free_order(struct kernel *kernel)
{
    void *older = early_heap_allocate_freeable(&kernel->early_heap, BLOCK_SIZE_BYTES, 16);
    void *newer = early_heap_allocate_freeable(&kernel->early_heap, BLOCK_SIZE_BYTES, 16);
    kernel_assert(newer != NULL);
    early_heap_free(&kernel->early_heap, older);
}

static void early_heap_exhausted(struct kernel *kernel)
{
    early_heap_allocate_or_panic(&kernel->early_heap, EARLY_HEAP_SIZE_MAX_BYTES, 16);
}

struct provocation {
    const char *name;
    void (*run)(struct kernel *kernel);
    bool before_handlers;
};

static const struct provocation provocations[] = {
    {"loader-fault", loader_fault, true},
    {"early-panic", early_panic, true},
    {"early-heap-free", early_heap_free_order, true},
    {"early-heap-exhausted", early_heap_exhausted, true},
    {"null-read", null_read, false},
    {"null-write", null_write, false},
    {"null-execute", null_execute, false},
    {"identity-read", identity_read, false},
    {"rodata-write", rodata_write, false},
    {"rodata-execute", rodata_execute, false},
    {"symbols-write", symbols_write, false},
    {"text-write", text_write, false},
    {"data-execute", data_execute, false},
    {"heap-execute", heap_execute, false},
    {"stack-execute", stack_execute, false},
    {"direct-map-execute", direct_map_execute, false},
    {"direct-map-beyond", direct_map_beyond, false},
    {"text-alias-write", text_alias_write, false},
    {"text-alias-execute", text_alias_execute, false},
    {"rodata-alias-write", rodata_alias_write, false},
    {"framebuffer-execute", framebuffer_execute, false},
    {"device-execute", device_execute, false},
    {"device-unmapped", device_unmapped, false},
    {"stack-guard", stack_guard, false},
    {"stack-overflow", stack_overflow, false},
    {"nested-fault", nested_fault, false},
    {"panic-in-panic", panic_in_panic, false},
    {"fault-on-screen", fault_on_screen, false},
    {"assertion", assertion, false},
    {"heap-guard", heap_guard, false},
    {"heap-end-guard", heap_end_guard, false},
    {"heap-beyond", heap_beyond, false},
    {"out-of-memory", out_of_memory, false},
    {"early-heap-retired", early_heap_retired, false},
    {"frame-double-free", frame_double_free, false},
};

#define PROVOCATION_COUNT (sizeof provocations / sizeof provocations[0])

/* Longer than any name, so that a name that was cut is unknown. */
#define NAME_CAPACITY 64

static const char *generic_name(size_t index)
{
    return index < PROVOCATION_COUNT ? provocations[index].name : NULL;
}

static const struct provocation *find(const char *name)
{
    for (size_t i = 0; i < PROVOCATION_COUNT; i++) {
        if (text_equal(name, provocations[i].name))
            return &provocations[i];
    }
    return NULL;
}

static struct nearest nearest_provocation(const char *name)
{
    static const char *(*const lists[])(size_t index) = {
        generic_name,           provoke_heap_name,    arch_provoke_name,
        undefined_provoke_name, address_provoke_name,
    };
    struct nearest nearest = nearest_begin((struct piece){name, text_length(name)});
    for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
        for (size_t i = 0; lists[list](i) != NULL; i++)
            nearest_consider(&nearest, lists[list](i));
    }
    return nearest;
}

static bool begins_with(const char *text, const char *start)
{
    while (*start != '\0' && *text == *start) {
        text++;
        start++;
    }
    return *start == '\0';
}

/* Only a checked kernel notices some failures, so only such a kernel can provoke them. Return the
 * option of make that builds it, or NULL. */
static const char *needed_build(const char *name)
{
    if (begins_with(name, "undefined-") && undefined_provoke_name(0) == NULL)
        return "UBSAN=1";
    if (begins_with(name, "access-") && address_provoke_name(0) == NULL)
        return "KASAN=1";
    return NULL;
}

static void warn_of_name(const char *name, const struct nearest *nearest)
{
    if (needed_build(name) != NULL)
        log_warning("provoke",
                    "\"%s\" is not a name in this kernel: it needs a kernel that is built with %s",
                    name, needed_build(name));
    else if (nearest_is_close(nearest))
        log_warning("provoke", "\"%s\" is not a name: did you mean \"%s\"?", name, nearest->name);
    else
        log_warning("provoke", "\"%s\" is not a name such as \"null-read\": docs/LOG.md lists all",
                    name);
}

/* Read the name on the command line. Return false if there is no name, or an unknown name. The
 * first of the two calls warns about it. */
static bool read_name(const char *command_line, bool warn, char name[NAME_CAPACITY])
{
    if (!command_line_value(command_line, "provoke", name, NAME_CAPACITY)) {
        if (warn && command_line_mentions(command_line, "provoke"))
            log_warning("provoke", "provoke= is ignored: the value must be a name in docs/LOG.md");
        return false;
    }
    struct nearest nearest = nearest_provocation(name);
    bool is_known = text_equal(name, nearest.name);
    if (warn && !is_known)
        warn_of_name(name, &nearest);
    return is_known;
}

static void run_late(struct kernel *kernel, const char *name)
{
    bool is_done = provoke_heap(kernel, name) || arch_provoke(name) || undefined_provoke(name) ||
                   address_provoke(name);
    kernel_assert(is_done);
}

static bool is_early(const char *name)
{
    const struct provocation *provocation = find(name);
    return provocation != NULL && provocation->before_handlers;
}

static void run(struct kernel *kernel, const char *name)
{
    const struct provocation *provocation = find(name);
    log_line("provoke", "name=%s", name);
    if (provocation != NULL)
        provocation->run(kernel);
    else
        run_late(kernel, name);
    log_line("provoke", "name=%s survived=yes", name);
}

void provoke(struct kernel *kernel, bool before_handlers)
{
    char name[NAME_CAPACITY];
    if (read_name(kernel->view.command_line, before_handlers, name) &&
        is_early(name) == before_handlers)
        run(kernel, name);
}

void provoke_name(struct kernel *kernel, const char *name)
{
    struct nearest nearest = nearest_provocation(name);
    if (!text_equal(name, nearest.name))
        warn_of_name(name, &nearest);
    else if (is_early(name))
        log_warning("provoke", "%s needs the boot's begin: write provoke=%s on the command line",
                    name, name);
    else
        run(kernel, name);
}
