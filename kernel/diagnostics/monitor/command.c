#include "kernel/diagnostics/monitor/command.h"

#include <stdarg.h>

#include "kernel/core/log.h"
#include "kernel/core/nearest.h"
#include "shared/text/format.h"
#include "shared/text/number.h"

#define TEXT_CAPACITY_BYTES 400

void monitor_say(const char *format, ...)
{
    char text[TEXT_CAPACITY_BYTES];
    va_list arguments;
    va_start(arguments, format);
    format_text_v(text, sizeof text, format, arguments);
    va_end(arguments);
    log_raw("%s\n", text);
}

bool monitor_number(const struct monitor_state *monitor, struct piece word, const char *what,
                    uint64_t *ret_number)
{
    if (number_parse(word.text, word.length, ret_number))
        return true;
    monitor_say("%s: %s must be a number below 2^64 such as 4096, 0x1000 or 4K, and not \"%s\"",
                monitor->running->name, what, arguments_quote(word).text);
    return false;
}

bool monitor_argument_is(const struct arguments *arguments, size_t index, const char *text)
{
    return index < arguments->count && index < ARGUMENTS_LIMIT &&
           piece_equals(arguments->words[index], text);
}

const struct command *command_find(const struct command *commands, struct piece name)
{
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (piece_equals(name, command->name))
            return command;
    }
    return NULL;
}

void command_tell_unknown(const struct command *commands, struct piece name)
{
    struct nearest nearest = nearest_begin(name);
    for (const struct command *command = commands; command->name != NULL; command++)
        nearest_consider(&nearest, command->name);
    struct arguments_quote quote = arguments_quote(name);
    if (nearest_is_close(&nearest))
        monitor_say("\"%s\" is not a command: did you mean \"%s\"?", quote.text, nearest.name);
    else
        monitor_say("\"%s\" is not a command: help lists all commands, and poweroff switches off",
                    quote.text);
}
