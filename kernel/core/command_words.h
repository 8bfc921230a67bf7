/*
 * command_words.h - a table of every word that loader and kernel know on the kernel's command line,
 * and the mistakes in a line.
 *
 * An unknown or misspelt word changes nothing: the boot goes on without the request. Here each such
 * word becomes a sentence. tests/docs compares the table with docs/LOG.md and with the words that
 * the code looks up.
 *
 * Pure: no allocation, the line is not changed. Phase: any.
 * Fuzzed by tests/fuzz/fuzz_command_line.c.
 */
#ifndef KERNEL_CORE_COMMAND_WORDS_H
#define KERNEL_CORE_COMMAND_WORDS_H

#include <stddef.h>

struct command_word {
    const char *name;
    const char *value;          /* how the value is written, for people; NULL: a word without one */
    const char *const *choices; /* the values there are, NULL behind the last; NULL: checked where
                                   the word is used */
    const char *meaning;
};

/* All of them, in the order of docs/LOG.md; a name that is NULL behind the last. */
extern const struct command_word command_words[];

/* More problems than this are counted, not told one by one. */
#define COMMAND_WORDS_REPORT_LIMIT 8

/* Call `report` with a sentence for each mistake in the line:
 * - an unknown word, with the nearest known one
 * - a value that the word does not take, or a missing value
 * - a value that is not among the choices
 * - a key with two values
 * - a quote without an end
 *
 * A quotation of the line is printable ASCII, and cut where it is long. The sentence is valid
 * during the call. */
void command_words_check(const char *line, void (*report)(void *context, const char *sentence),
                         void *context);

#endif
