#include "host/preload/say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/preload/kept_file.h"

static bool is_prepared;
static struct kept_file first = KEPT_FILE_NONE; /* descriptor 2, as it was at the start */
static struct kept_file kept = KEPT_FILE_NONE;

void say_prepare(void)
{
    if (!is_prepared)
        first = kept_file_of(STDERR_FILENO);
    is_prepared = true;
}

void say_keep(void)
{
    if (kept.descriptor < 0 && kept_file_is_open(&first))
        kept = kept_file_duplicate(STDERR_FILENO);
}

bool say_to_first(const char *text)
{
    int error = errno;
    bool is_said =
        kept_file_write(&first, text, strlen(text)) || kept_file_write(&kept, text, strlen(text));
    errno = error;
    return is_said;
}

/* If the process was started without standard error, descriptor 2 may later be any file. So it is
 * not used. */
void say(const char *text)
{
    int error = errno;
    const struct kept_file now =
        first.descriptor < 0 ? KEPT_FILE_NONE : kept_file_of(STDERR_FILENO);
    if (!kept_file_write(&now, text, strlen(text)))
        (void)kept_file_write(&kept, text, strlen(text)); /* a failure cannot be printed */
    errno = error;
}

void give_up(const char *text)
{
    say(text);
    abort();
}
