#include "kernel/diagnostics/heap_pages_test.h"

#include "kernel/core/panic.h"
#include "kernel/mm/kmalloc.h"
#include "shared/memory.h"
#include "shared/text/text.h"

#define ALL_BYTES   ((size_t)8 << 20)
#define BLOCK_LIMIT (ALL_BYTES / HEAP_PAGES_TEST_MEDIUM_BYTES)

/* The heap keeps its pages until it has freed so much twice without a use of them. */
#define KEPT_BYTES (UINT64_C(3) << 20)

#define require(condition)                                                                         \
    ((condition) ? (void)0 : panic(PANIC_SELF_TEST, "%s: %s", __func__, #condition))

/* Allocate up to `limit` blocks. Return how many they are. */
static size_t allocate_all(void **blocks, size_t block_bytes, size_t limit)
{
    size_t count = 0;
    while (count < limit && (blocks[count] = kmalloc(block_bytes)) != NULL) {
        memset(blocks[count], (int)(count & 0xff), block_bytes);
        count++;
    }
    return count;
}

/* Free all blocks but one. */
static void free_all(void **blocks, size_t block_bytes, size_t count, const void *kept)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = blocks[i];
        require(bytes[0] == (uint8_t)i && bytes[block_bytes - 1] == (uint8_t)i);
        if (blocks[i] != kept)
            kfree(blocks[i]);
    }
}

/* Return the block with the highest address. It keeps the heap's end where it is. */
static void *find_top(void **blocks, size_t count)
{
    void *top = NULL;
    for (size_t i = 0; i < count; i++)
        top = (uint8_t *)blocks[i] > (uint8_t *)top ? blocks[i] : top;
    return top;
}

static uint64_t spare_bytes(const struct frame_allocator *frames)
{
    struct frame_allocator_statistics statistics = frame_allocator_statistics(frames);
    return (statistics.free_count + statistics.cached_count) * FRAME_SIZE_BYTES;
}

/* Free all blocks under a live one, and measure. Return false if they are kept in quarantine. */
static bool free_and_measure(struct heap *heap, const struct frame_allocator *frames, void **blocks,
                             size_t block_bytes, size_t count, const void *top,
                             struct heap_pages_test_result *ret_result)
{
    struct heap_statistics full;
    struct heap_statistics statistics;
    uint64_t full_bytes = spare_bytes(frames);
    heap_statistics(heap, &full);
    free_all(blocks, block_bytes, count, top);
    if (block_bytes == HEAP_PAGES_TEST_LARGE_BYTES)
        heap_trim(heap);
    heap_statistics(heap, &statistics);
    *ret_result = (struct heap_pages_test_result){
        .freed_bytes = (count - 1) * block_bytes,
        .returned_bytes = spare_bytes(frames) - full_bytes,
        .absent_bytes = statistics.absent_bytes - full.absent_bytes};
    return statistics.quarantine_block_count == 0;
}

bool heap_pages_test_run(struct heap *heap, const struct frame_allocator *frames,
                         size_t block_bytes, struct heap_pages_test_result *ret_result)
{
    static void *blocks[BLOCK_LIMIT];
    if (!text_equal(heap_policy_name(heap), "fast"))
        return false;
    size_t count = allocate_all(blocks, block_bytes, ALL_BYTES / block_bytes);
    void *top = find_top(blocks, count);
    if (top == NULL)
        return false;
    bool is_measured = free_and_measure(heap, frames, blocks, block_bytes, count, top, ret_result);
    require(!is_measured || ret_result->returned_bytes >= ret_result->absent_bytes);
    require(!is_measured || ret_result->returned_bytes + KEPT_BYTES >= ret_result->freed_bytes);
    require(heap_check(heap) == NULL);
    require(allocate_all(blocks, block_bytes, count - 1) == count - 1);
    free_all(blocks, block_bytes, count - 1, NULL);
    kfree(top);
    require(heap_check(heap) == NULL);
    return is_measured;
}
