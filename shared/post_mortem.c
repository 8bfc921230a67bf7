#include "shared/post_mortem.h"

#include "shared/crc32.h"
#include "shared/memory.h"
#include "shared/text/packed_text.h"

#define STAGE_BITS 16

static const char statuses[][28] PACKED_SECTION = {
    [POST_MORTEM_OK] = "it is no record",
    [POST_MORTEM_ABSENT] = "it is no record",
    [POST_MORTEM_OTHER_VERSION] = "another version wrote it",
    [POST_MORTEM_BAD_SIZE] = "its size is impossible",
    [POST_MORTEM_BAD_CHECKSUM] = "its checksum is wrong",
    [POST_MORTEM_BAD_STAGE] = "its stage is unknown",
};

const char *post_mortem_status_text(enum post_mortem_status status)
{
    return packed_text_read(statuses[status]);
}

static const char stages[][56] PACKED_SECTION = {
    [POST_MORTEM_LOADER] = "the loader ran, and had not entered the kernel",
    [POST_MORTEM_ENTRY] = "the loader had entered the kernel, which did not report",
    [POST_MORTEM_KERNEL] = "the kernel ran, and was not ready",
    [POST_MORTEM_READY] = "the kernel was ready",
    [POST_MORTEM_PANIC] = "the boot was over",
    [POST_MORTEM_ENDED] = "the boot was over",
};

const char *post_mortem_stage_text(enum post_mortem_stage stage)
{
    return packed_text_read(stages[stage]);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static uint32_t stage_word(enum post_mortem_stage stage)
{
    uint32_t value = (uint32_t)stage;
    return value | (~value << STAGE_BITS);
}

static bool stage_from_word(uint32_t word, enum post_mortem_stage *ret_stage)
{
    uint32_t value = word & ((UINT32_C(1) << STAGE_BITS) - 1);
    if (value < POST_MORTEM_LOADER || value > POST_MORTEM_ENDED ||
        word != stage_word((enum post_mortem_stage)value))
        return false;
    *ret_stage = (enum post_mortem_stage)value;
    return true;
}

static uint32_t checksum_of(const struct post_mortem_header *header, const void *text)
{
    struct post_mortem_header copy = *header;
    copy.checksum = 0;
    copy.stage = 0;
    uint32_t checksum = crc32_update(0, &copy, sizeof(copy));
    return crc32_update(checksum, text, header->size_bytes - sizeof(copy));
}

static enum post_mortem_status check(const struct post_mortem_header *header, const void *text,
                                     size_t size_bytes)
{
    if (header->magic != POST_MORTEM_MAGIC)
        return POST_MORTEM_ABSENT;
    if (header->version != POST_MORTEM_VERSION)
        return POST_MORTEM_OTHER_VERSION;
    if (header->size_bytes < sizeof(*header) || header->size_bytes > size_bytes ||
        header->log_size_bytes > header->size_bytes - sizeof(*header))
        return POST_MORTEM_BAD_SIZE;
    return header->checksum == checksum_of(header, text) ? POST_MORTEM_OK
                                                         : POST_MORTEM_BAD_CHECKSUM;
}

enum post_mortem_status post_mortem_read(const void *bytes, size_t size_bytes,
                                         struct post_mortem *ret_record)
{
    struct post_mortem_header header;
    const char *text = (const char *)bytes + sizeof(header);
    enum post_mortem_stage stage;
    if (size_bytes < sizeof(header) || size_bytes > POST_MORTEM_SLOT_SIZE_BYTES)
        return POST_MORTEM_BAD_SIZE;
    memcpy(&header, bytes, sizeof(header));
    enum post_mortem_status status = check(&header, text, size_bytes);
    if (status != POST_MORTEM_OK)
        return status;
    if (!stage_from_word(header.stage, &stage))
        return POST_MORTEM_BAD_STAGE;
    *ret_record = (struct post_mortem){
        .stage = stage,
        .code = header.code,
        .sequence = header.sequence,
        .log = text,
        .log_size_bytes = header.log_size_bytes,
        .report = text + header.log_size_bytes,
        .report_size_bytes = header.size_bytes - sizeof(header) - header.log_size_bytes,
    };
    return POST_MORTEM_OK;
}

static unsigned char *slot_at(const struct post_mortem_area *area, unsigned slot)
{
    return area->bytes + (size_t)slot * POST_MORTEM_SLOT_SIZE_BYTES;
}

/* Sequence numbers wrap, so the difference decides. */
static bool is_newer(uint32_t sequence, uint32_t other)
{
    return (int32_t)(sequence - other) > 0;
}

enum post_mortem_status post_mortem_find(struct post_mortem_area *area,
                                         struct post_mortem *ret_record,
                                         enum post_mortem_status *ret_damage)
{
    enum post_mortem_status found = POST_MORTEM_ABSENT;
    *ret_damage = POST_MORTEM_OK;
    area->slot = 0;
    area->sequence = 0;
    for (unsigned slot = 0; slot < POST_MORTEM_SLOT_COUNT; slot++) {
        struct post_mortem record;
        enum post_mortem_status status =
            post_mortem_read(slot_at(area, slot), POST_MORTEM_SLOT_SIZE_BYTES, &record);
        if (status != POST_MORTEM_OK && status != POST_MORTEM_ABSENT)
            *ret_damage = status;
        if (status != POST_MORTEM_OK ||
            (found == POST_MORTEM_OK && !is_newer(record.sequence, area->sequence)))
            continue;
        found = POST_MORTEM_OK;
        area->slot = slot;
        area->sequence = record.sequence;
        *ret_record = record;
    }
    return found;
}

/* --- Writing ---------------------------------------------------------------------------------- */

static void flush(const struct post_mortem_area *area, const void *start, size_t size_bytes)
{
    if (area->flush != NULL)
        area->flush(start, size_bytes);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Leave out the oldest bytes, and the rest of the line that is cut. */
static void cut_log(struct post_mortem *record)
{
    if (record->log_size_bytes <= POST_MORTEM_LOG_CAPACITY_BYTES)
        return;
    const char *end = record->log + record->log_size_bytes;
    const char *start = end - POST_MORTEM_LOG_CAPACITY_BYTES;
    while (start < end && start[-1] != '\n')
        start++;
    record->log = start;
    record->log_size_bytes = (size_t)(end - start);
}

static void write_text(unsigned char *slot, const struct post_mortem *record)
{
    unsigned char *text = slot + sizeof(struct post_mortem_header);
    memcpy(text, record->log, record->log_size_bytes);
    memcpy(text + record->log_size_bytes, record->report, record->report_size_bytes);
}

static struct post_mortem cut(const struct post_mortem *record)
{
    struct post_mortem result = *record;
    result.log = record->log_size_bytes != 0 ? record->log : "";
    result.report = record->report_size_bytes != 0 ? record->report : "";
    cut_log(&result);
    result.report_size_bytes =
        smaller(result.report_size_bytes, POST_MORTEM_TEXT_CAPACITY_BYTES - result.log_size_bytes);
    return result;
}

static struct post_mortem_header header_of(const unsigned char *slot,
                                           const struct post_mortem *record, uint32_t sequence)
{
    struct post_mortem_header header = {
        .magic = POST_MORTEM_MAGIC,
        .version = POST_MORTEM_VERSION,
        .size_bytes =
            (uint32_t)(sizeof(header) + record->log_size_bytes + record->report_size_bytes),
        .sequence = sequence,
        .code = record->code,
        .log_size_bytes = (uint32_t)record->log_size_bytes,
        .stage = stage_word(record->stage),
    };
    header.checksum = checksum_of(&header, slot + sizeof(header));
    return header;
}

void post_mortem_write(struct post_mortem_area *area, const struct post_mortem *record)
{
    unsigned next = (area->slot + 1) % POST_MORTEM_SLOT_COUNT;
    unsigned char *slot = slot_at(area, next);
    volatile uint64_t *magic = (volatile uint64_t *)(void *)slot;
    struct post_mortem short_record = cut(record);

    /* The fences keep the compiler from moving other stores across those of the magic number. */
    *magic = 0;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    flush(area, slot, sizeof(*magic));
    write_text(slot, &short_record);
    struct post_mortem_header header = header_of(slot, &short_record, area->sequence + 1);
    memcpy(slot + sizeof(*magic), (const unsigned char *)&header + sizeof(*magic),
           sizeof(header) - sizeof(*magic));
    flush(area, slot, header.size_bytes);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    *magic = header.magic;
    flush(area, slot, sizeof(*magic));
    area->slot = next;
    area->sequence++;
}

void post_mortem_set_stage(struct post_mortem_area *area, enum post_mortem_stage stage)
{
    unsigned char *word = slot_at(area, area->slot) + offsetof(struct post_mortem_header, stage);
    *(volatile uint32_t *)(void *)word = stage_word(stage);
    flush(area, word, sizeof(uint32_t));
}
