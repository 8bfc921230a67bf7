#include "tests/unit/support/handoff_sample.h"

#include <stdlib.h>
#include <string.h>

#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/handoff_checksum.h"
#include "shared/region.h"

#define EFI_LOADER_CODE  1U
#define EFI_LOADER_DATA  2U
#define EFI_CONVENTIONAL 7U

struct handoff_framebuffer *handoff_sample_framebuffer(struct handoff_sample *sample)
{
    return (void *)(sample->data + SAMPLE_FRAMEBUFFERS_OFFSET);
}

struct handoff_temp_heap *handoff_sample_temp_heap(struct handoff_sample *sample)
{
    return (void *)(sample->data + SAMPLE_TEMP_HEAPS_OFFSET);
}

struct handoff_region *handoff_sample_region(struct handoff_sample *sample, uint32_t index)
{
    return (void *)(sample->data + SAMPLE_REGIONS_OFFSET + index * SAMPLE_REGION_STRIDE_BYTES);
}

void handoff_sample_write_regions(struct handoff_sample *sample)
{
    /* Two rows that touch cover the heap: firmware rows may differ in their attributes. */
    const struct handoff_region regions[SAMPLE_REGION_COUNT] = {
        region_make(0x1000, 0x9f000, HANDOFF_REGION_USABLE, EFI_CONVENTIONAL, 0xf),
        region_make(SAMPLE_TEMP_HEAP_BASE, 0x80000, HANDOFF_REGION_TEMP_HEAP, EFI_LOADER_DATA, 0xf),
        region_make(SAMPLE_TEMP_HEAP_BASE + 0x80000, SAMPLE_TEMP_HEAP_SIZE - 0x80000,
                    HANDOFF_REGION_TEMP_HEAP, EFI_LOADER_DATA, 0x8),
        region_make(SAMPLE_KERNEL_BASE, SAMPLE_KERNEL_SIZE, HANDOFF_REGION_KERNEL_IMAGE,
                    EFI_LOADER_DATA, 0xf),
        region_make(SAMPLE_STACK_BASE, SAMPLE_STACK_SIZE, HANDOFF_REGION_STACK, EFI_LOADER_DATA,
                    0xf),
        region_make(SAMPLE_TABLES_BASE, SAMPLE_TABLES_SIZE, HANDOFF_REGION_PAGE_TABLES,
                    EFI_LOADER_DATA, 0xf),
        region_make(SAMPLE_DATA_BASE, SAMPLE_DATA_SIZE, HANDOFF_REGION_HANDOFF_DATA,
                    EFI_LOADER_DATA, 0xf),
        region_make(SAMPLE_USABLE_BASE, SAMPLE_USABLE_SIZE, HANDOFF_REGION_USABLE, EFI_CONVENTIONAL,
                    0xf),
        region_make(SAMPLE_LOADER_BASE, SAMPLE_LOADER_SIZE, HANDOFF_REGION_LOADER, EFI_LOADER_CODE,
                    0xf),
        region_make(SAMPLE_FRAMEBUFFER_BASE, SAMPLE_FRAMEBUFFER_SIZE, HANDOFF_REGION_FRAMEBUFFER,
                    HANDOFF_EFI_TYPE_NONE, 0),
    };
    for (uint32_t i = 0; i < SAMPLE_REGION_COUNT; i++)
        *handoff_sample_region(sample, i) = regions[i];
}

void handoff_sample_retype(struct handoff_sample *sample, uint32_t index, uint32_t type)
{
    struct handoff_region *region = handoff_sample_region(sample, index);
    *region =
        region_make(region->base, region->size_bytes, type, region->efi_type, region->attributes);
}

static void write_timeline(struct handoff_sample *sample)
{
    struct handoff_moment *moments = (void *)(sample->data + SAMPLE_TIMELINE_OFFSET);
    moments[0] = (struct handoff_moment){.ticks = 1, .name = "start"};
    moments[1] = (struct handoff_moment){.ticks = 2, .name = "a name of 23 characters"};
}

static void write_structure(struct handoff_sample *sample)
{
    *sample->handoff = (struct handoff){
        .magic = HANDOFF_MAGIC,
        .version_major = HANDOFF_VERSION_MAJOR,
        .version_minor = HANDOFF_VERSION_MINOR,
        .size_bytes = sizeof(struct handoff),
        .machine = HANDOFF_MACHINE_X86_64,
        .loader_name = "sample",
        .direct_map_base = sample->state.direct_map_base.value,
        .direct_map_size_bytes = SAMPLE_LOADER_BASE + SAMPLE_LOADER_SIZE,
        .page_tables_base = SAMPLE_TABLES_BASE,
        .page_tables_size_bytes = SAMPLE_TABLES_SIZE,
        .temp_heap_base = SAMPLE_TEMP_HEAP_BASE,
        .temp_heap_size = SAMPLE_TEMP_HEAP_SIZE,
        .kernel_physical_base = SAMPLE_KERNEL_BASE,
        .kernel_virtual_base = LAYOUT_KERNEL_IMAGE_BASE,
        .kernel_size_bytes = SAMPLE_KERNEL_SIZE,
        .kernel_entry = SAMPLE_ENTRY,
        .stack_physical_base = SAMPLE_STACK_BASE,
        .stack_virtual_base = SAMPLE_STACK_VIRTUAL,
        .stack_size_bytes = SAMPLE_STACK_SIZE,
        .data_base = SAMPLE_DATA_BASE,
        .data_size_bytes = SAMPLE_DATA_SIZE,
        .loader_physical_base = SAMPLE_LOADER_BASE,
        .loader_virtual_base = SAMPLE_LOADER_VIRTUAL,
        .loader_size_bytes = SAMPLE_LOADER_SIZE,
        .regions = {SAMPLE_DATA_BASE + SAMPLE_REGIONS_OFFSET, SAMPLE_REGION_COUNT,
                    SAMPLE_REGION_STRIDE_BYTES},
        .timeline = {SAMPLE_DATA_BASE + SAMPLE_TIMELINE_OFFSET, 2, sizeof(struct handoff_moment)},
        .temp_heaps = {SAMPLE_DATA_BASE + SAMPLE_TEMP_HEAPS_OFFSET, 1,
                       sizeof(struct handoff_temp_heap)},
        .framebuffers = {SAMPLE_DATA_BASE + SAMPLE_FRAMEBUFFERS_OFFSET, 1,
                         sizeof(struct handoff_framebuffer)},
        .efi_map = SAMPLE_DATA_BASE + SAMPLE_EFI_MAP_OFFSET,
        .efi_map_size_bytes = 48 * SAMPLE_REGION_COUNT,
        .efi_descriptor_size_bytes = 48,
        .efi_descriptor_version = 1,
        .command_line = {SAMPLE_DATA_BASE + SAMPLE_COMMAND_OFFSET, 4},
        .log = {SAMPLE_DATA_BASE + SAMPLE_LOG_OFFSET, 0},
        .kernel_path = {SAMPLE_DATA_BASE + SAMPLE_KERNEL_PATH_OFFSET, 0},
        .arch.x86_64 = {.page_table_root = sample->state.page_table_root.value,
                        .flags =
                            HANDOFF_X86_64_NO_EXECUTE | HANDOFF_X86_64_PAGES_1GIB |
                            (sample->state.features.levels == 5 ? HANDOFF_X86_64_FIFTH_LEVEL : 0)},
    };
    *handoff_sample_temp_heap(sample) =
        (struct handoff_temp_heap){SAMPLE_TEMP_HEAP_BASE, SAMPLE_TEMP_HEAP_SIZE};
    *handoff_sample_framebuffer(sample) =
        (struct handoff_framebuffer){.base = SAMPLE_FRAMEBUFFER_BASE,
                                     .size_bytes = SAMPLE_FRAMEBUFFER_SIZE,
                                     .width_pixels = 800,
                                     .height_pixels = 600,
                                     .pitch_bytes = 3200,
                                     .bits_per_pixel = 32,
                                     .pixel_format = HANDOFF_PIXEL_FORMAT_BGRX8888};
}

void handoff_sample_seal(struct handoff_sample *sample)
{
    sample->handoff->checksum = handoff_checksum(sample->handoff, sample->handoff->size_bytes);
}

/* --- The machine ------------------------------------------------------------------------------ */

static bool allocate_table(void *context, struct phys_addr *ret_table)
{
    const struct handoff_sample *sample = context;
    uint64_t used_bytes = sample->table.table_count * PAGE_SIZE_BYTES;
    *ret_table = phys_addr(SAMPLE_TABLES_BASE + used_bytes);
    return used_bytes < SAMPLE_TABLES_SIZE;
}

/* The number of tables determines the place of the next one, so it never gets smaller. */
static void free_table(void *context, struct phys_addr table)
{
    struct handoff_sample *sample = context;
    (void)table;
    sample->table.table_count++;
}

static uint64_t *access_table(void *context, struct phys_addr table)
{
    const struct handoff_sample *sample = context;
    return (void *)(sample->memory + (table.value - SAMPLE_TABLES_BASE));
}

static void require_ok(enum page_table_status status)
{
    if (status != PAGE_TABLE_OK)
        abort();
}

void handoff_sample_map(struct handoff_sample *sample, uint64_t virtual, uint64_t physical,
                        uint64_t size_bytes, struct page_permissions permissions)
{
    require_ok(page_table_map(&sample->table, virt_addr(virtual), phys_addr(physical), size_bytes,
                              permissions, true));
}

void handoff_sample_unmap(struct handoff_sample *sample, uint64_t virtual, uint64_t size_bytes)
{
    require_ok(page_table_unmap(&sample->table, virt_addr(virtual), size_bytes));
}

static void describe_segments(struct handoff_sample *sample)
{
    const uint64_t base = LAYOUT_KERNEL_IMAGE_BASE;
    const struct kernel_segment segments[SAMPLE_SEGMENT_COUNT] = {
        {"text", virt_range(base, base + 0x8000), false, true},
        {"rodata", virt_range(base + 0x8000, base + 0xc000), false, false},
        {"data", virt_range(base + 0xc000, base + 0x1c000), true, false},
        {"symbols", virt_range(base + 0x1c000, base + SAMPLE_KERNEL_SIZE), false, false},
    };
    for (size_t i = 0; i < SAMPLE_SEGMENT_COUNT; i++)
        sample->segments[i] = segments[i];
}

static void map_machine(struct handoff_sample *sample)
{
    static const struct page_permissions READ_WRITE = {.write = true};
    static const struct page_permissions SCREEN = {.write = true,
                                                   .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    uint64_t direct_map = sample->state.direct_map_base.value;
    for (size_t i = 0; i < SAMPLE_SEGMENT_COUNT; i++) {
        const struct kernel_segment *segment = &sample->segments[i];
        uint64_t offset = segment->virtual.start.value - LAYOUT_KERNEL_IMAGE_BASE;
        struct page_permissions permissions = {.write = segment->write,
                                               .execute = segment->execute};
        handoff_sample_map(sample, segment->virtual.start.value, SAMPLE_KERNEL_BASE + offset,
                           virt_range_size_bytes(segment->virtual), permissions);
    }
    handoff_sample_map(sample, SAMPLE_STACK_VIRTUAL, SAMPLE_STACK_BASE, SAMPLE_STACK_SIZE,
                       READ_WRITE);
    handoff_sample_map(sample, direct_map, 0, SAMPLE_RAM_END, READ_WRITE);
    handoff_sample_map(sample, direct_map + SAMPLE_FRAMEBUFFER_BASE, SAMPLE_FRAMEBUFFER_BASE,
                       SAMPLE_FRAMEBUFFER_SIZE, SCREEN);
}

static void create_machine(struct handoff_sample *sample, unsigned levels)
{
    const struct page_table_features features = {.levels = levels,
                                                 .physical_bits = 46,
                                                 .no_execute = true,
                                                 .largest_leaf_level = 3,
                                                 .write_combining = true};
    const struct page_table_memory memory = {.context = sample,
                                             .allocate_table = allocate_table,
                                             .free_table = free_table,
                                             .access_table = access_table};
    describe_segments(sample);
    sample->table.table_count = 0;
    require_ok(page_table_create(&features, &memory, &sample->table));
    sample->state = (struct entry_state){
        .features = features,
        .page_table_root = sample->table.root,
        .stack_pointer = virt_addr(SAMPLE_STACK_VIRTUAL + SAMPLE_STACK_SIZE - 0x100),
        .cpu_tables = {virt_range(SAMPLE_LOADER_VIRTUAL + 0x100, SAMPLE_LOADER_VIRTUAL + 0x128),
                       virt_range(SAMPLE_LOADER_VIRTUAL + 0x1000, SAMPLE_LOADER_VIRTUAL + 0x2000)},
        .cpu_table_count = 2,
        .image =
            virt_range(LAYOUT_KERNEL_IMAGE_BASE, LAYOUT_KERNEL_IMAGE_BASE + SAMPLE_KERNEL_SIZE),
        .entry = virt_addr(SAMPLE_ENTRY),
        .segments = sample->segments,
        .segment_count = SAMPLE_SEGMENT_COUNT,
        .direct_map_base = direct_map_base(levels),
        .memory_base = (uintptr_t)sample->memory - SAMPLE_TABLES_BASE,
    };
    map_machine(sample);
}

void handoff_sample_create_with_levels(struct handoff_sample *sample, unsigned levels)
{
    sample->memory = aligned_alloc(HANDOFF_PAGE_SIZE_BYTES, SAMPLE_TABLES_SIZE + SAMPLE_DATA_SIZE);
    memset(sample->memory, 0, SAMPLE_TABLES_SIZE + SAMPLE_DATA_SIZE);
    sample->data = sample->memory + SAMPLE_TABLES_SIZE;
    sample->handoff = (void *)sample->data;
    create_machine(sample, levels);
    sample->address = virt_addr_add(sample->state.direct_map_base, SAMPLE_DATA_BASE);
    memcpy(sample->data + SAMPLE_COMMAND_OFFSET, "once", 5);
    write_structure(sample);
    handoff_sample_write_regions(sample);
    write_timeline(sample);
    handoff_sample_seal(sample);
}

void handoff_sample_create(struct handoff_sample *sample)
{
    handoff_sample_create_with_levels(sample, 4);
}

void handoff_sample_destroy(struct handoff_sample *sample)
{
    free(sample->memory);
}
