#include "bootloader/pure/sha256.h"

#include "shared/memory.h"

#define BLOCK_SIZE_BYTES  64u
#define LENGTH_SIZE_BYTES 8u
#define ROUND_COUNT       64u
#define STATE_WORDS       8u
#define BLOCK_WORDS       16u
#define SCHEDULE_WORDS    (BLOCK_WORDS + ROUND_COUNT)

/* Return the first 32 bits behind the point of the square root or the cube root of a number below
 * 512. Each bit of the root stays if the power does not become too large. */
static uint32_t root_fraction(unsigned number, bool is_cube)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 36; bit != 0; bit >>= 1) {
        uint64_t tried = root | bit;
        unsigned __int128 square = (unsigned __int128)tried * tried;
        unsigned __int128 power = square * (is_cube ? tried : UINT64_C(1) << 32);
        if ((uint64_t)(power >> 96) < number)
            root = tried;
    }
    return (uint32_t)root;
}

/* The constants of the standard are the roots of the first prime numbers (FIPS 180-4, sections 4.2.2
 * and 5.3.3). To compute them takes less of the loader's file than to store them. */
static void fill_roots(uint32_t *words, unsigned count, bool is_cube)
{
    for (unsigned number = 2; count > 0; number++) {
        unsigned divisor = 2;
        while (number % divisor != 0)
            divisor++;
        if (divisor != number)
            continue;
        *words++ = root_fraction(number, is_cube);
        count--;
    }
}

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
static void add_block(uint32_t state[STATE_WORDS], uint32_t schedule[SCHEDULE_WORDS],
                      const uint32_t round_constants[ROUND_COUNT])
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
    uint32_t round_constants[ROUND_COUNT];
    uint32_t state[STATE_WORDS];
    fill_roots(round_constants, ROUND_COUNT, true);
    fill_roots(state, STATE_WORDS, false);
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
        add_block(state, block, round_constants);
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
