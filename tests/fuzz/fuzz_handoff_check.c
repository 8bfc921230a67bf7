/* Handoff check: a good handoff in which the fuzzer changes numbers. Whatever is accepted must keep
 * every promise of the view, derived here anew; the sanitizer finds what is read outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/handoff_check.h"
#include "tests/unit/support/byte_stream.h"
#include "tests/unit/support/handoff_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

static void require(int condition, const char *sentence)
{
    if (!condition) {
        (void)fprintf(stderr, "%s\n", sentence);
        abort();
    }
}

static void change_numbers(struct handoff_sample *sample, struct byte_stream *stream)
{
    while (!byte_stream_is_empty(stream)) {
        uint64_t offset = byte_stream_next(stream, 2) % (SAMPLE_DATA_SIZE - 8);
        unsigned width = 1U << byte_stream_next(stream, 1) % 4;
        uint64_t number = byte_stream_next(stream, width);
        memcpy(sample->data + offset, &number, width);
    }
}

/* The block that the structure claims is memory that exists. No check can find out: there is
 * nothing but the loader's word for what the first array lies in. */
static int claims_real_memory(const struct handoff_sample *sample)
{
    uint64_t base = sample->handoff->data_base;
    uint64_t size_bytes = sample->handoff->data_size_bytes;
    return base >= SAMPLE_DATA_BASE && base <= SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE &&
           size_bytes <= SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - base;
}

/* A checksum that matches, or the fuzzer would never get past it. */
static void seal_if_possible(struct handoff_sample *sample)
{
    uint32_t size_bytes = sample->handoff->size_bytes;
    if (size_bytes >= HANDOFF_SIZE_V1_BYTES && size_bytes <= SAMPLE_DATA_SIZE)
        handoff_sample_seal(sample);
}

static int is_ram_type(uint32_t type)
{
    return type >= HANDOFF_REGION_USABLE && type <= HANDOFF_REGION_RUNTIME_CODE;
}

static void require_regions(const struct handoff_view *view)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < view->regions.count; i++) {
        const struct handoff_region *region = region_list_at(&view->regions, i);
        require(region->base >= end && region->size_bytes != 0, "a region is out of order");
        require((region->base | region->size_bytes) % 4096 == 0, "a region is not aligned");
        require(region->base + region->size_bytes > region->base, "a region wraps");
        end = region->base + region->size_bytes;
        require(!is_ram_type(region->type) || end <= view->handoff->direct_map_size_bytes,
                "RAM lies outside of the direct map");
    }
}

/* Every page of the range lies in a region of the type. */
static int is_covered(const struct handoff_view *view, uint64_t base, uint64_t size_bytes,
                      uint32_t type)
{
    uint64_t covered_bytes = 0;
    for (uint32_t i = 0; i < view->regions.count; i++) {
        const struct handoff_region *region = region_list_at(&view->regions, i);
        uint64_t region_end = region->base + region->size_bytes;
        uint64_t start = base > region->base ? base : region->base;
        uint64_t end = base + size_bytes < region_end ? base + size_bytes : region_end;
        if (region->type == type && start < end)
            covered_bytes += end - start;
    }
    return size_bytes != 0 && base + size_bytes > base && covered_bytes == size_bytes;
}

/* Read all that the view points to. */
static void require_readable(const struct handoff_view *view)
{
    const struct handoff *handoff = view->handoff;
    static uint8_t copy[SAMPLE_DATA_SIZE];
    require(strlen(view->command_line) <= handoff->command_line_size_bytes, "the command line");
    require(strlen(view->log) <= handoff->log_size_bytes, "the log");
    require(handoff->efi_map_size_bytes <= sizeof(copy), "the firmware's map");
    memcpy(copy, view->efi_map, handoff->efi_map_size_bytes);
    for (uint32_t i = 0; i < handoff->timeline_count; i++)
        require(strlen(handoff_view_moment(view, i)->name) < 24, "a name in the timeline");
}

static void require_framebuffer(const struct handoff_view *view)
{
    const struct handoff_framebuffer *framebuffer = &view->handoff->framebuffer;
    if (view->framebuffer != HANDOFF_FRAMEBUFFER_OK)
        return;
    uint64_t last_line = (uint64_t)framebuffer->pitch_bytes * (framebuffer->height_pixels - 1);
    uint64_t line_bytes = (uint64_t)framebuffer->width_pixels * framebuffer->bits_per_pixel / 8;
    require(last_line + line_bytes <= framebuffer->size_bytes, "the framebuffer's last pixel");
    require(
        is_covered(view, framebuffer->base, framebuffer->size_bytes, HANDOFF_REGION_FRAMEBUFFER),
        "the framebuffer's region");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct byte_stream stream = {bytes, size_bytes, 0};
    struct handoff_sample sample;
    struct handoff_view view;
    handoff_sample_create(&sample);
    change_numbers(&sample, &stream);
    seal_if_possible(&sample);
    if (claims_real_memory(&sample) &&
        handoff_check(sample.handoff, sample.direct_map_base, &view) == HANDOFF_CHECK_OK) {
        const struct handoff *handoff = sample.handoff;
        require_regions(&view);
        require_readable(&view);
        require_framebuffer(&view);
        require(is_covered(&view, handoff->kernel_physical_base, handoff->kernel_size_bytes,
                           HANDOFF_REGION_KERNEL_IMAGE),
                "the kernel's image");
        require(is_covered(&view, handoff->stack_physical_base, handoff->stack_size_bytes,
                           HANDOFF_REGION_STACK),
                "the stack");
        require(is_covered(&view, handoff->page_tables_base, handoff->page_tables_size_bytes,
                           HANDOFF_REGION_PAGE_TABLES),
                "the page tables");
        require(handoff_check_temp_heap(&view) != HANDOFF_TEMP_HEAP_OK ||
                    is_covered(&view, handoff->temp_heap_base, handoff->temp_heap_size,
                               HANDOFF_REGION_TEMP_HEAP),
                "the temporary heap");
    }
    handoff_sample_destroy(&sample);
    return 0;
}
