#include "kernel/screen/qr_code.h"

#include "kernel/screen/base45.h"
#include "kernel/screen/qr_mask.h"
#include "shared/memory.h"

#define ALPHABET_SIZE        45
#define MODE_ALPHANUMERIC    2
#define TERMINATOR_BITS_MAX  4
#define CORRECTION_COUNT_MAX 30
/* Numbers of eight bits modulo x^8 + x^4 + x^3 + x^2 + 1. */
#define FIELD_POLYNOMIAL 0x11du

/* --- Data ------------------------------------------------------------------------------------- */

struct bits {
    uint8_t *bytes; /* zero behind the last bit */
    size_t count;
};

static void append(struct bits *bits, unsigned value, unsigned count)
{
    for (; count > 0; count--, bits->count++)
        bits->bytes[bits->count / 8] |=
            (uint8_t)((value >> (count - 1) & 1) << (7 - bits->count % 8));
}

/* End the data. Two bytes by turns fill the rest. */
static void pad(struct bits *bits, size_t end_bytes)
{
    size_t room_bits = 8 * end_bytes - bits->count;
    bits->count += room_bits < TERMINATOR_BITS_MAX ? room_bits : TERMINATOR_BITS_MAX;
    bits->count = (bits->count + 7) / 8 * 8;
    for (unsigned i = 0; bits->count < 8 * end_bytes; i++)
        append(bits, i % 2 == 0 ? 0xec : 0x11, 8);
}

/* The text is known to fit. */
static bool write_data(struct qr_code *code, const char *text, size_t length)
{
    struct bits bits = {.bytes = code->codewords};
    memset(code->codewords, 0, sizeof code->codewords);
    append(&bits, MODE_ALPHANUMERIC, QR_MODE_BITS);
    append(&bits, (unsigned)length, code->shape.length_bits);
    for (size_t i = 0; i < length; i += 2) {
        unsigned first = base45_value(text[i]);
        unsigned second = i + 1 < length ? base45_value(text[i + 1]) : 0;
        if (first == ALPHABET_SIZE || second == ALPHABET_SIZE)
            return false;
        if (i + 1 < length)
            append(&bits, ALPHABET_SIZE * first + second, QR_PAIR_BITS);
        else
            append(&bits, first, QR_SINGLE_BITS);
    }
    pad(&bits, code->shape.data_count);
    return true;
}

/* --- Correction: Reed-Solomon codes ----------------------------------------------------------- */

static uint8_t multiply(unsigned a, unsigned b)
{
    unsigned product = 0;
    for (; b != 0; b >>= 1) {
        product ^= (b & 1) * a;
        a = a << 1 ^ (a >> 7) * FIELD_POLYNOMIAL;
    }
    return (uint8_t)product;
}

/* Compute (x - 2^0) (x - 2^1) … of a degree, without its first coefficient, which is 1. */
static void make_generator(uint8_t *generator, unsigned degree)
{
    uint8_t root = 1;
    memset(generator, 0, degree);
    generator[degree - 1] = 1;
    for (unsigned i = 0; i < degree; i++) {
        for (unsigned j = 0; j < degree; j++)
            generator[j] =
                (uint8_t)(multiply(generator[j], root) ^ (j + 1 < degree ? generator[j + 1] : 0));
        root = multiply(root, 2);
    }
}

/* Compute the remainder of the data by the generator. */
static void correct(const uint8_t *data, size_t data_count, const uint8_t *generator,
                    unsigned degree, uint8_t *ret_remainder)
{
    memset(ret_remainder, 0, degree);
    for (size_t i = 0; i < data_count; i++) {
        unsigned factor = data[i] ^ ret_remainder[0];
        for (unsigned j = 0; j < degree; j++)
            ret_remainder[j] = (uint8_t)((j + 1 < degree ? ret_remainder[j + 1] : 0) ^
                                         multiply(generator[j], factor));
    }
}

/* --- Blocks: the last ones can have one codeword of data more --------------------------------- */

static unsigned first_long_block(const struct qr_shape *shape)
{
    return shape->block_count - shape->data_count % shape->block_count;
}

/* Return the first codeword of a block's data. */
static unsigned block_start(const struct qr_shape *shape, unsigned block)
{
    unsigned first_long = first_long_block(shape);
    return block * (shape->data_count / shape->block_count) +
           (block > first_long ? block - first_long : 0);
}

static void add_correction(struct qr_code *code)
{
    const struct qr_shape *shape = &code->shape;
    uint8_t generator[CORRECTION_COUNT_MAX];
    make_generator(generator, shape->correction_count);
    for (unsigned i = 0; i < shape->block_count; i++) {
        unsigned start = block_start(shape, i);
        correct(code->codewords + start, block_start(shape, i + 1) - start, generator,
                shape->correction_count,
                code->codewords + shape->data_count + (size_t)i * shape->correction_count);
    }
}

/* Return the codeword at an index of the drawing: the first one of each block, the second one of
 * each block, and so on; then the same for the correction. */
static uint8_t codeword_at(const void *context, unsigned index)
{
    const struct qr_code *code = context;
    const struct qr_shape *shape = &code->shape;
    unsigned blocks = shape->block_count;
    unsigned short_length = shape->data_count / blocks;
    if (index >= shape->data_count) {
        index -= shape->data_count;
        return code->codewords[shape->data_count + index % blocks * shape->correction_count +
                               index / blocks];
    }
    unsigned block = index % blocks;
    if (index >= short_length * blocks)
        block += first_long_block(shape);
    return code->codewords[block_start(shape, block) + index / blocks];
}

/* --- The code --------------------------------------------------------------------------------- */

static bool choose_shape(size_t length, unsigned version_limit, struct qr_shape *ret_shape)
{
    for (unsigned version = 1; version <= version_limit; version++) {
        struct qr_shape low = qr_shape(version, QR_LEVEL_LOW);
        struct qr_shape medium = qr_shape(version, QR_LEVEL_MEDIUM);
        if (qr_shape_capacity(&low) < length)
            continue;
        *ret_shape = qr_shape_capacity(&medium) < length ? low : medium;
        return true;
    }
    return false;
}

bool qr_code_encode(struct qr_code *ret_code, const char *text, size_t length,
                    unsigned version_limit)
{
    if (!choose_shape(length, version_limit, &ret_code->shape) ||
        !write_data(ret_code, text, length))
        return false;
    add_correction(ret_code);
    qr_matrix_begin(&ret_code->matrix, ret_code->shape.version);
    qr_matrix_write(&ret_code->matrix, ret_code->shape.codeword_count, codeword_at, ret_code);
    qr_mask_choose(&ret_code->matrix, ret_code->shape.level);
    return true;
}
