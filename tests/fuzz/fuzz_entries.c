/* The list of entries: the bytes are a handoff.conf, and behind each 0xff byte the text of a file. Any bytes give a
 * list that keeps entries.h's promises: no entry hides another one. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bootloader/pure/entries.h"
#include "tests/fuzz/require.h"

static struct entry_list list;
static struct config globals;
static struct config scratch;

static void require_described(const struct entry *entry)
{
    char text[300];
    entry_describe_error(entry, "\\handoff.conf", text, sizeof(text));
    require(strstr(text, config_status_text(entry->status)) != NULL);
    require(strlen(entry->wrong.key) < CONFIG_KEY_CAPACITY);
}

static void require_sound(struct entry *entry)
{
    require(memchr(entry->id, '\0', sizeof(entry->id)) != NULL);
    require(memchr(entry->title, '\0', sizeof(entry->title)) != NULL);
    require(entry->title[0] != '\0');
    require(entry_is_good(entry) == (entry->status == CONFIG_OK));
    if (entry->status != CONFIG_OK) {
        require_described(entry);
        return;
    }
    require(config_is_id((struct piece){entry->id, strlen(entry->id)}));
    require(entries_find(&list, entry->id) == entry);
    require(entry_configure(&list, entry) == CONFIG_OK);
    require(scratch.kernel_path[0] == '\\');
    require(scratch.timeout_seconds == globals.timeout_seconds);
}

static void require_sorted(void)
{
    for (unsigned i = 1; i < list.count; i++) {
        const struct entry *before = &list.entries[i - 1];
        const struct entry *entry = &list.entries[i];
        if (before->file_name[0] == '\0')
            continue;
        require(entry->file_name[0] != '\0');
        require(entry->status != CONFIG_OK || strcmp(before->id, entry->id) < 0);
    }
}

static void add_file(struct piece text, unsigned number)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%u.conf", number * 7 % 11);
    struct entry *entry = entries_add_file(&list, name);
    if (entry == NULL)
        return;
    entry->text = text;
    entry_read_text(&list, entry);
    require(memcmp(&scratch, &globals, sizeof(globals)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct config_wrong wrong;
    struct piece rest = {(const char *)bytes, size_bytes};
    struct piece text = rest;
    unsigned file_count = 0;
    bool has_files = piece_split(rest, '\xff', &text, &rest);
    memset(&list, 0x77, sizeof(list));
    enum config_status status = entries_begin(text, &list, &globals, &scratch, &wrong);
    if (status != CONFIG_OK) {
        require(list.count == 0);
        require((wrong.line == 0) == (status == CONFIG_FILE_TOO_LARGE));
        return 0;
    }
    while (has_files && file_count < 11) {
        has_files = piece_split(rest, '\xff', &text, &rest);
        add_file(has_files ? text : rest, file_count++);
    }
    entries_finish(&list);
    require(list.count > 0 && list.count <= ENTRY_LIMIT);
    require(list.left_out_count == 0 || list.count == ENTRY_LIMIT);
    for (unsigned i = 0; i < list.count; i++)
        require_sound(&list.entries[i]);
    require_sorted();
    return 0;
}
