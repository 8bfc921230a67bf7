#include "kernel/core/command_words.h"

#include <stdbool.h>

#include "kernel/core/nearest.h"
#include "shared/text/command_line.h"
#include "shared/text/format.h"
#include "shared/memory.h"
#include "shared/text/text.h"

static const char *const heap_choices[] = {"bump", "first-fit", "best-fit", "fast", "strict", NULL};
static const char *const colour_choices[] = {"on", "off", NULL};
static const char *const switch_choices[] = {"on", "off", NULL};
static const char *const post_mortem_choices[] = {"nvram", "ram", NULL};
static const char *const processors_choices[] = {"start", "list", NULL};
static const char *const boot_services_choices[] = {"keep", "reuse", NULL};
static const char *const overview_choices[] = {"on", "off", NULL};
static const char *const self_test_choices[] = {"interrupts", "heap-pages", NULL};

const struct command_word command_words[] = {
    {"unattended", NULL, NULL, "loader: after an error do not wait for a key"},
    {"quiet", NULL, NULL, "leave the firmware's picture on the screen until an error"},
    {"overview", "on|off", overview_choices, "off: at [ready] the log stays on the screen"},
    {"once", NULL, NULL, "power off after [ready]"},
    {"colour", "on|off", colour_choices, "on: the serial port's terminal shows colours"},
    {"print-help", NULL, NULL, "print this list"},
    {"print-regions", NULL, NULL, "print the memory map, for the simulator"},
    {"heap", "POLICY", heap_choices, "the heap's policy; strict: no fallback for the early heap"},
    {"heap_window", "SIZE", NULL, "the heap's first size, and its step"},
    {"heap_limit", "SIZE", NULL, "the heap's largest size"},
    {"heap_aslr", "on|off", NULL, "off: the heap begins at a fixed address"},
    {"heap_guard", "SIZE|off", NULL, "put blocks of this size and more between guard pages"},
    {"heap_sample", "COUNT", NULL, "also one of COUNT smaller blocks; 0: none of them"},
    {"heap_debug", "on|off", NULL, "on: find writes after free, and record the callers"},
    {"debug-exit", "PORT", NULL, "end QEMU through its isa-debug-exit device at a panic"},
    {"paging", "4|5|any", NULL, "loader: the number of page-table levels"},
    {"kaslr", "on|off", switch_choices,
     "loader: off maps a kernel that is a PIE at a fixed address"},
    {"symbols", "on|off", switch_choices, "loader: on hands over the kernel's symbol table"},
    {"post_mortem", "nvram|ram", post_mortem_choices,
     "loader: nvram keeps the boot record in an EFI variable, too"},
    {"processors", "start|list", processors_choices, "loader: start starts the other processors"},
    {"boot_services", "keep|reuse", boot_services_choices,
     "keep: the memory of boot services stays with the firmware"},
    {"self-test", "TEST", self_test_choices, "a longer test"},
    {"measure", NULL, NULL, "print the cost of each operation"},
    {"print-early-heap", NULL, NULL, "print how each phase used the early heap"},
    {"print-heap", NULL, NULL, "print the heap's figures and a map of it"},
    {"print-leaks", NULL, NULL, "print the callers that allocated the live blocks"},
    {"print-memory", NULL, NULL, "print the owners of the memory"},
    {"print-map", NULL, NULL, "print the address space"},
    {"print-timeline", NULL, NULL, "print when each phase of the boot began"},
    {"lesson", "NUMBER", NULL, "run a lesson of docs/learn/; make lesson builds the kernel"},
    {"provoke", "NAME", NULL, "fail on purpose"},
    {"run", "COMMANDS", NULL, "run commands of the monitor at [ready]; put quotes around blanks"},
    {NULL, NULL, NULL, NULL},
};

/* Words of handoff.conf that users try here. */
static const char *const config_keys[] = {"kernel",     "cmdline", "temp_heap", "output",
                                          "resolution", "serial",  "inject"};

#define QUOTED_CAPACITY_BYTES   36
#define CHOICES_CAPACITY_BYTES  80
#define SENTENCE_CAPACITY_BYTES 240

/* A piece of the line, made printable. */
struct quoted {
    char text[QUOTED_CAPACITY_BYTES];
};

static struct quoted quote(struct piece piece)
{
    struct quoted quoted;
    size_t room = sizeof quoted.text - 1;
    size_t length = piece.length < room ? piece.length : room;
    for (size_t i = 0; i < length; i++) {
        char character = piece.text[i];
        quoted.text[i] = character >= ' ' && character <= '~' ? character : '?';
    }
    for (size_t i = length - 3; piece.length > room && i < length; i++)
        quoted.text[i] = '.';
    quoted.text[length] = '\0';
    return quoted;
}

struct check {
    void (*report)(void *context, const char *sentence);
    void *context;
    unsigned count;
};

static __attribute__((format(printf, 2, 3))) void tell(struct check *check, const char *format, ...)
{
    char sentence[SENTENCE_CAPACITY_BYTES];
    va_list arguments;
    if (check->count++ >= COMMAND_WORDS_REPORT_LIMIT)
        return;
    va_start(arguments, format);
    format_text_v(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    check->report(check->context, sentence);
}

/* Report the number of problems without a sentence. */
static void tell_rest(const struct check *check)
{
    char sentence[SENTENCE_CAPACITY_BYTES];
    if (check->count <= COMMAND_WORDS_REPORT_LIMIT)
        return;
    unsigned left_out = check->count - COMMAND_WORDS_REPORT_LIMIT;
    format_text(sentence, sizeof sentence, "%u more %s not shown", left_out,
                left_out == 1 ? "problem is" : "problems are");
    check->report(check->context, sentence);
}

static const struct command_word *find_word(struct piece name)
{
    for (const struct command_word *word = command_words; word->name != NULL; word++) {
        if (piece_equals(name, word->name))
            return word;
    }
    return NULL;
}

static bool is_config_key(struct piece name)
{
    for (size_t i = 0; i < sizeof config_keys / sizeof config_keys[0]; i++) {
        if (piece_equals(name, config_keys[i]))
            return true;
    }
    return false;
}

/* Return "heap=" for a word that takes a value. */
static struct quoted as_written(const struct command_word *word)
{
    struct quoted text = {.text = ""};
    format_text(text.text, sizeof text.text, "%s%s", word->name, word->value != NULL ? "=" : "");
    return text;
}

static const struct command_word *nearest_word(struct piece name, bool *ret_is_close)
{
    struct nearest nearest = nearest_begin(name);
    for (const struct command_word *word = command_words; word->name != NULL; word++)
        nearest_consider(&nearest, word->name);
    *ret_is_close = nearest_is_close(&nearest);
    return find_word((struct piece){nearest.name, text_length(nearest.name)});
}

static void tell_unknown(struct check *check, const struct command_line_word *word)
{
    bool is_close;
    const struct command_word *nearest = nearest_word(word->name, &is_close);
    if (is_config_key(word->name))
        tell(check, "\"%s\" is a key of handoff.conf, and ignored on the command line",
             quote(word->name).text);
    else if (is_close)
        tell(check, "\"%s\" is not known, and ignored: did you mean \"%s\"?",
             quote(word->text).text, as_written(nearest).text);
    else
        tell(check,
             "\"%s\" is not known, and ignored: the nearest word is \"%s\"; print-help lists all",
             quote(word->text).text, as_written(nearest).text);
}

/* "bump, first-fit or fast" */
static void join_choices(const char *const *choices, char *text, size_t capacity_bytes)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && length < capacity_bytes; i++) {
        const char *separator = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        length += (size_t)format_text(text + length, capacity_bytes - length, "%s%s", separator,
                                      choices[i]);
    }
}

static bool is_choice(const char *const *choices, struct piece value)
{
    for (size_t i = 0; choices[i] != NULL; i++) {
        if (piece_equals(value, choices[i]))
            return true;
    }
    return false;
}

static void tell_no_choice(struct check *check, const struct command_word *known,
                           struct piece value)
{
    char choices[CHOICES_CAPACITY_BYTES];
    struct nearest nearest = nearest_begin(value);
    join_choices(known->choices, choices, sizeof choices);
    for (size_t i = 0; known->choices[i] != NULL; i++)
        nearest_consider(&nearest, known->choices[i]);
    if (nearest_is_close(&nearest))
        tell(check, "%s=%s is ignored: the value must be %s; did you mean %s=%s?", known->name,
             quote(value).text, choices, known->name, nearest.name);
    else
        tell(check, "%s=%s is ignored: the value must be %s", known->name, quote(value).text,
             choices);
}

static void check_form(struct check *check, const struct command_word *known,
                       const struct command_line_word *word)
{
    if (known->value == NULL && word->has_value)
        tell(check, "\"%s\" is ignored: write \"%s\", without a value", quote(word->text).text,
             known->name);
    else if (known->choices != NULL && !word->has_value)
        tell(check, "\"%s\" is ignored: write \"%s=%s\"", known->name, known->name, known->value);
    else if (known->choices != NULL && !is_choice(known->choices, word->value))
        tell_no_choice(check, known, word->value);
}

/* `behind` is the line behind the word. If another word of this name with a value follows there,
 * the present word has no effect. */
static void check_twice(struct check *check, const struct command_line_word *word,
                        const char *behind)
{
    struct command_line_word later;
    while (command_line_next(&behind, &later)) {
        if (!later.has_value || later.name.length != word->name.length ||
            memcmp(later.name.text, word->name.text, word->name.length) != 0)
            continue;
        tell(check, "\"%s\" and later \"%s\": the later one counts", quote(word->text).text,
             quote(later.text).text);
        return;
    }
}

void command_words_check(const char *line, void (*report)(void *context, const char *sentence),
                         void *context)
{
    struct check check = {.report = report, .context = context};
    struct command_line_word word;
    if (command_line_has_open_quote(line))
        tell(&check, "a quote is never closed: blanks behind it separate words");
    while (command_line_next(&line, &word)) {
        const struct command_word *known = find_word(word.name);
        if (known == NULL) {
            tell_unknown(&check, &word);
            continue;
        }
        check_form(&check, known, &word);
        if (known->value != NULL && word.has_value)
            check_twice(&check, &word, line);
    }
    tell_rest(&check);
}
