#include "tests/unit/support/monitor_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/core/image.h"
#include "kernel/core/symbols.h"
#include "kernel/diagnostics/lesson_request.h"
#include "kernel/diagnostics/measure.h"
#include "kernel/diagnostics/provoke.h"
#include "kernel/mm/kmalloc.h"
#include "tests/unit/support/log_stub.h"

#define HEAP_BYTES       ((size_t)1 << 20)
#define EARLY_HEAP_BYTES ((size_t)1 << 20)

static struct monitor_machine machine;
static bool is_made;

/* --- What the commands call, and a host does not have --- */

const unsigned char kernel_build_id[KERNEL_BUILD_ID_SIZE_BYTES] = {0xab, 1, 2, 3, 4, 5, 6, 0xcd};

bool symbols_find_caller(struct virt_addr return_address, struct symbol *ret_symbol)
{
    *ret_symbol = (struct symbol){.name = "some_function", .offset_bytes = 4};
    return return_address.value != 0;
}

void measure(struct kernel *kernel)
{
    (void)kernel;
    machine.measure_count++;
}

void lesson_request(struct kernel *kernel, const char *words, struct phys_range memory)
{
    (void)kernel;
    (void)words;
    machine.lesson_count += phys_range_size_bytes(memory) != 0;
}

void provoke_name(struct kernel *kernel, const char *name)
{
    (void)kernel;
    machine.provoke_count++;
    (void)snprintf(machine.provoked, sizeof machine.provoked, "%s", name);
}

static volatile uint8_t *reach(const struct monitor_state *monitor, struct virt_addr address)
{
    static uint8_t copy;
    struct page_mapping mapping;
    if (page_table_lookup(&monitor->kernel->address_space.table, address, &mapping) !=
        PAGE_TABLE_OK) {
        machine.fault_count++;
        return &copy;
    }
    uint8_t *place =
        machine.fake.memory + mapping.physical.value + (address.value - mapping.virtual.value);
    copy = *place;
    return machine.discards_writes ? &copy : place;
}

/* --- The kernel --- */

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "monitor_machine: %s\n", what);
    abort();
}

static void make_memory(struct kernel *kernel)
{
    static _Alignas(4096) unsigned char early[EARLY_HEAP_BYTES];
    require(early_heap_initialise(&kernel->early_heap, virt_addr((uintptr_t)early), sizeof early) ==
                EARLY_HEAP_OK,
            "early heap");
    kernel->view.regions = (struct region_list){
        machine.fake.regions, (uint32_t)machine.fake.region_count, sizeof machine.fake.regions[0]};
    kernel->view.command_line = "heap_aslr=off";
    require(frame_allocator_initialise(&kernel->frames, &kernel->view.regions, &kernel->early_heap,
                                       virt_addr((uintptr_t)machine.fake.memory)) ==
                FRAME_ALLOCATOR_OK,
            "frames");
}

static void make_heap(struct kernel *kernel)
{
    heap_arena_create(&machine.arena, HEAP_BYTES);
    struct heap_configuration configuration = heap_arena_fixed(&machine.arena, HEAP_BYTES);
    configuration.fault = kmalloc_fault;
    require(heap_initialise(&configuration, &kernel->heap) == HEAP_OK, "heap");
    kmalloc_online(kernel->heap);
}

static void make(void)
{
    struct kernel *kernel = &machine.kernel;
    fake_machine_create(&machine.fake);
    require(address_space_build(&kernel->address_space, &machine.fake.plan,
                                &machine.fake.environment) == PAGE_TABLE_OK,
            "address space");
    make_memory(kernel);
    make_heap(kernel);
    kernel->timeline.count = 2;
    kernel->timeline.loader_count = 1;
    kernel->timeline.frequency_hz = 1000000;
    kernel->timeline.moments[0] = (struct handoff_moment){.ticks = 0, .name = "loader"};
    kernel->timeline.moments[1] = (struct handoff_moment){.ticks = 700, .name = "kernel: ready"};
    monitor_initialise(&machine.monitor, kernel);
    machine.monitor.state.reach = reach;
    is_made = true;
}

struct monitor_machine *monitor_machine(void)
{
    if (!is_made)
        make();
    return &machine;
}

const char *monitor_machine_ask(const char *line)
{
    log_stub_clear();
    (void)monitor_run(&monitor_machine()->monitor, (struct piece){line, strlen(line)});
    return log_stub.text;
}

static void remember_live(void *context, const struct heap_piece *piece)
{
    const void **block = context;
    if (piece->kind == HEAP_PIECE_LIVE)
        *block = piece->start;
}

void monitor_machine_reset(void)
{
    const void *block;
    do {
        block = NULL;
        heap_walk(monitor_machine()->kernel.heap, remember_live, &block);
        kfree((void *)(uintptr_t)block);
    } while (block != NULL);
}
