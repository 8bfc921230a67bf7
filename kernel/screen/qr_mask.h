/*
 * qr_mask.h - the mask of a QR code (ISO/IEC 18004:2015, 7.8).
 *
 * A mask inverts modules of the data in a regular way. Of eight masks the best is used: it leaves
 * few large areas of one colour, and few shapes that a reader may take for a finder.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_QR_MASK_H
#define KERNEL_SCREEN_QR_MASK_H

#include "kernel/screen/qr_matrix.h"

#define QR_MASK_COUNT 8

/* Apply a mask. Applied twice, it changes nothing. */
void qr_mask_apply(struct qr_matrix *matrix, unsigned mask);

/* Return the penalty of the whole code: the lower, the better. */
unsigned qr_mask_penalty(const struct qr_matrix *matrix);

/* Apply the best mask, and write the format. */
void qr_mask_choose(struct qr_matrix *matrix, enum qr_level level);

#endif
