#include "kernel/diagnostics/monitor/completion.h"

#include "kernel/core/log.h"
#include "shared/memory.h"
#include "shared/text/text.h"

/* The words among which the last word of a line is looked up. One of the two is not NULL. */
struct source {
    const struct command *commands;
    const char *const *choices;
    struct piece word; /* the last one, maybe empty */
};

static const char *word_at(const struct source *source, size_t index)
{
    if (source->commands != NULL)
        return source->commands[index].name;
    return source->choices != NULL ? source->choices[index] : NULL;
}

static bool begins(const char *word, struct piece start)
{
    return text_length(word) >= start.length && memcmp(word, start.text, start.length) == 0;
}

/* Return the line behind its last semicolon. */
static struct piece last_command(struct piece line)
{
    struct piece command = {line.text, 0};
    while (arguments_next_command(&line, &command))
        continue;
    bool is_ended = line.text != command.text + command.length;
    return is_ended ? line : command;
}

static struct piece last_word(struct piece line)
{
    size_t start = line.length;
    while (start > 0 && !piece_is_blank(line.text[start - 1]))
        start--;
    return (struct piece){line.text + start, line.length - start};
}

static struct source source_of(const struct command *commands, struct piece line)
{
    struct piece command = last_command(line);
    struct piece word = last_word(command);
    struct arguments arguments =
        arguments_split((struct piece){command.text, command.length - word.length});
    if (arguments.name.length == 0)
        return (struct source){commands, NULL, word};
    const struct command *found = command_find(commands, arguments.name);
    if (found == NULL || arguments.count > 0)
        return (struct source){NULL, NULL, word};
    if (text_equal(found->name, "help"))
        return (struct source){commands, NULL, word};
    return (struct source){NULL, found->choices, word};
}

static size_t common_length(const char *a, const char *b)
{
    size_t length = 0;
    while (a[length] != '\0' && a[length] == b[length])
        length++;
    return length;
}

struct completion completion_find(const struct command *commands, struct piece line)
{
    struct source source = source_of(commands, line);
    struct completion completion = {.count = 0};
    const char *first = NULL;
    size_t length = 0;
    const char *word;
    for (size_t i = 0; (word = word_at(&source, i)) != NULL; i++) {
        if (!begins(word, source.word))
            continue;
        if (completion.count++ == 0)
            first = word;
        size_t common = common_length(first, word);
        length = completion.count == 1 || common < length ? common : length;
    }
    if (first == NULL)
        return completion;
    completion.length = length - source.word.length;
    memcpy(completion.text, first + source.word.length, completion.length);
    if (completion.count == 1)
        completion.text[completion.length++] = ' ';
    return completion;
}

void completion_list(const struct command *commands, struct piece line)
{
    struct source source = source_of(commands, line);
    const char *word;
    for (size_t i = 0; (word = word_at(&source, i)) != NULL; i++) {
        if (begins(word, source.word))
            log_raw("%s  ", word);
    }
    log_raw("\n");
}
