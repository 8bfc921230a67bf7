#include "kernel/diagnostics/monitor/line_history.h"

#include "shared/memory.h"
#include "shared/text/text.h"

const char *line_history_at(const struct line_history *history, size_t age)
{
    if (age == 0 || age > history->count)
        return NULL;
    return history->lines[(history->next + LINE_HISTORY_LIMIT - age) % LINE_HISTORY_LIMIT];
}

void line_history_add(struct line_history *history, const char *line)
{
    const char *newest = line_history_at(history, 1);
    size_t length = text_length(line);
    if (length == 0 || length > LINE_LIMIT || (newest != NULL && text_equal(newest, line)))
        return;
    memcpy(history->lines[history->next], line, length + 1);
    history->next = (history->next + 1) % LINE_HISTORY_LIMIT;
    if (history->count < LINE_HISTORY_LIMIT)
        history->count++;
}
