/*
 * say.h - the preload library's words on standard error.
 *
 * Without the C library's streams, which allocate. errno is kept.
 *
 * Phase: any. Concurrency: any.
 */
#ifndef HOST_PRELOAD_SAY_H
#define HOST_PRELOAD_SAY_H

#include <stdbool.h>

/* Once, before the program runs: what its standard error is. Later calls do nothing. */
void say_prepare(void);

/* Keep the standard error of the start, also if the program closes it. */
void say_keep(void);

/* A text, where the program's standard error is by now: a server's may be its log. Where it is
 * closed, to that of the start, if it was kept. */
void say(const char *text);

/* A text to the standard error of the start only: nothing that the program has opened since gets
 * it. False if the program has closed that everywhere. */
bool say_to_first(const char *text);

/* say(), and end the program with SIGABRT. */
_Noreturn void give_up(const char *text);

#endif
