#include "bootloader/pure/madt.h"

#include <stdbool.h>

#include "bootloader/pure/number_at.h"
#include "bootloader/pure/text_part.h"
#include "shared/handoff.h"
#include "shared/memory.h"
#include "shared/text/packed_text.h"

#define HEADER_SIZE_BYTES 44

/* Entries (ACPI 6.5, 5.2.12.2 and 5.2.12.12). Each begins with its type and its length. */
#define ENTRY_HEADER_SIZE_BYTES 2
#define TYPE_SHORT              0 /* hardware ID of 8 bits */
#define TYPE_LONG               9 /* hardware ID of 32 bits */
#define FLAG_ENABLED            1

/* These numbers mean all processors. */
#define SHORT_ID_NONE 0xff
#define LONG_ID_NONE  UINT32_C(0xffffffff)

/* One text behind the other, each with a NUL. */
const char *madt_status_text(enum madt_status status)
{
    static const char TEXTS[] PACKED_SECTION =
        "good\0absent or damaged\0truncated\0an entry is too short\0"
        "over 4096 processors\0the boot processor is missing";
    return text_part(packed_text_read(TEXTS), (unsigned)status);
}

static void add(struct processor_list *list, uint32_t hardware_id, uint32_t acpi_uid)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->list[i].hardware_id == hardware_id) {
            list->duplicate_count++;
            list->duplicate_id = hardware_id;
            return;
        }
    }
    list->list[list->count++] = (struct processor){hardware_id, acpi_uid};
}

/* `entry` is as long as its type needs. */
static void add_entry(struct processor_list *list, const uint8_t *entry)
{
    if (entry[0] == TYPE_SHORT && (entry[4] & FLAG_ENABLED) != 0 && entry[3] != SHORT_ID_NONE)
        add(list, entry[3], entry[2]);
    if (entry[0] == TYPE_LONG && (entry[8] & FLAG_ENABLED) != 0 &&
        number_at(entry + 4, 4) != LONG_ID_NONE)
        add(list, (uint32_t)number_at(entry + 4, 4), (uint32_t)number_at(entry + 12, 4));
}

static uint64_t least_size_bytes(uint8_t type)
{
    return type == TYPE_SHORT ? 8 : type == TYPE_LONG ? 16 : ENTRY_HEADER_SIZE_BYTES;
}

static enum madt_status add_entries(struct processor_list *list, const uint8_t *entry,
                                    uint64_t rest_bytes)
{
    uint32_t entry_count = 0;
    while (rest_bytes > 0) {
        if (rest_bytes < ENTRY_HEADER_SIZE_BYTES || entry[1] > rest_bytes)
            return MADT_TRUNCATED;
        if (entry[1] < least_size_bytes(entry[0]))
            return MADT_TOO_SHORT;
        if ((entry[0] == TYPE_SHORT || entry[0] == TYPE_LONG) &&
            ++entry_count > MADT_PROCESSOR_LIMIT)
            return MADT_TOO_MANY;
        add_entry(list, entry);
        rest_bytes -= entry[1];
        entry += entry[1];
    }
    return MADT_OK;
}

/* Return false if it is not listed. */
static bool find_boot_processor(struct processor_list *list, uint32_t boot_id)
{
    for (list->boot_index = 0; list->boot_index < list->count; list->boot_index++) {
        if (list->list[list->boot_index].hardware_id == boot_id)
            return true;
    }
    return false;
}

/* The array has room for one more than the table can fill. */
static void insert_boot_processor(struct processor_list *list, uint32_t boot_id)
{
    memmove(list->list + 1, list->list, list->count * sizeof(list->list[0]));
    list->list[0] = (struct processor){boot_id, HANDOFF_ACPI_UID_NONE};
    list->boot_index = 0;
    list->count++;
}

enum madt_status madt_list_processors(const uint8_t *table, uint64_t size_bytes, uint32_t boot_id,
                                      struct processor_list *ret_list)
{
    enum madt_status status = table == NULL ? MADT_ABSENT : MADT_TRUNCATED;
    ret_list->count = ret_list->duplicate_count = 0;
    if (size_bytes >= HEADER_SIZE_BYTES && table != NULL)
        status = add_entries(ret_list, table + HEADER_SIZE_BYTES, size_bytes - HEADER_SIZE_BYTES);
    if (status != MADT_OK)
        ret_list->count = ret_list->duplicate_count = 0;
    if (find_boot_processor(ret_list, boot_id))
        return MADT_OK;
    insert_boot_processor(ret_list, boot_id);
    return status == MADT_OK ? MADT_INCOMPLETE : status;
}
