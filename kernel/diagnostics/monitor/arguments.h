/*
 * arguments.h - the words of a command.
 *
 * Blanks separate the words. The first one is the command's name. The word `format=kv` may stand
 * anywhere behind it and is not counted.
 *
 * Pure. Phase: any. Fuzzed by tests/fuzz/fuzz_monitor.c.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_ARGUMENTS_H
#define KERNEL_DIAGNOSTICS_MONITOR_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/text/piece.h"

/* No command takes more. Words above this number are only counted. */
#define ARGUMENTS_LIMIT 4

struct arguments {
    struct piece name; /* empty for a line without a word */
    struct piece words[ARGUMENTS_LIMIT];
    size_t count; /* maybe larger than ARGUMENTS_LIMIT */
    bool is_kv;   /* with format=kv */
};

/* Split a line. The pieces point into it. */
struct arguments arguments_split(struct piece line);

/* Take the next command off a list `heap; frames`. Return false at its end. A command may be empty. */
bool arguments_next_command(struct piece *list, struct piece *ret_command)
    __attribute__((warn_unused_result));

/* A piece of a line, cut and made printable for a message. */
struct arguments_quote {
    char text[36];
};

struct arguments_quote arguments_quote(struct piece piece);

#endif
