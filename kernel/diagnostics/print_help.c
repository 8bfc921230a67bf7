#include "kernel/diagnostics/print_help.h"

#include <stddef.h>

#include "kernel/core/command_words.h"
#include "kernel/core/log.h"

void print_help(void)
{
    for (const struct command_word *word = command_words; word->name != NULL; word++)
        log_line("help", "word=\"%s%s%s\" meaning=\"%s\"", word->name,
                 word->value != NULL ? "=" : "", word->value != NULL ? word->value : "",
                 word->meaning);
}
