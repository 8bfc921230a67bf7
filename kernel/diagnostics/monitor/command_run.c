#include "kernel/diagnostics/monitor/command_run.h"

#include "kernel/core/nearest.h"
#include "shared/text/text.h"

static void tell_usage(const struct command *command)
{
    monitor_say("Usage: %s%s%s. For example: %s", command->name,
                command->arguments[0] == '\0' ? "" : " ", command->arguments, command->example);
}

static const char *nearest_choice(const struct command *command, struct piece word)
{
    struct nearest nearest = nearest_begin(word);
    for (size_t i = 0; command->choices[i] != NULL; i++)
        nearest_consider(&nearest, command->choices[i]);
    return nearest_is_close(&nearest) ? nearest.name : NULL;
}

static bool check_choice(const struct command *command, const struct arguments *arguments)
{
    if (command->choices == NULL || arguments->count == 0)
        return true;
    for (size_t i = 0; command->choices[i] != NULL; i++) {
        if (monitor_argument_is(arguments, 0, command->choices[i]))
            return true;
    }
    struct arguments_quote quote = arguments_quote(arguments->words[0]);
    const char *meant = nearest_choice(command, arguments->words[0]);
    if (meant != NULL)
        monitor_say("%s: \"%s\" is not known: did you mean \"%s\"?", command->name, quote.text,
                    meant);
    else
        monitor_say("%s: \"%s\" is not known", command->name, quote.text);
    return false;
}

/* Print the name of the first argument that is missing. In the usage, the names of those that must be
 * there come first. */
static void tell_missing(const struct command *command, size_t index)
{
    struct piece usage = {command->arguments, text_length(command->arguments)};
    struct arguments names = arguments_split(usage);
    struct piece name = index == 0 ? names.name : names.words[index - 1];
    monitor_say("%s: %s is missing", command->name, arguments_quote(name).text);
}

/* Print the first mistake in the arguments. */
static bool check(const struct command *command, const struct arguments *arguments)
{
    if (arguments->is_kv && !command->has_kv) {
        monitor_say("%s: format=kv is not possible here", command->name);
        return false;
    }
    if (arguments->count < command->least) {
        tell_missing(command, arguments->count);
        return false;
    }
    if (arguments->count > command->most) {
        struct arguments_quote quote = {.text = "the rest"};
        if (command->most < ARGUMENTS_LIMIT)
            quote = arguments_quote(arguments->words[command->most]);
        monitor_say("%s: \"%s\" is not expected", command->name, quote.text);
        return false;
    }
    return check_choice(command, arguments);
}

void command_run(struct monitor_state *monitor, struct piece line)
{
    struct arguments arguments = arguments_split(line);
    monitor->action = MONITOR_STAY;
    if (arguments.name.length == 0)
        return;
    const struct command *command = command_find(monitor->commands, arguments.name);
    if (command == NULL) {
        command_tell_unknown(monitor->commands, arguments.name);
        return;
    }
    monitor->running = command;
    if (check(command, &arguments))
        command->run(monitor, &arguments);
    else
        tell_usage(command);
}
