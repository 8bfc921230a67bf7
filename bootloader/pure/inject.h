/*
 * inject.h - failures on purpose: the key `inject` of handoff.conf, a list of words.
 *
 *   inject = fail-pages:3, stale-key:2
 *
 * They serve people at a real machine, and authors of other kernels: each word makes this one boot
 * misbehave as bad firmware does. bootloader/inject.c carries them out, and firmware/misbehave.c
 * stands between the loader and the firmware for it. Here are the words, and the changes of a
 * memory map and of a handoff.
 *
 * Pure: bytes in, struct out. Fuzzed by tests/fuzz/fuzz_inject.c.
 */
#ifndef BOOTLOADER_PURE_INJECT_H
#define BOOTLOADER_PURE_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"
#include "shared/text/piece.h"

/* In the order of the words in inject.c. */
enum inject_failure {
    INJECT_FAIL_PAGES, /* the first four have a number */
    INJECT_STALE_KEY,
    INJECT_GROW_MAP,
    INJECT_HANG,
    INJECT_SHUFFLE_MAP,
    INJECT_OVERLAP_MAP,
    INJECT_MISALIGN_MAP,
    INJECT_REPEAT_MAP,
    INJECT_HIGH_MAP,
    INJECT_CLEAR_ATTRIBUTES,
    INJECT_HIDE_SCREEN,
    INJECT_SHRINK_SCREEN,
    INJECT_OCCUPY_LINK_ADDRESS,
    INJECT_ZERO_HEAP,
    INJECT_NEWER_MINOR,
    INJECT_BAD_CHECKSUM,
    INJECT_BAD_MAGIC,
    INJECT_BAD_VERSION,
    INJECT_BAD_SIZE,
    INJECT_BAD_MACHINE,
    INJECT_BAD_ROOT,
    INJECT_BAD_ARRAY,
    INJECT_BAD_REGIONS,
    INJECT_BAD_JUMP,
    INJECT_FAILURE_COUNT,
};

#define INJECT_NUMBER_LIMIT 1000000u

struct inject {
    /* 0: not wanted. The number of the word, or 1 for a word without a number. */
    uint32_t numbers[INJECT_FAILURE_COUNT];
};

/* Read a list of words. Commas separate them, and blanks around a word are ignored. Return false if
 * the list has an unknown word, a word twice, no word, or a number that is missing, out of place, 0,
 * or above the limit. Then *ret_inject is undefined. */
bool inject_parse(struct piece list, struct inject *ret_inject) __attribute__((warn_unused_result));

/* Return the word of a failure, without its number. */
const char *inject_word(enum inject_failure failure);

/* All words, for a person. A test compares them with inject_word(). */
#define INJECT_WORDS                                                                               \
    "fail-pages:N stale-key:N grow-map:N hang:N shuffle-map overlap-map misalign-map repeat-map "  \
    "high-map clear-attributes hide-screen shrink-screen occupy-link-address zero-heap "           \
    "newer-minor bad-checksum bad-magic bad-version bad-size bad-machine bad-root bad-array "      \
    "bad-regions bad-jump"

/* A memory map of the firmware, in memory of the caller. */
struct inject_map {
    void *rows;
    uint64_t size_bytes; /* a multiple of stride_bytes */
    uint64_t capacity_bytes;
    uint64_t stride_bytes; /* at least 40 */
};

/* Change the map as the failures demand. A row for which the capacity has no room is left out. */
void inject_change_map(const struct inject *inject, struct inject_map *map);

/* Change the finished handoff as the failures demand, and write its checksum again, so that each
 * failure is the only mistake. `regions` are the elements of handoff->regions. */
void inject_damage_handoff(const struct inject *inject, struct handoff *handoff,
                           struct handoff_region *regions);

#endif
