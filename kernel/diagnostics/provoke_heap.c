#include "kernel/diagnostics/provoke_heap.h"

#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/kmalloc.h"
#include "kernel/core/panic.h"
#include "shared/text/text.h"

#define BLOCK_SIZE_BYTES 64
/* The fast policy puts this number of blocks of one size into slabs. Padded slots have canaries. */
#define POPULATION 100
/* The last of these blocks lie side by side, since no holes of the boot are left for them. The size
 * is not a multiple of 16, so each block has a canary of its own. */
#define LARGE_SIZE_BYTES 32762
#define LARGE_COUNT      48

static uint8_t *new_block(size_t size_bytes)
{
    uint8_t *block = kmalloc(size_bytes);
    kernel_assert(block != NULL);
    return block;
}

/* Return the newest of many blocks. */
static uint8_t *new_block_among_many(void)
{
    for (unsigned i = 1; i < POPULATION; i++)
        (void)new_block(BLOCK_SIZE_BYTES);
    return new_block(BLOCK_SIZE_BYTES);
}

/* Volatile: the compiler must not see that this is out of bounds. */
static void smash(uint8_t *block, ptrdiff_t offset, ptrdiff_t count)
{
    volatile ptrdiff_t first = offset;
    for (ptrdiff_t i = first; i < first + count; i++)
        block[i] ^= 0xff;
}

/* --- Freed twice ------------------------------------------------------------------------------ */

static void double_free(struct kernel *kernel)
{
    (void)kernel;
    void *block = new_block(BLOCK_SIZE_BYTES);
    kfree(block);
    kfree(block);
}

/* The newest block is freed first, which every policy allows. At the second free of the newest
 * block, it has merged with the others. */
static void double_free_later(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *blocks[POPULATION];
    for (unsigned i = 0; i < POPULATION; i++)
        blocks[i] = new_block(BLOCK_SIZE_BYTES);
    for (unsigned i = POPULATION; i > 0; i--)
        kfree(blocks[i - 1]);
    kfree(blocks[POPULATION - 1]);
}

/* --- Pointers that are not blocks ------------------------------------------------------------- */

static void interior_pointer(struct kernel *kernel)
{
    (void)kernel;
    volatile size_t interior = 16;
    kfree(new_block(BLOCK_SIZE_BYTES) + interior);
}

static void unaligned_pointer(struct kernel *kernel)
{
    (void)kernel;
    volatile size_t interior = 1;
    kfree(new_block_among_many() + interior);
}

static void foreign_pointer(struct kernel *kernel)
{
    (void)kernel;
    static _Alignas(16) uint8_t elsewhere[BLOCK_SIZE_BYTES];
    uint8_t *volatile pointer = elsewhere;
    kfree(pointer);
}

static void early_pointer(struct kernel *kernel)
{
    void *pointer = (void *)kernel->early_heap.start.value;
    kfree(pointer);
}

/* A bump heap frees only the newest block. */
static void free_order(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *older = new_block(BLOCK_SIZE_BYTES);
    (void)new_block(BLOCK_SIZE_BYTES);
    kfree(older);
}

/* --- Written beyond bounds -------------------------------------------------------------------- */

static void overrun(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *block = new_block(BLOCK_SIZE_BYTES);
    smash(block, BLOCK_SIZE_BYTES, 1);
    kfree(block);
}

static void overrun_by_8(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *block = new_block_among_many();
    smash(block, BLOCK_SIZE_BYTES, 8);
    kfree(block);
}

static void underrun(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *block = new_block(BLOCK_SIZE_BYTES);
    smash(block, -1, 1);
    kfree(block);
}

static void underrun_by_8(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *block = new_block_among_many();
    smash(block, -8, 8);
    kfree(block);
}

/* Found only with heap_debug=on, when the block no longer waits to be used again. */
static void write_after_free(struct kernel *kernel)
{
    uint8_t *block = kmalloc(BLOCK_SIZE_BYTES);
    kernel_assert(block != NULL);
    kfree(block);
    smash(block, BLOCK_SIZE_BYTES - 8, 1);
    heap_trim(kernel->heap);
}

/* The first bytes of a free block on a list are its links. The block behind it needs the links when
 * it is merged with the free block. A heap may keep some freed blocks unmerged, so many are freed. */
static void smashed_link(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *blocks[LARGE_COUNT];
    for (unsigned i = 0; i < LARGE_COUNT; i++)
        blocks[i] = new_block(LARGE_SIZE_BYTES);
    for (unsigned i = 0; i < LARGE_COUNT; i += 2)
        kfree(blocks[i]);
    smash(blocks[LARGE_COUNT - 2], 0, 8);
    kfree(blocks[LARGE_COUNT - 1]);
}

/* --- Never freed ------------------------------------------------------------------------------ */

/* All callers share one call site. */
static __attribute__((noinline)) void leak_block(void)
{
    (void)new_block(BLOCK_SIZE_BYTES);
}

/* The blocks are for print-leaks, which runs later. */
static void leak(struct kernel *kernel)
{
    (void)kernel;
    for (unsigned i = 0; i < 3; i++)
        leak_block();
}

/* --- Blocks between guard pages --------------------------------------------------------------- */

/* A whole number of pages: its ends are the ends of its pages. */
#define GUARDED_SIZE_BYTES ((size_t)128 * 1024)

/* Only write; smash() also reads. Volatile for the same reason as there. */
static void write_beside(uint8_t *block, ptrdiff_t offset)
{
    volatile ptrdiff_t place = offset;
    *(volatile uint8_t *)(block + place) = 1;
}

static void guarded_overrun(struct kernel *kernel)
{
    (void)kernel;
    write_beside(new_block(GUARDED_SIZE_BYTES), GUARDED_SIZE_BYTES);
}

static void guarded_underrun(struct kernel *kernel)
{
    (void)kernel;
    write_beside(new_block(GUARDED_SIZE_BYTES), -1);
}

static void guarded_after_free(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *block = new_block(GUARDED_SIZE_BYTES);
    kfree(block);
    write_beside(block, 1000);
}

static void guarded_double_free(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *block = new_block(GUARDED_SIZE_BYTES);
    kfree(block);
    kfree(block);
}

/* The write is in the pages of the block, but beside the block. The free finds it. */
static void guarded_beside(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *block = new_block(GUARDED_SIZE_BYTES + 1);
    write_beside(block, GUARDED_SIZE_BYTES + 1);
    kfree(block);
}

/* These two need heap_sample=1, which makes every block a sample. */
static void sample_overrun(struct kernel *kernel)
{
    (void)kernel;
    write_beside(new_block(BLOCK_SIZE_BYTES), BLOCK_SIZE_BYTES);
}

static void sample_after_free(struct kernel *kernel)
{
    (void)kernel;
    uint8_t *block = new_block(BLOCK_SIZE_BYTES);
    kfree(block);
    write_beside(block, 0);
}

static const struct {
    const char *name;
    void (*run)(struct kernel *kernel);
} misuses[] = {
    {"heap-double-free", double_free},
    {"heap-double-free-later", double_free_later},
    {"heap-bad-pointer", interior_pointer},
    {"heap-unaligned-pointer", unaligned_pointer},
    {"heap-foreign-pointer", foreign_pointer},
    {"heap-early-pointer", early_pointer},
    {"heap-free-order", free_order},
    {"heap-overrun", overrun},
    {"heap-overrun-8", overrun_by_8},
    {"heap-underrun", underrun},
    {"heap-underrun-8", underrun_by_8},
    {"heap-write-after-free", write_after_free},
    {"heap-smashed-link", smashed_link},
    {"heap-leak", leak},
    {"heap-large-overrun", guarded_overrun},
    {"heap-large-underrun", guarded_underrun},
    {"heap-large-after-free", guarded_after_free},
    {"heap-large-double-free", guarded_double_free},
    {"heap-large-beside", guarded_beside},
    {"heap-sample-overrun", sample_overrun},
    {"heap-sample-after-free", sample_after_free},
};
#define MISUSE_COUNT (sizeof misuses / sizeof misuses[0])

const char *provoke_heap_name(size_t index)
{
    return index < MISUSE_COUNT ? misuses[index].name : NULL;
}

bool provoke_heap(struct kernel *kernel, const char *name)
{
    for (size_t i = 0; i < MISUSE_COUNT; i++) {
        if (text_equal(name, misuses[i].name)) {
            misuses[i].run(kernel);
            return true;
        }
    }
    return false;
}
