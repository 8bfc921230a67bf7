#include "kernel/self_test.h"

#include <stdint.h>

#include "kernel/mm/kmalloc.h"
#include "kernel/panic.h"
#include "shared/format.h"
#include "shared/memory.h"
#include "shared/text.h"

#define STRING_COUNT    200
#define ARRAY_LENGTH    4096
#define TREE_NODE_COUNT 500
#define MIXED_COUNT     300

/* Any fixed number: a failure must be the same on every boot. */
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

static void free_in_random_order(void **pointers, size_t count, uint64_t *random)
{
    shuffle(pointers, count, random);
    for (size_t i = 0; i < count; i++)
        kfree(pointers[i]);
}

static unsigned test_strings(uint64_t *random)
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
    free_in_random_order(strings, STRING_COUNT, random);
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

/* Random keys keep the tree some 20 levels deep, far below what the stack holds. */
static void tree_collect(struct tree_node *node, void **nodes, size_t *count)
{
    if (node == NULL)
        return;
    tree_collect(node->smaller, nodes, count);
    nodes[(*count)++] = node;
    tree_collect(node->larger, nodes, count);
}

static unsigned test_tree(uint64_t *random)
{
    struct tree_node *root = NULL;
    for (size_t i = 0; i < TREE_NODE_COUNT; i++) {
        struct tree_node *node = kcalloc(1, sizeof *node);
        require(node != NULL);
        node->key = next_random(random);
        tree_insert(&root, node);
    }

    void **nodes = kmalloc(TREE_NODE_COUNT * sizeof *nodes);
    require(nodes != NULL);
    size_t count = 0;
    tree_collect(root, nodes, &count);
    require(count == TREE_NODE_COUNT);
    for (size_t i = 1; i < count; i++)
        require(((struct tree_node *)nodes[i - 1])->key <= ((struct tree_node *)nodes[i])->key);
    free_in_random_order(nodes, count, random);
    kfree(nodes);
    return TREE_NODE_COUNT + 1;
}

/* Sizes from a byte to several pages and alignments up to a page, each block filled with its index.
 */
static unsigned test_mixed_sizes(uint64_t *random)
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
    for (size_t i = 0; i < MIXED_COUNT; i++) {
        const uint8_t *bytes = blocks[i];
        for (size_t k = 0; k < sizes[i]; k++)
            require(bytes[k] == (uint8_t)i);
    }
    free_in_random_order(blocks, MIXED_COUNT, random);
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
                                      const struct early_heap *early_heap)
{
    struct self_test_result result = {0};
    struct heap_statistics before, after;
    uint64_t random = RANDOM_SEED;

    heap_statistics(heap, &before);
    pass(&result, test_strings(&random));
    pass(&result, test_growing_array());
    pass(&result, test_tree(&random));
    pass(&result, test_mixed_sizes(&random));

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
