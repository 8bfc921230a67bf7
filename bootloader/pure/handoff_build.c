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

static void write_placement(struct handoff *handoff, const struct placement *placement)
{
    handoff->page_tables_base = placement->page_tables.start.value;
    handoff->page_tables_size_bytes = phys_range_size_bytes(placement->page_tables);
    handoff->temp_heap_base = placement->temp_heaps[0].start.value;
    handoff->temp_heap_size = phys_range_size_bytes(placement->temp_heaps[0]);
    handoff->kernel_physical_base = placement->kernel.start.value;
    handoff->stack_physical_base = placement->stack.start.value;
    handoff->stack_virtual_base = BOOTSTRAP_STACK_VIRTUAL_BASE;
    handoff->stack_size_bytes = phys_range_size_bytes(placement->stack);
    handoff->loader_physical_base = placement->loader.memory.start.value;
    handoff->loader_virtual_base = BOOTSTRAP_LOADER_VIRTUAL_BASE;
    handoff->loader_size_bytes = phys_range_size_bytes(placement->loader.memory);
    handoff->processor_start_base = placement->processor_start.start.value;
    handoff->processor_start_size_bytes = phys_range_size_bytes(placement->processor_start);
    handoff->parking.base = placement->parking.memory.start.value;
    handoff->parking.size_bytes = phys_range_size_bytes(placement->parking.memory);
    handoff->previous_boot.base = placement->boot_record.start.value;
    handoff->previous_boot.size_bytes = phys_range_size_bytes(placement->boot_record);
}

static void write_kernel(struct handoff *handoff, const struct elf_plan *kernel)
{
    handoff->kernel_virtual_base = kernel->image.start.value;
    handoff->kernel_size_bytes = virt_range_size_bytes(kernel->image);
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
