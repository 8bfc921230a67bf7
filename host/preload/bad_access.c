#include "host/preload/bad_access.h"

#include <signal.h>
#include <stddef.h>

#include "host/preload/heap_lock.h"
#include "host/preload/say.h"
#include "shared/text/format.h"

static void on_bad_access(int number, siginfo_t *access, void *interrupted)
{
    (void)interrupted;
    bool is_access = access->si_code > 0; /* else another process has sent the signal */
    if (is_access && owned_lock_is_own(&heap_lock)) {
        char text[160];
        format_text(text, sizeof text,
                    "heap: corrupt: the heap's own memory was overwritten or unmapped; the heap "
                    "accessed %p\n",
                    access->si_addr);
        say(text);
    }
    /* The default action is set now. The instruction faults again and ends the program. A sent
     * signal has no such instruction, so it is raised again. */
    struct sigaction action = {.sa_handler = SIG_DFL};
    (void)sigaction(number, &action, NULL);
    if (!is_access)
        (void)raise(number);
}

/* A program with its own handler replaces this one. The parent process may have set the signal to
 * be ignored. */
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
