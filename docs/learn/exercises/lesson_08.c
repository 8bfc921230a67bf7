/* Lesson 8: statistics. This is your file: edit it, then run `make lesson N=8`. */
#include "lessons/lesson_08.h"

/* The numbers of `struct statistics` are explained in lessons/lesson_08.h. All of them begin with 0. */

/* A user asked for `requested_bytes` and got a block. Its piece has `piece_bytes`. */
static void count_allocation(struct statistics *statistics, uint64_t requested_bytes,
                             uint64_t piece_bytes)
{
    (void)statistics, (void)requested_bytes, (void)piece_bytes; /* Your code, in place of this. */
}

/* A user asked for `requested_bytes` and got NULL. */
static void count_failure(struct statistics *statistics, uint64_t requested_bytes)
{
    (void)statistics, (void)requested_bytes; /* Your code, in place of this line. */
}

/* A block is free again. Both numbers are those of its allocation. */
static void count_free(struct statistics *statistics, uint64_t requested_bytes,
                       uint64_t piece_bytes)
{
    (void)statistics, (void)requested_bytes, (void)piece_bytes; /* Your code, in place of this. */
}

/* Look at all pieces of the heap, in order of address: pieces[0] to pieces[piece_count - 1].
 * Return the free bytes, the size of the largest free piece, and
 * fragmentation_permille = (free_bytes - largest_free_bytes) * 1000 / free_bytes, rounded down.
 * It is 0 if nothing is free. */
static struct survey survey(const struct piece *pieces, unsigned piece_count)
{
    (void)pieces, (void)piece_count; /* Your code, in place of these two lines. */
    return (struct survey){0};
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_08 lesson_08 = {count_allocation, count_failure, count_free, survey};
