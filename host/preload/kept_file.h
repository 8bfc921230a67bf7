/*
 * kept_file.h - a file that the library keeps open under a private descriptor.
 *
 * A program may close every descriptor that it finds. The next file that it opens may get the same
 * number. So each write first checks which file is behind the number.
 *
 * Phase: any. Concurrency: one caller at a time for each file. The functions do not allocate and
 * are no cancellation points, since malloc() calls them.
 */
#ifndef HOST_PRELOAD_KEPT_FILE_H
#define HOST_PRELOAD_KEPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kept_file {
    int descriptor; /* below 0: none */
    dev_t device;   /* device and file number identify the file */
    ino_t file;
};

#define KEPT_FILE_NONE ((struct kept_file){.descriptor = -1})

/* Return the file that `descriptor` refers to now. KEPT_FILE_NONE if the descriptor is not open. */
struct kept_file kept_file_of(int descriptor);

/* Return the same file under a new, high number, closed on exec(). KEPT_FILE_NONE if the file is
 * not open, or there is no free number. */
struct kept_file kept_file_duplicate(int descriptor);

/* True if the descriptor still refers to the file. */
bool kept_file_is_open(const struct kept_file *kept);

/* Write the whole text. False: the descriptor refers to another file, or the write failed, for
 * example to a pipe without a reader. A failed write raises no signal. */
bool kept_file_write(const struct kept_file *kept, const void *bytes, size_t count);

/* Close the descriptor, if it still refers to the file, and set *kept to KEPT_FILE_NONE. */
void kept_file_close(struct kept_file *kept);

#endif
