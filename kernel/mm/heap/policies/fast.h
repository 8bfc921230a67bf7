/*
 * fast.h - the state of a fast heap. Private: include/handoff/heap_fast.h is the public header.
 *
 * The state lies in struct heap, except for the data behind `map`, which lies in the heap's memory.
 * The place of a block is counted in units of 16 bytes from the heap's base, so that it fits 32
 * bits. 0 stands for no block, since there can be no block at the base.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_H
#define KERNEL_MM_HEAP_POLICIES_FAST_H

#include "kernel/mm/heap/heap_state.h"
#include "kernel/mm/heap/include/handoff/heap_fast.h"
#include "kernel/mm/heap/policies/sealed_secret.h"

/* --- fast_core.c: free memory, by size -------------------------------------------------------- */

/* One bin for each size below 16 units (256 bytes), then 8 for each power of two below 2^32 units.
 * The first 24 bins stay empty: fast_bin_of() then needs two instructions less.
 * Measured: with 32 for each power of two the state is 2.7 KB larger. The workload
 * producer-consumer takes 188 instructions instead of 184, and no workload uses 0.1 % more of the
 * region. */
#define FAST_BIN_SHIFT 3
#define FAST_BIN_COUNT (33 << FAST_BIN_SHIFT)
#define FAST_BIN_WORDS (FAST_BIN_COUNT / 64 + 1)

struct fast_core {
    struct sealed_secret secret;
    uint8_t *base;
    uint8_t *end;
    uint8_t *top; /* block of the free memory at the end, which is in no bin */
    size_t top_units;
    size_t bin_units;                  /* of the free blocks in the bins */
    size_t end_place;                  /* of `end`; each block has a place below it */
    uint8_t *first;                    /* the first block, or the end marker */
    size_t last_index;                 /* fast_block_index() of `end` */
    uint64_t bin_bits[FAST_BIN_WORDS]; /* bit i of word w: bins[64 w + i] is not 0 */
    uint32_t bins[FAST_BIN_COUNT];
};

/* --- fast_recent.c: kept blocks of the core --------------------------------------------------- */

#define FAST_RECENT_SETS 32
/* The entries of a set. One always stays empty, since a set that uses all of them would look
 * empty. */
#define FAST_RECENT_DEPTH 16
/* At most this many blocks are kept, and fewer in a small heap (fast_recent.h). */
#define FAST_RECENT_BLOCKS 31

/* Set i has blocks of one size, that of the last request that found none there. Its entries begin
 * at FAST_RECENT_DEPTH * i, the oldest block first. */
struct fast_recent {
    uint32_t sizes[FAST_RECENT_SETS]; /* as requested; at first, sizes that belong to other sets */
    uint32_t ends[FAST_RECENT_SETS];  /* one past the newest block's entry */
    uint64_t words[FAST_RECENT_SETS * FAST_RECENT_DEPTH];  /* of each entry: the header word, */
    uint32_t places[FAST_RECENT_SETS * FAST_RECENT_DEPTH]; /* and the block's place */
    unsigned block_count;                                  /* of all sets */
    unsigned block_limit;                                  /* as many may be kept */
    unsigned next_victim; /* the set that gives up a block when there are too many */
};

/* --- fast_slab.c: pages of slots of one length ------------------------------------------------ */

/* Sizes 0…15, 16…31, …, 1024…1039 with room for a canary; then exactly 16, 32, …, 512 without. */
#define FAST_PADDED_CLASSES 65
#define FAST_DENSE_CLASSES  32
#define FAST_PADDED_MAX     ((size_t)FAST_PADDED_CLASSES * 16 - 1)
/* Then the medium sizes up to 16 KiB, in steps of an eighth of a power of two. */
#define FAST_MEDIUM_CLASSES    32
#define FAST_MEDIUM_MAX        ((size_t)16 * 1024)
#define FAST_MEDIUM_STEP_BYTES 128
#define FAST_FIRST_MEDIUM      (FAST_PADDED_CLASSES + FAST_DENSE_CLASSES)
#define FAST_CLASS_COUNT       (FAST_FIRST_MEDIUM + FAST_MEDIUM_CLASSES)
#define FAST_CLASS_WORDS       ((FAST_CLASS_COUNT + 63) / 64)

/* At most this many bytes behind a medium block are checked, and the two words at its slot's
 * end. */
#define FAST_GAP_BYTES 16

struct fast_slab;
struct fast_leaf;

struct fast_class {
    uint32_t stride_bytes;
    uint32_t reciprocal;            /* the next number above 2^32 / stride */
    struct fast_slab *partial;      /* the other slabs with free slots: the first, */
    struct fast_slab *partial_last; /* and the last, which was full most recently */
    size_t slot_count;              /* of all its slabs */
    size_t core_count;              /* live blocks of these sizes that lie in no slab */
    bool is_exact; /* one of its slabs was opened for a block of the class's least size */
    bool is_mass;  /* it has so many blocks that their memory counts more than their canaries */
    uint16_t mark; /* of its slabs (fast_slot_mark()) */
    uint32_t refilled_at; /* `refill_count` of the heap when its current word was chosen */
};

/* --- fast_absent.c: free memory without pages ------------------------------------------------- */

/* One list for each power of two of pages of 8 KiB, up to 64 GiB. */
#define FAST_ABSENT_LISTS 24

struct fast_absent {
    uint32_t lists[FAST_ABSENT_LISTS];
    uint32_t list_bits; /* bit i: lists[i] is not 0 */
    size_t units;       /* of all absent blocks */
    size_t freed_units; /* by the core, since the last look */
    size_t spare_units; /* the least that was free in the core's bins since then */
};

/* --- fast_slab.c: empty slabs, and leaves for the next slabs ---------------------------------- */

/* The heap keeps at most this many slabs without live blocks, of any class. They spare
 * a program that frees and allocates in turns from closing and opening a slab each time.
 * Measured: with 8, producer-consumer takes 121 instructions instead of 113, and a request that
 * needs the memory of all of them up to 17,199 instead of 26,263. */
#define FAST_EMPTY_SLABS 16

/* The leaves of the map without slabs stay for the next slabs, at most this many, so that closing
 * empty slabs seldom frees a leaf. A new slab needs up to two. */
#define FAST_SPARE_LEAVES (FAST_EMPTY_SLABS / 2)
#define FAST_SLAB_LEAVES  2

/* --- fast_record.c: memory for the records of slabs ------------------------------------------- */

#define FAST_RECORD_LENGTHS 8

struct fast_record_group;

struct fast_records {
    struct fast_record_group *groups[FAST_RECORD_LENGTHS]; /* with a free record: the first one */
    struct fast_record_group *unused[FAST_RECORD_LENGTHS]; /* without a record in use, or NULL */
    struct fast_record_group *surplus; /* the same: to be freed by an operation that does little */
};

struct fast_state {
    uintptr_t map_floor; /* the first written place of the map is for the pages from here */
    size_t map_length;   /* this many places were written, without a gap */
    uintptr_t *map;      /* the first of them; each has the address of its leaf, less 8 times the
                            number of the leaf's first page (fast_map_find()) */
    uint8_t class_of[FAST_PADDED_MAX + 1]; /* by size; changes when a class becomes a mass */
    uint8_t medium_class_of[FAST_MEDIUM_MAX / FAST_MEDIUM_STEP_BYTES]; /* by size - 1 */
    struct fast_slab *current[FAST_CLASS_COUNT]; /* by class; fast_no_slab for none */
    struct fast_class classes[FAST_CLASS_COUNT];
    /* The bits of a padded slot's last two words that are behind a block, by the low 4 bits of its
     * size, without the last byte of the second one. They lie here because a free has a register for
     * this address. */
    uint64_t slack[2][16];
    /* The bits of the first bytes behind a medium block, by their number, in two words. */
    uint64_t gap[2][FAST_GAP_BYTES + 1];
    struct fast_slab *empty[FAST_EMPTY_SLABS]; /* the newest one first; some have blocks again */
    size_t slab_block_bytes;                   /* longer blocks have no slabs */
    uintptr_t *map_block; /* all places of the map; NULL until there is a map */
    size_t leaf_count;
    struct fast_recent recent;
    struct fast_leaf *spare_leaves[FAST_SPARE_LEAVES]; /* for the next leaves of the map */
    unsigned spare_leaf_count;
    struct fast_records records;
    struct fast_absent absent;

    /* Slabs with few live blocks (fast_dissolve.h). */
    struct fast_slab *sparse[FAST_CLASS_COUNT];
    uint64_t sparse_classes[FAST_CLASS_WORDS]; /* bit i: sparse[i] is not NULL */
    size_t sparse_page_count;                  /* of all sparse slabs */
    uint64_t open_classes[FAST_CLASS_WORDS];   /* bit i: class i has slabs */
    struct fast_slab *dissolved;               /* all slabs in pieces */
    struct fast_slab *dissolving; /* the one of them that has free runs left; or NULL */
    unsigned dissolving_index;    /* from this slot on */
    unsigned looked_at;           /* the class whose current slab is looked at next */
    uint32_t refill_count;        /* how often a class chose a word of slots */
    struct fast_core core;
};

/* Precondition: the heap's policy is fast. */
static inline struct fast_state *fast_of(const struct heap *heap)
{
    return (struct fast_state *)(void *)heap->policy_state;
}

#endif
