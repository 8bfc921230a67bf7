/*
 * qr_code.h - encode a text as a QR code (ISO/IEC 18004:2015), in a panic.
 *
 * The text has only the 45 characters of the alphanumeric mode (base45.h). The code has the
 * smallest version that holds the text at the lower level of correction. It gets the higher level
 * if the text fits at that one, too.
 *
 * Pure. All state is memory of the caller. The work is bounded: some millions of instructions for
 * the largest code.
 */
#ifndef KERNEL_SCREEN_QR_CODE_H
#define KERNEL_SCREEN_QR_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/screen/qr_matrix.h"
#include "kernel/screen/qr_shape.h"

struct qr_code {
    struct qr_shape shape;
    struct qr_matrix matrix;
    uint8_t codewords[QR_CODEWORD_COUNT_MAX]; /* the data, then the correction of each block */
};

/* Return false if the text has another character, or does not fit into `version_limit`. Then the
 * code has no meaning. */
bool qr_code_encode(struct qr_code *ret_code, const char *text, size_t length,
                    unsigned version_limit) __attribute__((warn_unused_result));

#endif
