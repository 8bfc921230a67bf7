#include "host/kept_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kept_file kept_file_of(int descriptor)
{
    struct stat found;
    if (fstat(descriptor, &found) != 0)
        return KEPT_FILE_NONE;
    return (struct kept_file){descriptor, found.st_dev, found.st_ino};
}

/* High, since programs expect the lowest free number of open(); not as high as the limit allows,
 * since the kernel's table is as long as the highest number. */
static int high_duplicate(int descriptor)
{
    static const int lowest_choices[] = {1000, 200, 50, 10};
    for (size_t i = 0; i < sizeof lowest_choices / sizeof lowest_choices[0]; i++) {
        int duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, lowest_choices[i]);
        if (duplicate >= 0)
            return duplicate;
    }
    return -1;
}

struct kept_file kept_file_duplicate(int descriptor)
{
    struct kept_file kept = kept_file_of(descriptor);
    if (kept.descriptor >= 0)
        kept.descriptor = high_duplicate(descriptor);
    return kept;
}

bool kept_file_is_open(const struct kept_file *kept)
{
    if (kept->descriptor < 0)
        return false;
    struct kept_file found = kept_file_of(kept->descriptor);
    return found.descriptor >= 0 && found.device == kept->device && found.file == kept->file;
}

/* Asked of the kernel directly: the library's write() would end a thread that is to be cancelled,
 * with the heap's lock. */
bool kept_file_write(const struct kept_file *kept, const void *bytes, size_t count)
{
    const char *next = bytes;
    if (!kept_file_is_open(kept))
        return false;
    while (count > 0) {
        long written = syscall(SYS_write, kept->descriptor, next, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        next += written;
        count -= (size_t)written;
    }
    return true;
}

void kept_file_close(struct kept_file *kept)
{
    if (kept_file_is_open(kept))
        (void)syscall(SYS_close, kept->descriptor);
    *kept = KEPT_FILE_NONE;
}
