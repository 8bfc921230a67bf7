#include "bootloader/pure/entry_name.h"

#include <limits.h>
#include <stdint.h>

#include "bootloader/pure/number_at.h"
#include "shared/memory.h"
#include "shared/text/format.h"

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

bool entry_id_copy_wide(const void *bytes, size_t size_bytes, char ret_id[CONFIG_ID_CAPACITY])
{
    const unsigned char *wide = bytes;
    size_t length = 0;
    for (; length < CONFIG_ID_CAPACITY && size_bytes >= 2 * (length + 1); length++) {
        unsigned character = (unsigned)number_at(wide + 2 * length, 2);
        if (character == 0)
            break;
        ret_id[length] = character < 0x80 ? (char)character : ' ';
    }
    bool is_good = config_is_id((struct piece){ret_id, length});
    ret_id[is_good ? length : 0] = '\0';
    return is_good;
}

static bool parse_decimal(struct piece text, unsigned *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.text[i]) || number > UINT_MAX)
            return false;
        number = number * 10 + (uint64_t)(text.text[i] - '0');
    }
    *ret_number = (unsigned)number;
    return text.length > 0 && number <= UINT_MAX;
}

static bool parse_counter(struct piece text, struct entry_name *name)
{
    struct piece left = text;
    struct piece done;
    name->has_counter = true;
    name->tries_done = 0;
    bool has_done = piece_split(text, '-', &left, &done);
    return parse_decimal(left, &name->tries_left) &&
           (!has_done || parse_decimal(done, &name->tries_done));
}

bool entry_name_parse(struct piece file_name, struct entry_name *ret_name)
{
    static const char ending[] = ".conf";
    struct piece counter;
    if (!piece_ends_with(file_name, ending)) /* FAT does not distinguish upper and lower case */
        return false;
    file_name.length -= sizeof(ending) - 1;
    ret_name->has_counter = false;
    if (piece_split(file_name, '+', &file_name, &counter) && !parse_counter(counter, ret_name))
        return false;
    if (!config_is_id(file_name))
        return false;
    memcpy(ret_name->id, file_name.text, file_name.length);
    ret_name->id[file_name.length] = '\0';
    return true;
}

void entry_name_format(const struct entry_name *name, char *text, size_t capacity_bytes)
{
    if (name->has_counter)
        format_text(text, capacity_bytes, "%s+%u-%u.conf", name->id, name->tries_left,
                    name->tries_done);
    else
        format_text(text, capacity_bytes, "%s.conf", name->id);
}

void entry_name_use_try(struct entry_name *name)
{
    if (name->tries_left > 0)
        name->tries_left--;
    if (name->tries_done < UINT_MAX)
        name->tries_done++;
}

bool entry_name_has_no_tries(const struct entry_name *name)
{
    return name->has_counter && name->tries_left == 0;
}
