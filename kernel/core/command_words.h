/*
 * command_words.h - the table of all words that loader and kernel know on the kernel's command
 * line, and a check of a line against it.
 *
 * An unknown or misspelt word has no effect, and the boot continues. Here each such word becomes a
 * sentence for the log. tests/docs compares the table with docs/LOG.md and with the words that the
 * code uses.
 *
 * Pure: no allocation, the line is not changed. Phase: any.
 * Fuzzed by tests/fuzz/fuzz_command_line.c.
 */
#ifndef KERNEL_CORE_COMMAND_WORDS_H
#define KERNEL_CORE_COMMAND_WORDS_H

#include <stddef.h>

struct command_word {
    const char *name;
    const char *value;          /* form of the value, for users; NULL: no value */
    const char *const *choices; /* accepted values, then NULL; NULL: checked at the use */
    const char *meaning;
};

/* All words, in the order of docs/LOG.md. The name behind the last is NULL. */
extern const struct command_word command_words[];

/* Problems above this number are only counted. */
#define COMMAND_WORDS_REPORT_LIMIT 8

/* Call `report` with a sentence for each mistake in the line:
 * - an unknown word, with the nearest known one
 * - a value that the word does not take, or a missing value
 * - a value that is not among the choices
 * - a key with two values
 * - a quote without an end
 *
 * A quotation of the line is printable ASCII, and cut if it is long. The sentence is valid during
 * the call. */
void command_words_check(const char *line, void (*report)(void *context, const char *sentence),
                         void *context);

#endif
