/* The file name of an entry, and the ID in an EFI variable: any bytes give an entry or none. */
#include <stdint.h>
#include <string.h>

#include "bootloader/pure/entry_name.h"
#include "tests/fuzz/require.h"

static void require_id(const char id[CONFIG_ID_CAPACITY])
{
    size_t length = strlen(id);
    require(length > 0 && length < CONFIG_ID_CAPACITY);
    for (size_t i = 0; i < length; i++)
        require(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                       id[i]) != NULL);
}

/* A name that the loader writes is read back, before and after a try. */
static void require_read_back(const struct entry_name *name)
{
    char text[ENTRY_NAME_CAPACITY];
    struct entry_name again;
    entry_name_format(name, text, sizeof(text));
    size_t length = strlen(text);
    require(length < sizeof(text));
    require(entry_name_parse((struct piece){text, length}, &again));
    require(strcmp(again.id, name->id) == 0 && again.has_counter == name->has_counter);
    require(!name->has_counter ||
            (again.tries_left == name->tries_left && again.tries_done == name->tries_done));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    char id[CONFIG_ID_CAPACITY];
    struct entry_name name;
    if (entry_id_copy_wide(bytes, size_bytes, id))
        require_id(id);
    if (!entry_name_parse((struct piece){(const char *)bytes, size_bytes}, &name))
        return 0;
    require_id(name.id);
    require_read_back(&name);
    if (!name.has_counter)
        return 0;
    struct entry_name before = name;
    entry_name_use_try(&name);
    require(name.tries_left == before.tries_left - (before.tries_left > 0));
    require(name.tries_done >= before.tries_done && name.tries_done - before.tries_done <= 1);
    require_read_back(&name);
    return 0;
}
