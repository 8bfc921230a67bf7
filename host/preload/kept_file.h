/*
 * kept_file.h - a file that stays open under a descriptor that the program does not know of.
 *
 * A program may close every descriptor that it finds, and the next file that it opens may get the
 * number. So the file behind the number is looked at before each write.
 *
 * Phase: any. Concurrency: one caller at a time for each file. No allocation, no point of
 * cancellation: the calls come from inside malloc().
 */
#ifndef HOST_PRELOAD_KEPT_FILE_H
#define HOST_PRELOAD_KEPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kept_file {
    int descriptor; /* below 0: none */
    dev_t device;   /* device and file are the file's identity */
    ino_t file;
};

#define KEPT_FILE_NONE ((struct kept_file){.descriptor = -1})

/* The file that `descriptor` stands for now. KEPT_FILE_NONE if it is not open. */
struct kept_file kept_file_of(int descriptor);

/* The same file under a high number of its own, which no program that is started gets.
 * KEPT_FILE_NONE if it is not open, or no number is free. */
struct kept_file kept_file_duplicate(int descriptor);

/* True if the descriptor still stands for the file. */
bool kept_file_is_open(const struct kept_file *kept);

/* Write all of it. False if the descriptor no longer stands for the file, or the file does not take
 * it, as a pipe without a reader; no signal comes of that. */
bool kept_file_write(const struct kept_file *kept, const void *bytes, size_t count);

/* Close it, if it is still that file, and make it KEPT_FILE_NONE. */
void kept_file_close(struct kept_file *kept);

#endif
