#include "bootloader/pure/inflate.h"

/* RFC 1951. Literals and lengths share a code, and distances have one. */
#define LENGTH_SYMBOL_COUNT 288
#define LENGTH_CODE_COUNT   19
#define CODE_BITS_LIMIT     15
#define END_OF_BLOCK        256
#define LONGEST_SYMBOL      285
#define LONGEST_LENGTH      258

struct input {
    const uint8_t *bytes;
    uint32_t bit; /* of the next one, from the first byte on */
};

/* Shorter codes come first. Codes of one length follow each other in the order of their symbols. */
struct code {
    uint16_t counts[CODE_BITS_LIMIT + 1]; /* of codes, by their length */
    uint16_t symbols[LENGTH_SYMBOL_COUNT];
};

static uint32_t take_bits(struct input *input, uint32_t count)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++, input->bit++)
        value |= ((uint32_t)input->bytes[input->bit / 8] >> input->bit % 8 & 1) << i;
    return value;
}

/* The lengths of all codes define the codes. A symbol with the length 0 has no code. */
static void make_code(struct code *code, const uint8_t *lengths, uint32_t symbol_count)
{
    uint32_t used = 0;
    for (uint32_t length = 1; length <= CODE_BITS_LIMIT; length++) {
        uint32_t before = used;
        for (uint32_t symbol = 0; symbol < symbol_count; symbol++) {
            if (lengths[symbol] == length)
                code->symbols[used++] = (uint16_t)symbol;
        }
        code->counts[length] = (uint16_t)(used - before);
    }
}

static uint32_t take_symbol(struct input *input, const struct code *code)
{
    uint32_t place = 0;  /* of the read bits among the codes of this length */
    uint32_t before = 0; /* symbols with shorter codes */
    for (const uint16_t *count = code->counts + 1;; count++) {
        place = place * 2 + take_bits(input, 1);
        if (place < *count)
            return code->symbols[before + place];
        place -= *count;
        before += *count;
    }
}

/* The lengths of the codes are compressed, too. 16 repeats the last one, 17 and 18 repeat 0. */
static void take_lengths(struct input *input, const struct code *code, uint8_t *lengths,
                         uint32_t count)
{
    uint8_t *end = lengths + count;
    while (lengths < end) {
        uint32_t symbol = take_symbol(input, code);
        uint8_t value = (uint8_t)symbol;
        uint32_t times = 1;
        if (symbol >= 16) {
            value = symbol == 16 ? lengths[-1] : 0;
            times = symbol == 18 ? 11 + take_bits(input, 7) : 3 + take_bits(input, symbol - 14);
        }
        while (times-- > 0)
            *lengths++ = value;
    }
}

/* Lengths and distances are like floating-point numbers: the symbol has the exponent and, in its
 * lowest bits, the highest bits of the number. The rest follows. */
static uint32_t take_number(struct input *input, uint32_t symbol, uint32_t low_bits)
{
    uint32_t exponent = symbol >> low_bits;
    if (exponent < 2)
        return symbol;
    exponent--;
    symbol -= exponent << low_bits;
    return (symbol << exponent) + take_bits(input, exponent);
}

static void take_block(struct input *input, const struct code *literals,
                       const struct code *distances, uint8_t *output)
{
    for (;;) {
        uint32_t symbol = take_symbol(input, literals);
        if (symbol == END_OF_BLOCK)
            return;
        if (symbol < END_OF_BLOCK) {
            *output++ = (uint8_t)symbol;
            continue;
        }
        uint32_t length = symbol == LONGEST_SYMBOL
                              ? LONGEST_LENGTH
                              : 3 + take_number(input, symbol - END_OF_BLOCK - 1, 2);
        uint32_t distance = 1 + take_number(input, take_symbol(input, distances), 1);
        for (; length > 0; length--, output++)
            *output = *(output - distance);
    }
}

void inflate_block(const uint8_t *packed, uint8_t *output)
{
    static const uint8_t order[LENGTH_CODE_COUNT] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                     11, 4,  12, 3, 13, 2, 14, 1, 15};
    static struct code codes[2]; /* too large for a small stack */
    uint8_t lengths[LENGTH_SYMBOL_COUNT + 32 + 138] = {0};
    struct input input = {packed, 3}; /* behind the type of the block */
    uint32_t literal_count = 257 + take_bits(&input, 5);
    uint32_t distance_count = 1 + take_bits(&input, 5);
    uint32_t length_count = 4 + take_bits(&input, 4);

    for (uint32_t i = 0; i < length_count; i++)
        lengths[order[i]] = (uint8_t)take_bits(&input, 3);
    make_code(&codes[0], lengths, LENGTH_CODE_COUNT);
    take_lengths(&input, &codes[0], lengths, literal_count + distance_count);
    make_code(&codes[0], lengths, literal_count);
    make_code(&codes[1], lengths + literal_count, distance_count);
    take_block(&input, &codes[0], &codes[1], output);
}
