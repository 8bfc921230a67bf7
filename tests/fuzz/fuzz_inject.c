/* The value of inject: any text gives an answer. With it, any map stays within its memory. */
#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/inject.h"
#include "bootloader/pure/memory_map.h"
#include "tests/fuzz/require.h"

#define TEXT_LIMIT 256
#define SLACK_ROWS 5

static void require_sound(const struct inject *inject)
{
    bool is_any = false;
    for (unsigned failure = 0; failure < INJECT_FAILURE_COUNT; failure++) {
        is_any = is_any || inject->numbers[failure] != 0;
        require(inject->numbers[failure] <= INJECT_NUMBER_LIMIT);
        require(failure <= INJECT_HANG || inject->numbers[failure] <= 1);
    }
    require(is_any);
}

/* The map is a block of its exact size, so ASan finds an access beside it. */
static void change_map(const struct inject *inject, const uint8_t *bytes, size_t size_bytes,
                       size_t slack_bytes)
{
    uint64_t stride_bytes = sizeof(struct memory_map_descriptor) + size_bytes % 3 * 8;
    uint64_t map_bytes = size_bytes / stride_bytes * stride_bytes;
    uint8_t *rows = malloc(map_bytes + slack_bytes + 1);
    require(rows != NULL);
    memcpy(rows, bytes, map_bytes);
    struct inject_map map = {rows, map_bytes, map_bytes + slack_bytes, stride_bytes};
    inject_change_map(inject, &map);
    require(map.size_bytes >= map_bytes && map.size_bytes <= map.capacity_bytes);
    require(map.size_bytes % stride_bytes == 0);
    free(rows);
}

/* The first line is the value, the rest is the map. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct inject inject;
    const uint8_t *end = memchr(bytes, '\n', size_bytes < TEXT_LIMIT ? size_bytes : TEXT_LIMIT);
    size_t length = end == NULL ? size_bytes : (size_t)(end - bytes);
    if (!inject_parse((struct piece){(const char *)bytes, length}, &inject))
        return 0;
    require_sound(&inject);
    if (end != NULL)
        for (size_t slack = 0; slack < SLACK_ROWS; slack++)
            change_map(&inject, end + 1, size_bytes - length - 1,
                       slack * sizeof(struct memory_map_descriptor));
    return 0;
}
