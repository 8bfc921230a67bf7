#include "bootloader/choose.h"

#include "bootloader/menu.h"
#include "bootloader/start_options.h"
#include "shared/text/command_line.h"
#include "shared/text/format.h"

/* A person has this long to read why an entry cannot be loaded. */
#define FAILURE_SECONDS 10

/* Return the wanted entry. Warn if it cannot be started, or has no tries left. Then only a choice
 * for one boot starts it. */
static struct entry *find_wanted(struct loader *loader, const char *id, const char *source)
{
    bool is_one_shot = id == loader->start.one_shot;
    const char *reason = "has no tries left";
    if (id[0] == '\0')
        return NULL;
    struct entry *entry = entries_find(&loader->entries, id);
    if (entry == NULL)
        reason = "does not exist";
    else if (!entry_is_good(entry))
        reason = "has an error";
    else if (is_one_shot || !entry->has_no_tries)
        return entry;
    console_warn("%s names the entry %s, which %s", source, id, reason);
    return NULL;
}

/* The choice for one boot, then that of handoff.conf, then those of earlier boots. */
static struct entry *find_default(struct loader *loader)
{
    const struct start_state *start = &loader->start;
    const char *default_id = loader->globals.default_id;
    struct entry *entry = find_wanted(loader, start->one_shot, "LoaderEntryOneShot");
    if (entry == NULL && default_id[0] != '\0')
        entry = find_wanted(loader, default_id, "default");
    else if (entry == NULL)
        entry = find_wanted(loader, start->default_entry, "LoaderEntryDefault");
    if (entry == NULL)
        entry = find_wanted(loader, start->last, "LoaderEntryLastBooted");
    return entry != NULL ? entry : entries_first_good(&loader->entries);
}

/* The error of the last try, or else that of the first broken entry. */
static bool refuse(struct loader *loader)
{
    if (loader->chooser.chosen == NULL) {
        error_set(LOADER_ERROR_NO_ENTRY, EFI_SUCCESS, "");
        entry_describe_error(loader->entries.entries, loader->chooser.config_path,
                             last_failure.detail, sizeof(last_failure.detail));
    }
    return false;
}

static void take(struct loader *loader, struct entry *entry)
{
    const struct config *config = &loader->config;
    loader->chooser.chosen = entry;
    entry_configure(&loader->entries, entry);
    loader->start.command_line_source = NULL;
    start_options_apply(loader);
    if (loader->entries.is_single)
        return;
    console_log("entry %s", entry->id);
    if (config->unknown_key_count != 0)
        console_warn("entry %s: %u unknown keys are ignored, the first in line %u", entry->id,
                     config->unknown_key_count, config->first_unknown_line);
}

/* Nobody can choose on a machine without a console. */
static bool is_attended(const struct loader *loader)
{
    const EFI_SYSTEM_TABLE *system_table = firmware.system_table;
    return (system_table->ConOut != NULL || system_table->ConIn != NULL) &&
           !command_line_has(loader->globals.command_line, "unattended");
}

static void note_failure(struct entry *failed, char *message, size_t capacity_bytes)
{
    failed->error = last_failure.error;
    error_format_sentence(&last_failure, message, capacity_bytes);
    console_warn("entry %s: %s", failed->id, message);
}

/* After a failure, a person has some time. Then the next good entry starts. */
static unsigned countdown_seconds(const struct loader *loader, bool has_failed)
{
    uint32_t seconds = loader->globals.timeout_seconds;
    if (seconds == CONFIG_TIMEOUT_NEVER)
        return 0;
    return has_failed && seconds < FAILURE_SECONDS ? FAILURE_SECONDS : seconds;
}

static bool wants_menu(struct loader *loader, const struct entry *entry, const char *message)
{
    if ((entry == NULL || message != NULL) && is_attended(loader))
        return true;
    return message == NULL && (loader->globals.timeout_seconds != 0 || menu_is_wanted(loader));
}

/* Describe the end of the last try in *ret_message; NULL before the first try. Return false if nothing
 * is left to choose. */
static bool end_last_try(struct loader *loader, const char **ret_message)
{
    static char message[600];
    const struct chooser *chooser = &loader->chooser;
    bool has_choice = !loader->entries.is_single || chooser->has_menu;
    *ret_message = NULL;
    if (chooser->chosen == NULL)
        return true;
    *ret_message = message;
    if (chooser->has_returned) {
        format_text(message, sizeof(message), "%s has ended.", chooser->chosen->title);
        last_failure.error = LOADER_OK;
        return has_choice && is_attended(loader);
    }
    if (has_choice)
        note_failure(chooser->chosen, message, sizeof(message));
    return has_choice;
}

static struct entry *ask(struct loader *loader, struct entry *entry, const char *message,
                         const char **ret_line)
{
    struct chooser *chooser = &loader->chooser;
    bool waits = entry == NULL || chooser->has_returned;
    unsigned seconds = waits ? 0 : countdown_seconds(loader, message != NULL);
    chooser->has_menu = true;
    chooser->has_returned = false;
    return menu_run(loader, entry, seconds, message, ret_line);
}

bool choose_entry(struct loader *loader)
{
    const char *message;
    const char *line = NULL;
    if (!end_last_try(loader, &message))
        return false;
    struct entry *entry = find_default(loader);
    if (wants_menu(loader, entry, message))
        entry = ask(loader, entry, message, &line);
    if (entry == NULL)
        return refuse(loader);
    take(loader, entry);
    if (line != NULL) {
        format_text(loader->config.command_line, sizeof(loader->config.command_line), "%s", line);
        loader->start.command_line_source = "the menu";
    }
    return true;
}
