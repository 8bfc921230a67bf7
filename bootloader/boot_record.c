#include "bootloader/boot_record.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/variable.h"
#include "bootloader/pure/boot_record_place.h"
#include "bootloader/pure/boot_record_text.h"
#include "bootloader/serial.h"
#include "shared/memory.h"
#include "shared/text/command_line.h"
#include "shared/text/text.h"

static const uint64_t places[] = {BOOT_RECORD_FIRST_PLACE, BOOT_RECORD_SECOND_PLACE};
#define PLACE_COUNT (sizeof(places) / sizeof(places[0]))

static bool reserve(struct loader *loader)
{
    struct phys_range *pages = &loader->placement.boot_record;
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if (pages_allocate_at(&loader->pages, phys_addr(places[i]), POST_MORTEM_AREA_SIZE_BYTES,
                              HANDOFF_REGION_BOOT_RECORD, pages) == LOADER_OK)
            return true;
    }
    console_warn("no boot record: the firmware uses the pages at %llx and %llx", places[0],
                 places[1]);
    return false;
}

static void show(struct loader *loader)
{
    static char text[BOOT_RECORD_TEXT_CAPACITY_BYTES];
    if (boot_record_describe(&loader->last_boot, text, sizeof(text)) == 0)
        return;
    serial_prepare(loader);
    console_show_error(text, &loader->serial);
    /* handoff.conf is not read yet, and may name another port for later reports. */
    loader->serial = (struct serial_choice){0};
}

void boot_record_begin(struct loader *loader)
{
    enum post_mortem_status damage;
    struct post_mortem_area *area = &loader->boot_record;
    const struct post_mortem begun = {.stage = POST_MORTEM_LOADER};
    if (!reserve(loader))
        return;
    area->bytes = (unsigned char *)loader->placement.boot_record.start.value;
    area->flush = arch_flush_cache;
    loader->post_exit.boot_record = area;
    loader->post_exit.log = &console.log;
    loader->has_last_boot = post_mortem_find(area, &loader->last_boot, &damage) == POST_MORTEM_OK;
    if (damage != POST_MORTEM_OK)
        console_warn("a boot record is ignored: %s", post_mortem_status_text(damage));
    if (loader->has_last_boot)
        show(loader);
    post_mortem_write(area, &begun);
}

void boot_record_set_stage(struct loader *loader, enum post_mortem_stage stage)
{
    if (loader->boot_record.bytes != NULL)
        post_mortem_set_stage(&loader->boot_record, stage);
}

/* --- The EFI variable ------------------------------------------------------------------------- */

static bool wants_variable(struct loader *loader)
{
    const char *command_line = loader->config.command_line;
    char value[8] = "";
    if (!command_line_mentions(command_line, "post_mortem"))
        return loader->config.keeps_record_in_nvram;
    if (command_line_value(command_line, "post_mortem", value, sizeof(value))) {
        bool is_nvram = text_equal(value, "nvram");
        if (is_nvram || text_equal(value, "ram"))
            return is_nvram;
    }
    console_warn("post_mortem= is ignored: the value must be nvram or ram");
    return loader->config.keeps_record_in_nvram;
}

/* The content of the variable: one slot. */
struct page {
    _Alignas(8) unsigned char bytes[POST_MORTEM_SLOT_SIZE_BYTES];
};

/* An area of which only the first slot exists, and comes next. The sequence number of its record is
 * 0, so equal ends of two boots give equal pages. */
static void fill(struct page *page, const struct post_mortem *record)
{
    struct post_mortem_area area = {.bytes = page->bytes, .slot = 1, .sequence = UINT32_MAX};
    post_mortem_write(&area, record);
}

/* Read the variable, and log its state. Return false if it cannot be compared. */
static bool read_stored(struct loader *loader, struct page *page)
{
    struct post_mortem record;
    size_t size_bytes = sizeof(page->bytes);
    EFI_STATUS status = variable_read(page->bytes, &size_bytes);
    enum post_mortem_status problem = EFI_ERROR(status)
                                          ? POST_MORTEM_BAD_SIZE
                                          : post_mortem_read(page->bytes, size_bytes, &record);
    if (status == EFI_NOT_FOUND || problem == POST_MORTEM_ABSENT)
        console_warn("post_mortem=nvram: the EFI variable holds no record");
    else if (problem != POST_MORTEM_OK)
        console_warn("post_mortem=nvram: the EFI variable is ignored: %s",
                     post_mortem_status_text(problem));
    else if (!loader->has_last_boot)
        console_log_rare("the EFI variable holds a record of an earlier boot");
    return !EFI_ERROR(status) && size_bytes == sizeof(page->bytes);
}

static void write_stored(struct page *page)
{
    const char *obstacle = variable_obstacle(sizeof(page->bytes));
    EFI_STATUS status = EFI_SUCCESS;
    if (obstacle == NULL)
        status = variable_write(page->bytes, sizeof(page->bytes));
    if (EFI_ERROR(status))
        obstacle = error_status_name(status);
    if (obstacle != NULL)
        console_warn("post_mortem=nvram: not written: %s", obstacle);
    else
        console_log_rare("the record of the last boot is in the EFI variable, too");
}

void boot_record_keep(struct loader *loader)
{
    static struct page stored;
    static struct page wanted;
    if (!wants_variable(loader))
        return;
    console_log_rare("post_mortem=nvram: reading and writing the EFI variable");
    console_show();
    bool is_comparable = read_stored(loader, &stored);
    if (!loader->has_last_boot || loader->last_boot.stage == POST_MORTEM_ENDED)
        return;
    fill(&wanted, &loader->last_boot);
    if (!is_comparable || memcmp(stored.bytes, wanted.bytes, sizeof(wanted.bytes)) != 0)
        write_stored(&wanted);
}
