#include "bootloader/pure/handoff_build.h"

#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/pure/handoff_modules.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/handoff_checksum.h"
#include "shared/memory.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

/* Copy text into its part of the block, and describe it. */
static void put_text(const struct handoff_block *block, char *part, const char *text,
                     size_t size_bytes, struct handoff_text *ret_text)
{
    memcpy(part, text, size_bytes);
    part[size_bytes] = '\0';
    ret_text->address = handoff_block_address(block, part);
    ret_text->size_bytes = size_bytes;
}

/* A range of the placement, and the two fields of the handoff that get it. */
struct range_fields {
    uint16_t range;
    uint16_t base;
    uint16_t size_bytes;
};

#define RANGE_FIELDS(range, base, size_bytes)                                                      \
    {                                                                                              \
        offsetof(struct placement, range), offsetof(struct handoff, base),                         \
            offsetof(struct handoff, size_bytes)                                                   \
    }

static void write_placement(struct handoff *handoff, const struct placement *placement)
{
    static const struct range_fields RANGES[] = {
        RANGE_FIELDS(page_tables, page_tables_base, page_tables_size_bytes),
        RANGE_FIELDS(temp_heaps, temp_heap_base, temp_heap_size),
        RANGE_FIELDS(kernel, kernel_physical_base, kernel_size_bytes),
        RANGE_FIELDS(stack, stack_physical_base, stack_size_bytes),
        RANGE_FIELDS(loader.memory, loader_physical_base, loader_size_bytes),
        RANGE_FIELDS(processor_start, processor_start_base, processor_start_size_bytes),
        RANGE_FIELDS(parking.memory, parking.base, parking.size_bytes),
        RANGE_FIELDS(boot_record, previous_boot.base, previous_boot.size_bytes),
    };
    for (size_t i = 0; i < sizeof(RANGES) / sizeof(RANGES[0]); i++) {
        const struct phys_range *range =
            (const void *)((const uint8_t *)placement + RANGES[i].range);
        uint8_t *fields = (uint8_t *)handoff;
        *(uint64_t *)(void *)(fields + RANGES[i].base) = range->start.value;
        *(uint64_t *)(void *)(fields + RANGES[i].size_bytes) = phys_range_size_bytes(*range);
    }
    handoff->stack_virtual_base = BOOTSTRAP_STACK_VIRTUAL_BASE;
    handoff->loader_virtual_base = BOOTSTRAP_LOADER_VIRTUAL_BASE;
}

static void write_kernel(struct handoff *handoff, const struct elf_plan *kernel)
{
    handoff->kernel_virtual_base = kernel->image.start.value;
    handoff->kernel_entry = kernel->entry.value;
    handoff->kernel_slide = kernel->slide;
}

static void write_platform(struct handoff *handoff, const struct platform_facts *platform)
{
    handoff->efi_system_table = platform->efi_system_table.value;
    handoff->rsdp = platform->rsdp.value;
    handoff->smbios = platform->smbios.value;
    handoff->boot_source = (uint32_t)platform->boot_source;
    memcpy(handoff->boot_partition, platform->boot_partition, sizeof(handoff->boot_partition));
    handoff->random_seed_source = (uint32_t)platform->seed_source;
    memcpy(handoff->random_seed, platform->seed, sizeof(handoff->random_seed));
}

static void write_arrays(const struct handoff_block *block, const struct handoff_sources *sources)
{
    const struct platform_facts *platform = sources->platform;
    const struct timeline *timeline = sources->timeline;
    struct handoff *handoff = block->handoff;

    memcpy(block->timeline, timeline->moments, timeline->count * sizeof(struct handoff_moment));
    memcpy(block->framebuffers, platform->framebuffers.list,
           platform->framebuffers.count * sizeof(struct handoff_framebuffer));
    memcpy(block->firmware_tables, platform->firmware_tables.list,
           platform->firmware_tables.count * sizeof(struct handoff_firmware_table));

    handoff_block_array(block, block->room.regions, block->region_count,
                        sizeof(struct handoff_region), &handoff->regions);
    handoff_block_array(block, block->timeline, timeline->count, sizeof(struct handoff_moment),
                        &handoff->timeline);
    handoff_block_array(block, block->framebuffers, platform->framebuffers.count,
                        sizeof(struct handoff_framebuffer), &handoff->framebuffers);
    handoff_block_array(block, block->processors, block->processor_count,
                        sizeof(struct handoff_processor), &handoff->processors);
    handoff_block_array(block, block->firmware_tables, platform->firmware_tables.count,
                        sizeof(struct handoff_firmware_table), &handoff->firmware_tables);
}

static void write_data(const struct handoff_block *block, const struct handoff_sources *sources)
{
    struct handoff *handoff = block->handoff;

    handoff->efi_map = handoff_block_address(block, block->map.rows);
    handoff->efi_map_size_bytes = block->map.size_bytes;
    handoff->efi_descriptor_size_bytes = (uint32_t)block->map.stride_bytes;
    handoff->efi_descriptor_version = block->map.version;

    put_text(block, block->command_line, sources->config->command_line,
             text_length(sources->config->command_line), &handoff->command_line);
    put_text(block, block->kernel_path, sources->config->kernel_path,
             text_length(sources->config->kernel_path), &handoff->kernel_path);
    put_text(block, block->log, sources->log->text, sources->log->size_bytes, &handoff->log);
    kernel_symbols_write(sources->symbols, &handoff->kernel_symbols, &handoff->kernel_strings);
}

void handoff_build(struct handoff_block *block, const struct handoff_sources *sources)
{
    struct handoff *handoff = block->handoff;

    memset(handoff, 0, sizeof(*handoff));
    handoff->magic = HANDOFF_MAGIC;
    handoff->version_major = HANDOFF_VERSION_MAJOR;
    handoff->version_minor = HANDOFF_VERSION_MINOR;
    handoff->size_bytes = sizeof(struct handoff);
    handoff->machine = sources->machine;
    handoff->data_base = block->memory.start.value;
    handoff->data_size_bytes = phys_range_size_bytes(block->memory);
    handoff->direct_map_base = direct_map_base(sources->levels).value;
    handoff->direct_map_size_bytes = sources->direct_map_size_bytes;
    handoff->integrity_flags = sources->integrity_flags;
    handoff->arch = sources->arch;
    format_text(handoff->loader_name, sizeof(handoff->loader_name), "handoff-loader %s",
                HANDOFF_VERSION_TEXT);
    write_kernel(handoff, sources->kernel);
    write_placement(handoff, sources->placement);
    write_platform(handoff, sources->platform);
    write_arrays(block, sources);
    handoff_write_heaps(block, sources->placement->temp_heaps);
    handoff_write_modules(block, &sources->config->modules, sources->placement->modules);
    write_data(block, sources);
    handoff->checksum = handoff_checksum(handoff, handoff->size_bytes);
}
