/*
 * The derivation of keys: SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
 * INDOCRYPT 2012) of two words. It runs once for each key of a heap, so its price does not count.
 */
#include "kernel/mm/heap/heap_hash.h"

#define COMPRESSION_ROUNDS  2
#define FINALISATION_ROUNDS 4

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void run_rounds(struct sip *sip, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        sip->v0 += sip->v1;
        sip->v2 += sip->v3;
        sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
        sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
        sip->v0 = rotate(sip->v0, 32);
        sip->v2 += sip->v1;
        sip->v0 += sip->v3;
        sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
        sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
        sip->v2 = rotate(sip->v2, 32);
    }
}

static void add_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    run_rounds(sip, COMPRESSION_ROUNDS);
    sip->v0 ^= word;
}

/* The second half of SipHash's key is 0: the heap's secret has 64 bits. */
uint64_t heap_key_word(uint64_t secret, uint64_t label, uint64_t life)
{
    struct sip sip = {
        .v0 = secret ^ UINT64_C(0x736f6d6570736575),
        .v1 = UINT64_C(0x646f72616e646f6d),
        .v2 = secret ^ UINT64_C(0x6c7967656e657261),
        .v3 = UINT64_C(0x7465646279746573),
    };
    add_word(&sip, label);
    add_word(&sip, life);
    add_word(&sip, (uint64_t)(2 * sizeof(uint64_t)) << 56); /* the message's length */
    sip.v2 ^= 0xff;
    run_rounds(&sip, FINALISATION_ROUNDS);
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

struct heap_key heap_key_derive(uint64_t secret, enum heap_key_purpose purpose, uint64_t life)
{
    uint64_t label = (uint64_t)purpose * 3;
    return (struct heap_key){
        .first = heap_key_word(secret, label, life),
        .second = heap_key_word(secret, label + 1, life),
        .odd = heap_key_word(secret, label + 2, life) | 1,
    };
}
