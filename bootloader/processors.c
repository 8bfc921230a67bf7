#include "bootloader/processors.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/system_tables.h"
#include "shared/address.h"
#include "shared/text/command_line.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

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
        console_warn(&loader->console, "ACPI's list of processors (MADT): %s: only this one counts",
                     madt_status_text(status));
    else if (list->list[list->boot_index].acpi_uid == HANDOFF_ACPI_UID_NONE)
        console_warn(&loader->console, "ACPI's list of processors (MADT) lacks this one");
    if (list->duplicate_count != 0)
        console_warn(&loader->console,
                     "processor %u is listed twice: counted once (%u such entries)",
                     list->duplicate_id, list->duplicate_count);
}

/* --- The block --- */

/* The word on the command line is stronger than the key. */
static bool is_start_wanted(struct loader *loader)
{
    const char *command_line = loader->config.command_line;
    if (!command_line_mentions(command_line, "processors"))
        return loader->config.starts_processors;
    if (command_line_is(command_line, "processors", "start"))
        return true;
    if (!command_line_is(command_line, "processors", "list"))
        console_warn(&loader->console, "processors= is ignored: the value must be start or list");
    return false;
}

/* The start page and the device registers are used at their physical addresses. */
static bool is_reachable(struct phys_addr page)
{
    const struct firmware_tables_memory memory = system_tables_memory();
    return page.value == 0 || memory.read(memory.context, page.value, PAGE_SIZE_BYTES) != NULL;
}

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
            page_table_map(&table, virt_addr(page.value), page, PAGE_SIZE_BYTES, EXECUTE, false);
    if (status == PAGE_TABLE_OK)
        loader->parking_root = table.root;
    return status;
}

/* Return the reason why no processor can be started; NULL if they can. */
static const char *reserve(struct loader *loader, uint32_t seat_count)
{
    struct parking *parking = &loader->placement.parking;
    if (phys_range_is_empty(loader->placement.processor_start))
        return "no page below 1 MiB";
    if (!is_reachable(arch_start_registers()))
        return "their device is out of reach";
    parking->seat_count = seat_count;
    if (pages_allocate_below(&loader->pages,
                             parking_size_bytes(seat_count, loader->features.levels),
                             phys_addr(PARKING_LIMIT_ADDRESS), HANDOFF_REGION_PARKING,
                             &parking->memory) != LOADER_OK)
        return "no memory below 4 GiB";
    enum page_table_status status = build_tables(loader);
    if (status == PAGE_TABLE_OK)
        return NULL;
    pages_free(&loader->pages, parking->memory.start);
    parking->memory = phys_range(0, 0);
    return page_table_status_name(status);
}

void processors_reserve(struct loader *loader)
{
    uint32_t seat_count = loader->processors.count - 1;
    if (!is_start_wanted(loader) || seat_count == 0)
        return;
    const char *obstacle = reserve(loader, seat_count);
    if (obstacle != NULL)
        console_warn(&loader->console, "no other processor is started: %s", obstacle);
}

/* --- The start --- */

/* Each processor but the one that boots has a seat, in the order of the list. */
static uint32_t seat_index(const struct processor_list *list, uint32_t index)
{
    return index < list->boot_index ? index : index - 1;
}

static struct parking_seat *seat_of(const struct loader *loader, uint32_t index)
{
    const struct parking *parking = &loader->placement.parking;
    if (phys_range_is_empty(parking->memory) || index == loader->processors.boot_index)
        return NULL;
    return (struct parking_seat *)parking_seat(parking, seat_index(&loader->processors, index))
        .value;
}

static void fill_seat(struct loader *loader, uint32_t index)
{
    struct parking_seat *seat = seat_of(loader, index);
    if (seat == NULL)
        return;
    uint64_t stack_top =
        parking_stack(seat_index(&loader->processors, index)).value + PARKING_STACK_SIZE_BYTES;
    *seat = (struct parking_seat){
        .mailbox = {.stack_top = stack_top, .page_table_root = loader->tables.root.value},
        .hardware_id = loader->processors.list[index].hardware_id,
        .stack_top = stack_top,
    };
}

static void start(struct loader *loader)
{
    const struct arch_start request = {
        .parking = &loader->placement.parking,
        .page = loader->placement.processor_start.start,
        .root = loader->parking_root,
        .features = &loader->features,
        .clock_frequency_hz = loader->platform.clock_frequency_hz,
        .no_execute_was_off = loader->no_execute_was_off,
    };
    post_exit_mark(&loader->post_exit, "processors");
    for (uint32_t i = 0; i < loader->processors.count; i++)
        fill_seat(loader, i);
    arch_start_processors(&request);
}

/* Write the element of one processor. Return whether it was to be started, and does not wait. */
static bool describe(const struct loader *loader, uint32_t index)
{
    const struct processor *processor = &loader->processors.list[index];
    const struct parking_seat *seat = seat_of(loader, index);
    struct handoff_processor *element = &loader->block.processors[index];
    *element = (struct handoff_processor){
        .hardware_id = processor->hardware_id,
        .acpi_uid = processor->acpi_uid,
        .flags = index == loader->processors.boot_index ? HANDOFF_PROCESSOR_BOOT : 0,
    };
    if (seat == NULL || seat->mailbox.state != HANDOFF_MAILBOX_WAITS)
        return seat != NULL;
    element->flags = HANDOFF_PROCESSOR_STARTED;
    element->mailbox = (uint64_t)&seat->mailbox;
    element->stack_virtual_base = seat->stack_top - PARKING_STACK_SIZE_BYTES;
    element->stack_size_bytes = PARKING_STACK_SIZE_BYTES;
    return false;
}

void processors_start(struct loader *loader)
{
    char ids[64] = "";
    int used = 0;
    uint32_t silent_count = 0;
    if (!phys_range_is_empty(loader->placement.parking.memory))
        start(loader);
    for (uint32_t i = 0; i < loader->processors.count; i++) {
        if (!describe(loader, i))
            continue;
        silent_count++;
        if (used < (int)sizeof(ids) - 12)
            used += format_text(ids + used, sizeof(ids) - (size_t)used, " %u",
                                loader->processors.list[i].hardware_id);
    }
    if (silent_count != 0)
        console_warn(&loader->console, "%u processors do not answer, and are left out:%s",
                     silent_count, ids);
}
