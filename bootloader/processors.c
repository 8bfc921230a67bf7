#include "bootloader/processors.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/system_tables.h"
#include "shared/address.h"
#include "shared/text/command_line.h"

/* --- The list --- */

void processors_find(struct loader *loader)
{
    const struct firmware_tables_memory memory = system_tables_memory();
    struct processor_list *list = &loader->processors;
    uint64_t size_bytes = 0;
    const uint8_t *table = firmware_tables_acpi(&loader->platform.firmware_tables, &memory,
                                                MADT_SIGNATURE, &size_bytes);
    enum madt_status status = madt_list_processors(table, size_bytes, arch_processor_id(), list);
    if (status != MADT_OK)
        console_warn("ACPI's list of processors (MADT): %s", madt_status_text(status));
    if (list->duplicate_count != 0)
        console_warn("processor %u is listed twice: counted once", list->duplicate_id);
}

/* --- The block --- */

/* The word on the command line is stronger than the key. */
static bool is_start_wanted(const struct config *config)
{
    return command_line_is(config->command_line, "processors", "start") ||
           (config->starts_processors &&
            !command_line_is(config->command_line, "processors", "list"));
}

/* The device registers are used at their physical addresses. */
static bool is_reachable(struct phys_addr page)
{
    const struct firmware_tables_memory memory = system_tables_memory();
    return page.value == 0 || memory.read(memory.context, page.value, PAGE_SIZE_BYTES) != NULL;
}

/* Build the tables of the block. They map the page for starting processors, too. */
static enum page_table_status build_tables(struct loader *loader)
{
    static const struct page_permissions EXECUTE = {.execute = true};
    const struct placement *placement = &loader->placement;
    struct phys_addr page = placement->processor_start.start;
    struct phys_range pages = parking_tables(&placement->parking);
    struct table_pool pool = {.memory = &pages};
    struct page_table_memory memory = table_pool_memory(&pool);
    struct page_table table;
    enum page_table_status status = page_table_create(&loader->features, &memory, &table);
    if (status == PAGE_TABLE_OK)
        status = parking_map(&placement->parking, &table);
    if (status == PAGE_TABLE_OK)
        status =
            page_table_add(&table, virt_addr(page.value), page, PAGE_SIZE_BYTES, EXECUTE, false);
    loader->parking_root = table.root;
    return status;
}

static bool reserve(struct loader *loader)
{
    struct parking *parking = &loader->placement.parking;
    uint64_t size_bytes = parking_size_bytes(parking->seat_count, loader->features.levels);
    return is_reachable(arch_start_registers()) &&
           pages_allocate_below(&loader->pages, size_bytes, phys_addr(PARKING_LIMIT_ADDRESS),
                                HANDOFF_REGION_PARKING, &parking->memory) == LOADER_OK &&
           build_tables(loader) == PAGE_TABLE_OK;
}

/* If there is no page below 1 MiB, a warning says that already. */
void processors_reserve(struct loader *loader)
{
    struct parking *parking = &loader->placement.parking;
    if (!is_start_wanted(&loader->config) || phys_range_is_empty(loader->placement.processor_start))
        return;
    parking->seat_count = loader->processors.count - 1;
    if (parking->seat_count == 0 || reserve(loader))
        return;
    parking->seat_count = 0;
    console_warn("no other processor is started: no memory below 4 GiB, or no "
                 "way to reach its registers");
}

/* --- The start --- */

/* Write an element for each processor, and the seat of each that is to be started. */
static void fill_block(struct loader *loader)
{
    const struct processor_list *list = &loader->processors;
    const struct parking *parking = &loader->placement.parking;
    uint32_t seat_index = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        struct handoff_processor *element = &loader->block.processors[i];
        *element = (struct handoff_processor){.hardware_id = list->list[i].hardware_id,
                                              .acpi_uid = list->list[i].acpi_uid};
        if (i == list->boot_index) {
            element->flags = HANDOFF_PROCESSOR_BOOT;
        } else if (seat_index < parking->seat_count) {
            element->mailbox = parking_seat(parking, seat_index).value;
            element->stack_virtual_base = parking_stack(seat_index++).value;
            parking_fill_seat(element, loader->tables.root);
        }
    }
}

/* Name the processors that do not answer, and leave them out. */
static void check_answers(struct loader *loader)
{
    for (uint32_t i = 0; i < loader->processors.count; i++) {
        struct handoff_processor *element = &loader->block.processors[i];
        if (element->mailbox == 0)
            continue;
        if (arch_has_started((const struct parking_seat *)element->mailbox)) {
            element->flags = HANDOFF_PROCESSOR_STARTED;
            element->stack_size_bytes = PARKING_STACK_SIZE_BYTES;
            continue;
        }
        element->mailbox = element->stack_virtual_base = 0;
        console_warn("processor %llu does not answer: left out", element->hardware_id);
    }
}

void processors_start(struct loader *loader)
{
    const struct arch_start request = {
        .parking = &loader->placement.parking,
        .page = loader->placement.processor_start.start,
        .root = loader->parking_root,
        .features = &loader->features,
        .clock_frequency_hz = loader->platform.clock_frequency_hz,
        .no_execute_was_off = loader->no_execute_was_off,
    };
    fill_block(loader);
    if (request.parking->seat_count == 0)
        return;
    loader_begin_phase(loader, "start processors");
    post_exit_mark(&loader->post_exit, "processors");
    arch_start_processors(&request);
    check_answers(loader);
}
