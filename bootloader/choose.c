#include "bootloader/choose.h"

#include "shared/memory.h"

/* Return the wanted entry. Warn if it cannot be started. */
static struct entry *find_wanted(struct loader *loader, const char *id, const char *source)
{
    struct entry *entry = id[0] == '\0' ? NULL : entries_find(&loader->entries, id);
    if (id[0] == '\0' || (entry != NULL && entry_is_good(entry)))
        return entry;
    console_warn(&loader->console, "%s names the entry %s, which %s", source, id,
                 entry == NULL ? "does not exist" : "has an error");
    return NULL;
}

static struct entry *find_default(struct loader *loader)
{
    struct entry *entry = find_wanted(loader, loader->globals.default_id, "default");
    return entry != NULL ? entry : entries_first_good(&loader->entries);
}

/* The error of the last try, or else that of the first broken entry. */
static bool refuse(struct loader *loader)
{
    char text[ERROR_DETAIL_CAPACITY];
    if (loader->chooser.chosen != NULL)
        return false;
    entry_describe_error(&loader->entries.entries[0], loader->chooser.config_path, text,
                         sizeof(text));
    error_set(&loader->failure, LOADER_ERROR_NO_ENTRY, EFI_SUCCESS, "%s", text);
    return false;
}

static void take(struct loader *loader, struct entry *entry)
{
    const struct config *config = &loader->config;
    loader->chooser.chosen = entry;
    entry_configure(entry, &loader->globals, &loader->config);
    if (loader->entries.is_single)
        return;
    console_log(&loader->console, "entry %s: %s", entry->id, entry->title);
    if (config->unknown_key_count != 0)
        console_warn(&loader->console,
                     "entry %s: %u unknown keys are ignored, the first in line %u", entry->id,
                     config->unknown_key_count, config->first_unknown_line);
}

bool choose_entry(struct loader *loader)
{
    struct entry *failed = loader->chooser.chosen;
    if (failed != NULL)
        failed->error = loader->failure.error;
    struct entry *entry = find_default(loader);
    if (entry == NULL)
        return refuse(loader);
    if (failed != NULL)
        console_warn(&loader->console, "entry %s cannot be loaded: %s", failed->id,
                     loader->failure.detail);
    take(loader, entry);
    return true;
}
