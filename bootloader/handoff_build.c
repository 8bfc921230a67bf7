#include "bootloader/handoff_build.h"

#include "bootloader/bootstrap_tables.h"
#include "bootloader/config.h"
#include "bootloader/memory_map.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/format.h"
#include "shared/handoff_checksum.h"
#include "shared/memory.h"
#include "shared/region.h"
#include "shared/text.h"

/* Rows that the map may grow by until the firmware lets go: each allocation splits a row in two or
 * three, and the loader makes one more. The rest is for what the firmware does meanwhile. */
#define MAP_SLACK_ROWS    UINT64_C(32)
#define MAP_RESERVE_LIMIT 4
#define CLAIM_LIMIT       (PAGES_BLOCK_LIMIT + 2) /* the blocks, the loader, the framebuffer */
#define PART_ALIGNMENT    16

/* Assign the next part of the block: returns its address. With a block at 0 this measures. */
static uint64_t part_take(struct handoff_block *block, uint64_t size_bytes)
{
    uint64_t address = block->base + block->size_bytes;
    block->size_bytes += (size_bytes + PART_ALIGNMENT - 1) & ~(uint64_t)(PART_ALIGNMENT - 1);
    return address;
}

/* Lay the parts out from `base`. The sizes are bounded by the limit on the map's. */
static void block_lay_out(struct handoff_block *block, uint64_t base)
{
    /* As many rows as fit with the smallest stride that is accepted. */
    uint64_t row_limit = block->map.capacity_bytes / sizeof(struct memory_map_descriptor);
    block->region_capacity = 2 * (row_limit + CLAIM_LIMIT) + 1;
    block->scratch_count = 2 * (row_limit + CLAIM_LIMIT);

    block->base = base;
    block->size_bytes = 0;
    block->handoff = (struct handoff *)part_take(block, sizeof(struct handoff));
    block->timeline = (struct handoff_moment *)part_take(block, TIMELINE_CAPACITY *
                                                                    sizeof(struct handoff_moment));
    block->command_line = (char *)part_take(block, CONFIG_COMMAND_LINE_CAPACITY);
    block->log = (char *)part_take(block, CONSOLE_LOG_CAPACITY_BYTES + 1);
    block->map.buffer = (void *)part_take(block, block->map.capacity_bytes);
    block->regions = (struct handoff_region *)part_take(block, block->region_capacity *
                                                                   sizeof(struct handoff_region));
    block->scratch = (uint64_t *)part_take(block, block->scratch_count * sizeof(uint64_t));
    block->size_bytes = page_align_up(block->size_bytes);
}

enum loader_error handoff_build_reserve(struct pages *pages, struct handoff_block *ret_block,
                                        struct loader_failure *failure)
{
    struct handoff_block block = {0};

    for (unsigned attempt = 0; attempt < MAP_RESERVE_LIMIT; attempt++) {
        uint64_t base;
        enum loader_error error = exit_measure_map(pages->firmware, &block.map, failure);
        if (error != LOADER_OK)
            return error;
        block.map.capacity_bytes =
            block.map.size_bytes + (MAP_SLACK_ROWS << attempt) * block.map.descriptor_size_bytes;
        block_lay_out(&block, 0);
        error =
            pages_allocate(pages, block.size_bytes, HANDOFF_REGION_HANDOFF_DATA, &base, failure);
        if (error != LOADER_OK)
            return error;
        block_lay_out(&block, base);

        EFI_STATUS status = exit_read_map(pages->firmware, &block.map);
        if (!EFI_ERROR(status)) {
            *ret_block = block;
            return LOADER_OK;
        }
        pages_free(pages, base);
        if (status != EFI_BUFFER_TOO_SMALL)
            return error_set(failure, LOADER_ERROR_MEMORY_MAP, status, "reading it");
    }
    return error_set(failure, LOADER_ERROR_MEMORY_MAP, EFI_BUFFER_TOO_SMALL,
                     "it grows whenever it is read");
}

static void regions_warn(struct console *console, const struct memory_map_report *report)
{
    if (report->unreachable_bytes != 0)
        console_warn(console, "%llu GiB of RAM beyond 64 TiB stay reserved",
                     report->unreachable_bytes / GIB);
    if (report->dropped_empty + report->dropped_wrapping + report->shrunk_unaligned +
            report->overlapping + report->unknown_types + report->unusable_attributes ==
        0)
        return;
    console_warn(console,
                 "memory map rows: %u empty and %u wrapping dropped, %u unaligned shrunk, "
                 "%u overlapping, %u of unknown type, %u not plain RAM",
                 report->dropped_empty, report->dropped_wrapping, report->shrunk_unaligned,
                 report->overlapping, report->unknown_types, report->unusable_attributes);
}

/* Everything that the loader placed, its own image too. Returns how many claims there are. */
static size_t collect_claims(const struct handoff_placed *placed,
                             struct memory_map_claim claims[CLAIM_LIMIT])
{
    const struct handoff_framebuffer *framebuffer = &placed->platform->framebuffer;
    size_t count = 0;

    for (; count < placed->pages->block_count; count++) {
        const struct page_block *taken = &placed->pages->blocks[count];
        claims[count] = (struct memory_map_claim){taken->range.start,
                                                  range_size_bytes(taken->range), taken->type};
    }
    claims[count++] = (struct memory_map_claim){
        placed->loader_image->base, placed->loader_image->size_bytes, HANDOFF_REGION_LOADER};
    if (framebuffer->size_bytes != 0)
        claims[count++] = (struct memory_map_claim){framebuffer->base, framebuffer->size_bytes,
                                                    HANDOFF_REGION_FRAMEBUFFER};
    return count;
}

enum loader_error handoff_build_regions(struct handoff_block *block,
                                        const struct handoff_placed *placed, unsigned levels,
                                        struct console *console, struct loader_failure *failure)
{
    struct memory_map_claim claims[CLAIM_LIMIT];
    struct memory_map_report report;

    enum memory_map_status status =
        memory_map_convert(block->map.buffer, block->map.size_bytes,
                           block->map.descriptor_size_bytes, direct_map_limit_bytes(levels), claims,
                           collect_claims(placed, claims), block->scratch, block->scratch_count,
                           block->regions, block->region_capacity, &block->region_count, &report);
    if (status != MEMORY_MAP_OK)
        return error_set(failure, LOADER_ERROR_MEMORY_MAP, EFI_SUCCESS, "%s",
                         memory_map_status_text(status));
    if (report.unproven_claim.size_bytes != 0)
        return error_set(failure, LOADER_ERROR_UNUSABLE_BLOCK, EFI_SUCCESS,
                         "%llu KiB at %llx for the %s", report.unproven_claim.size_bytes / KIB,
                         report.unproven_claim.base,
                         region_type_name((uint32_t)report.unproven_claim.type));
    if (console != NULL)
        regions_warn(console, &report);
    return LOADER_OK;
}

static uint32_t handoff_flags(const struct page_table_features *features)
{
    return (features->no_execute ? HANDOFF_FLAG_NO_EXECUTE : 0) |
           (features->pages_1gib ? HANDOFF_FLAG_PAGES_1GIB : 0) |
           (features->levels == 5 ? HANDOFF_FLAG_FIFTH_LEVEL : 0);
}

static void handoff_write_places(struct handoff *handoff, const struct handoff_sources *sources)
{
    const struct kernel_image *kernel = sources->kernel;

    handoff->direct_map_base = direct_map_base(sources->features->levels);
    handoff->direct_map_size_bytes = sources->direct_map_size_bytes;
    handoff->page_table_root = sources->tables->base;
    handoff->page_tables_base = sources->tables->base;
    handoff->page_tables_size_bytes = sources->tables->size_bytes;
    handoff->temp_heap_base = sources->temp_heap->base;
    handoff->temp_heap_size = sources->temp_heap->size_bytes;
    handoff->kernel_physical_base = kernel->physical_base;
    handoff->kernel_virtual_base = kernel->plan.virtual_base;
    handoff->kernel_size_bytes = kernel->plan.size_bytes;
    handoff->kernel_entry = kernel->plan.entry;
    handoff->stack_physical_base = sources->stack_physical_base;
    handoff->stack_virtual_base = BOOTSTRAP_STACK_VIRTUAL_BASE;
    handoff->stack_size_bytes = BOOTSTRAP_STACK_SIZE_BYTES;
    handoff->loader_base = sources->loader_image->base;
    handoff->loader_size_bytes = sources->loader_image->size_bytes;
}

static void handoff_write_platform(struct handoff *handoff, const struct handoff_sources *sources)
{
    const struct platform *platform = sources->platform;

    handoff->tsc_frequency_hz = platform->tsc_frequency_hz;
    handoff->efi_system_table = (uint64_t)sources->firmware->system_table;
    handoff->rsdp = platform->rsdp;
    handoff->smbios = platform->smbios;
    handoff->framebuffer = platform->framebuffer;
    handoff->random_seed_source = (uint32_t)platform->seed_source;
    memcpy(handoff->random_seed, platform->seed, sizeof(handoff->random_seed));
}

static void handoff_write_tables(struct handoff *handoff, struct handoff_block *block,
                                 const struct handoff_sources *sources)
{
    handoff->regions = (uint64_t)block->regions;
    handoff->region_count = (uint32_t)block->region_count;
    handoff->region_stride_bytes = sizeof(struct handoff_region);
    handoff->efi_map = (uint64_t)block->map.buffer;
    handoff->efi_map_size_bytes = block->map.size_bytes;
    handoff->efi_descriptor_size_bytes = (uint32_t)block->map.descriptor_size_bytes;
    handoff->efi_descriptor_version = block->map.descriptor_version;

    handoff->command_line_size_bytes = text_length(sources->command_line);
    memcpy(block->command_line, sources->command_line, handoff->command_line_size_bytes + 1);
    handoff->command_line = (uint64_t)block->command_line;

    handoff->log_size_bytes = sources->console->log_size_bytes;
    memcpy(block->log, sources->console->log, handoff->log_size_bytes);
    block->log[handoff->log_size_bytes] = '\0';
    handoff->log = (uint64_t)block->log;

    handoff->timeline_count = sources->timeline->count;
    handoff->timeline_stride_bytes = sizeof(struct handoff_moment);
    memcpy(block->timeline, sources->timeline->moments,
           sources->timeline->count * sizeof(struct handoff_moment));
    handoff->timeline = (uint64_t)block->timeline;
}

void handoff_build_finish(struct handoff_block *block, const struct handoff_sources *sources)
{
    struct handoff *handoff = block->handoff;

    *handoff = (struct handoff){
        .magic = HANDOFF_MAGIC,
        .version_major = HANDOFF_VERSION_MAJOR,
        .version_minor = HANDOFF_VERSION_MINOR,
        .size_bytes = sizeof(struct handoff),
        .flags = handoff_flags(sources->features),
        .data_base = block->base,
        .data_size_bytes = block->size_bytes,
    };
    format_text(handoff->loader_name, sizeof(handoff->loader_name), "handoff-loader %s",
                HANDOFF_VERSION_TEXT);
    handoff_write_places(handoff, sources);
    handoff_write_platform(handoff, sources);
    handoff_write_tables(handoff, block, sources);
    handoff->checksum = handoff_checksum(handoff, handoff->size_bytes);
}
