#include "kernel/core/boot_record.h"

#include "kernel/arch.h"
#include "kernel/core/log.h"
#include "shared/memory.h"

/* One byte more than a record holds, so that the writer finds the start of a line. */
#define LOG_CAPACITY_BYTES (POST_MORTEM_LOG_CAPACITY_BYTES + 1)

static struct post_mortem_area area; /* its bytes are NULL without a record */
static char log_text_bytes[LOG_CAPACITY_BYTES];
static char report_bytes[POST_MORTEM_REPORT_CAPACITY_BYTES];
static struct post_mortem record = {.log = log_text_bytes, .report = report_bytes};

static enum { IDLE, TAKING_LOG, TAKING_REPORT, DONE } state;

void boot_record_open(unsigned char *bytes)
{
    struct post_mortem newest;
    enum post_mortem_status damage;
    struct post_mortem_area found = {.bytes = bytes, .flush = arch_flush_cache};
    /* The loader has just begun one. Otherwise the pages are not what they should be. */
    if (post_mortem_find(&found, &newest, &damage) == POST_MORTEM_OK)
        area = found;
}

void boot_record_set_stage(enum post_mortem_stage stage)
{
    if (area.bytes != NULL)
        post_mortem_set_stage(&area, stage);
}

/* Keep the newest bytes. */
static void take_log(const char *text, size_t length_bytes)
{
    if (length_bytes > LOG_CAPACITY_BYTES) {
        text += length_bytes - LOG_CAPACITY_BYTES;
        length_bytes = LOG_CAPACITY_BYTES;
    }
    size_t room_bytes = LOG_CAPACITY_BYTES - length_bytes;
    size_t kept_bytes = record.log_size_bytes < room_bytes ? record.log_size_bytes : room_bytes;
    memmove(log_text_bytes, log_text_bytes + record.log_size_bytes - kept_bytes, kept_bytes);
    memcpy(log_text_bytes + kept_bytes, text, length_bytes);
    record.log_size_bytes = kept_bytes + length_bytes;
}

/* Keep the oldest bytes: a report begins with its cause. */
static void take_report(const char *text, size_t length_bytes)
{
    size_t room_bytes = sizeof report_bytes - record.report_size_bytes;
    if (length_bytes > room_bytes)
        length_bytes = room_bytes;
    memcpy(report_bytes + record.report_size_bytes, text, length_bytes);
    record.report_size_bytes += length_bytes;
}

static void take(void *context, const char *text, size_t length_bytes)
{
    (void)context;
    if (state == TAKING_LOG)
        take_log(text, length_bytes);
    else if (state == TAKING_REPORT)
        take_report(text, length_bytes);
}

void boot_record_begin_panic(uint32_t code)
{
    if (area.bytes == NULL || state != IDLE)
        return;
    record.stage = POST_MORTEM_PANIC;
    record.code = code;
    state = TAKING_LOG;
    log_add_first_sink((struct log_sink){take, NULL, NULL}); /* it gets the earlier lines first */
    state = TAKING_REPORT;
}

void boot_record_end_panic(void)
{
    if (state != TAKING_REPORT)
        return;
    state = DONE;
    post_mortem_write(&area, &record);
}
