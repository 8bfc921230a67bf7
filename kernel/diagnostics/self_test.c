#include "kernel/diagnostics/self_test.h"

#include <stdint.h>

#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/core/panic.h"
#include "shared/text/format.h"
#include "shared/memory.h"
#include "shared/text/text.h"

#define STRING_COUNT    200
#define ARRAY_LENGTH    4096
#define TREE_NODE_COUNT 500
#define MIXED_COUNT     300

/* Any fixed number is possible: a failure must be the same on every boot. */
#define RANDOM_SEED UINT64_C(0x2545f4914f6cdd1d)

#define require(condition)                                                                         \
    ((condition) ? (void)0 : panic(PANIC_SELF_TEST, "%s: %s", __func__, #condition))

/* xorshift64 (Marsaglia, "Xorshift RNGs", Journal of Statistical Software, 2003). */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Fisher and Yates: every order is equally likely. */
static void shuffle(void **pointers, size_t count, uint64_t *random)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = next_random(random) % i;
        void *swapped = pointers[i - 1];
        pointers[i - 1] = pointers[other];
        pointers[other] = swapped;
    }
}

/* Highest address first, which in a bump heap is newest first (Shell, "A high-speed sorting
 * procedure", Communications of the ACM, 1959, with gaps halved). */
static void sort(void **pointers, size_t count)
{
    for (size_t gap = count / 2; gap > 0; gap /= 2) {
        for (size_t i = gap; i < count; i++) {
            void *pointer = pointers[i];
            size_t place = i;
            for (; place >= gap && pointers[place - gap] < pointer; place -= gap)
                pointers[place] = pointers[place - gap];
            pointers[place] = pointer;
        }
    }
}

/* Free in random order, or the newest first if the heap allows no other order. */
static void free_all(const struct heap *heap, void **pointers, size_t count, uint64_t *random)
{
    if (heap_frees_newest_only(heap))
        sort(pointers, count);
    else
        shuffle(pointers, count, random);
    for (size_t i = 0; i < count; i++)
        kfree(pointers[i]);
}

static unsigned test_strings(const struct heap *heap, uint64_t *random)
{
    void **strings = kcalloc(STRING_COUNT, sizeof *strings);
    require(strings != NULL);
    for (size_t i = 0; i < STRING_COUNT; i++) {
        char text[64];
        int length = format_text(text, sizeof text, "string %zu of %u", i, (unsigned)STRING_COUNT);
        strings[i] = kmalloc((size_t)length + 1);
        require(strings[i] != NULL);
        memcpy(strings[i], text, (size_t)length + 1);
    }
    for (size_t i = 0; i < STRING_COUNT; i++) {
        char text[64];
        format_text(text, sizeof text, "string %zu of %u", i, (unsigned)STRING_COUNT);
        require(text_equal(strings[i], text));
    }
    free_all(heap, strings, STRING_COUNT, random);
    kfree(strings);
    return STRING_COUNT + 1;
}

static unsigned test_growing_array(void)
{
    unsigned reallocations = 0;
    uint32_t *array = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < ARRAY_LENGTH; i++) {
        if (i == capacity) {
            capacity = capacity == 0 ? 4 : capacity * 2;
            uint32_t *grown = krealloc(array, capacity * sizeof *array);
            require(grown != NULL);
            array = grown;
            reallocations++;
        }
        array[i] = (uint32_t)(i * i);
    }
    for (size_t i = 0; i < ARRAY_LENGTH; i++)
        require(array[i] == (uint32_t)(i * i));
    kfree(array);
    return reallocations;
}

struct tree_node {
    uint64_t key;
    struct tree_node *smaller;
    struct tree_node *larger;
};

static void tree_insert(struct tree_node **place, struct tree_node *node)
{
    while (*place != NULL)
        place = node->key < (*place)->key ? &(*place)->smaller : &(*place)->larger;
    *place = node;
}

/* With random keys the tree has about 20 levels. The stack has room for many more. */
static void tree_collect(struct tree_node *node, void **nodes, size_t *count)
{
    if (node == NULL)
        return;
    tree_collect(node->smaller, nodes, count);
    nodes[(*count)++] = node;
    tree_collect(node->larger, nodes, count);
}

static unsigned test_tree(const struct heap *heap, uint64_t *random)
{
    struct tree_node *root = NULL;
    for (size_t i = 0; i < TREE_NODE_COUNT; i++) {
        struct tree_node *node = kcalloc(1, sizeof *node);
        require(node != NULL);
        node->key = next_random(random);
        tree_insert(&root, node);
    }

    static void *nodes[TREE_NODE_COUNT];
    size_t count = 0;
    tree_collect(root, nodes, &count);
    require(count == TREE_NODE_COUNT);
    for (size_t i = 1; i < count; i++)
        require(((struct tree_node *)nodes[i - 1])->key <= ((struct tree_node *)nodes[i])->key);
    free_all(heap, nodes, count, random);
    return TREE_NODE_COUNT;
}

/* Sizes from a byte to several pages and alignments up to a page, each block filled with its index.
 */
static unsigned test_mixed_sizes(const struct heap *heap, uint64_t *random,
                                 void (*look)(const struct heap *heap))
{
    static void *blocks[MIXED_COUNT];
    static size_t sizes[MIXED_COUNT];
    for (size_t i = 0; i < MIXED_COUNT; i++) {
        size_t alignment = (size_t)16 << next_random(random) % 9;
        sizes[i] = 1 + next_random(random) % (i % 10 == 0 ? 20000 : 500);
        blocks[i] = kmalloc_aligned(sizes[i], alignment);
        require(blocks[i] != NULL);
        require((uintptr_t)blocks[i] % alignment == 0);
        memset(blocks[i], (int)(i & 0xff), sizes[i]);
    }
    if (look != NULL)
        look(heap);
    for (size_t i = 0; i < MIXED_COUNT; i++) {
        const uint8_t *bytes = blocks[i];
        for (size_t k = 0; k < sizes[i]; k++)
            require(bytes[k] == (uint8_t)i);
    }
    free_all(heap, blocks, MIXED_COUNT, random);
    return MIXED_COUNT;
}

static void pass(struct self_test_result *result, unsigned allocation_count)
{
    result->passed_count++;
    result->allocation_count += allocation_count;
}

static void require_sound(const char *what, const char *complaint)
{
    if (complaint != NULL)
        panic(PANIC_SELF_TEST, "%s: %s", what, complaint);
}

struct self_test_result self_test_run(struct heap *heap, struct frame_allocator *frames,
                                      const struct early_heap *early_heap,
                                      void (*look)(const struct heap *heap))
{
    struct self_test_result result = {0};
    struct heap_statistics before, after;
    uint64_t random = RANDOM_SEED;

    heap_statistics(heap, &before);
    pass(&result, test_strings(heap, &random));
    pass(&result, test_growing_array());
    pass(&result, test_tree(heap, &random));
    pass(&result, test_mixed_sizes(heap, &random, look));

    heap_statistics(heap, &after);
    require(after.live_block_count == before.live_block_count);
    require(after.used_bytes == before.used_bytes);
    pass(&result, 0);

    require_sound("heap", heap_check(heap));
    pass(&result, 0);
    require_sound("frame allocator", frame_allocator_check(frames));
    pass(&result, 0);
    require_sound("early heap", early_heap_check(early_heap));
    pass(&result, 0);
    return result;
}

/* --- The address space ------------------------------------------------------------------------ */

#define LARGE_PAGE_BYTES  (2 * MIB)
#define LARGE_PAGE_FRAMES (LARGE_PAGE_BYTES / FRAME_SIZE_BYTES)

static const struct page_permissions READ_WRITE = {.write = true, .global = true};
static const struct page_permissions READ_ONLY = {.global = true};

static struct virt_addr test_page(uint64_t index)
{
    return virt_addr(LAYOUT_SELF_TEST_BASE + index * PAGE_SIZE_BYTES);
}

static volatile uint64_t *test_word(uint64_t page_index)
{
    return (volatile uint64_t *)test_page(page_index).value;
}

static void require_mapping(const struct address_space *space, uint64_t page_index,
                            uint64_t page_size_bytes, bool write)
{
    struct page_mapping mapping;
    require(page_table_lookup(&space->table, test_page(page_index), &mapping) == PAGE_TABLE_OK);
    require(mapping.page_size_bytes == page_size_bytes);
    require(mapping.permissions.write == write);
}

/* Return a frame that holds `value`. It is mapped at the test's first page for a short time. */
static void require_seen(struct address_space *space, struct phys_addr frame, uint64_t value)
{
    const struct address_space_environment *environment = &space->environment;
    *(volatile uint64_t *)environment->access(environment->context, frame) = value;
    require(page_table_map(&space->table, test_page(0), frame, PAGE_SIZE_BYTES, READ_WRITE,
                           false) == PAGE_TABLE_OK);
    require(*test_word(0) == value);
    require(page_table_unmap(&space->table, test_page(0), PAGE_SIZE_BYTES) == PAGE_TABLE_OK);
}

/* Map one address to one frame and then to another: the old translation must be gone. */
static void test_remap(struct address_space *space, struct frame_allocator *frames,
                       const uint64_t *shoot_down_count)
{
    struct phys_addr first, second;
    require(frame_allocator_allocate(frames, &first));
    require(frame_allocator_allocate(frames, &second));
    uint64_t count_before = *shoot_down_count;
    require_seen(space, first, 1);
    require_seen(space, second, 2);
    require(*shoot_down_count == count_before + 2);
    frame_allocator_free(frames, first);
    frame_allocator_free(frames, second);
}

/* A permission for a part of a large page splits it. When the permissions are equal again it is
 * merged. Its content stays. */
static void test_split_and_merge(struct address_space *space, const uint64_t *shoot_down_count)
{
    uint64_t merged_count;
    uint64_t count_before = *shoot_down_count;
    *test_word(0) = 1;
    *test_word(5) = 2;
    require_mapping(space, 5, LARGE_PAGE_BYTES, true);
    require(page_table_protect(&space->table, test_page(5), PAGE_SIZE_BYTES, READ_ONLY) ==
            PAGE_TABLE_OK);
    require_mapping(space, 4, PAGE_SIZE_BYTES, true);
    require_mapping(space, 5, PAGE_SIZE_BYTES, false);
    require(*test_word(0) == 1 && *test_word(5) == 2);

    require(page_table_protect(&space->table, test_page(5), PAGE_SIZE_BYTES, READ_WRITE) ==
            PAGE_TABLE_OK);
    *test_word(5) = 3;
    require(page_table_merge(&space->table, test_page(0), LARGE_PAGE_BYTES, &merged_count) ==
            PAGE_TABLE_OK);
    require(merged_count == 1);
    require_mapping(space, 5, LARGE_PAGE_BYTES, true);
    require(*test_word(0) == 1 && *test_word(5) == 3);
    require(*shoot_down_count == count_before + 3);
}

unsigned self_test_address_space(struct address_space *space, struct frame_allocator *frames,
                                 const uint64_t *shoot_down_count)
{
    struct phys_addr large;
    uint64_t table_count = space->table.table_count;
    test_remap(space, frames, shoot_down_count);
    if (!frame_allocator_allocate_contiguous(frames, LARGE_PAGE_FRAMES, LARGE_PAGE_FRAMES,
                                             FRAME_ALLOCATOR_ANYWHERE, &large))
        return 1;
    require(page_table_map(&space->table, test_page(0), large, LARGE_PAGE_BYTES, READ_WRITE,
                           true) == PAGE_TABLE_OK);
    test_split_and_merge(space, shoot_down_count);
    require(page_table_unmap(&space->table, test_page(0), LARGE_PAGE_BYTES) == PAGE_TABLE_OK);
    frame_allocator_free_contiguous(frames, large, LARGE_PAGE_FRAMES);
    require(space->table.table_count == table_count);
    return 2;
}
