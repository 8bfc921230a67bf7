#include "bootloader/pure/sha256.h"

#include "shared/memory.h"

#define BLOCK_SIZE_BYTES  64u
#define LENGTH_SIZE_BYTES 8u
#define ROUND_COUNT       64u
#define STATE_WORDS       8u
#define BLOCK_WORDS       16u
#define SCHEDULE_WORDS    (BLOCK_WORDS + ROUND_COUNT)

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

/* Rotate by `least`, by `middle` and by `most`, and combine the three words. Each step of the nesting
 * adds its rotation to those inside of it. */
static uint32_t mix(uint32_t word, unsigned least, unsigned middle, unsigned most)
{
    uint32_t inner = rotate(word, most - middle) ^ word;
    return rotate(rotate(inner, middle - least) ^ word, least);
}

/* Return the word of the schedule that is needed 16 rounds after word 0. */
static uint32_t later_word(const uint32_t *words)
{
    uint32_t second = words[1];
    uint32_t last_but_one = words[14];
    return words[0] + words[9] + (rotate(second, 7) ^ rotate(second, 18) ^ second >> 3) +
           (rotate(last_but_one, 17) ^ rotate(last_but_one, 19) ^ last_but_one >> 10);
}

/* The words of a message and of a hash are big-endian. */
static void swap_words(uint32_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        words[i] = __builtin_bswap32(words[i]);
}

/* The eight variables a to h of the standard get each other's names in each round: b becomes c. So
 * they are a window of an array, which moves down by one word. Only a and e get new values. */
static void add_block(uint32_t state[STATE_WORDS], uint32_t schedule[SCHEDULE_WORDS])
{
    uint32_t variables[ROUND_COUNT + STATE_WORDS];
    uint32_t *a = variables + ROUND_COUNT;
    memcpy(a, state, STATE_WORDS * sizeof(*state));
    swap_words(schedule, BLOCK_WORDS);
    for (unsigned round = 0; round < ROUND_COUNT; round++, schedule++) {
        uint32_t e = a[4];
        uint32_t first = a[7] + mix(e, 6, 11, 25) + (a[6] ^ (e & (a[5] ^ a[6]))) +
                         round_constants[round] + schedule[0];
        uint32_t second = mix(a[0], 2, 13, 22) + ((a[0] & (a[1] | a[2])) | (a[1] & a[2]));
        a[3] += first;
        *--a = first + second;
        schedule[BLOCK_WORDS] = later_word(schedule);
    }
    for (unsigned i = 0; i < STATE_WORDS; i++)
        state[i] += variables[i];
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
        memset(block, 0, BLOCK_SIZE_BYTES);
        memcpy(block, (const uint8_t *)bytes + (size_bytes - left),
               left < BLOCK_SIZE_BYTES ? left : BLOCK_SIZE_BYTES);
        if (done <= size_bytes && left < BLOCK_SIZE_BYTES)
            ((uint8_t *)block)[left] = 0x80;
        if (done == last)
            memcpy(block + BLOCK_WORDS - 2, &size_bits, LENGTH_SIZE_BYTES);
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
