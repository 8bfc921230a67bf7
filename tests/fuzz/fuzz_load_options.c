/* The load options: any bytes give a printable command line, or none. */
#include <stdint.h>
#include <string.h>

#include "bootloader/pure/load_options.h"
#include "shared/text/command_line.h"
#include "shared/text/piece.h"
#include "tests/fuzz/require.h"

#define CAPACITY_LIMIT 64

static void require_command_line(const char *text, size_t capacity_bytes)
{
    size_t length = strlen(text);
    require(length > 0 && length < capacity_bytes);
    require(!piece_is_blank(text[0]));
    require(!command_line_has_open_quote(text));
    for (size_t i = 0; i < length; i++)
        require((text[i] >= 0x20 && text[i] <= 0x7e) || text[i] == '\t');
}

/* The same text in UCS-2 means the same. */
static void require_same_when_wide(const char *text, size_t capacity_bytes, bool has_program_name)
{
    char again[CAPACITY_LIMIT];
    unsigned char wide[2 * CAPACITY_LIMIT] = {0};
    enum load_options_status narrow_status =
        load_options_parse(text, strlen(text), has_program_name, again, capacity_bytes);
    for (size_t i = 0; text[i] != '\0'; i++)
        wide[2 * i] = (unsigned char)text[i];
    char wide_text[CAPACITY_LIMIT];
    enum load_options_status status =
        load_options_parse(wide, 2 * strlen(text), has_program_name, wide_text, capacity_bytes);
    require(status == narrow_status && strcmp(again, wide_text) == 0);
}

/* The first byte chooses the capacity and the shell, the rest are the load options. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    char text[CAPACITY_LIMIT];
    if (size_bytes == 0)
        return 0;
    size_t capacity_bytes = 1 + bytes[0] % CAPACITY_LIMIT;
    bool has_program_name = (bytes[0] & 0x80) != 0;
    enum load_options_status status =
        load_options_parse(bytes + 1, size_bytes - 1, has_program_name, text, capacity_bytes);
    require((load_options_obstacle(status) != NULL) ==
            (status != LOAD_OPTIONS_TEXT && status != LOAD_OPTIONS_NONE));
    if (status != LOAD_OPTIONS_TEXT) {
        require(text[0] == '\0');
        return 0;
    }
    require_command_line(text, capacity_bytes);
    require_same_when_wide(text, capacity_bytes, has_program_name);
    return 0;
}
