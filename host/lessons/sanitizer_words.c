#define _GNU_SOURCE
#include "host/lessons/sanitizer_words.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The interface of the sanitizers' library. Its headers are not in every package of the compiler. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
void __asan_set_error_report_callback(void (*callback)(const char *report));
const char *__asan_get_report_description(void);
int __asan_get_report_access_type(void);
size_t __asan_get_report_access_size(void);
void __sanitizer_set_report_fd(void *file_descriptor);
void __ubsan_on_report(void);
void __ubsan_get_current_report_data(const char **ret_kind, const char **ret_message,
                                     const char **ret_file, unsigned *ret_line,
                                     unsigned *ret_column, char **ret_address);

/* The signals are ours (trouble.h). */
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0:"
           "use_sigaltstack=0:detect_leaks=0:exitcode=1";
}

const char *__ubsan_default_options(void)
{
    return "print_stacktrace=0";
}

static struct judge *judge;

/* Copy " at FILE:LINE" of the first frame in a lesson's file, if the report has one. */
static void find_place(const char *report, char *ret_place, size_t capacity_bytes)
{
    ret_place[0] = '\0';
    for (const char *line = strstr(report, "\n    #"); line != NULL;
         line = strstr(line, "\n    #")) {
        line += 1;
        size_t length = strcspn(line, "\n");
        const char *file = memmem(line, length, "docs/learn/", sizeof "docs/learn/" - 1);
        if (file == NULL)
            continue;
        snprintf(ret_place, capacity_bytes, " at %.*s", (int)(length - (size_t)(file - line)),
                 file);
        return;
    }
}

static void on_address_report(const char *report)
{
    char place[JUDGE_TEXT_BYTES];
    if (!judge->in_reader_code) {
        fprintf(stderr, "the lesson itself failed: tell its authors\n%s", report);
        _exit(2);
    }
    judge->in_reader_code = false;
    find_place(report, place, sizeof place);
    judge_wrong(judge, "your code %s %zu bytes outside of a variable%s (%s), during %s",
                __asan_get_report_access_type() != 0 ? "wrote" : "read",
                __asan_get_report_access_size(), place, __asan_get_report_description(),
                judge->call);
    judge_hint(judge, "is an index too large, or is a variable used after its function returned?");
    judge_verdict(judge);
    _exit(1);
}

void __ubsan_on_report(void)
{
    const char *kind, *message, *file;
    unsigned line, column;
    char *address;
    __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
    if (judge == NULL || !judge->in_reader_code) {
        fprintf(stderr, "the lesson itself failed at %s:%u: %s: tell its authors\n", file, line,
                message);
        _exit(2);
    }
    judge_say(judge, "note: %s:%u: %s", file, line, message);
}

void sanitizer_words_begin(struct judge *watched, bool print_reports)
{
    judge = watched;
    int nowhere = print_reports ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0)
        __sanitizer_set_report_fd((void *)(intptr_t)nowhere);
    __asan_set_error_report_callback(on_address_report);
}
