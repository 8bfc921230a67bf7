/* MADT: any bytes give a list that keeps madt.h's promises. The first four bytes are the hardware ID
 * of the boot processor. The table follows, as it is. */
#include <stdbool.h>
#include <string.h>

#include "bootloader/pure/madt.h"
#include "shared/handoff.h"
#include "tests/fuzz/require.h"

static struct processor_list list;

/* Look for the ID in the entries, in a second way: every place that an entry could begin at. */
static bool is_in_table(const uint8_t *table, size_t size_bytes, uint32_t id)
{
    for (size_t i = 44; i + 8 <= size_bytes; i++) {
        uint32_t long_id;
        memcpy(&long_id, table + i + 4, sizeof(long_id));
        if ((table[i] == 0 && table[i + 3] == id) || (table[i] == 9 && long_id == id))
            return true;
    }
    return false;
}

static void check_list(const uint8_t *table, size_t size_bytes, uint32_t boot_id)
{
    require(list.count >= 1 && list.count <= MADT_PROCESSOR_LIMIT + 1);
    require(list.boot_index < list.count);
    require(list.list[list.boot_index].hardware_id == boot_id);
    for (uint32_t i = 0; i < list.count; i++) {
        uint32_t id = list.list[i].hardware_id;
        for (uint32_t j = 0; j < i; j++)
            require(list.list[j].hardware_id != id);
        require(i == list.boot_index || is_in_table(table, size_bytes, id));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    uint32_t boot_id;
    if (size_bytes < sizeof(boot_id))
        return 0;
    memcpy(&boot_id, bytes, sizeof(boot_id));
    const uint8_t *table = bytes + sizeof(boot_id);
    size_bytes -= sizeof(boot_id);
    enum madt_status status = madt_list_processors(table, size_bytes, boot_id, &list);
    check_list(table, size_bytes, boot_id);
    require(status == MADT_OK || status == MADT_INCOMPLETE ||
            (list.count == 1 && list.duplicate_count == 0));
    return 0;
}
