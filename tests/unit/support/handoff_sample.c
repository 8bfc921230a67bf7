#include "tests/unit/support/handoff_sample.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/layout.h"
#include "shared/handoff_checksum.h"

#define EFI_LOADER_CODE  1U
#define EFI_LOADER_DATA  2U
#define EFI_CONVENTIONAL 7U

struct handoff_region *handoff_sample_region(struct handoff_sample *sample, uint32_t index)
{
    return (void *)(sample->data + SAMPLE_REGIONS_OFFSET + index * SAMPLE_REGION_STRIDE_BYTES);
}

void handoff_sample_write_regions(struct handoff_sample *sample)
{
    /* Two rows that touch cover the heap: firmware rows may differ in their attributes. */
    const struct handoff_region regions[SAMPLE_REGION_COUNT] = {
        {0x1000, 0x9f000, HANDOFF_REGION_USABLE, EFI_CONVENTIONAL, 0xf},
        {SAMPLE_TEMP_HEAP_BASE, 0x80000, HANDOFF_REGION_TEMP_HEAP, EFI_LOADER_DATA, 0xf},
        {SAMPLE_TEMP_HEAP_BASE + 0x80000, SAMPLE_TEMP_HEAP_SIZE - 0x80000, HANDOFF_REGION_TEMP_HEAP,
         EFI_LOADER_DATA, 0x8},
        {SAMPLE_KERNEL_BASE, SAMPLE_KERNEL_SIZE, HANDOFF_REGION_KERNEL_IMAGE, EFI_LOADER_DATA, 0xf},
        {SAMPLE_STACK_BASE, SAMPLE_STACK_SIZE, HANDOFF_REGION_STACK, EFI_LOADER_DATA, 0xf},
        {SAMPLE_TABLES_BASE, SAMPLE_TABLES_SIZE, HANDOFF_REGION_PAGE_TABLES, EFI_LOADER_DATA, 0xf},
        {SAMPLE_DATA_BASE, SAMPLE_DATA_SIZE, HANDOFF_REGION_HANDOFF_DATA, EFI_LOADER_DATA, 0xf},
        {SAMPLE_USABLE_BASE, SAMPLE_USABLE_SIZE, HANDOFF_REGION_USABLE, EFI_CONVENTIONAL, 0xf},
        {SAMPLE_LOADER_BASE, SAMPLE_LOADER_SIZE, HANDOFF_REGION_LOADER, EFI_LOADER_CODE, 0xf},
        {SAMPLE_FRAMEBUFFER_BASE, SAMPLE_FRAMEBUFFER_SIZE, HANDOFF_REGION_FRAMEBUFFER,
         HANDOFF_EFI_TYPE_NONE, 0},
    };
    for (uint32_t i = 0; i < SAMPLE_REGION_COUNT; i++)
        *handoff_sample_region(sample, i) = regions[i];
}

static void write_timeline(struct handoff_sample *sample)
{
    struct handoff_moment *moments = (void *)(sample->data + SAMPLE_TIMELINE_OFFSET);
    moments[0] = (struct handoff_moment){.tsc = 1, .name = "start"};
    moments[1] = (struct handoff_moment){.tsc = 2, .name = "a name of 23 characters"};
}

static void write_structure(struct handoff_sample *sample)
{
    *sample->handoff = (struct handoff){
        .magic = HANDOFF_MAGIC,
        .version_major = HANDOFF_VERSION_MAJOR,
        .version_minor = HANDOFF_VERSION_MINOR,
        .size_bytes = sizeof(struct handoff),
        .loader_name = "sample",
        .direct_map_base = sample->direct_map_base,
        .direct_map_size_bytes = SAMPLE_LOADER_BASE + SAMPLE_LOADER_SIZE,
        .page_table_root = SAMPLE_TABLES_BASE + 0x1000 + 0x18, /* with flags in the low bits */
        .page_tables_base = SAMPLE_TABLES_BASE,
        .page_tables_size_bytes = SAMPLE_TABLES_SIZE,
        .temp_heap_base = SAMPLE_TEMP_HEAP_BASE,
        .temp_heap_size = SAMPLE_TEMP_HEAP_SIZE,
        .kernel_physical_base = SAMPLE_KERNEL_BASE,
        .kernel_virtual_base = LAYOUT_KERNEL_IMAGE_BASE,
        .kernel_size_bytes = SAMPLE_KERNEL_SIZE,
        .kernel_entry = LAYOUT_KERNEL_IMAGE_BASE + 0x40,
        .stack_physical_base = SAMPLE_STACK_BASE,
        .stack_virtual_base = UINT64_C(0xffffff0000001000),
        .stack_size_bytes = SAMPLE_STACK_SIZE,
        .data_base = SAMPLE_DATA_BASE,
        .data_size_bytes = SAMPLE_DATA_SIZE,
        .loader_base = SAMPLE_LOADER_BASE,
        .loader_size_bytes = SAMPLE_LOADER_SIZE,
        .regions = SAMPLE_DATA_BASE + SAMPLE_REGIONS_OFFSET,
        .region_count = SAMPLE_REGION_COUNT,
        .region_stride_bytes = SAMPLE_REGION_STRIDE_BYTES,
        .efi_map = SAMPLE_DATA_BASE + SAMPLE_EFI_MAP_OFFSET,
        .efi_map_size_bytes = 48 * SAMPLE_REGION_COUNT,
        .efi_descriptor_size_bytes = 48,
        .efi_descriptor_version = 1,
        .command_line = SAMPLE_DATA_BASE + SAMPLE_COMMAND_OFFSET,
        .command_line_size_bytes = 4,
        .log = SAMPLE_DATA_BASE + SAMPLE_LOG_OFFSET,
        .timeline = SAMPLE_DATA_BASE + SAMPLE_TIMELINE_OFFSET,
        .timeline_count = 2,
        .timeline_stride_bytes = sizeof(struct handoff_moment),
        .framebuffer = {.base = SAMPLE_FRAMEBUFFER_BASE,
                        .size_bytes = SAMPLE_FRAMEBUFFER_SIZE,
                        .width_pixels = 800,
                        .height_pixels = 600,
                        .pitch_bytes = 3200,
                        .bits_per_pixel = 32,
                        .pixel_format = HANDOFF_PIXEL_FORMAT_BGRX8888},
    };
}

void handoff_sample_seal(struct handoff_sample *sample)
{
    sample->handoff->checksum = handoff_checksum(sample->handoff, sample->handoff->size_bytes);
}

void handoff_sample_create(struct handoff_sample *sample)
{
    sample->data = aligned_alloc(HANDOFF_PAGE_SIZE_BYTES, SAMPLE_DATA_SIZE);
    memset(sample->data, 0, SAMPLE_DATA_SIZE);
    sample->handoff = (void *)sample->data;
    sample->direct_map_base = (uint64_t)(uintptr_t)sample->data - SAMPLE_DATA_BASE;
    memcpy(sample->data + SAMPLE_COMMAND_OFFSET, "once", 5);
    write_structure(sample);
    handoff_sample_write_regions(sample);
    write_timeline(sample);
    handoff_sample_seal(sample);
}

void handoff_sample_destroy(struct handoff_sample *sample)
{
    free(sample->data);
}
