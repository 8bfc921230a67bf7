#include "bootloader/choose.h"

#include "bootloader/menu.h"
#include "shared/text/command_line.h"
#include "shared/text/format.h"

/* A person has this long to read why an entry cannot be loaded. */
#define FAILURE_SECONDS 10

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
    if (loader->chooser.chosen == NULL) {
        error_set(&loader->failure, LOADER_ERROR_NO_ENTRY, EFI_SUCCESS, "");
        entry_describe_error(loader->entries.entries, loader->chooser.config_path,
                             loader->failure.detail, sizeof(loader->failure.detail));
    }
    return false;
}

static void take(struct loader *loader, struct entry *entry)
{
    const struct config *config = &loader->config;
    loader->chooser.chosen = entry;
    entry_configure(entry, &loader->globals, &loader->config);
    if (loader->entries.is_single)
        return;
    console_log(&loader->console, "entry %s", entry->id);
    if (config->unknown_key_count != 0)
        console_warn(&loader->console,
                     "entry %s: %u unknown keys are ignored, the first in line %u", entry->id,
                     config->unknown_key_count, config->first_unknown_line);
}

/* Nobody can choose on a machine without a console. */
static bool is_attended(const struct loader *loader)
{
    const EFI_SYSTEM_TABLE *system_table = loader->firmware.system_table;
    return (system_table->ConOut != NULL || system_table->ConIn != NULL) &&
           !command_line_has(loader->globals.command_line, "unattended");
}

static void note_failure(struct loader *loader, struct entry *failed, char *message,
                         size_t capacity_bytes)
{
    const struct loader_failure *failure = &loader->failure;
    failed->error = failure->error;
    format_text(message, capacity_bytes, "HL-%02d: %s %s. %s", failure->error,
                error_cause((unsigned)failure->error), failure->detail, failure->remedy);
    console_warn(&loader->console, "entry %s: %s", failed->id, message);
}

/* After a failure, a person has some time. Then the next good entry starts. */
static unsigned countdown_seconds(const struct loader *loader, bool has_failed)
{
    uint32_t seconds = loader->globals.timeout_seconds;
    if (seconds == CONFIG_TIMEOUT_NEVER)
        return 0;
    return has_failed && seconds < FAILURE_SECONDS ? FAILURE_SECONDS : seconds;
}

static bool wants_menu(struct loader *loader, const struct entry *entry, bool has_failed)
{
    if ((entry == NULL || has_failed) && is_attended(loader))
        return true;
    return !has_failed && (loader->globals.timeout_seconds != 0 || menu_is_wanted(loader));
}

bool choose_entry(struct loader *loader)
{
    static char message[600];
    struct chooser *chooser = &loader->chooser;
    bool has_failed = chooser->chosen != NULL;
    const char *line = NULL;
    if (has_failed && loader->entries.is_single && !chooser->has_menu)
        return false;
    if (has_failed)
        note_failure(loader, chooser->chosen, message, sizeof(message));
    struct entry *entry = find_default(loader);
    if (wants_menu(loader, entry, has_failed)) {
        chooser->has_menu = true;
        unsigned seconds = entry == NULL ? 0 : countdown_seconds(loader, has_failed);
        entry = menu_run(loader, entry, seconds, has_failed ? message : NULL, &line);
    }
    if (entry == NULL)
        return refuse(loader);
    take(loader, entry);
    if (line != NULL)
        format_text(loader->config.command_line, sizeof(loader->config.command_line), "%s", line);
    return true;
}
