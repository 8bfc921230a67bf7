#ifndef HANDOFF_PACKED_TEXT /* only `make check-boundaries` does not define it */
#define HANDOFF_PACKED_TEXT
#endif
#include "shared/text/packed_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/unpack.h"
#include "shared/memory.h"

#define UNPACKED_LIMIT_BYTES 65536

/* The linker puts the parts of a section in the order of the letters behind the `$`. */
static const char first[1] __attribute__((section(".packed$a"), used)) = {0};
static const char last[1] __attribute__((section(".packed$z"), used)) = {0};

/* scripts/pack-loader.py writes the packed texts here. The room is at the end of its section. */
static const uint8_t room[8192] __attribute__((section(".room"))) = "room for the packed texts";

/* The compiler knows the linked bytes of a constant. It does not know where a volatile pointer
 * points to. So it reads the bytes, and reads them behind the unpacking. */
static const void *read_at(const void *place)
{
    const void *volatile unknown = place;
    return unknown;
}

static void unpack_all(void)
{
    static struct unpack_model model;
    static uint8_t unpacked[UNPACK_CONTEXT_BYTES + UNPACKED_LIMIT_BYTES];
    uintptr_t section = (uintptr_t)read_at(first);
    uint32_t size_bytes = (uint32_t)((uintptr_t)last - section);
    uint8_t *texts = unpacked + UNPACK_CONTEXT_BYTES;
    unpack(&model, read_at(room), texts, size_bytes);
    memcpy((void *)section, texts, size_bytes);
}

const void *packed_text_read(const void *text)
{
    static bool is_unpacked;
    if (!is_unpacked)
        unpack_all();
    is_unpacked = true;
    return read_at(text);
}
