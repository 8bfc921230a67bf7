/*
 * say.h - print the preload library's messages on standard error.
 *
 * It does not use the C library's streams, since these allocate. It keeps errno.
 *
 * Phase: any. Concurrency: any.
 */
#ifndef HOST_PRELOAD_SAY_H
#define HOST_PRELOAD_SAY_H

#include <stdbool.h>

/* Record which file standard error is. Call it once, before the program runs. Later calls do
 * nothing. */
void say_prepare(void);

/* Keep the first standard error open, also if the program closes it. */
void say_keep(void);

/* Print a text to the current standard error, which may be a server's log. If it is closed, print
 * to the first standard error, if that was kept. */
void say(const char *text);

/* Print a text only to the first standard error, never to a file that the program has opened later.
 * False: the program has closed every descriptor of it. */
bool say_to_first(const char *text);

/* say(), and end the program with SIGABRT. */
_Noreturn void give_up(const char *text);

#endif
