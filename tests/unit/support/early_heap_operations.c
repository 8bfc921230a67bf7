#include "tests/unit/support/early_heap_operations.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/early_heap.h"
#include "tests/unit/support/byte_stream.h"
#include "tests/unit/support/panic_stub.h"

#define REGION_SIZE_BYTES (80U * 1024U)
#define FOOTER_BYTES      8U
#define LIVE_MAX          4096U
#define MARKS_MAX         8U

struct live_block {
    uint8_t *start;
    uint64_t size_bytes;
    bool freeable;
    uint8_t pattern;
};

/* The oracle in its simplest form: a stack of blocks and a stack of marks. */
struct oracle {
    struct early_heap heap;
    struct live_block blocks[LIVE_MAX];
    size_t block_count;
    struct early_heap_mark marks[MARKS_MAX];
    size_t blocks_at_mark[MARKS_MAX];
    size_t mark_count;
    struct early_heap_mark start;
};

static const char *check_everything(const struct oracle *oracle)
{
    const struct early_heap *heap = &oracle->heap;
    uint64_t lowest = heap->start.value;
    for (size_t i = 0; i < oracle->block_count; i++) {
        const struct live_block *block = &oracle->blocks[i];
        if ((uintptr_t)block->start < lowest)
            return "a block lies below the end of its elder";
        lowest = (uintptr_t)block->start + block->size_bytes + (block->freeable ? FOOTER_BYTES : 0);
        for (uint64_t byte = 0; byte < block->size_bytes; byte++) {
            if (block->start[byte] != block->pattern)
                return "a block has lost its bytes";
        }
    }
    if (lowest > heap->next.value || heap->next.value > heap->end.value)
        return "next lies below the end of the newest block, or behind the region";
    return early_heap_check(heap);
}

/* Free everything at once. */
static void run_reset(struct oracle *oracle)
{
    early_heap_release(&oracle->heap, oracle->start);
    oracle->start = early_heap_mark(&oracle->heap);
    oracle->block_count = 0;
    oracle->mark_count = 0;
}

static const char *run_allocate(struct oracle *oracle, struct byte_stream *stream)
{
    struct early_heap *heap = &oracle->heap;
    struct early_heap before;
    memcpy(&before, heap, sizeof(before));
    uint64_t choice = byte_stream_next(stream, 1);
    bool freeable = choice % 2 == 0;
    uint64_t size_bytes = byte_stream_next(stream, choice % 16 < 12    ? 1
                                                   : choice % 16 == 15 ? 8
                                                                       : 2);
    uint64_t alignment_bytes =
        choice >= 0xf0 ? byte_stream_next(stream, 8) : UINT64_C(1) << (choice >> 4);
    uint8_t *start = freeable ? early_heap_allocate_freeable(heap, size_bytes, alignment_bytes)
                              : early_heap_allocate(heap, size_bytes, alignment_bytes);
    bool power_of_two = alignment_bytes != 0 && (alignment_bytes & (alignment_bytes - 1)) == 0;
    if (start == NULL) {
        if (memcmp(&before, heap, sizeof(before)) != 0)
            return "a failed allocation changed the state";
        /* Rounding never costs more than the alignment and twice the unit. */
        uint64_t free_bytes = heap->end.value - heap->next.value;
        if (size_bytes != 0 && power_of_two && alignment_bytes < free_bytes &&
            size_bytes < free_bytes &&
            size_bytes + alignment_bytes + 14 + FOOTER_BYTES <= free_bytes)
            return "an allocation was refused although there is room";
        return NULL;
    }
    if (size_bytes == 0 || !power_of_two || (uintptr_t)start % alignment_bytes != 0)
        return "a block is not aligned, or a bad request was served";
    if ((uintptr_t)start < heap->start.value || size_bytes > heap->end.value - (uintptr_t)start)
        return "a block lies outside of the region";
    if (oracle->block_count == LIVE_MAX) {
        run_reset(oracle);
        return NULL;
    }
    uint8_t pattern = (uint8_t)(heap->allocation_count * 37 + 1);
    memset(start, pattern, size_bytes);
    oracle->blocks[oracle->block_count++] =
        (struct live_block){start, size_bytes, freeable, pattern};
    return NULL;
}

static const char *run_free(struct oracle *oracle, struct byte_stream *stream)
{
    uint64_t choice = byte_stream_next(stream, 1);
    size_t floor = oracle->mark_count > 0 ? oracle->blocks_at_mark[oracle->mark_count - 1] : 0;
    volatile bool panicked;
    if (oracle->block_count == 0)
        return NULL;
    size_t newest = oracle->block_count - 1;
    size_t victim = choice < 0xc0 ? newest : choice % oracle->block_count;
    void *pointer = oracle->blocks[victim].start;
    bool allowed = victim == newest && newest >= floor && oracle->blocks[newest].freeable;
    catch_panic(panicked, early_heap_free(&oracle->heap, pointer));
    if (panicked == allowed)
        return allowed ? "a good free panicked" : "a bad free was accepted";
    if (panicked && panic_stub.code != PANIC_EARLY_HEAP_FREE)
        return "a bad free panicked with another code";
    if (!allowed)
        return NULL;
    oracle->block_count--;
    catch_panic(panicked, early_heap_free(&oracle->heap, pointer));
    return panicked ? NULL : "a double free was accepted";
}

static void run_mark_or_release(struct oracle *oracle, struct byte_stream *stream)
{
    uint64_t choice = byte_stream_next(stream, 1);
    if (choice % 2 == 0 && oracle->mark_count < MARKS_MAX) {
        oracle->marks[oracle->mark_count] = early_heap_mark(&oracle->heap);
        oracle->blocks_at_mark[oracle->mark_count] = oracle->block_count;
        oracle->mark_count++;
    } else if (oracle->mark_count > 0) {
        oracle->mark_count = (choice / 2) % oracle->mark_count;
        early_heap_release(&oracle->heap, oracle->marks[oracle->mark_count]);
        oracle->block_count = oracle->blocks_at_mark[oracle->mark_count];
    }
}

static const char *run_operations(struct oracle *oracle, struct byte_stream *stream)
{
    const char *problem = NULL;
    while (problem == NULL && !byte_stream_is_empty(stream)) {
        uint64_t choice = byte_stream_next(stream, 1);
        if (choice < 140)
            problem = run_allocate(oracle, stream);
        else if (choice < 230)
            problem = run_free(oracle, stream);
        else if (choice < 254)
            run_mark_or_release(oracle, stream);
        else
            run_reset(oracle);
        if (problem == NULL)
            problem = check_everything(oracle);
    }
    return problem;
}

const char *early_heap_operations_run(const uint8_t *bytes, size_t size_bytes)
{
    struct byte_stream stream = {bytes, size_bytes, 0};
    uint8_t *region = malloc(REGION_SIZE_BYTES);
    struct oracle *oracle = malloc(sizeof(*oracle));
    const char *problem = "the heap could not be started";
    uint64_t offset = byte_stream_next(&stream, 1) % 64;
    oracle->block_count = 0;
    oracle->mark_count = 0;
    if (early_heap_initialise(&oracle->heap, virt_addr((uintptr_t)(region + offset)),
                              REGION_SIZE_BYTES - 2 * offset) == EARLY_HEAP_OK) {
        oracle->start = early_heap_mark(&oracle->heap);
        problem = run_operations(oracle, &stream);
    }
    free(oracle);
    free(region);
    return problem;
}
