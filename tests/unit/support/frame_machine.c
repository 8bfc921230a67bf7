#define _DEFAULT_SOURCE /* mmap with MAP_NORESERVE: this is a host program */

#include "tests/unit/support/frame_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "shared/region.h"

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "frame_machine: %s\n", what);
    abort();
}

struct frame_machine *frame_machine_create(void)
{
    struct frame_machine *machine = calloc(1, sizeof(*machine));
    require(machine != NULL, "no memory");
    machine->regions = (struct region_list){machine->rows, 0, sizeof(machine->rows[0])};
    machine->early_heap_region = aligned_alloc(4096, FRAME_MACHINE_EARLY_HEAP_BYTES);
    require(early_heap_initialise(&machine->early_heap,
                                  virt_addr((uintptr_t)machine->early_heap_region),
                                  FRAME_MACHINE_EARLY_HEAP_BYTES) == EARLY_HEAP_OK,
            "no early heap");
    return machine;
}

void frame_machine_destroy(struct frame_machine *machine)
{
    if (machine->memory != NULL)
        (void)munmap(machine->memory, machine->memory_size_bytes);
    free(machine->early_heap_region);
    free(machine);
}

void frame_machine_add(struct frame_machine *machine, uint64_t base, uint64_t size_bytes,
                       uint32_t type)
{
    require(machine->regions.count < FRAME_MACHINE_ROWS_MAX, "too many rows");
    machine->rows[machine->regions.count++] =
        region_make(base, size_bytes, type, HANDOFF_EFI_TYPE_NONE, 0xf);
}

struct frame_machine *frame_machine_create_small(void)
{
    struct frame_machine *machine = frame_machine_create();
    frame_machine_add(machine, 0, 160 * 4096, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 512 * 4096, 7680 * 4096, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 8192 * 4096, 808 * 4096, HANDOFF_REGION_LOADER);
    frame_machine_add(machine, 9000 * 4096, 100 * 4096, HANDOFF_REGION_RUNTIME_DATA);
    frame_machine_add(machine, 9100 * 4096, 64 * 4096, HANDOFF_REGION_TEMP_HEAP);
    frame_machine_add(machine, 9164 * 4096, 16 * 4096, HANDOFF_REGION_KERNEL_IMAGE);
    frame_machine_add(machine, 9180 * 4096, 10 * 4096, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 9190 * 4096, 10 * 4096, HANDOFF_REGION_MMIO);
    return machine;
}

void frame_machine_add_memory_below(struct frame_machine *machine, uint64_t end,
                                    uint64_t size_bytes)
{
    machine->memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(machine->memory != MAP_FAILED, "no address space for the records");
    /* If the host gives 2 MiB for one byte, all of them would count as touched. */
    (void)madvise(machine->memory, size_bytes, MADV_NOHUGEPAGE);
    machine->memory_size_bytes = size_bytes;
    machine->direct_map_base = virt_addr((uint64_t)(uintptr_t)machine->memory - (end - size_bytes));
}

void frame_machine_add_memory(struct frame_machine *machine, uint64_t size_bytes)
{
    frame_machine_add_memory_below(machine, size_bytes, size_bytes);
}

enum frame_allocator_status frame_machine_start(struct frame_machine *machine,
                                                struct early_heap *early_heap)
{
    return frame_allocator_initialise(&machine->frames, &machine->regions, early_heap,
                                      machine->direct_map_base);
}

struct frame_allocator *frame_machine_start_or_abort(struct frame_machine *machine)
{
    require(frame_machine_start(machine, &machine->early_heap) == FRAME_ALLOCATOR_OK,
            "the allocator is refused");
    require(phys_range_is_empty(machine->frames.records.own), "the records are not in the heap");
    require(frame_machine_problem(&machine->frames) == NULL, "the allocator is not sound");
    return &machine->frames;
}

struct phys_range frame_machine_bytes(uint64_t base, uint64_t size_bytes)
{
    return phys_range(base, base + size_bytes);
}

uint64_t frame_machine_exhaust(struct frame_allocator *frames, struct phys_addr *taken,
                               uint64_t capacity)
{
    uint64_t count = 0;
    struct phys_addr frame;
    while (frame_allocator_allocate(frames, &frame)) {
        if (count < capacity)
            taken[count] = frame;
        count++;
    }
    return count;
}

bool frame_machine_is_usable(const struct frame_machine *machine, struct phys_addr base,
                             uint64_t size_bytes)
{
    uint64_t covered_end = base.value;
    for (uint32_t i = 0; i < machine->regions.count; i++) {
        const struct handoff_region *row = &machine->rows[i];
        if (row->reuse == HANDOFF_REUSE_AT_ENTRY && row->base <= covered_end &&
            covered_end - row->base < row->size_bytes)
            covered_end = row->base + row->size_bytes;
    }
    return covered_end >= base.value + size_bytes && base.value > 0;
}

const char *frame_machine_problem(const struct frame_allocator *frames)
{
    const char *problem = frame_allocator_check(frames);
    struct frame_allocator_statistics sum = frame_allocator_statistics(frames);
    if (problem != NULL)
        return problem;
    return sum.free_count + sum.used_count + sum.cached_count + sum.reserved_count ==
                   sum.total_count
               ? NULL
               : "free, used, cached and reserved are not the total";
}

/* The sums over the holdings. */
struct holdings {
    uint64_t listed_count;
    uint64_t ram_count;
    uint64_t released_count;
    uint64_t free_count;
};

static bool add_holding(struct holdings *holdings, const struct frame_machine *machine,
                        uint32_t index)
{
    struct frame_holding holding = frame_allocator_holding(&machine->frames, index);
    uint64_t frame_count = frame_range_count(holding.frames);
    struct phys_range bytes = phys_range(holding.frames.start * 4096, holding.frames.end * 4096);
    holdings->listed_count += frame_count;
    holdings->ram_count += holding.is_ram ? frame_count : 0;
    holdings->released_count += holding.released ? frame_count : 0;
    holdings->free_count += holding.free_count;
    return region_list_covers(&machine->regions, bytes, holding.type);
}

const char *frame_machine_ownership_problem(const struct frame_machine *machine)
{
    struct frame_allocator_statistics sum = frame_allocator_statistics(&machine->frames);
    struct holdings holdings = {0};
    uint64_t row_count = 0;
    for (uint32_t i = 0; i < machine->regions.count; i++)
        row_count += machine->rows[i].size_bytes / 4096;
    for (uint32_t i = 0; i < frame_allocator_holding_count(&machine->frames); i++) {
        if (!add_holding(&holdings, machine, i))
            return "a holding is not of its region's type";
    }
    if (holdings.listed_count != row_count)
        return "the holdings are not all rows";
    if (holdings.ram_count != sum.total_count)
        return "the holdings of RAM are not the total";
    if (holdings.released_count != sum.free_count + sum.used_count + sum.cached_count)
        return "the released holdings are not what is free, used or cached";
    return holdings.free_count == sum.free_count ? NULL : "the holdings' free frames are not all";
}
