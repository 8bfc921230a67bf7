/*
 * qr_shape.h - the sizes of a QR code (ISO/IEC 18004:2015, tables 1, 7 and 9).
 *
 * A QR code is a square of modules, which are dark or light. Its version, 1 to 40, states the
 * number of modules. It holds codewords of eight bits. They are divided into blocks, each with
 * codewords of its own that correct reading errors. The level states how many of them there are.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_QR_SHAPE_H
#define KERNEL_SCREEN_QR_SHAPE_H

#include <stddef.h>

#define QR_VERSION_MAX           40
#define QR_CODEWORD_COUNT_MAX    3706
#define QR_SIZE_MODULES(version) (17 + 4 * (version))
#define QR_SIZE_MODULES_MAX      QR_SIZE_MODULES(QR_VERSION_MAX)
/* The light margin that a reader needs on each side. */
#define QR_QUIET_MODULES 4

/* From this version on, the code contains its version. */
#define QR_VERSION_WITH_INFORMATION 7

/* The bits of alphanumeric text: the mode, two characters, and a last single one. */
#define QR_MODE_BITS   4
#define QR_PAIR_BITS   11
#define QR_SINGLE_BITS 6

enum qr_level {
    QR_LEVEL_LOW,    /* 7 % of the codewords can be wrong */
    QR_LEVEL_MEDIUM, /* 15 % */
};

struct qr_shape {
    unsigned version;
    enum qr_level level;
    unsigned codeword_count; /* of all kinds */
    unsigned data_count;     /* codewords of data */
    unsigned block_count;
    unsigned correction_count; /* codewords of each block */
    unsigned length_bits;      /* of the field with the number of characters */
};

struct qr_shape qr_shape(unsigned version, enum qr_level level);

/* Return how many columns have alignment patterns, and so do as many rows. */
unsigned qr_shape_alignment_lines(unsigned version);

/* Return how many characters of the alphabet of base45.h it holds. */
size_t qr_shape_capacity(const struct qr_shape *shape);

#endif
