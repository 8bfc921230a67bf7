#include "kernel/screen/qr_mask.h"

#include <limits.h>

#define RUN_LENGTH        5
#define RUN_PENALTY       3 /* and one for each module more */
#define SQUARE_PENALTY    3
#define FINDER_PENALTY    40
#define FINDER_BITS       11
#define FINDER_BEFORE     0x05du /* 1011101 behind four light modules */
#define FINDER_BEHIND     0x5d0u /* and before them */
#define PORTION_PENALTY   10     /* for each 5 % of distance from one half */
#define PORTIONS_OF_WHOLE 20

static bool inverts(unsigned mask, unsigned x, unsigned y)
{
    switch (mask) {
    case 0:
        return (x + y) % 2 == 0;
    case 1:
        return y % 2 == 0;
    case 2:
        return x % 3 == 0;
    case 3:
        return (x + y) % 3 == 0;
    case 4:
        return (x / 3 + y / 2) % 2 == 0;
    case 5:
        return x * y % 2 + x * y % 3 == 0;
    case 6:
        return (x * y % 2 + x * y % 3) % 2 == 0;
    default:
        return ((x + y) % 2 + x * y % 3) % 2 == 0;
    }
}

void qr_mask_apply(struct qr_matrix *matrix, unsigned mask)
{
    for (unsigned y = 0; y < matrix->size_modules; y++) {
        for (unsigned x = 0; x < matrix->size_modules; x++) {
            if (!qr_matrix_is_fixed(matrix, x, y) && inverts(mask, x, y))
                qr_matrix_invert(matrix, x, y);
        }
    }
}

/* Return the penalty for runs of one colour, and for shapes of a finder, in a row or a column. */
static unsigned line_penalty(const struct qr_matrix *matrix, unsigned line, bool is_column)
{
    unsigned penalty = 0;
    unsigned run = 0;
    unsigned newest = 0; /* the last modules; 1 is dark */
    for (unsigned i = 0; i < matrix->size_modules; i++) {
        unsigned is_dark =
            is_column ? qr_matrix_is_dark(matrix, line, i) : qr_matrix_is_dark(matrix, i, line);
        run = i > 0 && is_dark == (newest & 1) ? run + 1 : 1;
        newest = (newest << 1 | is_dark) & ((1u << FINDER_BITS) - 1);
        if (run >= RUN_LENGTH)
            penalty += run == RUN_LENGTH ? RUN_PENALTY : 1;
        if (i + 1 >= FINDER_BITS && (newest == FINDER_BEFORE || newest == FINDER_BEHIND))
            penalty += FINDER_PENALTY;
    }
    return penalty;
}

/* Return the penalty for squares of two by two modules of one colour. */
static unsigned square_penalty(const struct qr_matrix *matrix)
{
    unsigned penalty = 0;
    for (unsigned y = 1; y < matrix->size_modules; y++) {
        for (unsigned x = 1; x < matrix->size_modules; x++) {
            bool is_dark = qr_matrix_is_dark(matrix, x, y);
            if (qr_matrix_is_dark(matrix, x - 1, y) == is_dark &&
                qr_matrix_is_dark(matrix, x, y - 1) == is_dark &&
                qr_matrix_is_dark(matrix, x - 1, y - 1) == is_dark)
                penalty += SQUARE_PENALTY;
        }
    }
    return penalty;
}

/* The share of dark modules, compared with a half. */
static unsigned portion_penalty(const struct qr_matrix *matrix)
{
    unsigned all = matrix->size_modules * matrix->size_modules;
    if (all == 0)
        return 0;
    unsigned dark = 0;
    for (unsigned y = 0; y < matrix->size_modules; y++) {
        for (unsigned x = 0; x < matrix->size_modules; x++)
            dark += qr_matrix_is_dark(matrix, x, y);
    }
    unsigned difference = 2 * dark > all ? 2 * dark - all : all - 2 * dark;
    return difference * PORTIONS_OF_WHOLE / 2 / all * PORTION_PENALTY;
}

unsigned qr_mask_penalty(const struct qr_matrix *matrix)
{
    unsigned penalty = square_penalty(matrix) + portion_penalty(matrix);
    for (unsigned i = 0; i < matrix->size_modules; i++)
        penalty += line_penalty(matrix, i, false) + line_penalty(matrix, i, true);
    return penalty;
}

void qr_mask_choose(struct qr_matrix *matrix, enum qr_level level)
{
    unsigned best = 0;
    unsigned best_penalty = UINT_MAX;
    for (unsigned mask = 0; mask < QR_MASK_COUNT; mask++) {
        qr_mask_apply(matrix, mask);
        qr_matrix_set_format(matrix, level, mask);
        unsigned penalty = qr_mask_penalty(matrix);
        qr_mask_apply(matrix, mask);
        if (penalty < best_penalty) {
            best = mask;
            best_penalty = penalty;
        }
    }
    qr_mask_apply(matrix, best);
    qr_matrix_set_format(matrix, level, best);
}
