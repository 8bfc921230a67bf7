#include "bootloader/pure/sha256.h"

#include "shared/memory.h"

#define BLOCK_SIZE_BYTES  64u
#define LENGTH_SIZE_BYTES 8u
#define ROUND_COUNT       64u
#define STATE_WORDS       8u
#define SCHEDULE_WORDS    16u

static const uint32_t round_constants[ROUND_COUNT] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t first_state[STATE_WORDS] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t rotate(uint32_t word, unsigned count)
{
    return word >> count | word << (32 - count);
}

/* The words of the message schedule are in a ring of 16: each round replaces its word by the one
 * that is needed 16 rounds later. */
static void extend_schedule(uint32_t schedule[SCHEDULE_WORDS], unsigned round)
{
    uint32_t second = schedule[(round + 1) % 16];
    uint32_t last_but_one = schedule[(round + 14) % 16];
    schedule[round % 16] +=
        (rotate(second, 7) ^ rotate(second, 18) ^ second >> 3) + schedule[(round + 9) % 16] +
        (rotate(last_but_one, 17) ^ rotate(last_but_one, 19) ^ last_but_one >> 10);
}

/* The words of a message and of a hash are big-endian. */
static void swap_words(uint32_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        words[i] = __builtin_bswap32(words[i]);
}

static void add_block(uint32_t state[STATE_WORDS], uint32_t schedule[SCHEDULE_WORDS])
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    swap_words(schedule, SCHEDULE_WORDS);
    for (unsigned round = 0; round < ROUND_COUNT; round++) {
        uint32_t first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) +
                         round_constants[round] + schedule[round % 16];
        uint32_t second =
            (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & (b | c)) | (b & c));
        h = g, g = f, f = e, e = d + first;
        d = c, c = b, b = a, a = first + second;
        extend_schedule(schedule, round);
    }
    const uint32_t sums[STATE_WORDS] = {a, b, c, d, e, f, g, h};
    for (unsigned i = 0; i < STATE_WORDS; i++)
        state[i] += sums[i];
}

/* The bytes are followed by a bit 1, zeros, and the length in bits as a big-endian number. */
void sha256_of(const void *bytes, uint64_t size_bytes, struct sha256 *ret)
{
    uint64_t last = (size_bytes + LENGTH_SIZE_BYTES) / BLOCK_SIZE_BYTES * BLOCK_SIZE_BYTES;
    uint64_t size_bits = __builtin_bswap64(size_bytes * 8);
    uint32_t state[STATE_WORDS];
    memcpy(state, first_state, sizeof(state));
    for (uint64_t done = 0; done <= last; done += BLOCK_SIZE_BYTES) {
        uint32_t block[SCHEDULE_WORDS];
        uint64_t left = done < size_bytes ? size_bytes - done : 0;
        memset(block, 0, sizeof(block));
        memcpy(block, (const uint8_t *)bytes + (size_bytes - left),
               left < sizeof(block) ? left : sizeof(block));
        if (done <= size_bytes && left < sizeof(block))
            ((uint8_t *)block)[left] = 0x80;
        if (done == last)
            memcpy(block + SCHEDULE_WORDS - 2, &size_bits, LENGTH_SIZE_BYTES);
        add_block(state, block);
    }
    swap_words(state, STATE_WORDS);
    memcpy(ret, state, sizeof(*ret));
}

/* Return a value above 15 for a character that is no digit. */
static unsigned digit_value(char character)
{
    unsigned lower = (unsigned char)character | 0x20u;
    if (character >= '0' && character <= '9')
        return (unsigned)(character - '0');
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

bool sha256_parse(struct piece text, struct sha256 *ret)
{
    if (text.length != SHA256_DIGIT_COUNT)
        return false;
    for (unsigned i = 0; i < SHA256_DIGIT_COUNT; i++) {
        unsigned digit = digit_value(text.text[i]);
        if (digit > 15)
            return false;
        ret->bytes[i / 2] = (uint8_t)(ret->bytes[i / 2] * 16u + digit);
    }
    return true;
}

const char *sha256_format(const struct sha256 *hash, char text[SHA256_TEXT_CAPACITY])
{
    for (unsigned i = 0; i < SHA256_DIGIT_COUNT; i++) {
        unsigned value = hash->bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15u;
        text[i] = "0123456789abcdef"[value];
    }
    text[SHA256_DIGIT_COUNT] = '\0';
    return text;
}

bool sha256_equals(const struct sha256 *a, const struct sha256 *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}
