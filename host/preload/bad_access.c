#include "host/preload/bad_access.h"

#include <signal.h>
#include <stddef.h>

#include "host/preload/heap_lock.h"
#include "host/preload/say.h"
#include "shared/text/format.h"

static void on_bad_access(int number, siginfo_t *access, void *interrupted)
{
    (void)interrupted;
    bool is_access = access->si_code > 0; /* else somebody has sent the signal */
    if (is_access && owned_lock_is_own(&heap_lock)) {
        char text[160];
        format_text(text, sizeof text,
                    "heap: corrupt: the heap's own memory was overwritten or taken away; it led to "
                    "%p\n",
                    access->si_addr);
        say(text);
    }
    /* Back at the instruction, it ends the program. One that was sent has none to come back to, and
     * arrives again. */
    struct sigaction action = {.sa_handler = SIG_DFL};
    (void)sigaction(number, &action, NULL);
    if (!is_access)
        (void)raise(number);
}

/* A program that has a handler of its own replaces this one. Who started the program may have it
 * ignore the signal. */
static void expect_bad_access(int number)
{
    struct sigaction action, found;
    action = (struct sigaction){.sa_sigaction = on_bad_access, .sa_flags = SA_SIGINFO};
    if (sigaction(number, NULL, &found) == 0 && found.sa_handler == SIG_DFL)
        (void)sigaction(number, &action, NULL);
}

void bad_access_prepare(void)
{
    expect_bad_access(SIGSEGV);
    expect_bad_access(SIGBUS);
}
