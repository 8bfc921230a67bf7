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

/* Return the count if it is not listed. */
static uint32_t index_of(const struct processor_list *list, uint32_t hardware_id)
{
    uint32_t index = 0;
    while (index < list->count && list->list[index].hardware_id != hardware_id)
        index++;
    return index;
}

/* `entry` is of one of the two types, and as long as that needs. */
static void add_entry(struct processor_list *list, const uint8_t *entry)
{
    bool is_short = entry[0] == TYPE_SHORT;
    uint32_t id = is_short ? entry[3] : (uint32_t)number_at(entry + 4, 4);
    if ((entry[is_short ? 4 : 8] & FLAG_ENABLED) == 0 ||
        id == (is_short ? SHORT_ID_NONE : LONG_ID_NONE))
        return;
    if (index_of(list, id) < list->count) {
        list->duplicate_count++;
        list->duplicate_id = id;
        return;
    }
    uint32_t uid = is_short ? entry[2] : (uint32_t)number_at(entry + 12, 4);
    list->list[list->count++] = (struct processor){id, uid};
}

static enum madt_status add_entries(struct processor_list *list, const uint8_t *entry,
                                    uint64_t rest_bytes)
{
    uint32_t entry_count = 0;
    for (; rest_bytes > 0; rest_bytes -= entry[1], entry += entry[1]) {
        if (rest_bytes < ENTRY_HEADER_SIZE_BYTES || entry[1] > rest_bytes)
            return MADT_TRUNCATED;
        uint8_t least_bytes = entry[0] == TYPE_SHORT  ? 8
                              : entry[0] == TYPE_LONG ? 16
                                                      : ENTRY_HEADER_SIZE_BYTES;
        if (entry[1] < least_bytes)
            return MADT_TOO_SHORT;
        if (least_bytes == ENTRY_HEADER_SIZE_BYTES)
            continue;
        if (++entry_count > MADT_PROCESSOR_LIMIT)
            return MADT_TOO_MANY;
        add_entry(list, entry);
    }
    return MADT_OK;
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
    ret_list->boot_index = index_of(ret_list, boot_id);
    if (ret_list->boot_index < ret_list->count)
        return MADT_OK;
    insert_boot_processor(ret_list, boot_id);
    return status == MADT_OK ? MADT_INCOMPLETE : status;
}
