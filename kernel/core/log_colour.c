#include "kernel/core/log_colour.h"

#include "shared/text/text.h"

#define STAGE   "\033[36m"
#define WARNING "\033[33m"
#define PANIC   "\033[1;31m"
#define PLAIN   "\033[0m"

struct output {
    struct log_colour *colour;
    log_colour_emit *emit;
    void *context;
};

static bool begins_with(const char *text, size_t length_bytes, const char *start)
{
    size_t i = 0;
    while (i < length_bytes && start[i] != '\0' && text[i] == start[i])
        i++;
    return start[i] == '\0';
}

static void put(const struct output *output, const char *text, size_t length_bytes)
{
    if (length_bytes != 0)
        output->emit(output->context, text, length_bytes);
}

static void set(const struct output *output, const char *sequence, bool is_coloured)
{
    put(output, sequence, text_length(sequence));
    output->colour->is_coloured = is_coloured;
}

/* Return the length of "[stage]" at the start of a line; 0 if the line begins otherwise. */
static size_t stage_bytes(const char *line, size_t length_bytes)
{
    if (length_bytes == 0 || line[0] != '[')
        return 0;
    for (size_t i = 1; i < length_bytes && line[i] != ' '; i++) {
        if (line[i] == ']')
            return i + 1;
    }
    return 0;
}

/* Begin a line: write its stage. Return how many bytes were written. */
static size_t begin_line(const struct output *output, const char *line, size_t length_bytes)
{
    size_t stage = stage_bytes(line, length_bytes);
    if (stage == 0)
        return 0;
    if (begins_with(line, length_bytes, "[panic]")) {
        set(output, PANIC, true);
        return 0;
    }
    set(output, STAGE, true);
    put(output, line, stage);
    if (begins_with(line + stage, length_bytes - stage, " warning:"))
        set(output, WARNING, true);
    else
        set(output, PLAIN, false);
    return stage;
}

/* Write one line, or a part of it. `is_complete`: a line feed follows. */
static void write_line(const struct output *output, const char *line, size_t length_bytes,
                       bool is_complete)
{
    size_t done = 0;
    if (!output->colour->is_within_line)
        done = begin_line(output, line, length_bytes);
    put(output, line + done, length_bytes - done);
    if (is_complete && output->colour->is_coloured)
        set(output, PLAIN, false);
    if (is_complete)
        put(output, "\n", 1);
    output->colour->is_within_line =
        !is_complete && (length_bytes != 0 || output->colour->is_within_line);
}

void log_colour_write(struct log_colour *colour, const char *text, size_t length_bytes,
                      log_colour_emit *emit, void *context)
{
    const struct output output = {colour, emit, context};
    size_t from = 0;
    for (size_t i = 0; i < length_bytes; i++) {
        if (text[i] != '\n')
            continue;
        write_line(&output, text + from, i - from, true);
        from = i + 1;
    }
    write_line(&output, text + from, length_bytes - from, false);
}
