#include "tests/unit/support/heap_oracle.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/heap/include/handoff/heap_picture.h"
#include "kernel/mm/heap/layers/guarded_state.h"

static void *const CALLER = (void *)0x1111;

void heap_oracle_begin(struct heap_oracle *ret_oracle, struct heap *heap,
                       uint32_t (*next)(void *context), void *context)
{
    *ret_oracle = (struct heap_oracle){.heap = heap,
                                       .next = next,
                                       .context = context,
                                       .largest_bytes = 20000,
                                       .block_limit = HEAP_ORACLE_BLOCK_LIMIT};
}

static uint32_t choose(struct heap_oracle *oracle, uint32_t limit)
{
    return oracle->next(oracle->context) % limit;
}

/* Mostly small, often of few sizes, sometimes large, like the requests of a kernel. */
static size_t choose_size(struct heap_oracle *oracle)
{
    uint32_t kind = choose(oracle, 16);
    if (kind == 0)
        return choose(oracle, (uint32_t)oracle->largest_bytes);
    if (kind < 3)
        return choose(oracle, 2000);
    if (kind < 8)
        return (size_t)16 << choose(oracle, 5);
    return choose(oracle, 300);
}

/* --- Blocks ----------------------------------------------------------------------------------- */

/* The content of a block: numbers that count up from its pattern. Whole ranges are compared and
 * written, since a loop over bytes would take most of a test's time under ASan. */
#define STRETCH_BYTES ((size_t)4096)
#define PATTERN_COUNT ((size_t)256)

static const uint8_t *stretch_of(uint8_t pattern)
{
    static uint8_t numbers[PATTERN_COUNT + STRETCH_BYTES];
    if (numbers[1] == 0) {
        for (size_t i = 0; i < sizeof numbers; i++)
            numbers[i] = (uint8_t)i;
    }
    return numbers + pattern;
}

static size_t stretch_bytes(size_t left_bytes)
{
    return left_bytes < STRETCH_BYTES ? left_bytes : STRETCH_BYTES;
}

static const char *check_content(const struct heap_oracle_block *block, size_t size_bytes)
{
    const uint8_t *expected = stretch_of(block->pattern);
    for (size_t done = 0; done < size_bytes; done += STRETCH_BYTES) {
        if (memcmp(block->address + done, expected, stretch_bytes(size_bytes - done)) != 0)
            return "a block has lost its bytes";
    }
    return NULL;
}

static void fill(struct heap_oracle_block *block, uint8_t pattern)
{
    block->pattern = pattern;
    const uint8_t *numbers = stretch_of(pattern);
    for (size_t done = 0; done < block->size_bytes; done += STRETCH_BYTES)
        memcpy(block->address + done, numbers, stretch_bytes(block->size_bytes - done));
}

static void count(struct heap_oracle *oracle, size_t old_bytes, size_t new_bytes)
{
    oracle->used_bytes = oracle->used_bytes - old_bytes + new_bytes;
    if (oracle->used_bytes > oracle->peak_used_bytes)
        oracle->peak_used_bytes = oracle->used_bytes;
}

static void forget(struct heap_oracle *oracle, size_t index)
{
    count(oracle, oracle->blocks[index].size_bytes, 0);
    oracle->free_count++;
    oracle->blocks[index] = oracle->blocks[--oracle->block_count];
}

/* --- Operations ------------------------------------------------------------------------------- */

static const char *allocate(struct heap_oracle *oracle)
{
    uint32_t how = choose(oracle, 8);
    size_t size_bytes = choose_size(oracle);
    size_t alignment_bytes = how == 0 ? (size_t)1 << choose(oracle, 14) : 16;
    uint8_t *address;
    if (how == 0)
        address = heap_allocate_aligned(oracle->heap, size_bytes, alignment_bytes, CALLER);
    else if (how == 1)
        address = heap_allocate_zeroed(oracle->heap, 1, size_bytes, CALLER);
    else if (how == 2)
        address = heap_reallocate(oracle->heap, NULL, size_bytes, CALLER);
    else
        address = heap_allocate(oracle->heap, size_bytes, CALLER);
    if (address == NULL) {
        oracle->failure_count++;
        return NULL;
    }
    if ((uintptr_t)address % (alignment_bytes < 16 ? 16 : alignment_bytes) != 0)
        return "a block is not aligned";
    for (size_t i = 0; how == 1 && i < size_bytes; i++) {
        if (address[i] != 0)
            return "a zeroed block is not zero";
    }
    struct heap_oracle_block *block = &oracle->blocks[oracle->block_count++];
    *block = (struct heap_oracle_block){address, size_bytes, alignment_bytes, 0};
    fill(block, (uint8_t)oracle->next(oracle->context));
    count(oracle, 0, size_bytes);
    return heap_usable_size(oracle->heap, address, CALLER) == size_bytes
               ? NULL
               : "a block's size is not what was asked for";
}

static const char *reallocate(struct heap_oracle *oracle, size_t index)
{
    struct heap_oracle_block *block = &oracle->blocks[index];
    size_t size_bytes = choose_size(oracle) + 1;
    uint8_t *moved = heap_reallocate(oracle->heap, block->address, size_bytes, CALLER);
    if (moved == NULL) {
        oracle->failure_count++;
        if (size_bytes <= block->size_bytes)
            return "a block could not be made smaller";
        return check_content(block, block->size_bytes);
    }
    if ((uintptr_t)moved % block->alignment_bytes != 0)
        return "a re-allocated block has lost its alignment";
    if (moved != block->address)
        oracle->free_count++;
    block->address = moved;
    size_t old_bytes = block->size_bytes;
    const char *problem = check_content(block, old_bytes < size_bytes ? old_bytes : size_bytes);
    block->size_bytes = size_bytes;
    fill(block, (uint8_t)oracle->next(oracle->context));
    /* A block that moves is allocated before the old one is freed. */
    if (oracle->used_bytes + size_bytes > oracle->peak_used_bytes) {
        struct heap_statistics statistics;
        heap_statistics(oracle->heap, &statistics);
        if (statistics.peak_used_bytes == oracle->used_bytes + size_bytes)
            oracle->peak_used_bytes = statistics.peak_used_bytes;
    }
    count(oracle, old_bytes, size_bytes);
    return problem;
}

const char *heap_oracle_free(struct heap_oracle *oracle, size_t index)
{
    struct heap_oracle_block *block = &oracle->blocks[index];
    const char *problem = check_content(block, block->size_bytes);
    heap_free(oracle->heap, block->address, CALLER);
    forget(oracle, index);
    return problem;
}

/* Free some of the newest blocks, one by one. */
static const char *free_newest(struct heap_oracle *oracle, size_t count)
{
    const char *problem = NULL;
    for (; count > 0 && problem == NULL; count--)
        problem = heap_oracle_free(oracle, oracle->block_count - 1);
    return problem;
}

/* On a bump heap any block may change its size. Only the newest may be freed. */
static const char *step_of_bump(struct heap_oracle *oracle, uint32_t operation)
{
    if (operation < 8 && oracle->block_count < oracle->block_limit)
        return allocate(oracle);
    if (oracle->block_count == 0)
        return NULL;
    if (operation == 8 && choose(oracle, 4) == 0)
        return free_newest(oracle, choose(oracle, (uint32_t)oracle->block_count + 1));
    size_t newest = oracle->block_count - 1;
    if (operation <= 10)
        return heap_oracle_free(oracle, newest);
    size_t last = choose(oracle, 4);
    if (operation < 14)
        return reallocate(oracle, last < newest ? newest - last : newest);
    return reallocate(oracle, choose(oracle, (uint32_t)oracle->block_count));
}

const char *heap_oracle_step(struct heap_oracle *oracle)
{
    uint32_t operation = choose(oracle, 16);
    if (heap_frees_newest_only(oracle->heap))
        return step_of_bump(oracle, operation);
    if (oracle->block_count == 0 || (operation < 8 && oracle->block_count < oracle->block_limit))
        return allocate(oracle);
    size_t index = choose(oracle, (uint32_t)oracle->block_count);
    return operation >= 14 ? reallocate(oracle, index) : heap_oracle_free(oracle, index);
}

/* --- Checking --------------------------------------------------------------------------------- */

static int compare_addresses(const void *a, const void *b)
{
    const struct heap_oracle_block *x = a, *y = b;
    return x->address < y->address ? -1 : x->address > y->address;
}

static const char *check_overlap(const struct heap_oracle *oracle)
{
    static struct heap_oracle_block sorted[HEAP_ORACLE_BLOCK_LIMIT];
    memcpy(sorted, oracle->blocks, oracle->block_count * sizeof sorted[0]);
    qsort(sorted, oracle->block_count, sizeof sorted[0], compare_addresses);
    for (size_t i = 1; i < oracle->block_count; i++) {
        if (sorted[i].address < sorted[i - 1].address + sorted[i - 1].size_bytes ||
            sorted[i].address == sorted[i - 1].address)
            return "two blocks overlap";
    }
    return NULL;
}

static const char *check_statistics(const struct heap_oracle *oracle)
{
    struct heap_statistics found;
    heap_statistics(oracle->heap, &found);
    if (found.used_bytes != oracle->used_bytes)
        return "the statistics are wrong about the used bytes";
    if (found.peak_used_bytes != oracle->peak_used_bytes)
        return "the statistics are wrong about the peak";
    if (found.live_block_count != oracle->block_count)
        return "the statistics are wrong about the live blocks";
    if (found.free_count != oracle->free_count ||
        found.allocation_count != oracle->free_count + oracle->block_count ||
        found.failure_count != oracle->failure_count)
        return "the statistics are wrong about the operations";
    if (found.used_bytes + found.free_bytes + found.overhead_bytes != found.size_bytes ||
        found.largest_free_bytes > found.free_bytes)
        return "the statistics do not add up";
    return NULL;
}

/* Compare the counts of heap_picture_take() and the blocks of a walk with the oracle. */
struct walk {
    const struct heap *heap;
    uintptr_t previous_end;
    uintptr_t heap_end;
    size_t live_count;
    size_t live_bytes;
    bool is_wrong;
};

static void check_piece(void *context, const struct heap_piece *piece)
{
    struct walk *walk = context;
    uintptr_t start = (uintptr_t)piece->start;
    const struct guarded *guarded = guarded_of(walk->heap);
    if (guarded != NULL && start - guarded->base < guarded->window_bytes &&
        walk->heap_end != guarded->base + guarded->window_bytes) {
        walk->previous_end = guarded->base;
        walk->heap_end = guarded->base + guarded->window_bytes;
    }
    if (start < walk->previous_end || piece->extent_bytes < piece->size_bytes ||
        start + piece->extent_bytes > walk->heap_end)
        walk->is_wrong = true;
    walk->previous_end = start + piece->extent_bytes;
    walk->live_count += piece->kind == HEAP_PIECE_LIVE;
    walk->live_bytes += piece->size_bytes;
}

static const char *check_picture(const struct heap_oracle *oracle)
{
    const struct heap *heap = oracle->heap;
    uintptr_t base = (uintptr_t)heap_base(heap);
    struct walk walk = {
        .heap = heap, .previous_end = base, .heap_end = base + heap_size_bytes(heap)};
    heap_walk(heap, check_piece, &walk);
    if (walk.is_wrong)
        return "the pieces of a walk overlap or leave the heap";
    if (walk.live_count != oracle->block_count || walk.live_bytes != oracle->used_bytes)
        return "a walk does not meet the live blocks";

    struct heap_picture picture;
    heap_picture_take(heap, &picture);
    uint64_t counts[HEAP_SIZE_CLASS_COUNT] = {0};
    for (size_t i = 0; i < oracle->block_count; i++) {
        unsigned class = 0;
        while (oracle->blocks[i].size_bytes > (size_t)1 << class)
            class ++;
        counts[class]++;
    }
    if (memcmp(counts, picture.live_counts, sizeof counts) != 0)
        return "the sizes are counted wrong";
    if (picture.internal_permille > 1000 || picture.external_permille > 1000)
        return "a fragmentation of more than all";
    return NULL;
}

const char *heap_oracle_check(const struct heap_oracle *oracle)
{
    const char *problem = heap_check(oracle->heap);
    for (size_t i = 0; i < oracle->block_count && problem == NULL; i++)
        problem = check_content(&oracle->blocks[i], oracle->blocks[i].size_bytes);
    if (problem == NULL)
        problem = check_overlap(oracle);
    if (problem == NULL)
        problem = check_picture(oracle);
    return problem == NULL ? check_statistics(oracle) : problem;
}

const char *heap_oracle_end(struct heap_oracle *oracle)
{
    const char *problem = NULL;
    while (oracle->block_count > 0 && problem == NULL)
        problem = heap_oracle_free(oracle, oracle->block_count - 1);
    heap_trim(oracle->heap);
    if (problem == NULL)
        problem = heap_oracle_check(oracle);
    struct heap_statistics statistics;
    heap_statistics(oracle->heap, &statistics);
    if (problem == NULL && statistics.free_block_count != 1)
        problem = "the free memory of an empty heap is not one piece";
    return problem;
}
