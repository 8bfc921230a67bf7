/* wrong: peak_bytes is 560. It must be 624 */
#include "lessons/lesson_08.h"

static void count_allocation(struct statistics *statistics, uint64_t requested_bytes,
                             uint64_t piece_bytes)
{
    statistics->used_bytes += piece_bytes;
    statistics->requested_bytes += requested_bytes;
    statistics->block_count++;
    statistics->allocation_count++;
    statistics->peak_bytes = statistics->used_bytes;
}

/* The size does not matter: nothing was allocated. */
static void count_failure(struct statistics *statistics, uint64_t requested_bytes)
{
    (void)requested_bytes;
    statistics->failed_count++;
}

static void count_free(struct statistics *statistics, uint64_t requested_bytes,
                       uint64_t piece_bytes)
{
    statistics->used_bytes -= piece_bytes;
    statistics->requested_bytes -= requested_bytes;
    statistics->block_count--;
    statistics->peak_bytes = statistics->used_bytes;
}

static struct survey survey(const struct piece *pieces, unsigned piece_count)
{
    struct survey found = {0};
    for (unsigned i = 0; i < piece_count; i++) {
        if (pieces[i].used)
            continue;
        found.free_bytes += pieces[i].size_bytes;
        if (pieces[i].size_bytes > found.largest_free_bytes)
            found.largest_free_bytes = pieces[i].size_bytes;
    }
    if (found.free_bytes != 0)
        found.fragmentation_permille =
            (found.free_bytes - found.largest_free_bytes) * 1000 / found.free_bytes;
    return found;
}

const struct lesson_08 lesson_08 = {count_allocation, count_failure, count_free, survey};
