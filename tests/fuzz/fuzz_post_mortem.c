/* The boot record: any bytes in its two pages give a status, texts that lie in the pages, and a
 * paragraph of printable lines. A record that is written over them comes back. */
#include <string.h>

#include "bootloader/pure/boot_record_text.h"
#include "shared/crc32.h"
#include "shared/post_mortem.h"
#include "tests/fuzz/require.h"

#define SLOT POST_MORTEM_SLOT_SIZE_BYTES

static _Alignas(8) unsigned char pages[POST_MORTEM_AREA_SIZE_BYTES];

/* Without a right checksum no input would pass that check. */
static void seal(unsigned char *slot)
{
    struct post_mortem_header header;
    memcpy(&header, slot, sizeof(header));
    if (header.size_bytes < sizeof(header) || header.size_bytes > SLOT)
        return;
    uint32_t stage = header.stage;
    header.checksum = 0;
    header.stage = 0;
    uint32_t checksum = crc32_update(0, &header, sizeof(header));
    header.checksum =
        crc32_update(checksum, slot + sizeof(header), header.size_bytes - sizeof(header));
    header.stage = stage;
    memcpy(slot, &header, sizeof(header));
}

static void require_inside(const char *text, size_t size_bytes)
{
    const char *first = (const char *)pages;
    require(text >= first && size_bytes <= sizeof(pages));
    require(text + size_bytes <= first + sizeof(pages));
}

static void require_printable(const struct post_mortem *record)
{
    static char text[BOOT_RECORD_TEXT_CAPACITY_BYTES];
    size_t length = boot_record_describe(record, text, sizeof(text));
    require(length < sizeof(text) && text[length] == '\0');
    for (size_t i = 0; i < length; i++)
        require(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
}

static void require_sound(const struct post_mortem *record)
{
    require(record->stage >= POST_MORTEM_LOADER && record->stage <= POST_MORTEM_ENDED);
    require_inside(record->log, record->log_size_bytes);
    require_inside(record->report, record->report_size_bytes);
    require(record->log + record->log_size_bytes == record->report);
    require_printable(record);
}

static void require_written(struct post_mortem_area *area, const uint8_t *bytes, size_t size_bytes)
{
    struct post_mortem newest;
    enum post_mortem_status damage;
    size_t half_bytes = size_bytes / 2;
    const struct post_mortem record = {
        .stage = POST_MORTEM_PANIC,
        .code = 0x23,
        .log = (const char *)bytes,
        .log_size_bytes = half_bytes,
        .report = (const char *)bytes + half_bytes,
        .report_size_bytes = size_bytes - half_bytes,
    };
    post_mortem_write(area, &record);
    require(post_mortem_find(area, &newest, &damage) == POST_MORTEM_OK);
    require_sound(&newest);
    require(newest.code == 0x23 && newest.log_size_bytes <= POST_MORTEM_LOG_CAPACITY_BYTES);
    require(newest.log_size_bytes <= record.log_size_bytes);
    require(memcmp(newest.report, record.report, newest.report_size_bytes) == 0);
    post_mortem_set_stage(area, POST_MORTEM_ENDED);
    require(post_mortem_find(area, &newest, &damage) == POST_MORTEM_OK);
    require(newest.stage == POST_MORTEM_ENDED);
}

/* The first byte says which slots get a right checksum. The rest is their content. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct post_mortem record;
    enum post_mortem_status damage;
    struct post_mortem_area area = {.bytes = pages};
    if (size_bytes == 0)
        return 0;
    size_t taken = size_bytes - 1 < sizeof(pages) ? size_bytes - 1 : sizeof(pages);
    memset(pages, 0, sizeof(pages));
    memcpy(pages, bytes + 1, taken);
    for (unsigned slot = 0; slot < POST_MORTEM_SLOT_COUNT; slot++) {
        if ((bytes[0] & 1u << slot) != 0)
            seal(pages + (size_t)slot * SLOT);
    }
    if (post_mortem_find(&area, &record, &damage) == POST_MORTEM_OK)
        require_sound(&record);
    require(strlen(post_mortem_status_text(damage)) > 0);
    require(area.slot < POST_MORTEM_SLOT_COUNT);
    require_written(&area, bytes, size_bytes);
    return 0;
}
