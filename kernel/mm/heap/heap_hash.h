/*
 * heap_hash.h - keys and keyed hashes for seals and canaries.
 *
 * A heap derives a key for each purpose from its secret. The derivation is one-way, so that a key
 * that becomes known gives away neither the secret nor another key.
 *
 * heap_hash() is on the path of every operation, so it has two multiplications and no loop. Both
 * factors of the first one hold a part of the key. The 128 bits of the product are folded into 64,
 * which cannot be undone. The second multiplication carries the folded bits into the highest ones.
 * Without it, the hashes of three words give that of a fourth (tests/unit/test_heap_hash.c).
 *
 * The hash protects against those who write without reading, and against those who read some hashes
 * and have one guess. With very many known hashes the key may be found.
 */
#ifndef KERNEL_MM_HEAP_HEAP_HASH_H
#define KERNEL_MM_HEAP_HEAP_HASH_H

#include <stdint.h>

enum heap_key_purpose {
    HEAP_KEY_HEADERS,
    HEAP_KEY_CANARIES,
    HEAP_KEY_RECORDS, /* of heap_debug.h */
};

struct heap_key {
    uint64_t first;
    uint64_t second;
    uint64_t odd;
};

/* Return the key for a purpose in one life of a heap. Two lives with different `life` values have
 * different keys. */
struct heap_key heap_key_derive(uint64_t secret, enum heap_key_purpose purpose, uint64_t life);

/* Return a word that only the secret leads to. */
uint64_t heap_key_word(uint64_t secret, uint64_t label, uint64_t life);

/* Return the two halves of the product, one exclusive-or'ed with the other. */
static inline uint64_t heap_hash_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Return the hash of two words. Its high bits are the good ones. */
static inline uint64_t heap_hash(struct heap_key key, uint64_t a, uint64_t b)
{
    return heap_hash_fold(a ^ key.first, b ^ key.second) * key.odd;
}

/* --- Hashes of more words: begin with 0, add two words at a time, end ------------------------- */

static inline uint64_t heap_hash_add(struct heap_key key, uint64_t state, uint64_t a, uint64_t b)
{
    return heap_hash_fold(state ^ a ^ key.first, b ^ key.second);
}

static inline uint64_t heap_hash_end(struct heap_key key, uint64_t state)
{
    uint64_t hash = heap_hash_fold(state ^ key.second, key.first) * key.odd;
    return hash ^ hash >> 32;
}

#endif
