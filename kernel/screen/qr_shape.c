#include "kernel/screen/qr_shape.h"

#include <stdint.h>

/* By level and version - 1. */
static const uint8_t correction_counts[2][QR_VERSION_MAX] = {
    {7,  10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
    {10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28},
};
static const uint8_t block_counts[2][QR_VERSION_MAX] = {
    {1, 1, 1, 1,  1,  2,  2,  2,  2,  4,  4,  4,  4,  4,  6,  6,  6,  6,  7,  8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25},
    {1,  1,  1,  2,  2,  4,  4,  4,  5,  5,  5,  8,  9,  9,  10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49},
};

/* Return the number of modules that no pattern needs. */
static unsigned data_modules(unsigned version)
{
    unsigned size = QR_SIZE_MODULES(version);
    unsigned count = size * size;
    count -= 3 * 8 * 8;       /* the finders, each with its light edge */
    count -= 2 * (size - 16); /* the timing lines between them */
    count -= 2 * 15 + 1;      /* the format twice, and a dark module */
    if (version >= 2) {
        unsigned lines = qr_shape_alignment_lines(version);
        count -= (lines * lines - 3) * 5 * 5; /* none on a finder */
        count += 2 * (lines - 2) * 5;         /* those on a timing line */
    }
    if (version >= QR_VERSION_WITH_INFORMATION)
        count -= 2 * 18;
    return count;
}

unsigned qr_shape_alignment_lines(unsigned version)
{
    return version < 2 ? 0 : version / 7 + 2;
}

struct qr_shape qr_shape(unsigned version, enum qr_level level)
{
    struct qr_shape shape = {
        .version = version,
        .level = level,
        .codeword_count = data_modules(version) / 8,
        .block_count = block_counts[level][version - 1],
        .correction_count = correction_counts[level][version - 1],
        .length_bits = version < 10   ? 9
                       : version < 27 ? 11
                                      : 13,
    };
    shape.data_count = shape.codeword_count - shape.block_count * shape.correction_count;
    return shape;
}

size_t qr_shape_capacity(const struct qr_shape *shape)
{
    size_t bits = (size_t)shape->data_count * 8 - QR_MODE_BITS - shape->length_bits;
    return bits / QR_PAIR_BITS * 2 + (bits % QR_PAIR_BITS >= QR_SINGLE_BITS);
}
