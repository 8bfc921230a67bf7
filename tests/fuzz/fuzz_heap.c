/*
 * fuzz_heap.c - run a stream of operations on a growing heap. The stream decides when the page
 * source fails, and when the heap is trimmed. The heap may not touch discarded pages. After each operation the heap checks itself completely, and the contents of every
 * block are compared. A valid operation never reports a fault. A misuse always reports the right
 * fault.
 */
#include <sanitizer/asan_interface.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/mm/heap/include/handoff/heap_debug.h"
#include "kernel/mm/heap_policies.h"
#include "tests/fuzz/require.h"

#define WINDOW_BYTES ((size_t)1024 * 1024)
#define BLOCK_LIMIT  32
/* About 200 operations. A full check follows each one, so a longer stream is slower and finds no
 * more. */
#define INPUT_LIMIT_BYTES ((size_t)600)

struct block {
    uint8_t *address; /* NULL if the slot is empty */
    size_t size_bytes;
    uint8_t pattern;
};

struct session {
    const uint8_t *input;
    size_t input_bytes;
    struct heap *heap;
    struct block blocks[BLOCK_LIMIT];
    size_t mapped_bytes;
    size_t absent_bytes;
    bool absent[WINDOW_BYTES / HEAP_PAGE_SIZE_BYTES];
    uint8_t next_pattern;
    bool page_source_fails;
    bool fault_expected;
    bool faulted;
    struct heap_fault fault;
};

static _Alignas(4096) uint8_t window[WINDOW_BYTES];

static uint32_t next_bytes(struct session *session, size_t count)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count && session->input_bytes > 0; i++) {
        value = value << 8 | *session->input++;
        session->input_bytes--;
    }
    return value;
}

/* --- Callbacks of the heap -------------------------------------------------------------------- */

static bool grow(void *context, size_t additional_bytes)
{
    struct session *session = context;
    require(additional_bytes > 0 && additional_bytes % HEAP_PAGE_SIZE_BYTES == 0);
    require(additional_bytes <= WINDOW_BYTES - session->mapped_bytes);
    if (session->page_source_fails)
        return false;
    memset(window + session->mapped_bytes, 0x5e, additional_bytes);
    session->mapped_bytes += additional_bytes;
    return true;
}

static void shrink(void *context, size_t bytes)
{
    struct session *session = context;
    require(bytes > 0 && bytes % HEAP_PAGE_SIZE_BYTES == 0 && bytes < session->mapped_bytes);
    session->mapped_bytes -= bytes;
    for (size_t offset = 0; offset < bytes; offset += HEAP_PAGE_SIZE_BYTES) {
        bool *is_absent = &session->absent[(session->mapped_bytes + offset) / HEAP_PAGE_SIZE_BYTES];
        session->absent_bytes -= *is_absent ? HEAP_PAGE_SIZE_BYTES : 0;
        *is_absent = false;
    }
    ASAN_UNPOISON_MEMORY_REGION(window + session->mapped_bytes, bytes);
    memset(window + session->mapped_bytes, 0xbd, bytes);
}

/* ASan reports every access to a discarded page. */
static void set_absent(struct session *session, size_t offset_bytes, size_t bytes, bool is_absent)
{
    require(bytes > 0 && bytes % HEAP_PAGE_SIZE_BYTES == 0);
    require(offset_bytes % HEAP_PAGE_SIZE_BYTES == 0);
    require(offset_bytes <= session->mapped_bytes);
    require(bytes <= session->mapped_bytes - offset_bytes);
    for (size_t page = offset_bytes / HEAP_PAGE_SIZE_BYTES;
         page < (offset_bytes + bytes) / HEAP_PAGE_SIZE_BYTES; page++) {
        require(session->absent[page] != is_absent);
        session->absent[page] = is_absent;
    }
}

static void discard(void *context, size_t offset_bytes, size_t bytes)
{
    struct session *session = context;
    set_absent(session, offset_bytes, bytes, true);
    session->absent_bytes += bytes;
    ASAN_POISON_MEMORY_REGION(window + offset_bytes, bytes);
}

static bool restore(void *context, size_t offset_bytes, size_t bytes)
{
    struct session *session = context;
    if (session->page_source_fails)
        return false;
    set_absent(session, offset_bytes, bytes, false);
    session->absent_bytes -= bytes;
    ASAN_UNPOISON_MEMORY_REGION(window + offset_bytes, bytes);
    memset(window + offset_bytes, 0x5e, bytes);
    return true;
}

static void record_fault(void *context, const struct heap_fault *fault)
{
    struct session *session = context;
    require(session->fault_expected && !session->faulted);
    session->faulted = true;
    session->fault = *fault;
}

/* --- Blocks ----------------------------------------------------------------------------------- */

static void require_intact(const struct block *block, size_t size_bytes)
{
    if (size_bytes == 0)
        return;
    /* All bytes are the pattern if the first byte is, and each byte equals the byte before it. */
    require(block->address[0] == block->pattern);
    require(memcmp(block->address, block->address + 1, size_bytes - 1) == 0);
}

static void store(struct session *session, struct block *block, uint8_t *address, size_t size_bytes)
{
    *block = (struct block){address, size_bytes, session->next_pattern++};
    memset(address, block->pattern, size_bytes);
}

static void require_sound(const struct session *session)
{
    require_no_problem(heap_check(session->heap));
    size_t used_bytes = 0;
    for (size_t i = 0; i < BLOCK_LIMIT; i++) {
        const struct block *block = &session->blocks[i];
        if (block->address == NULL)
            continue;
        require_intact(block, block->size_bytes);
        used_bytes += block->size_bytes;
    }
    struct heap_statistics statistics;
    heap_statistics(session->heap, &statistics);
    require(statistics.used_bytes == used_bytes);
    require(statistics.size_bytes == session->mapped_bytes);
    require(statistics.absent_bytes == session->absent_bytes);
}

/* --- Operations ------------------------------------------------------------------------------- */

static size_t next_size(struct session *session)
{
    uint32_t kind = next_bytes(session, 1);
    return kind < 200 ? kind : next_bytes(session, kind < 240 ? 2 : 3);
}

static void allocate(struct session *session, struct block *block, unsigned how)
{
    size_t size_bytes = next_size(session);
    uint8_t *address;
    if (how == 0) {
        size_t alignment = (size_t)1 << next_bytes(session, 1) % 17;
        address = heap_allocate_aligned(session->heap, size_bytes, alignment, NULL);
        require((uintptr_t)address % alignment == 0);
    } else if (how == 1) {
        address = heap_allocate_zeroed(session->heap, 1, size_bytes, NULL);
        for (size_t i = 0; address != NULL && i < size_bytes; i++)
            require(address[i] == 0);
    } else {
        address = heap_allocate(session->heap, size_bytes, NULL);
    }
    if (address == NULL)
        return;
    require(heap_usable_size(session->heap, address, NULL) == size_bytes);
    store(session, block, address, size_bytes);
}

static void reallocate(struct session *session, struct block *block)
{
    size_t size_bytes = next_size(session) + 1;
    uint8_t *moved = heap_reallocate(session->heap, block->address, size_bytes, NULL);
    if (moved == NULL)
        return;
    block->address = moved;
    require_intact(block, size_bytes < block->size_bytes ? size_bytes : block->size_bytes);
    store(session, block, moved, size_bytes);
}

/* Free a pointer inside of a block, or a freed block. The heap names the misuse and goes on. */
static void misuse(struct session *session, struct block *block)
{
    bool interior = block->size_bytes > 16 && next_bytes(session, 1) % 2 == 0;
    uint8_t *pointer = block->address;
    size_t mapped_bytes = session->mapped_bytes;
    if (interior) {
        pointer += 1 + next_bytes(session, 2) % (block->size_bytes - 1);
    } else {
        heap_free(session->heap, block->address, NULL);
        block->address = NULL;
    }
    session->fault_expected = true;
    session->faulted = false;
    heap_free(session->heap, pointer, NULL);
    session->fault_expected = false;
    require(session->faulted);
    /* The heap may have returned its tail with the freed block: then the address is not its own. */
    bool tail_is_gone = session->mapped_bytes < mapped_bytes;
    if (interior)
        require(session->fault.kind == HEAP_FAULT_BAD_POINTER);
    else
        require(session->fault.kind == HEAP_FAULT_DOUBLE_FREE ||
                (tail_is_gone && session->fault.kind == HEAP_FAULT_BAD_POINTER));
}

static void step(struct session *session)
{
    uint32_t operation = next_bytes(session, 1);
    struct block *block = &session->blocks[next_bytes(session, 1) % BLOCK_LIMIT];
    session->page_source_fails = operation >= 128;
    if (operation % 64 == 63)
        heap_trim(session->heap);
    operation %= 8;
    if (block->address == NULL) {
        allocate(session, block, operation);
    } else if (operation == 0) {
        misuse(session, block);
    } else if (operation < 4) {
        reallocate(session, block);
    } else {
        heap_free(session->heap, block->address, NULL);
        block->address = NULL;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct session session = {
        .input = data,
        .input_bytes = size_bytes < INPUT_LIMIT_BYTES ? size_bytes : INPUT_LIMIT_BYTES,
    };
    static const struct heap_policy *const policies[] = {&heap_policy_best_fit, &heap_policy_fast,
                                                         &heap_policy_first_fit, &heap_policy_fast};
    static union heap_policies_storage storage;
    static struct heap_debug_storage debug;
    uint32_t choice = next_bytes(&session, 1);
    struct heap_configuration configuration = {
        .policy = policies[choice / 16 % 4],
        .storage = &storage,
        .storage_bytes = sizeof storage,
        .base = window,
        .limit_bytes = WINDOW_BYTES,
        .pages = {.context = &session,
                  .grow = grow,
                  .shrink = shrink,
                  .discard = discard,
                  .restore = restore},
        .secret = next_bytes(&session, 2),
        .debug = choice % 16 == 0 ? heap_debug_layer(&debug) : NULL,
        .fault = record_fault,
        .fault_context = &session,
    };
    ASAN_UNPOISON_MEMORY_REGION(window, WINDOW_BYTES);
    require(heap_initialise(&configuration, &session.heap) == HEAP_OK);
    while (session.input_bytes > 0) {
        step(&session);
        require_sound(&session);
    }
    for (size_t i = 0; i < BLOCK_LIMIT; i++)
        heap_free(session.heap, session.blocks[i].address, NULL);
    heap_trim(session.heap);
    struct heap_statistics statistics;
    heap_statistics(session.heap, &statistics);
    require(statistics.live_block_count == 0 && statistics.free_block_count == 1);
    return 0;
}
