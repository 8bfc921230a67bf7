#include "tests/detection/misuses.h"

#include <string.h>

#define CROWD_COUNT      1500
#define CROWD_SIZE_BYTES ((size_t)32)
#define RECORDED_COUNT   1000

static enum misuse_result result_of(struct trial *trial)
{
    return trial_is_found(trial) ? MISUSE_FOUND : MISUSE_MISSED;
}

/* Free a block after a write to its surroundings. */
static enum misuse_result free_and_finish(struct trial *trial, struct trial_block *block)
{
    trial_free(trial, block);
    return result_of(trial);
}

/* --- Pointers --------------------------------------------------------------------------------- */

static enum misuse_result free_twice(struct trial *trial, size_t unused)
{
    (void)unused;
    trial_populate(trial);
    struct trial_block *block = trial_choose(trial);
    uint8_t *stale = block->start;
    trial_free(trial, block);
    heap_free(trial->heap, stale, TRIAL_CALLER);
    return result_of(trial);
}

/* The memory of the block may belong to another block by now. */
static enum misuse_result free_twice_after_reuse(struct trial *trial, size_t unused)
{
    (void)unused;
    trial_populate(trial);
    struct trial_block *block = trial_choose(trial);
    uint8_t *stale = block->start;
    trial_free(trial, block);
    for (size_t count = 1 + random_below(&trial->random, 20); count > 0; count--)
        (void)trial_allocate(trial, 1 + random_below(&trial->random, block->size_bytes + 64));
    heap_free(trial->heap, stale, TRIAL_CALLER);
    return result_of(trial);
}

/* The blocks around it are freed, too, so that their memory is one. */
static enum misuse_result free_twice_after_merge(struct trial *trial, size_t unused)
{
    (void)unused;
    trial_populate(trial);
    uint8_t *stale = trial_choose(trial)->start;
    for (size_t i = trial->block_count; i > 0; i--) {
        if (trial->blocks[i - 1].start != NULL)
            trial_free(trial, &trial->blocks[i - 1]);
    }
    heap_free(trial->heap, stale, TRIAL_CALLER);
    return result_of(trial);
}

static enum misuse_result free_interior(struct trial *trial, size_t unused)
{
    (void)unused;
    trial_populate(trial);
    const struct trial_block *block = trial_allocate(trial, 2 + random_below(&trial->random, 600));
    heap_free(trial->heap, block->start + 1 + random_below(&trial->random, block->size_bytes - 1),
              TRIAL_CALLER);
    return result_of(trial);
}

/* A pointer to other memory, or to any address. */
static enum misuse_result free_foreign(struct trial *trial, size_t unused)
{
    (void)unused;
    trial_populate(trial);
    uint8_t *foreign = (uint8_t *)heap_base(trial->heap) + TRIAL_HEAP_BYTES +
                       random_below(&trial->random, TRIAL_ARENA_BYTES - TRIAL_HEAP_BYTES);
    if (random_below(&trial->random, 2) == 0)
        foreign = (uint8_t *)(uintptr_t)(random_next(&trial->random) >> 16);
    heap_free(trial->heap, foreign, TRIAL_CALLER);
    return result_of(trial);
}

/* A copy of a block, with the memory around it, lies inside of a larger block. */
static enum misuse_result free_copy(struct trial *trial, size_t unused)
{
    (void)unused;
    trial_populate(trial);
    struct trial_block *block = trial_allocate(trial, 1 + random_below(&trial->random, 2000));
    struct trial_block *holder = trial_allocate(trial, 4000);
    uint8_t *copy = holder->start + 64 + 16 * random_below(&trial->random, 100);
    memcpy(copy - 32, block->start - 32, block->size_bytes + 32 + 128);
    heap_free(trial->heap, copy, TRIAL_CALLER);
    return result_of(trial);
}

/* --- Writes around a block -------------------------------------------------------------------- */

static enum misuse_result overrun(struct trial *trial, size_t bytes)
{
    trial_populate(trial);
    struct trial_block *block = trial_choose(trial);
    trial_write(trial, block->start + block->size_bytes, bytes);
    return free_and_finish(trial, block);
}

/* A copy from an equal block that is too long: the bytes behind the one end come to the other end. */
static enum misuse_result copy_too_much(struct trial *trial, size_t bytes)
{
    trial_populate(trial);
    size_t size_bytes = 1 + random_below(&trial->random, 600);
    const struct trial_block *source = trial_allocate(trial, size_bytes);
    struct trial_block *block = trial_allocate(trial, size_bytes);
    memcpy(block->start, source->start, size_bytes + bytes);
    return free_and_finish(trial, block);
}

/* One byte, at least one byte behind the end. */
static enum misuse_result skip_canary(struct trial *trial, size_t farthest)
{
    trial_populate(trial);
    struct trial_block *block = trial_choose(trial);
    trial_write(trial,
                block->start + block->size_bytes + 1 + random_below(&trial->random, farthest), 1);
    return free_and_finish(trial, block);
}

static enum misuse_result underrun(struct trial *trial, size_t bytes)
{
    trial_populate(trial);
    struct trial_block *block = trial_choose(trial);
    trial_write(trial, block->start - bytes, bytes);
    return free_and_finish(trial, block);
}

/* One byte, `distance` before the block. The byte between is not written. */
static enum misuse_result write_before(struct trial *trial, size_t distance)
{
    trial_populate(trial);
    struct trial_block *block = trial_choose(trial);
    trial_write(trial, block->start - distance, 1);
    return free_and_finish(trial, block);
}

/* Make many blocks that are alike and fill their memory. Return one of the newer ones, which has at
 * least so many newer ones. */
static struct trial_block *crowd(struct trial *trial, size_t newer_count)
{
    for (size_t i = 0; i < CROWD_COUNT; i++)
        (void)trial_allocate(trial, CROWD_SIZE_BYTES);
    size_t newest = CROWD_COUNT - 1 - newer_count;
    bool frees_newest_only = heap_frees_newest_only(trial->heap);
    return &trial->blocks[frees_newest_only
                              ? newest
                              : newest - random_below(&trial->random, CROWD_COUNT / 4)];
}

static enum misuse_result overrun_in_crowd(struct trial *trial, size_t bytes)
{
    struct trial_block *block = crowd(trial, 0);
    trial_write(trial, block->start + CROWD_SIZE_BYTES, bytes);
    return free_and_finish(trial, block);
}

/* The block behind it is free. */
static enum misuse_result overrun_into_free(struct trial *trial, size_t bytes)
{
    struct trial_block *block = crowd(trial, 1);
    trial_free(trial, block + 1);
    trial_write(trial, block->start + CROWD_SIZE_BYTES, bytes);
    return free_and_finish(trial, block);
}

/* --- Writes to freed memory and to the policy's records --------------------------------------- */

/* 8 bytes, from `least_offset` on if that is not 0. */
static enum misuse_result write_to_freed(struct trial *trial, struct trial_block *block,
                                         size_t least_offset)
{
    uint8_t *stale = block->start;
    size_t offset = 0;
    if (least_offset != 0)
        offset = least_offset + random_below(&trial->random, block->size_bytes - least_offset - 7);
    trial_free(trial, block);
    trial_write(trial, stale + offset, 8);
    return result_of(trial);
}

static enum misuse_result write_after_free(struct trial *trial, size_t least_offset)
{
    trial_populate(trial);
    size_t size_bytes = least_offset + 8 + random_below(&trial->random, 600);
    return write_to_freed(trial, trial_allocate(trial, size_bytes), least_offset);
}

/* The program has a few blocks of this size, as of a buffer. */
static enum misuse_result write_after_free_of_buffer(struct trial *trial, size_t most_bytes)
{
    trial_populate(trial);
    size_t size_bytes = 1024 + random_below(&trial->random, most_bytes - 1024);
    struct trial_block *block = NULL;
    for (unsigned i = 0; i < 4; i++)
        block = trial_allocate(trial, size_bytes);
    if (!heap_frees_newest_only(trial->heap)) {
        trial_free(trial, block);
        block = trial_allocate(trial, size_bytes);
        (void)trial_allocate(trial, size_bytes);
    }
    return write_to_freed(trial, block, 0);
}

/* Records in the heap's memory: the policy's own pieces, if they are short. */
struct records {
    uint8_t *starts[64];
    size_t extents_bytes[64];
    size_t count;
};

static void note_record(void *context, const struct heap_piece *piece)
{
    struct records *records = context;
    if (piece->kind != HEAP_PIECE_OWN || piece->extent_bytes < 8 || piece->extent_bytes > 1024 ||
        records->count == 64)
        return;
    records->starts[records->count] = (uint8_t *)(uintptr_t)piece->start;
    records->extents_bytes[records->count++] = piece->extent_bytes;
}

/* No block is freed before, so that the heap's own pieces are records and whole slabs. False: there
 * is no record. */
static bool write_to_any_record(struct trial *trial, size_t bytes)
{
    struct records records = {.count = 0};
    for (size_t i = 0; i < RECORDED_COUNT; i++)
        (void)trial_allocate(trial, 1 + random_below(&trial->random, 100));
    heap_walk(trial->heap, note_record, &records);
    if (records.count == 0)
        return false;
    size_t which = random_below(&trial->random, records.count);
    size_t offset = random_below(&trial->random, records.extents_bytes[which] / 8) * 8;
    trial_write(trial, records.starts[which] + offset, bytes);
    return true;
}

static enum misuse_result write_to_record(struct trial *trial, size_t bytes)
{
    return write_to_any_record(trial, bytes) ? result_of(trial) : MISUSE_IMPOSSIBLE;
}

/* The heap uses its records before it checks them. */
static enum misuse_result write_to_record_in_use(struct trial *trial, size_t bytes)
{
    if (!write_to_any_record(trial, bytes))
        return MISUSE_IMPOSSIBLE;
    trial_free_all(trial);
    return result_of(trial);
}

const struct misuse MISUSES[] = {
    {.name = "double free", .attempt = free_twice},
    {.name = "double free, memory used again", .attempt = free_twice_after_reuse},
    {.name = "double free, all memory merged", .attempt = free_twice_after_merge},
    {.name = "pointer into a block", .attempt = free_interior},
    {.name = "foreign pointer", .attempt = free_foreign},
    {.name = "copied block and headers", .attempt = free_copy},
    {.name = "forged header", .attempt = forgery_attempt, .prepare = forgery_practise},
    {.name = "overrun by 1", .attempt = overrun, .size = 1},
    {.name = "overrun by 4", .attempt = overrun, .size = 4},
    {.name = "overrun by 8", .attempt = overrun, .size = 8},
    {.name = "copy of 1 byte too much", .attempt = copy_too_much, .size = 1},
    {.name = "copy of 8 bytes too much", .attempt = copy_too_much, .size = 8},
    {.name = "write 1 to 15 behind the end", .attempt = skip_canary, .size = 15},
    {.name = "underrun by 1", .attempt = underrun, .size = 1},
    {.name = "underrun by 2", .attempt = underrun, .size = 2},
    {.name = "underrun by 8", .attempt = underrun, .size = 8},
    {.name = "write 2 before the block", .attempt = write_before, .size = 2},
    {.name = "overrun by 1 into a live equal block", .attempt = overrun_in_crowd, .size = 1},
    {.name = "overrun by 8 into a live equal block", .attempt = overrun_in_crowd, .size = 8},
    {.name = "overrun by 1 into a free equal block", .attempt = overrun_into_free, .size = 1},
    {.name = "overrun by 8 into a free equal block", .attempt = overrun_into_free, .size = 8},
    {.name = "write after free, at offset 0", .attempt = write_after_free},
    {.name = "write after free of 1 to 16 KiB, at offset 0",
     .attempt = write_after_free_of_buffer,
     .size = 16384},
    {.name = "write after free, from offset 16", .attempt = write_after_free, .size = 16},
    {.name = "write to a slab's record", .attempt = write_to_record, .size = 8},
    {.name = "write to a slab's record, check after the frees",
     .attempt = write_to_record_in_use,
     .size = 8},
};

const size_t MISUSE_COUNT = sizeof MISUSES / sizeof MISUSES[0];
