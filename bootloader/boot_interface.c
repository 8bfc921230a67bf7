#include "bootloader/boot_interface.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/boot_source.h"
#include "bootloader/firmware/boot_variable.h"
#include "shared/memory.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

/* LoaderFeatures: of the Boot Loader Interface. */
#define FEATURE_ENTRY_DEFAULT  UINT64_C(0x4)
#define FEATURE_ENTRY_ONE_SHOT UINT64_C(0x8)
#define FEATURE_BOOT_COUNTING  UINT64_C(0x10)

#define LAST_ENTRY "LoaderEntryLastBooted"
#define ONE_SHOT   "LoaderEntryOneShot"

static const char loader_info[] = "Handoff " HANDOFF_VERSION_TEXT;

static void check(struct loader *loader, const char *name, EFI_STATUS status)
{
    if (!EFI_ERROR(status))
        return;
    loader->start.writes_variables = false;
    console_warn("the EFI variable %s is not written: %s", name, error_status_name(status));
}

static void write_texts(struct loader *loader, const char *name, const char *text,
                        size_t size_bytes)
{
    if (loader->start.writes_variables)
        check(loader, name, boot_variable_write_text(name, false, text, size_bytes));
}

static void write_text(struct loader *loader, const char *name, const char *text)
{
    write_texts(loader, name, text, text_length(text) + 1);
}

/* --- Begin --- */

static void write_features(struct loader *loader)
{
    static const char name[] = "LoaderFeatures";
    const uint64_t features =
        FEATURE_ENTRY_DEFAULT | FEATURE_ENTRY_ONE_SHOT | FEATURE_BOOT_COUNTING;
    if (loader->start.writes_variables)
        check(loader, name, boot_variable_write(name, false, &features, sizeof(features)));
}

/* The first three fields of a GUID are little-endian numbers (UEFI 2.10, appendix A). */
static void write_partition(struct loader *loader)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t guid[16];
    char text[40];
    size_t length = 0;
    if (boot_source_find(guid) != HANDOFF_BOOT_SOURCE_PARTITION)
        return;
    for (unsigned i = 0; i < sizeof(guid); i++) {
        bool has_dash = i >= 4 && i <= 10 && i % 2 == 0;
        length += (size_t)format_text(text + length, sizeof(text) - length, "%s%02x",
                                      has_dash ? "-" : "", guid[order[i]]);
    }
    write_text(loader, "LoaderDevicePartUUID", text);
}

/* Return false if there is a variable, but no ID in it. */
static bool read_id(const char *name, char ret_id[CONFIG_ID_CAPACITY])
{
    bool is_good = boot_variable_read_id(name, ret_id);
    if (!is_good)
        console_warn("the EFI variable %s is ignored: it names no entry", name);
    return is_good;
}

/* A choice for one boot is deleted before that boot, so that a broken entry is not started again. */
static void read_choices(struct loader *loader)
{
    struct start_state *start = &loader->start;
    if (!read_id(ONE_SHOT, start->one_shot) || start->one_shot[0] != '\0')
        check(loader, ONE_SHOT, boot_variable_delete(ONE_SHOT));
    (void)read_id("LoaderEntryDefault", start->default_entry);
    if (loader->globals.remembers_last)
        (void)read_id(LAST_ENTRY, start->last);
}

void boot_interface_begin(struct loader *loader)
{
    loader->start.writes_variables = true;
    write_text(loader, "LoaderInfo", loader_info);
    write_features(loader);
    write_partition(loader);
    read_choices(loader);
}

/* --- The choice --- */

/* More IDs than there is room for are left out. */
static void write_entries(struct loader *loader)
{
    static char ids[BOOT_VARIABLE_TEXT_CAPACITY]; /* too large for the firmware's stack */
    size_t size_bytes = 0;
    for (unsigned i = 0; i < loader->entries.count; i++) {
        const char *id = loader->entries.entries[i].id;
        size_t id_bytes = text_length(id) + 1;
        if (id_bytes > sizeof(ids) - size_bytes)
            break;
        memcpy(ids + size_bytes, id, id_bytes);
        size_bytes += id_bytes;
    }
    write_texts(loader, "LoaderEntries", ids, size_bytes);
}

static void remember(struct loader *loader, const char *id)
{
    if (loader->globals.remembers_last && !text_equal(loader->start.last, id))
        check(loader, LAST_ENTRY,
              boot_variable_write_text(LAST_ENTRY, true, id, text_length(id) + 1));
}

void boot_interface_publish(struct loader *loader)
{
    const char *id = loader->chooser.chosen->id;
    if (loader->entries.is_single)
        return;
    write_entries(loader);
    write_text(loader, "LoaderEntrySelected", id);
    remember(loader, id);
}

void boot_interface_write_count_path(struct loader *loader, const char *path)
{
    write_text(loader, "LoaderBootCountPath", path);
}

/* --- Times --- */

static void write_time(struct loader *loader, const char *name, uint64_t ticks, uint64_t clock_hz)
{
    const uint64_t million = 1000000;
    char text[24];
    format_text(text, sizeof(text), "%llu",
                ticks / clock_hz * million + ticks % clock_hz * million / clock_hz);
    write_text(loader, name, text);
}

void boot_interface_write_times(struct loader *loader, uint64_t clock_hz)
{
    if (clock_hz == 0)
        return;
    write_time(loader, "LoaderTimeInitUSec", loader->timeline.moments[0].ticks, clock_hz);
    write_time(loader, "LoaderTimeExecUSec", arch_timestamp(), clock_hz);
}
