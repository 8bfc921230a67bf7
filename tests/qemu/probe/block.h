/*
 * block.h - the blocks of physical memory that the loader placed and that the handoff names, and
 * the regions of the handoff.
 *
 * Precondition of every function: structure.c has checked that the structure can be read.
 */
#ifndef PROBE_BLOCK_H
#define PROBE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/handoff.h"

#define PAGE HANDOFF_PAGE_SIZE_BYTES

struct block {
    const char *name;
    uint64_t start; /* physical */
    uint64_t end;   /* empty if the block is absent */
    uint32_t type;  /* the type of its regions */
};

/* The tests' machines have at most so many screens. */
#define BLOCK_SCREEN_LIMIT 4
#define BLOCK_HEAP_LIMIT   8
#define BLOCK_MODULE_LIMIT 4

/* The kernel image, the stack, the page tables, the handoff data, the first temporary heap, the
 * loader's image, the page that starts other processors, the boot record, the framebuffers, the
 * other temporary heaps, and the modules. */
#define BLOCK_COUNT (8 + BLOCK_SCREEN_LIMIT + BLOCK_HEAP_LIMIT - 1 + BLOCK_MODULE_LIMIT)
void block_list(const struct handoff *handoff, struct block blocks[BLOCK_COUNT]);

static inline bool block_contains(const struct block *block, uint64_t address)
{
    return address >= block->start && address < block->end;
}

static inline bool block_overlap(const struct block *a, const struct block *b)
{
    return a->start < b->end && b->start < a->end;
}

/* Return region number `index`. The structure gives the stride of the array. */
const struct handoff_region *block_region(const struct handoff *handoff, uint32_t index);
/* Return the region that contains an address, or NULL. */
const struct handoff_region *block_region_of(const struct handoff *handoff, uint64_t address);
/* Return the number of bytes of [start, end) in regions of one type. */
uint64_t block_bytes_of_type(const struct handoff *handoff, uint64_t start, uint64_t end,
                             uint32_t type);
/* Return the number of bytes of [start, end) in regions that have all of the facts. */
uint64_t block_bytes_with_facts(const struct handoff *handoff, uint64_t start, uint64_t end,
                                uint32_t facts);

/* Return framebuffer number `index`, or zeros if there are fewer. */
struct handoff_framebuffer block_framebuffer(const struct handoff *handoff, uint32_t index);

/* Return temporary heap number `index`, or zeros if there are fewer. */
struct handoff_temp_heap block_heap(const struct handoff *handoff, uint32_t index);

/* Return module number `index`, or NULL if there are fewer. */
const struct handoff_module *block_module(const struct handoff *handoff, uint32_t index);

/* Return true if the direct map has all of [start, start + size_bytes), as the regions say. */
bool block_is_readable(const struct handoff *handoff, uint64_t start, uint64_t size_bytes);
/* Return the address of a physical address in the direct map. */
void *block_pointer(const struct handoff *handoff, uint64_t physical);

#endif
