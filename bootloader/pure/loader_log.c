#include "bootloader/pure/loader_log.h"

#include "shared/memory.h"
#include "shared/text/format.h"

static const char log_full[] = "(log full)\n";

/* The capacity without the last line, which says that lines are missing. */
#define LINES_CAPACITY_BYTES (LOADER_LOG_CAPACITY_BYTES - (sizeof(log_full) - 1))

void loader_log_append(struct loader_log *log, const char *text, size_t size_bytes)
{
    if (log->size_bytes > LINES_CAPACITY_BYTES)
        return; /* "(log full)" has been written */
    if (size_bytes > LINES_CAPACITY_BYTES - log->size_bytes) {
        text = log_full;
        size_bytes = sizeof(log_full) - 1;
    }
    memcpy(log->text + log->size_bytes, text, size_bytes);
    log->size_bytes += size_bytes;
}

void loader_log_line(struct loader_log *log, const char *prefix, const char *format,
                     va_list arguments)
{
    char line[400];
    int used = format_text(line, sizeof(line) - 1, "%s", prefix);
    size_t capacity = sizeof(line) - 1 - (size_t)used;
    int wanted = format_text_v(line + used, capacity, format, arguments);
    size_t length = (size_t)used + ((size_t)wanted < capacity ? (size_t)wanted : capacity - 1);
    line[length] = '\n';
    loader_log_append(log, line, length + 1);
}
