/* The line table: any bytes give a line whose texts lie in the table, or none. The first four bytes
 * are the address. */
#include <string.h>

#include "kernel/core/line_table.h"
#include "tests/fuzz/require.h"

#define ADDRESS_SIZE_BYTES 4

static void require_inside(const char *text, const uint8_t *table, size_t size_bytes)
{
    const char *first = (const char *)table;
    require(text >= first && text < first + size_bytes);
    require(memchr(text, '\0', (size_t)(first + size_bytes - text)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    uint32_t address;
    struct source_line line;
    if (size_bytes < ADDRESS_SIZE_BYTES)
        return 0;
    memcpy(&address, bytes, ADDRESS_SIZE_BYTES);
    const uint8_t *table = bytes + ADDRESS_SIZE_BYTES;
    size_bytes -= ADDRESS_SIZE_BYTES;
    if (line_table_find(table, size_bytes, address, &line)) {
        require_inside(line.directory, table, size_bytes);
        require_inside(line.file, table, size_bytes);
    }
    return 0;
}
