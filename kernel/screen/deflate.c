#include "kernel/screen/deflate.h"

#include <stdbool.h>

#include "shared/memory.h"

#define LENGTH_MIN 3
/* The format has 258, too, with a code of its own. */
#define LENGTH_MAX    257
#define END_OF_BLOCK  256
#define FIRST_LENGTH  257 /* the symbol */
#define DISTANCE_BITS 5
/* The last block, with fixed codes: the bits 1, 1, 0, the first one lowest. */
#define BLOCK_HEADER      3
#define BLOCK_HEADER_BITS 3

/* --- Bits, from the lowest of a byte on ------------------------------------------------------- */

struct writer {
    uint8_t *bytes;
    size_t capacity_bytes;
    size_t size_bytes; /* also counts bytes that did not fit */
    uint32_t pending;
    unsigned pending_bits;
};

static void write_byte(struct writer *writer)
{
    if (writer->size_bytes < writer->capacity_bytes)
        writer->bytes[writer->size_bytes] = (uint8_t)writer->pending;
    writer->size_bytes++;
    writer->pending >>= 8;
}

/* Write a number, the lowest bit first. */
static void write_bits(struct writer *writer, uint32_t value, unsigned bits)
{
    writer->pending |= value << writer->pending_bits;
    writer->pending_bits += bits;
    for (; writer->pending_bits >= 8; writer->pending_bits -= 8)
        write_byte(writer);
}

/* Write a Huffman code, the highest bit first. */
static void write_code(struct writer *writer, uint32_t code, unsigned bits)
{
    for (; bits > 0; bits--)
        write_bits(writer, code >> (bits - 1) & 1, 1);
}

/* --- Symbols (RFC 1951, 3.2.5 and 3.2.6) ------------------------------------------------------ */

static void write_symbol(struct writer *writer, unsigned symbol)
{
    if (symbol < 144)
        write_code(writer, 0x30 + symbol, 8);
    else if (symbol < 256)
        write_code(writer, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        write_code(writer, symbol - 256, 7);
    else
        write_code(writer, 0xc0 + symbol - 280, 8);
}

static unsigned highest_bit(uint32_t value)
{
    return 31 - (unsigned)__builtin_clz(value);
}

/* Each number of extra bits belongs to four lengths or two distances. */
static void write_match(struct writer *writer, unsigned length, unsigned distance)
{
    unsigned value = length - LENGTH_MIN;
    unsigned extra_bits = value < 8 ? 0 : highest_bit(value) - 2;
    write_symbol(writer, FIRST_LENGTH + 4 * extra_bits + (value >> extra_bits));
    write_bits(writer, value & ((1u << extra_bits) - 1), extra_bits);
    value = distance - 1;
    extra_bits = value < 4 ? 0 : highest_bit(value) - 1;
    write_code(writer, 2 * extra_bits + (value >> extra_bits), DISTANCE_BITS);
    write_bits(writer, value & ((1u << extra_bits) - 1), extra_bits);
}

/* --- Repeated text ---------------------------------------------------------------------------- */

struct input {
    struct deflate *deflate;
    const uint8_t *bytes;
    size_t size_bytes;
};

struct match {
    unsigned length; /* 0: none */
    unsigned distance;
};

static bool has_hash(const struct input *input, size_t at)
{
    return at + LENGTH_MIN <= input->size_bytes;
}

static uint16_t *list_of(const struct input *input, size_t at)
{
    const uint8_t *bytes = input->bytes + at;
    return &input->deflate
                ->newest[(bytes[0] * 43u ^ bytes[1] * 11u ^ bytes[2]) % DEFLATE_LIST_COUNT];
}

static void insert(const struct input *input, size_t at)
{
    if (!has_hash(input, at))
        return;
    uint16_t *list = list_of(input, at);
    input->deflate->older[at] = *list;
    *list = (uint16_t)(at + 1);
}

static unsigned common_length(const struct input *input, size_t earlier, size_t at)
{
    unsigned length = 0;
    while (length < LENGTH_MAX && at + length < input->size_bytes &&
           input->bytes[earlier + length] == input->bytes[at + length])
        length++;
    return length;
}

/* Find the longest earlier text that is repeated at `at`; of equal ones the nearest. */
static struct match find(const struct input *input, size_t at)
{
    struct match best = {0};
    unsigned place = has_hash(input, at) ? *list_of(input, at) : 0;
    for (unsigned i = 0; place != 0 && i < DEFLATE_CHAIN_LIMIT; i++) {
        unsigned length = common_length(input, place - 1, at);
        if (length >= LENGTH_MIN && length > best.length)
            best = (struct match){length, (unsigned)(at + 1 - place)};
        place = input->deflate->older[place - 1];
    }
    return best;
}

static void compress(const struct input *input, struct writer *writer)
{
    struct match match = find(input, 0);
    for (size_t at = 0; at < input->size_bytes;) {
        insert(input, at);
        struct match next = find(input, at + 1);
        if (match.length == 0 || next.length > match.length) { /* the later one is worth a byte */
            write_symbol(writer, input->bytes[at++]);
            match = next;
            continue;
        }
        write_match(writer, match.length, match.distance);
        for (unsigned i = 1; i < match.length; i++)
            insert(input, at + i);
        at += match.length;
        match = find(input, at);
    }
}

size_t deflate_compress(struct deflate *deflate, const uint8_t *input, size_t input_size_bytes,
                        uint8_t *output, size_t capacity_bytes)
{
    struct writer writer = {.bytes = output, .capacity_bytes = capacity_bytes};
    if (input_size_bytes > DEFLATE_INPUT_LIMIT_BYTES)
        return 0;
    memset(deflate->newest, 0, sizeof deflate->newest);
    write_bits(&writer, BLOCK_HEADER, BLOCK_HEADER_BITS);
    compress(&(struct input){deflate, input, input_size_bytes}, &writer);
    write_symbol(&writer, END_OF_BLOCK);
    if (writer.pending_bits != 0)
        write_byte(&writer);
    return writer.size_bytes <= capacity_bytes ? writer.size_bytes : 0;
}
