#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */

#include "tests/unit/support/fake_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel/mm/layout.h"
#include "shared/region.h"

#define MEMORY_BYTES   ((size_t)5 << 30)
#define MEMORY_WB      UINT64_C(8)
#define MEMORY_RUNTIME (UINT64_C(1) << 63)
#define FRAME_LIMIT    16384

static _Noreturn void misuse(const char *what)
{
    (void)fprintf(stderr, "fake_machine: %s\n", what);
    abort();
}

/* UEFI 2.10, 7.2.1: the types that the tests need. */
static uint32_t efi_type_of(enum handoff_region_type type)
{
    switch (type) {
    case HANDOFF_REGION_RUNTIME_CODE:
        return 5;
    case HANDOFF_REGION_RUNTIME_DATA:
        return 6;
    default:
        return HANDOFF_EFI_TYPE_NONE;
    }
}

static void add_region(struct fake_machine *machine, uint64_t base, uint64_t end,
                       enum handoff_region_type type, uint64_t attributes)
{
    machine->regions[machine->region_count++] =
        region_make(base, end - base, type, efi_type_of(type), attributes);
}

static void add_regions(struct fake_machine *m)
{
    add_region(m, 0x0, 0x1000, HANDOFF_REGION_RESERVED, MEMORY_WB);
    add_region(m, 0x1000, 0x9f000, HANDOFF_REGION_USABLE, MEMORY_WB);
    add_region(m, 0x100000, FAKE_MACHINE_IMAGE_BASE, HANDOFF_REGION_USABLE, MEMORY_WB);
    add_region(m, FAKE_MACHINE_IMAGE_BASE, 0x881000, HANDOFF_REGION_KERNEL_IMAGE, MEMORY_WB);
    add_region(m, 0x881000, 0x900000, HANDOFF_REGION_HANDOFF_DATA, MEMORY_WB);
    add_region(m, 0x900000, FAKE_MACHINE_RUNTIME_CODE_BASE, HANDOFF_REGION_USABLE, MEMORY_WB);
    add_region(m, FAKE_MACHINE_RUNTIME_CODE_BASE, FAKE_MACHINE_RUNTIME_DATA_BASE,
               HANDOFF_REGION_RUNTIME_CODE, MEMORY_WB | MEMORY_RUNTIME);
    add_region(m, FAKE_MACHINE_RUNTIME_DATA_BASE, 0x3020000, HANDOFF_REGION_RUNTIME_DATA,
               MEMORY_WB | MEMORY_RUNTIME);
    add_region(m, 0x3020000, 0x3030000, HANDOFF_REGION_ACPI_NVS, MEMORY_WB);
    add_region(m, 0x3030000, 0x3100000, HANDOFF_REGION_RESERVED, MEMORY_WB);
    add_region(m, FAKE_MACHINE_FRAMEBUFFER_BASE,
               FAKE_MACHINE_FRAMEBUFFER_BASE + FAKE_MACHINE_FRAMEBUFFER_BYTES,
               HANDOFF_REGION_FRAMEBUFFER, 1);
    add_region(m, FAKE_MACHINE_FLASH_BASE, FAKE_MACHINE_FLASH_BASE + FAKE_MACHINE_FLASH_BYTES,
               HANDOFF_REGION_MMIO, 1 | MEMORY_RUNTIME);
    add_region(m, 0x100000000, 0x100400000, HANDOFF_REGION_USABLE, MEMORY_WB);
}

static void add_segment(struct fake_machine *machine, size_t index, const char *name,
                        uint64_t start, uint64_t end, bool write, bool execute)
{
    machine->segments[index] = (struct kernel_segment){
        .name = name,
        .virtual = virt_range(LAYOUT_KERNEL_IMAGE_BASE + start, LAYOUT_KERNEL_IMAGE_BASE + end),
        .write = write,
        .execute = execute,
    };
}

static void *access_memory(void *context, struct phys_addr page)
{
    struct fake_machine *machine = context;
    if (!page_is_aligned(page.value) || page.value >= MEMORY_BYTES)
        misuse("access to a page that is no RAM");
    return machine->memory + page.value;
}

static void count_invalidate(void *context, struct virt_addr start, uint64_t size_bytes)
{
    struct fake_machine *machine = context;
    (void)start;
    (void)size_bytes;
    machine->invalidate_count++;
    machine->free_count_at_invalidate = fake_machine_free_count(machine);
}

static void count_shoot_down(void *context, struct virt_addr start, uint64_t size_bytes)
{
    struct fake_machine *machine = context;
    machine->shoot_down_count++;
    machine->shot_down_start = start.value;
    machine->shot_down_size_bytes = size_bytes;
    machine->invalidate_count_at_shoot_down = machine->invalidate_count;
    machine->free_count_at_shoot_down = fake_machine_free_count(machine);
}

static struct frame_reserve *reserve_of_machine(void *context)
{
    struct fake_machine *machine = context;
    return &machine->reserve;
}

static void make_plan(struct fake_machine *machine)
{
    add_segment(machine, 0, "text", 0x0, 0x5000, false, true);
    add_segment(machine, 1, "rodata", 0x5000, 0x8000, false, false);
    add_segment(machine, 2, "data", 0x8000, 0x48000, true, false);
    add_segment(machine, 3, "symbols", 0x48000, 0x4b000, false, false);
    machine->plan = (struct address_space_plan){
        .features = {.levels = 4,
                     .physical_bits = 46,
                     .no_execute = true,
                     .largest_leaf_level = 3,
                     .write_combining = true},
        .layout = {.virtual_base = virt_addr(LAYOUT_KERNEL_IMAGE_BASE),
                   .physical_base = phys_addr(FAKE_MACHINE_IMAGE_BASE),
                   .segments = machine->segments,
                   .segment_count = 4},
        .regions = machine->regions,
        .region_count = machine->region_count,
        .framebuffer = phys_range(FAKE_MACHINE_FRAMEBUFFER_BASE,
                                  FAKE_MACHINE_FRAMEBUFFER_BASE + FAKE_MACHINE_FRAMEBUFFER_BYTES),
    };
    machine->environment = (struct address_space_environment){
        .reserve = reserve_of_machine,
        .access = access_memory,
        .context = machine,
        .invalidate = count_invalidate,
        .shoot_down = count_shoot_down,
    };
}

void fake_machine_create(struct fake_machine *machine)
{
    void *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        misuse("the host has no memory");
    *machine = (struct fake_machine){.memory = memory,
                                     .taken = calloc(FRAME_LIMIT, sizeof(struct phys_addr))};
    add_regions(machine);
    make_plan(machine);
    const struct region_list list = {.first = machine->regions,
                                     .count = (uint32_t)machine->region_count,
                                     .stride_bytes = sizeof machine->regions[0]};
    if (machine->taken == NULL ||
        frame_allocator_initialise(&machine->frames, &list, NULL, virt_addr((uintptr_t)memory)) !=
            FRAME_ALLOCATOR_OK)
        misuse("no frame allocator");
    frame_reserve_open(&machine->reserve, &machine->frames);
}

void fake_machine_destroy(struct fake_machine *machine)
{
    free(machine->taken);
    (void)munmap(machine->memory, MEMORY_BYTES);
}

uint64_t fake_machine_free_count(const struct fake_machine *machine)
{
    struct frame_allocator_statistics sum = frame_allocator_statistics(&machine->frames);
    return sum.free_count + sum.cached_count;
}

void fake_machine_leave_frames(struct fake_machine *machine, uint64_t count)
{
    while (fake_machine_free_count(machine) > count) {
        if (machine->taken_count == FRAME_LIMIT ||
            !frame_allocator_allocate(&machine->frames, &machine->taken[machine->taken_count++]))
            misuse("cannot take a frame away");
    }
}

void fake_machine_return_frames(struct fake_machine *machine)
{
    while (machine->taken_count > 0)
        frame_allocator_free(&machine->frames, machine->taken[--machine->taken_count]);
}

static bool hash_mapping(void *context, const struct page_mapping *mapping)
{
    uint64_t *hash = context;
    const uint64_t values[] = {mapping->virtual.value,           mapping->physical.value,
                               mapping->page_size_bytes,         mapping->permissions.write,
                               mapping->permissions.execute,     mapping->permissions.global,
                               mapping->permissions.memory_type, mapping->user};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        *hash = (*hash ^ values[i]) * UINT64_C(0x100000001b3);
    return true;
}

uint64_t fake_machine_mapping_hash(const struct page_table *table)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    page_table_walk(table, hash_mapping, &hash);
    return hash;
}
