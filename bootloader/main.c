/*
 * main.c - the boot sequence. efi_main() at the end is its table of contents.
 */
#include "bootloader/arch.h"
#include "bootloader/fault_report.h"
#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/pure/config.h"
#include "bootloader/firmware/console.h"
#include "bootloader/firmware/exit.h"
#include "bootloader/firmware/file.h"
#include "bootloader/handoff_build.h"
#include "bootloader/firmware/kernel_image.h"
#include "bootloader/firmware/loader_image.h"
#include "bootloader/firmware/pages.h"
#include "bootloader/firmware/platform.h"
#include "bootloader/post_exit.h"
#include "bootloader/pure/table_pool.h"
#include "bootloader/firmware/temp_heap.h"
#include "bootloader/timeline.h"
#include "shared/address.h"
#include "shared/text/command_line.h"
#include "shared/direct_map.h"
#include "shared/region.h"

#define CONFIG_PATH "\\handoff.conf"

/* A person has this long to read an error; then the firmware goes on to its next boot option. */
#define READING_SECONDS 10

/* More table pages than the bound for the map that was seen last: the map that ExitBootServices()
 * accepts may have a few more ragged edges. */
#define TABLE_SLACK_PAGES 16

/* Processors begin in real mode, which reaches 1 MiB. */
#define PROCESSOR_START_LIMIT_ADDRESS (UINT64_C(1) << 20)

/* A map that outgrows its room between the reservation and the exit more often than this grows
 * whenever it is looked at. */
#define LAST_MAP_ATTEMPT_LIMIT 4

struct loader {
    struct firmware firmware;
    struct console console;
    struct timeline timeline;
    struct loader_failure failure;
    struct pages pages;
    struct loader_image image;
    struct volume volume;
    struct config config;
    struct kernel_image kernel;
    struct temp_heap temp_heap;
    struct platform platform;
    struct handoff_block block;
    struct page_table_features features;
    struct table_pool table_pool;
    struct page_table tables;
    struct post_exit post_exit;
    struct fault_report fault_report;
    uint64_t stack_physical_base;
    uint64_t processor_start_base; /* 0 if there is none */
    uint64_t direct_map_size_bytes;
    struct phys_addr trampoline_base; /* of its block; 0 if none is needed */
    struct phys_addr trampoline_root;
};

/* Each step below returns true to go on; on false loader->failure says why. */

static void start(struct loader *loader, EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    EFI_STATUS watchdog = firmware_start(image, system_table, &loader->firmware);
    timeline_mark(&loader->timeline, "loader");
    console_initialise(&loader->console, &loader->firmware);
    pages_initialise(&loader->pages, &loader->firmware);
    config_set_defaults(&loader->config);

    console_log(&loader->console, "Handoff loader %s", HANDOFF_VERSION_TEXT);
    if (EFI_ERROR(watchdog))
        console_warn(&loader->console, "the firmware keeps its watchdog (%s): it may reset",
                     error_status_name(watchdog));
    console_show(&loader->console); /* a slow medium may be next: show that somebody is there */
}

static bool find_origin(struct loader *loader)
{
    return firmware_find_image(&loader->firmware, &loader->failure) == LOADER_OK &&
           loader_image_read(&loader->firmware, &loader->image, &loader->failure) == LOADER_OK;
}

/* A missing file, and an empty one, mean the defaults. */
static bool read_config(struct loader *loader)
{
    struct file file;
    unsigned line;

    enum loader_error error = file_read(&loader->volume, &loader->pages, CONFIG_PATH,
                                        CONFIG_FILE_LIMIT_BYTES, &file, &loader->failure);
    if (error == LOADER_ERROR_FILE_NOT_FOUND || error == LOADER_ERROR_FILE_EMPTY)
        return true;
    if (error != LOADER_OK)
        return false;

    enum config_status status = config_parse(file.bytes, file.size_bytes, &loader->config, &line);
    file_free(&loader->pages, &file);
    if (status != CONFIG_OK) {
        error_set(&loader->failure, LOADER_ERROR_CONFIG, EFI_SUCCESS, "%s, line %u: %s",
                  CONFIG_PATH, line, config_status_text(status));
        return false;
    }
    if (loader->config.unknown_key_count != 0)
        console_warn(&loader->console, "%s: %u unknown keys are ignored, the first in line %u",
                     CONFIG_PATH, loader->config.unknown_key_count,
                     loader->config.first_unknown_line);
    return true;
}

static bool load_kernel(struct loader *loader)
{
    const char *path = loader->config.kernel_path;
    struct file file;

    timeline_mark(&loader->timeline, "read kernel");
    if (file_read(&loader->volume, &loader->pages, path, ELF_FILE_LIMIT_BYTES, &file,
                  &loader->failure) != LOADER_OK)
        return false;

    timeline_mark(&loader->timeline, "load kernel");
    enum loader_error error =
        kernel_image_load(&file, path, &loader->pages, &loader->kernel, &loader->failure);
    file_free(&loader->pages, &file);
    if (error != LOADER_OK)
        return false;
    console_log(&loader->console, "kernel %s: %llu KiB at %llx, entry %llx", path,
                loader->kernel.plan.size_bytes / KIB, loader->kernel.physical_base,
                loader->kernel.plan.entry);
    return true;
}

static bool read_volume(struct loader *loader)
{
    timeline_mark(&loader->timeline, "read config");
    if (volume_open(&loader->firmware, &loader->volume, &loader->failure) != LOADER_OK)
        return false;
    bool loaded = read_config(loader) && load_kernel(loader);
    volume_close(&loader->volume);
    return loaded;
}

/* Processors start in real mode, in a page below 1 MiB. A machine without one can run on one
 * processor. */
static bool reserve_processor_start(struct loader *loader)
{
    enum loader_error error = pages_allocate_below(
        &loader->pages, PAGE_SIZE_BYTES, PROCESSOR_START_LIMIT_ADDRESS,
        HANDOFF_REGION_PROCESSOR_START, &loader->processor_start_base, &loader->failure);
    if (error == LOADER_ERROR_OUT_OF_MEMORY)
        console_warn(&loader->console,
                     "no page below 1 MiB is free: no other processor can be started");
    return error == LOADER_OK || error == LOADER_ERROR_OUT_OF_MEMORY;
}

static bool reserve_memory(struct loader *loader)
{
    timeline_mark(&loader->timeline, "reserve memory");
    if (temp_heap_reserve(&loader->pages, loader->config.temp_heap_size_bytes, &loader->console,
                          &loader->temp_heap, &loader->failure) != LOADER_OK ||
        pages_allocate(&loader->pages, BOOTSTRAP_STACK_SIZE_BYTES, HANDOFF_REGION_STACK,
                       &loader->stack_physical_base, &loader->failure) != LOADER_OK ||
        !reserve_processor_start(loader))
        return false;
    if (loader->temp_heap.size_bytes != 0)
        console_log(&loader->console, "temporary heap: %llu KiB at %llx",
                    loader->temp_heap.size_bytes / KIB, loader->temp_heap.base);
    return true;
}

static void gather_platform(struct loader *loader)
{
    const struct platform *platform = &loader->platform;

    timeline_mark(&loader->timeline, "gather platform");
    platform_gather(&loader->firmware, &loader->console, &loader->platform);
    arch_page_features(&loader->features);
    console_log(&loader->console, "screen %ux%u, ACPI at %llx, SMBIOS at %llx, %s at %llu MHz",
                platform->framebuffer.width_pixels, platform->framebuffer.height_pixels,
                platform->rsdp, platform->smbios, arch_clock_name(),
                platform->clock_frequency_hz / 1000000);
}

/* `levels` and `console` as in handoff_build_regions(). */
static bool convert_map(struct loader *loader, unsigned levels, struct console *console)
{
    const struct handoff_placed placed = {
        .pages = &loader->pages,
        .loader_image = &loader->image,
        .platform = &loader->platform,
    };
    return handoff_build_regions(&loader->block, &placed, levels, console, &loader->failure) ==
           LOADER_OK;
}

static bool reserve_handoff(struct loader *loader)
{
    timeline_mark(&loader->timeline, "reserve handoff");
    return handoff_build_reserve(&loader->pages, &loader->block, &loader->failure) == LOADER_OK &&
           convert_map(loader, 5, NULL);
}

static bool has_ram_beyond_four_levels(const struct handoff_block *block)
{
    for (size_t i = 0; i < block->region_count; i++) {
        const struct handoff_region *region = &block->regions[i];
        if (region_is_ram(region) &&
            region->base + region->size_bytes > DIRECT_MAP_LIMIT_BYTES_4_LEVELS)
            return true;
    }
    return false;
}

static bool wants_five_levels(struct loader *loader)
{
    const char *command_line = loader->config.command_line;
    uint64_t levels = 0;
    bool is_number = command_line_number(command_line, "paging", &levels);
    if (command_line_mentions(command_line, "paging") &&
        !(is_number && (levels == 4 || levels == 5)))
        console_warn(&loader->console, "paging= is ignored: the value is 4 or 5");
    return levels == 5 || has_ram_beyond_four_levels(&loader->block);
}

/* False if the switch needs a trampoline for which there is no memory. */
static bool reserve_trampoline(struct loader *loader, unsigned levels)
{
    struct arch_trampoline trampoline = arch_trampoline_for(levels);
    uint64_t base;
    if (trampoline.size_bytes == 0)
        return true;
    if (pages_allocate_below(&loader->pages, trampoline.size_bytes, trampoline.limit_address,
                             HANDOFF_REGION_LOADER, &base, &loader->failure) != LOADER_OK)
        return false;
    loader->trampoline_base = phys_addr(base);
    return true;
}

/* Five levels where they are asked for or where RAM needs them, and can be had; else those that the
 * firmware uses, which work. */
static bool choose_levels(struct loader *loader)
{
    if (loader->features.levels == 4 && wants_five_levels(loader)) {
        const char *obstacle = arch_levels_obstacle(5);
        if (obstacle == NULL && !reserve_trampoline(loader, 5))
            obstacle = "no memory for the step";
        if (obstacle == NULL)
            loader->features.levels = 5;
        else
            console_warn(&loader->console, "four paging levels: %s", obstacle);
    }
    return convert_map(loader, loader->features.levels, NULL);
}

static struct bootstrap_plan table_plan(const struct loader *loader)
{
    return (struct bootstrap_plan){
        .kernel = &loader->kernel.plan,
        .kernel_physical_base = loader->kernel.physical_base,
        .stack_physical_base = loader->stack_physical_base,
        .loader_base = loader->image.base,
        .loader_sections = loader->image.sections,
        .loader_section_count = loader->image.section_count,
        .framebuffer_base = loader->platform.framebuffer.base,
        .framebuffer_size_bytes = loader->platform.framebuffer.size_bytes,
        .regions = loader->block.regions,
        .region_count = loader->block.region_count,
        .trampoline_base = loader->trampoline_base.value,
    };
}

/* Precondition: the block holds the regions of a first map, for the bound. */
static bool reserve_tables(struct loader *loader)
{
    struct bootstrap_plan plan = table_plan(loader);
    uint64_t page_count = bootstrap_tables_bound(&plan, &loader->features) + TABLE_SLACK_PAGES;

    loader->table_pool.size_bytes = page_count * PAGE_SIZE_BYTES;
    return pages_allocate(&loader->pages, loader->table_pool.size_bytes, HANDOFF_REGION_PAGE_TABLES,
                          &loader->table_pool.base, &loader->failure) == LOADER_OK;
}

/* The firmware allocates by itself, for instance when it prints, so the map may have outgrown its
 * room. While the firmware is whole that only means to reserve once more. */
static bool read_last_map(struct loader *loader)
{
    EFI_STATUS status = exit_read_map(&loader->firmware, &loader->block.map);
    for (unsigned i = 1; status == EFI_BUFFER_TOO_SMALL && i < LAST_MAP_ATTEMPT_LIMIT; i++) {
        pages_free(&loader->pages, loader->table_pool.base);
        pages_free(&loader->pages, loader->block.base);
        if (!reserve_handoff(loader) || !convert_map(loader, loader->features.levels, NULL) ||
            !reserve_tables(loader))
            return false;
        status = exit_read_map(&loader->firmware, &loader->block.map);
    }
    if (EFI_ERROR(status))
        error_set(&loader->failure, LOADER_ERROR_MEMORY_MAP, status, "the last reading of it");
    return !EFI_ERROR(status);
}

/* Shows the log first: it is the last that the firmware can show. */
static bool leave_firmware(struct loader *loader)
{
    unsigned attempt_count;

    timeline_mark(&loader->timeline, "show log");
    console_show(&loader->console);
    post_exit_initialise(&loader->post_exit, &loader->platform.framebuffer,
                         loader->config.command_line);
    timeline_mark(&loader->timeline, "exit firmware");
    if (!read_last_map(loader) || exit_boot_services(&loader->firmware, &loader->block.map,
                                                     &attempt_count, &loader->failure) != LOADER_OK)
        return false;

    arch_interrupts_disable();
    fault_report_install(&loader->fault_report, &loader->post_exit);
    if (attempt_count > 1)
        console_warn(&loader->console, "the firmware let go after %u attempts", attempt_count);
    if (loader->block.map.descriptor_version != EFI_MEMORY_DESCRIPTOR_VERSION)
        console_warn(&loader->console, "memory map of version %u, read as version 1",
                     loader->block.map.descriptor_version);
    return true;
}

static bool build_regions(struct loader *loader)
{
    timeline_mark(&loader->timeline, "convert map");
    if (!convert_map(loader, loader->features.levels, &loader->console))
        return false;
    firmware_tables_set_mapping(&loader->platform.firmware_tables, loader->block.regions,
                                loader->block.region_count);
    return true;
}

/* What the trampoline goes through: tables with the levels that are in force. */
static enum page_table_status build_switch_tables(struct loader *loader,
                                                  const struct bootstrap_plan *plan,
                                                  const struct page_table_memory *memory)
{
    struct page_table_features features;
    struct page_table table;
    arch_page_features(&features);
    enum page_table_status status = page_table_create(&features, memory, &table);
    if (status == PAGE_TABLE_OK)
        status = bootstrap_tables_build_switch(plan, &table);
    if (status == PAGE_TABLE_OK)
        loader->trampoline_root = table.root;
    return status;
}

static bool build_tables(struct loader *loader)
{
    struct page_table_memory memory = table_pool_memory(&loader->table_pool);
    struct bootstrap_plan plan = table_plan(loader);

    timeline_mark(&loader->timeline, "build tables");
    enum page_table_status status = page_table_create(&loader->features, &memory, &loader->tables);
    if (status == PAGE_TABLE_OK)
        status = bootstrap_tables_build(&plan, &loader->tables, &loader->direct_map_size_bytes);
    if (status == PAGE_TABLE_OK && loader->trampoline_base.value != 0)
        status = build_switch_tables(loader, &plan, &memory);
    if (status != PAGE_TABLE_OK) {
        error_set(&loader->failure, LOADER_ERROR_PAGE_TABLES, EFI_SUCCESS, "%s; %llu of %llu KiB",
                  page_table_status_name(status), loader->table_pool.used_bytes / KIB,
                  loader->table_pool.size_bytes / KIB);
        return false;
    }
    loader->post_exit.direct_map_base = direct_map_base(loader->features.levels).value;
    loader->post_exit.page_table_root = loader->tables.root;
    return true;
}

static void finish_handoff(struct loader *loader)
{
    struct handoff_sources sources = {
        .firmware = &loader->firmware,
        .console = &loader->console,
        .timeline = &loader->timeline,
        .command_line = loader->config.command_line,
        .kernel_path = loader->config.kernel_path,
        .kernel = &loader->kernel,
        .temp_heap = &loader->temp_heap,
        .loader_image = &loader->image,
        .platform = &loader->platform,
        .tables = &loader->table_pool,
        .machine = arch_machine(),
        .levels = loader->features.levels,
        .stack_physical_base = loader->stack_physical_base,
        .processor_start_base = loader->processor_start_base,
        .direct_map_size_bytes = loader->direct_map_size_bytes,
    };
    timeline_mark(&loader->timeline, "enter kernel");
    arch_describe(loader->tables.root, &loader->features, loader->platform.clock_frequency_hz,
                  &sources.arch);
    handoff_build_finish(&loader->block, &sources);
}

static _Noreturn void enter(struct loader *loader)
{
    const struct arch_entry entry = {
        .root = loader->tables.root,
        .features = loader->features,
        .entry = virt_addr(loader->kernel.plan.entry),
        .handoff = virt_addr(loader->post_exit.direct_map_base + loader->block.base),
        .stack_top = virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE + BOOTSTRAP_STACK_SIZE_BYTES),
        .image_displacement = BOOTSTRAP_LOADER_VIRTUAL_BASE - loader->image.base,
        .trampoline = loader->trampoline_base,
        .trampoline_root = loader->trampoline_root,
    };
    arch_enter_kernel(&entry);
}

/* Say what went wrong, give everything back, and return to the firmware. Where the firmware is gone
 * already, there is nowhere to return to. */
static EFI_STATUS stop(struct loader *loader)
{
    char report[800];
    error_format_report(&loader->failure, report, sizeof(report));

    if (firmware_is_sealed(&loader->firmware)) {
        arch_interrupts_disable();
        post_exit_print(&loader->post_exit, "%s", report);
        post_exit_stop(&loader->post_exit, DEBUG_EXIT_LOADER_FAULT);
    }
    console_show_error(&loader->console, report);
    pages_free_all(&loader->pages);
    if (!command_line_has(loader->config.command_line, "unattended"))
        console_wait_for_key(&loader->console, READING_SECONDS);
    return error_exit_status(&loader->failure);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    static struct loader loader; /* too large for the firmware's stack */

    start(&loader, image, system_table); /* the watchdog off, a console */
    if (!find_origin(&loader) ||         /* which image are we, on which device? */
        !read_volume(&loader) ||         /* handoff.conf, and the kernel: judged, then loaded */
        !reserve_memory(&loader))        /* the temporary heap and the kernel's first stack */
        return stop(&loader);

    gather_platform(&loader);        /* screen, firmware tables, seed, clock */
    if (!reserve_handoff(&loader) || /* room for all that the kernel is told */
        !choose_levels(&loader) ||   /* of page tables: four or five */
        !reserve_tables(&loader) ||  /* room for its first page tables */
        !leave_firmware(&loader) ||  /* no boot service from here on */
        !build_regions(&loader) ||   /* the final memory map, sorted and typed */
        !build_tables(&loader))      /* kernel, direct map, stack, ourselves */
        return stop(&loader);

    finish_handoff(&loader); /* write the structure, and seal it */
    enter(&loader);          /* the switch */
}
