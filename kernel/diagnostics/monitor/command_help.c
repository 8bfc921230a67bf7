#include "kernel/diagnostics/monitor/command_help.h"

#include "kernel/diagnostics/print_help.h"

static void explain(const struct command *command)
{
    monitor_say("%s%s%s", command->name, command->arguments[0] == '\0' ? "" : " ",
                command->arguments);
    monitor_say("  %s", command->meaning);
    monitor_say("  example: %s", command->example);
    if (command->has_kv)
        monitor_say("  format=kv prints lines for scripts: [stage] key=value, docs/LOG.md");
}

static void list(const struct command *commands)
{
    for (const struct command *command = commands; command->name != NULL; command++)
        monitor_say("  %-8s %-36s %s", command->name, command->meaning, command->example);
    monitor_say("A number is decimal or 0x, also with K, M or G. Tab completes a word. The keys up "
                "and down");
    monitor_say("bring earlier lines back. `help COMMAND` shows all arguments. A semicolon "
                "separates commands.");
    monitor_say("`help words` lists the words of the kernel's command line.");
}

void command_help(struct monitor_state *monitor, const struct arguments *arguments)
{
    if (arguments->count == 0) {
        list(monitor->commands);
        return;
    }
    if (monitor_argument_is(arguments, 0, "words")) {
        print_help();
        return;
    }
    const struct command *command = command_find(monitor->commands, arguments->words[0]);
    if (command != NULL)
        explain(command);
    else
        command_tell_unknown(monitor->commands, arguments->words[0]);
}
