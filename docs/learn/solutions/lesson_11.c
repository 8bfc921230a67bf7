/* Lesson 11: a heap is a policy. A solution. */
#include "lessons/lesson_11.h"

static unsigned first_fit(const struct piece *pieces, unsigned count, uint64_t size_bytes)
{
    for (unsigned i = 0; i < count; i++)
        if (pieces[i].size_bytes >= size_bytes)
            return i;
    return NO_PIECE;
}

static unsigned best_fit(const struct piece *pieces, unsigned count, uint64_t size_bytes)
{
    unsigned best = NO_PIECE;
    for (unsigned i = 0; i < count; i++) {
        bool is_large_enough = pieces[i].size_bytes >= size_bytes;
        if (is_large_enough && (best == NO_PIECE || pieces[i].size_bytes < pieces[best].size_bytes))
            best = i;
    }
    return best;
}

/* Worst fit: the largest piece. It sounds clever, because the rest stays large. */
static unsigned my_policy(const struct piece *pieces, unsigned count, uint64_t size_bytes)
{
    unsigned worst = NO_PIECE;
    for (unsigned i = 0; i < count; i++) {
        bool is_large_enough = pieces[i].size_bytes >= size_bytes;
        if (is_large_enough &&
            (worst == NO_PIECE || pieces[i].size_bytes > pieces[worst].size_bytes))
            worst = i;
    }
    return worst;
}

const struct lesson_11 lesson_11 = {first_fit, best_fit, my_policy};
