/*
 * main.c - run a lesson on this computer: the same lesson and exercise as in the kernel, in a
 * megabyte between two guard regions, under AddressSanitizer and UndefinedBehaviorSanitizer.
 *
 * Exit status: 0 the lesson is solved; 1 it is not; 2 it did not run.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/lessons/pictures.h"
#include "host/lessons/sanitizer_words.h"
#include "host/lessons/trouble.h"
#include "lessons/lesson.h"

#define MEGABYTE (1024u * 1024u)
/* The first content of the memory: nothing, as a machine's memory is not cleared for a heap. */
#define DIRT 0xa5

static struct judge judge;
static struct pictures pictures = {NULL, &judge};

struct options {
    const char *number;
    const char *pictures;
    bool print_reports;
};

static void print_line(void *context, const char *text)
{
    (void)context;
    puts(text);
    fflush(stdout);
}

static _Noreturn void refuse(void)
{
    fputs("usage: lesson NUMBER [--pictures FILE] [--reports]\n"
          "  --pictures FILE  write every drawn state as JSON, one object a line\n"
          "  --reports        print the reports of the sanitizers, too\n",
          stderr);
    exit(2);
}

static struct options read_options(int count, char **arguments)
{
    static const struct option known[] = {{"pictures", required_argument, NULL, 'p'},
                                          {"reports", no_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {NULL, NULL, false};
    for (int sign; (sign = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        if (sign == 'p')
            options.pictures = optarg;
        else if (sign == 'r')
            options.print_reports = true;
        else
            refuse();
    }
    if (optind != count - 1)
        refuse();
    options.number = arguments[optind];
    return options;
}

static const struct lesson *read_lesson(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    const struct lesson *lesson = number < 100 ? lesson_find((unsigned)number) : NULL;
    if (lesson == NULL || *end != '\0') {
        fprintf(stderr, "there is no lesson %s: the lessons are in docs/learn/\n", text);
        exit(2);
    }
    return lesson;
}

/* A megabyte, and a megabyte on each side that no code can access. */
static uint8_t *guarded_megabyte(void)
{
    uint8_t *all = mmap(NULL, 3 * MEGABYTE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + MEGABYTE, MEGABYTE, PROT_READ | PROT_WRITE) != 0) {
        perror("no memory for the lesson");
        exit(2);
    }
    return memset(all + MEGABYTE, DIRT, MEGABYTE);
}

int main(int count, char **arguments)
{
    struct options options = read_options(count, arguments);
    const struct lesson *lesson = read_lesson(options.number);
    struct judge_outlet outlet = {.line = print_line};
    if (options.pictures != NULL) {
        pictures.file = fopen(options.pictures, "w");
        if (pictures.file == NULL) {
            perror(options.pictures);
            return 2;
        }
        outlet.picture = pictures_write;
        outlet.context = &pictures;
    }
    sanitizer_words_begin(&judge, options.print_reports);
    trouble_catch(&judge);
    return lesson_run(lesson, &judge, outlet, guarded_megabyte(), MEGABYTE) ? 0 : 1;
}
