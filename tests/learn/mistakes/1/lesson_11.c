/* wrong: but the pieces have the indexes 0 to 2 */
#include "lessons/lesson_11.h"

/* Return the index of the first piece that has at least `size_bytes` bytes, or NO_PIECE if no piece
 * has so many. This function is an example. */
static unsigned first_fit(const struct piece *pieces, unsigned count, uint64_t size_bytes)
{
    for (unsigned i = 0; i < count; i++)
        if (pieces[i].size_bytes >= size_bytes)
            return i;
    return NO_PIECE;
}

/* Return the index of the smallest piece that has at least `size_bytes` bytes, or NO_PIECE if no
 * piece has so many. Of several such pieces of the same size, return any. */
static unsigned best_fit(const struct piece *pieces, unsigned count, uint64_t size_bytes)
{
    unsigned best = NO_PIECE;
    for (unsigned i = 0; i <= count; i++) {
        bool is_large_enough = pieces[i].size_bytes >= size_bytes;
        if (is_large_enough && (best == NO_PIECE || pieces[i].size_bytes < pieces[best].size_bytes))
            best = i;
    }
    return best;
}

/* Return the index of any piece that has at least `size_bytes` bytes, or NO_PIECE if no piece has
 * so many. You choose: this policy is for your own experiments. */
static unsigned my_policy(const struct piece *pieces, unsigned count, uint64_t size_bytes)
{
    return first_fit(pieces, count, size_bytes);
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_11 lesson_11 = {first_fit, best_fit, my_policy};
