#include "host/preload/settings.h"

#include <handoff/heap_best_fit.h>
#include <handoff/heap_fast.h>
#include <handoff/heap_first_fit.h>
#include <stddef.h>
#include <string.h>

#include "host/preload/say.h"
#include "shared/text/format.h"

#define PREFIX           "HANDOFF_HEAP"
#define SHOWN_WORD_BYTES 40

static const char *const names[] = {PREFIX, PREFIX "_DEBUG", PREFIX "_STATS", PREFIX "_TRACE"};
static const char *const on_words[] = {"1", "on", "yes", "true"};
static const char *const off_words[] = {"", "0", "off", "no", "false"};

#define LENGTH_OF(array) (sizeof(array) / sizeof(array)[0])

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

struct shown_word {
    char text[SHOWN_WORD_BYTES + 1];
};

/* The most characters of a value that a message repeats. */
static struct shown_word shown(const char *word, size_t length)
{
    struct shown_word result;
    size_t i = 0;
    for (; i < length && i < SHOWN_WORD_BYTES; i++)
        result.text[i] = word[i];
    if (i < length)
        memcpy(result.text + i - 3, "...", 3);
    result.text[i] = '\0';
    for (char *next = result.text; *next != '\0'; next++) {
        if (*next < ' ' || *next > '~')
            *next = '?';
    }
    return result;
}

/* The C library's getenv() finds no variables before the C library's constructor has run. */
static const char *value_of(char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    }
    return "";
}

static bool read_switch(char *const *environment, const char *name)
{
    const char *word = value_of(environment, name);
    if (is_one_of(word, on_words, LENGTH_OF(on_words)))
        return true;
    if (is_one_of(word, off_words, LENGTH_OF(off_words)))
        return false;
    char text[256];
    format_text(text, sizeof text,
                "heap: %s=\"%s\" is neither on (1, on, yes, true) nor off (0, off, no, false, or "
                "empty), and counts as off\n",
                name, shown(word, strlen(word)).text);
    say(text);
    return false;
}

/* The first one is the default. */
static const struct heap_policy *const policies[] = {&heap_policy_fast, &heap_policy_best_fit,
                                                     &heap_policy_first_fit};

static const struct heap_policy *read_policy(char *const *environment)
{
    const char *name = value_of(environment, PREFIX);
    if (name[0] == '\0')
        return policies[0];
    for (size_t i = 0; i < LENGTH_OF(policies); i++) {
        if (strcmp(policies[i]->name, name) == 0)
            return policies[i];
    }
    if (strcmp(name, "bump") == 0)
        give_up("heap: " PREFIX "=bump frees only in reverse order, and no program does that: use "
                "fast, best-fit or first-fit\n");
    char text[256];
    format_text(text, sizeof text,
                "heap: " PREFIX "=\"%s\" is not a policy: use fast, best-fit or first-fit\n",
                shown(name, strlen(name)).text);
    give_up(text);
}

static bool is_known(const char *name, size_t length)
{
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
            return true;
    }
    return false;
}

static void warn_of_unknown_names(char *const *environment)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        size_t length = strcspn(*environment, "=");
        if (strncmp(*environment, PREFIX, strlen(PREFIX)) != 0 || is_known(*environment, length))
            continue;
        char text[256];
        format_text(text, sizeof text,
                    "heap: %s is not a setting, and is ignored: the settings are " PREFIX
                    ", " PREFIX "_DEBUG, " PREFIX "_STATS and " PREFIX "_TRACE\n",
                    shown(*environment, length).text);
        say(text);
    }
}

struct settings settings_read(char *const *environment)
{
    const char *trace_path = value_of(environment, PREFIX "_TRACE");
    warn_of_unknown_names(environment);
    return (struct settings){
        .policy = read_policy(environment),
        .is_debugged = read_switch(environment, PREFIX "_DEBUG"),
        .has_statistics = read_switch(environment, PREFIX "_STATS"),
        .trace_path = trace_path[0] == '\0' ? NULL : trace_path,
    };
}
