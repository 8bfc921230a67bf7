#include "bootloader/boot_interface.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/boot_source.h"
#include "bootloader/firmware/boot_variable.h"
#include "bootloader/firmware/wide_text.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

/* LoaderFeatures: of the Boot Loader Interface. */
#define FEATURE_ENTRY_DEFAULT  UINT64_C(0x4)
#define FEATURE_ENTRY_ONE_SHOT UINT64_C(0x8)
#define FEATURE_BOOT_COUNTING  UINT64_C(0x10)

/* The longest text is the path of an entry's file. */
#define TEXT_CAPACITY 128
/* 200 IDs of 39 characters. EDK II takes variables of 32 KiB. */
#define IDS_CAPACITY 8192

#define LAST_ENTRY "LoaderEntryLastBooted"
#define ONE_SHOT   "LoaderEntryOneShot"

static const char loader_info[] = "Handoff " HANDOFF_VERSION_TEXT;

/* After a failure, only volatile variables are left out: the others change the next boot. */
static void write(struct loader *loader, const char *name, enum boot_variable_kind kind,
                  const void *bytes, size_t size_bytes)
{
    if (!loader->start.writes_variables && kind == BOOT_VARIABLE_VOLATILE)
        return;
    EFI_STATUS status = boot_variable_write(name, kind, bytes, size_bytes);
    if (!EFI_ERROR(status))
        return;
    loader->start.writes_variables = false;
    console_warn("the EFI variable %s is not written: %s", name, error_status_name(status));
}

static void write_text(struct loader *loader, const char *name, enum boot_variable_kind kind,
                       const char *text)
{
    CHAR16 wide[TEXT_CAPACITY];
    write(loader, name, kind, wide, wide_text(text, wide, TEXT_CAPACITY));
}

/* --- Begin --- */

static void write_features(struct loader *loader)
{
    const uint64_t features =
        FEATURE_ENTRY_DEFAULT | FEATURE_ENTRY_ONE_SHOT | FEATURE_BOOT_COUNTING;
    write(loader, "LoaderFeatures", BOOT_VARIABLE_VOLATILE, &features, sizeof(features));
}

/* The first three fields of a GUID are little-endian numbers, the rest is bytes (UEFI 2.10, appendix
 * A). */
static void write_partition(struct loader *loader)
{
    struct {
        uint32_t first;
        uint16_t second, third, fourth, fifth;
        uint32_t sixth;
    } guid;
    char text[40];
    _Static_assert(sizeof(guid) == 16, "a GUID");
    if (boot_source_find((uint8_t *)&guid) != HANDOFF_BOOT_SOURCE_PARTITION)
        return;
    format_text(text, sizeof(text), "%08x-%04x-%04x-%04x-%04x%08x", guid.first, guid.second,
                guid.third, __builtin_bswap16(guid.fourth), __builtin_bswap16(guid.fifth),
                __builtin_bswap32(guid.sixth));
    write_text(loader, "LoaderDevicePartUUID", BOOT_VARIABLE_VOLATILE, text);
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
        write(loader, ONE_SHOT, BOOT_VARIABLE_REMOVED, NULL, 0);
    (void)read_id("LoaderEntryDefault", start->default_entry);
    if (loader->globals.remembers_last)
        (void)read_id(LAST_ENTRY, start->last);
}

void boot_interface_begin(struct loader *loader)
{
    loader->start.writes_variables = true;
    write_text(loader, "LoaderInfo", BOOT_VARIABLE_VOLATILE, loader_info);
    write_features(loader);
    write_partition(loader);
    read_choices(loader);
}

/* --- The choice --- */

/* More IDs than there is room for are left out. */
static void write_entries(struct loader *loader)
{
    static CHAR16 ids[IDS_CAPACITY]; /* too large for the firmware's stack */
    size_t size_bytes = 0;
    for (unsigned i = 0; i < loader->entries.count; i++) {
        if (size_bytes > sizeof(ids) - CONFIG_ID_CAPACITY * sizeof(ids[0]))
            break;
        size_bytes += wide_text(loader->entries.entries[i].id, ids + size_bytes / sizeof(ids[0]),
                                CONFIG_ID_CAPACITY);
    }
    write(loader, "LoaderEntries", BOOT_VARIABLE_VOLATILE, ids, size_bytes);
}

void boot_interface_publish(struct loader *loader)
{
    const char *id = loader->chooser.chosen->id;
    if (loader->entries.is_single)
        return;
    write_entries(loader);
    write_text(loader, "LoaderEntrySelected", BOOT_VARIABLE_VOLATILE, id);
    if (loader->globals.remembers_last && !text_equal(loader->start.last, id))
        write_text(loader, LAST_ENTRY, BOOT_VARIABLE_KEPT, id);
}

void boot_interface_write_count_path(struct loader *loader, const char *path)
{
    write_text(loader, "LoaderBootCountPath", BOOT_VARIABLE_VOLATILE, path);
}

/* --- Times --- */

static void write_time(struct loader *loader, const char *name, uint64_t ticks, uint64_t clock_hz)
{
    const uint64_t million = 1000000;
    char text[24];
    format_text(text, sizeof(text), "%llu",
                ticks / clock_hz * million + ticks % clock_hz * million / clock_hz);
    write_text(loader, name, BOOT_VARIABLE_VOLATILE, text);
}

void boot_interface_write_times(struct loader *loader, uint64_t clock_hz)
{
    if (clock_hz == 0)
        return;
    write_time(loader, "LoaderTimeInitUSec", loader->timeline.moments[0].ticks, clock_hz);
    write_time(loader, "LoaderTimeExecUSec", arch_timestamp(), clock_hz);
}
