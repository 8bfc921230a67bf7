/* Make wrong accesses to the heap on purpose. Only a kernel with KASAN=1 has this file. */
#include "kernel/mm/kmalloc.h"
#include "kernel/core/panic.h"
#include "kernel/diagnostics/sanitizer/address.h"
#include "shared/memory.h"
#include "shared/text/text.h"

#define BLOCK_BYTES 24u

static volatile uint8_t seen;
static volatile size_t one_behind = BLOCK_BYTES;

static volatile uint8_t *new_block(void)
{
    volatile uint8_t *block = kmalloc(BLOCK_BYTES);
    kernel_assert(block != NULL);
    return block;
}

static void read_behind(void)
{
    seen = new_block()[one_behind];
}

static void write_behind(void)
{
    new_block()[one_behind] = 1;
}

static void write_before(void)
{
    *(new_block() - (one_behind - BLOCK_BYTES + 1)) = 1;
}

static void read_freed(void)
{
    volatile uint8_t *block = new_block();
    kfree((void *)(uintptr_t)block);
    seen = block[3];
}

static void copy_behind(void)
{
    uint8_t text[BLOCK_BYTES + 8] = {1};
    memcpy((void *)(uintptr_t)new_block(), text, one_behind + 8);
}

static const struct {
    const char *name;
    void (*run)(void);
} wrong[] = {
    {"access-read-behind", read_behind},   {"access-write-behind", write_behind},
    {"access-write-before", write_before}, {"access-read-freed", read_freed},
    {"access-copy-behind", copy_behind},
};
#define WRONG_COUNT (sizeof wrong / sizeof wrong[0])

const char *address_provoke_name(size_t index)
{
    return index < WRONG_COUNT ? wrong[index].name : NULL;
}

bool address_provoke(const char *name)
{
    for (size_t i = 0; i < WRONG_COUNT; i++) {
        if (text_equal(name, wrong[i].name)) {
            wrong[i].run();
            return true;
        }
    }
    return false;
}
