#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/packed_font.h"
#include "tests/unit/support/random.h"

#define HEIGHT CONSOLE_FONT_HEIGHT_PIXELS

/* As scripts/pack-font.py does it. */
static size_t pack(const uint8_t *font, uint8_t *packed)
{
    size_t size_bytes = 0;
    for (size_t glyph = 0; glyph < CONSOLE_FONT_GLYPH_COUNT; glyph++) {
        uint8_t *differs = packed + size_bytes;
        uint8_t above = 0;
        differs[0] = differs[1] = 0;
        size_bytes += 2;
        for (size_t i = 0; i < HEIGHT; i++) {
            uint8_t line = font[glyph * HEIGHT + i];
            if (line != above) {
                differs[i / 8] |= (uint8_t)(1u << i % 8);
                packed[size_bytes++] = line;
            }
            above = line;
        }
    }
    return size_bytes;
}

/* Unpack from and into memory of exactly the right sizes, so that ASan finds a byte outside. */
static void test_glyphs_come_back(void **state)
{
    (void)state;
    static uint8_t font[PACKED_FONT_SIZE_BYTES];
    static uint8_t packed[2 * PACKED_FONT_SIZE_BYTES];
    struct random random = {9};
    for (size_t i = 0; i < sizeof font; i++)
        font[i] = (uint8_t)random_below(&random, 3);
    size_t size_bytes = pack(font, packed);
    uint8_t *exact = malloc(size_bytes);
    uint8_t *output = malloc(sizeof font);
    assert_non_null(exact);
    assert_non_null(output);
    memcpy(exact, packed, size_bytes);
    packed_font_unpack(exact, output);
    assert_memory_equal(output, font, sizeof font);
    free(output);
    free(exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glyphs_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
