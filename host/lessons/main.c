/*
 * main.c - run a lesson on this computer: the same lesson and the same exercise as in the kernel.
 * Its memory is a megabyte between two guard regions, under AddressSanitizer.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lessons/lesson.h"

#define MEGABYTE         (1024u * 1024u)
#define PATIENCE_SECONDS 5

static struct judge judge;

static void print_line(void *context, const char *text)
{
    (void)context;
    puts(text);
    fflush(stdout);
}

/* It replaces the kernel's page-fault handler. A fault outside of the reader's code is a bug of the
 * lesson. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (judge.in_reader_code)
        judge_fault(&judge, "used", (uint64_t)(uintptr_t)info->si_addr);
    else
        fprintf(stderr, "the lesson itself failed: signal %d at %p\n", number, info->si_addr);
    _exit(1);
}

static void on_alarm(int number)
{
    (void)number;
    judge_stuck(&judge, PATIENCE_SECONDS);
    _exit(1);
}

static void catch_signals(void)
{
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGBUS, &fault, NULL);
    struct sigaction late = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &late, NULL);
    alarm(PATIENCE_SECONDS);
}

/* A megabyte, and a megabyte on each side that no code can access. */
static uint8_t *guarded_megabyte(void)
{
    uint8_t *all = mmap(NULL, 3 * MEGABYTE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + MEGABYTE, MEGABYTE, PROT_READ | PROT_WRITE) != 0) {
        perror("no memory for the lesson");
        exit(2);
    }
    return all + MEGABYTE;
}

int main(int count, char **arguments)
{
    char *end = NULL;
    unsigned long number = count == 2 ? strtoul(arguments[1], &end, 10) : 0;
    const struct lesson *lesson = number < 100 ? lesson_find((unsigned)number) : NULL;
    if (lesson == NULL || *end != '\0') {
        fprintf(stderr, "usage: lesson NUMBER (of a lesson in docs/learn/)\n");
        return 2;
    }
    catch_signals();
    struct judge_outlet outlet = {.line = print_line};
    return lesson_run(lesson, &judge, outlet, guarded_megabyte(), MEGABYTE) ? 0 : 1;
}
