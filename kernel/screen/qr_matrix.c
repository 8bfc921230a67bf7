#include "kernel/screen/qr_matrix.h"

#include "shared/memory.h"

#define TIMING_LINE 6
/* Remainders of these polynomials protect format and version (annexes C and D). */
#define FORMAT_POLYNOMIAL  0x537u
#define FORMAT_CHECK_BITS  10
#define FORMAT_MASK        0x5412u
#define VERSION_POLYNOMIAL 0x1f25u
#define VERSION_CHECK_BITS 12

/* --- Patterns --------------------------------------------------------------------------------- */

/* Set a module of a pattern. */
static void set(struct qr_matrix *matrix, unsigned x, unsigned y, bool is_dark)
{
    unsigned index = y * matrix->size_modules + x;
    matrix->fixed[index / 8] |= (uint8_t)(1u << index % 8);
    if (qr_matrix_is_dark(matrix, x, y) != is_dark)
        qr_matrix_invert(matrix, x, y);
}

static unsigned distance(unsigned a, unsigned b)
{
    return a > b ? a - b : b - a;
}

/* Draw a square of rings around a centre. Bit n of `dark_rings` is set if the ring at the distance
 * n is dark. What lies outside of the code is left out. */
static void draw_rings(struct qr_matrix *matrix, unsigned center_x, unsigned center_y,
                       unsigned ring_count, unsigned dark_rings)
{
    for (unsigned y = 0; y < matrix->size_modules; y++) {
        for (unsigned x = 0; x < matrix->size_modules; x++) {
            unsigned across = distance(x, center_x);
            unsigned down = distance(y, center_y);
            unsigned ring = across > down ? across : down;
            if (ring < ring_count)
                set(matrix, x, y, (dark_rings >> ring & 1) != 0);
        }
    }
}

static void draw_finders(struct qr_matrix *matrix)
{
    unsigned last = matrix->size_modules - 4;
    draw_rings(matrix, 3, 3, 5, 0xb); /* dark at 0, 1 and 3 */
    draw_rings(matrix, last, 3, 5, 0xb);
    draw_rings(matrix, 3, last, 5, 0xb);
}

static void draw_timing(struct qr_matrix *matrix)
{
    for (unsigned i = 0; i < matrix->size_modules; i++) {
        set(matrix, TIMING_LINE, i, i % 2 == 0);
        set(matrix, i, TIMING_LINE, i % 2 == 0);
    }
}

/* Return the place of an alignment line (annex E). The distances are equal and even, except the
 * first one. Version 32 is the exception of the standard. */
static unsigned alignment_place(unsigned version, unsigned line)
{
    unsigned gaps = qr_shape_alignment_lines(version) - 1;
    unsigned last = QR_SIZE_MODULES(version) - 7;
    unsigned step = version == 32 ? 26 : (last - TIMING_LINE + 2 * gaps - 1) / (2 * gaps) * 2;
    return line == 0 ? TIMING_LINE : last - (gaps - line) * step;
}

static void draw_alignments(struct qr_matrix *matrix, unsigned version)
{
    unsigned lines = qr_shape_alignment_lines(version);
    for (unsigned i = 0; i < lines; i++) {
        for (unsigned j = 0; j < lines; j++) {
            bool is_on_finder =
                (i == 0 && (j == 0 || j == lines - 1)) || (j == 0 && i == lines - 1);
            if (!is_on_finder)
                draw_rings(matrix, alignment_place(version, i), alignment_place(version, j), 3,
                           0x5);
        }
    }
}

/* --- Format and version ----------------------------------------------------------------------- */

/* Append the remainder of a division by a polynomial. */
static unsigned with_check(unsigned value, unsigned check_bits, unsigned polynomial)
{
    unsigned remainder = value;
    for (unsigned i = 0; i < check_bits; i++)
        remainder = remainder << 1 ^ (remainder >> (check_bits - 1) & 1) * polynomial;
    return value << check_bits | remainder;
}

void qr_matrix_set_format(struct qr_matrix *matrix, enum qr_level level, unsigned mask)
{
    unsigned level_bits = level == QR_LEVEL_LOW ? 1 : 0;
    unsigned bits =
        with_check(level_bits << 3 | mask, FORMAT_CHECK_BITS, FORMAT_POLYNOMIAL) ^ FORMAT_MASK;
    unsigned size = matrix->size_modules;
    for (unsigned i = 0; i < 15; i++) {
        bool is_dark = (bits >> i & 1) != 0;
        /* Around the upper left finder, past the timing lines. */
        if (i < 8)
            set(matrix, 8, i < TIMING_LINE ? i : i + 1, is_dark);
        else
            set(matrix, i == 8 ? 7 : 14 - i, 8, is_dark);
        /* One half below the upper right finder, the other beside the lower left one. */
        if (i < 8)
            set(matrix, size - 1 - i, 8, is_dark);
        else
            set(matrix, 8, size - 15 + i, is_dark);
    }
    set(matrix, 8, size - 8, true);
}

static void draw_version(struct qr_matrix *matrix, unsigned version)
{
    unsigned bits = with_check(version, VERSION_CHECK_BITS, VERSION_POLYNOMIAL);
    for (unsigned i = 0; i < 18; i++) {
        bool is_dark = (bits >> i & 1) != 0;
        set(matrix, matrix->size_modules - 11 + i % 3, i / 3, is_dark);
        set(matrix, i / 3, matrix->size_modules - 11 + i % 3, is_dark);
    }
}

void qr_matrix_begin(struct qr_matrix *matrix, unsigned version)
{
    memset(matrix, 0, sizeof *matrix);
    matrix->size_modules = QR_SIZE_MODULES(version);
    draw_timing(matrix);
    draw_finders(matrix);
    draw_alignments(matrix, version);
    if (version >= QR_VERSION_WITH_INFORMATION)
        draw_version(matrix, version);
    qr_matrix_set_format(matrix, QR_LEVEL_LOW, 0); /* its place: the mask is not chosen yet */
}

/* --- Codewords -------------------------------------------------------------------------------- */

/* The next module of the way through the code. */
struct way {
    unsigned pair;  /* of columns, from the right */
    unsigned step;  /* in the pair */
    unsigned count; /* of steps in a pair */
};

static void find_module(const struct way *way, unsigned *ret_x, unsigned *ret_y)
{
    unsigned row = way->step / 2;
    unsigned right = way->count / 2 - 1 - 2 * way->pair;
    if (right <= TIMING_LINE) /* the timing column belongs to no pair */
        right--;
    *ret_x = right - way->step % 2;
    *ret_y = way->pair % 2 == 0 ? way->count / 2 - 1 - row : row;
}

static void advance(struct way *way)
{
    way->step++;
    if (way->step == way->count) {
        way->step = 0;
        way->pair++;
    }
}

void qr_matrix_write(struct qr_matrix *matrix, unsigned codeword_count,
                     uint8_t (*codeword_at)(const void *context, unsigned index),
                     const void *context)
{
    struct way way = {.count = 2 * matrix->size_modules};
    for (unsigned bit = 0; bit < 8 * codeword_count;) {
        unsigned x;
        unsigned y;
        find_module(&way, &x, &y);
        advance(&way);
        if (qr_matrix_is_fixed(matrix, x, y))
            continue;
        if ((codeword_at(context, bit / 8) >> (7 - bit % 8) & 1) != 0)
            qr_matrix_invert(matrix, x, y);
        bit++;
    }
}
