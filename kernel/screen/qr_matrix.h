/*
 * qr_matrix.h - the modules of a QR code: its patterns, and the places of its bits.
 *
 *   F = finder, A = alignment, t = timing, f = format, v = version
 *
 *   +-----+f             v +-----+
 *   |  F  |f   t t t t t v |  F  |
 *   +-----+f             v +-----+
 *   f f f f f            f f f f f
 *         t
 *         t         A
 *   v v v t                  A
 *   +-----+f
 *   |  F  |f        A        A
 *   +-----+f
 *
 * The bits of the codewords fill the rest, in columns of two from the right to the left, first
 * upward and then downward by turns.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_QR_MATRIX_H
#define KERNEL_SCREEN_QR_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/screen/qr_shape.h"

#define QR_MATRIX_SIZE_BYTES ((QR_SIZE_MODULES_MAX * QR_SIZE_MODULES_MAX + 7) / 8)

struct qr_matrix {
    unsigned size_modules;
    uint8_t dark[QR_MATRIX_SIZE_BYTES];  /* one bit a module, row by row */
    uint8_t fixed[QR_MATRIX_SIZE_BYTES]; /* it belongs to a pattern, and has no bit of a codeword */
};

/* Draw the patterns of a version. All other modules are light. */
void qr_matrix_begin(struct qr_matrix *matrix, unsigned version);

/* Write the bits of codewords. `codeword_at` returns the codeword with an index. Modules behind the
 * last one stay light. */
void qr_matrix_write(struct qr_matrix *matrix, unsigned codeword_count,
                     uint8_t (*codeword_at)(const void *context, unsigned index),
                     const void *context);

/* Write the format: the level and the number of the mask. */
void qr_matrix_set_format(struct qr_matrix *matrix, enum qr_level level, unsigned mask);

static inline bool qr_matrix_bit(const struct qr_matrix *matrix, const uint8_t *bits, unsigned x,
                                 unsigned y)
{
    unsigned index = y * matrix->size_modules + x;
    return (bits[index / 8] >> index % 8 & 1) != 0;
}

static inline bool qr_matrix_is_dark(const struct qr_matrix *matrix, unsigned x, unsigned y)
{
    return qr_matrix_bit(matrix, matrix->dark, x, y);
}

static inline bool qr_matrix_is_fixed(const struct qr_matrix *matrix, unsigned x, unsigned y)
{
    return qr_matrix_bit(matrix, matrix->fixed, x, y);
}

static inline void qr_matrix_invert(struct qr_matrix *matrix, unsigned x, unsigned y)
{
    unsigned index = y * matrix->size_modules + x;
    matrix->dark[index / 8] ^= (uint8_t)(1u << index % 8);
}

#endif
