#include "bootloader/handoff_build.h"

#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/pure/config.h"
#include "bootloader/pure/memory_map.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/text/format.h"
#include "shared/handoff_checksum.h"
#include "shared/memory.h"
#include "shared/region.h"
#include "shared/text/text.h"

/* Rows that the map may grow by until the firmware lets go: each allocation splits a row in two or
 * three, and the loader makes one more. The rest is for what the firmware does meanwhile. */
#define MAP_SLACK_ROWS    UINT64_C(32)
#define MAP_RESERVE_LIMIT 4
/* The blocks, the loader, the framebuffer, the firmware's tables. */
#define CLAIM_LIMIT    (PAGES_BLOCK_LIMIT + 2 + FIRMWARE_TABLES_LIMIT)
#define PART_ALIGNMENT 16

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
    block->region_capacity = 2 * (row_limit + CLAIM_LIMIT) + 2;
    block->scratch_count = 2 * (row_limit + CLAIM_LIMIT);

    block->base = base;
    block->size_bytes = 0;
    block->handoff = (struct handoff *)part_take(block, sizeof(struct handoff));
    block->timeline = (struct handoff_moment *)part_take(block, TIMELINE_CAPACITY *
                                                                    sizeof(struct handoff_moment));
    block->temp_heaps =
        (struct handoff_temp_heap *)part_take(block, sizeof(struct handoff_temp_heap));
    block->framebuffers =
        (struct handoff_framebuffer *)part_take(block, sizeof(struct handoff_framebuffer));
    block->firmware_tables = (struct handoff_firmware_table *)part_take(
        block, FIRMWARE_TABLES_LIMIT * sizeof(struct handoff_firmware_table));
    block->command_line = (char *)part_take(block, CONFIG_COMMAND_LINE_CAPACITY);
    block->kernel_path = (char *)part_take(block, CONFIG_PATH_CAPACITY);
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

/* The pages of the tables whose length is known and which the direct map can have. Returns how many
 * claims there are now. */
static size_t collect_table_claims(const struct firmware_tables *tables, uint64_t limit_bytes,
                                   struct memory_map_claim claims[CLAIM_LIMIT], size_t count)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct memory_map_claim claim = {.type = HANDOFF_REGION_FIRMWARE_TABLES};
        if (firmware_tables_pages(&tables->list[i], &claim.base, &claim.size_bytes) &&
            claim.base < limit_bytes && claim.size_bytes <= limit_bytes - claim.base)
            claims[count++] = claim;
    }
    return count;
}

/* Everything that the loader placed, its own image too. Returns how many claims there are. */
static size_t collect_claims(const struct handoff_placed *placed, uint64_t limit_bytes,
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
    return collect_table_claims(&placed->platform->firmware_tables, limit_bytes, claims, count);
}

enum loader_error handoff_build_regions(struct handoff_block *block,
                                        const struct handoff_placed *placed, unsigned levels,
                                        struct console *console, struct loader_failure *failure)
{
    static struct memory_map_claim claims[CLAIM_LIMIT]; /* too many for the firmware's stack */
    struct memory_map_report report;
    uint64_t limit_bytes = direct_map_limit(levels).value;

    enum memory_map_status status = memory_map_convert(
        block->map.buffer, block->map.size_bytes, block->map.descriptor_size_bytes, limit_bytes,
        claims, collect_claims(placed, limit_bytes, claims), block->scratch, block->scratch_count,
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

static struct handoff_array array_of(const void *first, size_t count, size_t stride_bytes)
{
    if (count == 0)
        return (struct handoff_array){0, 0, 0};
    return (struct handoff_array){(uint64_t)first, (uint32_t)count, (uint32_t)stride_bytes};
}

/* Copy text into its part of the block. */
static struct handoff_text text_into(char *part, const char *text, size_t size_bytes)
{
    memcpy(part, text, size_bytes);
    part[size_bytes] = '\0';
    return (struct handoff_text){(uint64_t)part, size_bytes};
}

static void handoff_write_places(struct handoff *handoff, const struct handoff_sources *sources)
{
    const struct kernel_image *kernel = sources->kernel;

    handoff->direct_map_base = direct_map_base(sources->levels).value;
    handoff->direct_map_size_bytes = sources->direct_map_size_bytes;
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
    handoff->loader_physical_base = sources->loader_image->base;
    handoff->loader_virtual_base = BOOTSTRAP_LOADER_VIRTUAL_BASE;
    handoff->loader_size_bytes = sources->loader_image->size_bytes;
    handoff->processor_start_base = sources->processor_start_base;
    handoff->processor_start_size_bytes = sources->processor_start_base != 0 ? PAGE_SIZE_BYTES : 0;
}

static void handoff_write_platform(struct handoff *handoff, const struct handoff_sources *sources)
{
    const struct platform *platform = sources->platform;

    handoff->efi_system_table = (uint64_t)sources->firmware->system_table;
    handoff->rsdp = platform->rsdp;
    handoff->smbios = platform->smbios;
    handoff->boot_source = (uint32_t)platform->boot_source;
    memcpy(handoff->boot_partition, platform->boot_partition, sizeof(handoff->boot_partition));
    handoff->random_seed_source = (uint32_t)platform->seed_source;
    memcpy(handoff->random_seed, platform->seed, sizeof(handoff->random_seed));
}

static void handoff_write_arrays(struct handoff *handoff, const struct handoff_block *block,
                                 const struct handoff_sources *sources)
{
    const struct platform *platform = sources->platform;
    const struct timeline *timeline = sources->timeline;
    bool has_heap = sources->temp_heap->size_bytes != 0;
    bool has_framebuffer = platform->framebuffer.size_bytes != 0;

    memcpy(block->timeline, timeline->moments, timeline->count * sizeof(struct handoff_moment));
    *block->temp_heaps =
        (struct handoff_temp_heap){sources->temp_heap->base, sources->temp_heap->size_bytes};
    *block->framebuffers = platform->framebuffer;
    memcpy(block->firmware_tables, platform->firmware_tables.list,
           platform->firmware_tables.count * sizeof(struct handoff_firmware_table));

    handoff->regions = array_of(block->regions, block->region_count, sizeof(struct handoff_region));
    handoff->timeline = array_of(block->timeline, timeline->count, sizeof(struct handoff_moment));
    handoff->temp_heaps =
        array_of(block->temp_heaps, has_heap ? 1 : 0, sizeof(struct handoff_temp_heap));
    handoff->framebuffers =
        array_of(block->framebuffers, has_framebuffer ? 1 : 0, sizeof(struct handoff_framebuffer));
    handoff->firmware_tables = array_of(block->firmware_tables, platform->firmware_tables.count,
                                        sizeof(struct handoff_firmware_table));
}

static void handoff_write_data(struct handoff *handoff, const struct handoff_block *block,
                               const struct handoff_sources *sources)
{
    handoff->efi_map = (uint64_t)block->map.buffer;
    handoff->efi_map_size_bytes = block->map.size_bytes;
    handoff->efi_descriptor_size_bytes = (uint32_t)block->map.descriptor_size_bytes;
    handoff->efi_descriptor_version = block->map.descriptor_version;

    handoff->command_line =
        text_into(block->command_line, sources->command_line, text_length(sources->command_line));
    handoff->kernel_path =
        text_into(block->kernel_path, sources->kernel_path, text_length(sources->kernel_path));
    handoff->log = text_into(block->log, sources->console->log, sources->console->log_size_bytes);
}

void handoff_build_finish(struct handoff_block *block, const struct handoff_sources *sources)
{
    struct handoff *handoff = block->handoff;

    *handoff = (struct handoff){
        .magic = HANDOFF_MAGIC,
        .version_major = HANDOFF_VERSION_MAJOR,
        .version_minor = HANDOFF_VERSION_MINOR,
        .size_bytes = sizeof(struct handoff),
        .machine = sources->machine,
        .data_base = block->base,
        .data_size_bytes = block->size_bytes,
        .arch = sources->arch,
    };
    format_text(handoff->loader_name, sizeof(handoff->loader_name), "handoff-loader %s",
                HANDOFF_VERSION_TEXT);
    handoff_write_places(handoff, sources);
    handoff_write_platform(handoff, sources);
    handoff_write_arrays(handoff, block, sources);
    handoff_write_data(handoff, block, sources);
    handoff->checksum = handoff_checksum(handoff, handoff->size_bytes);
}
