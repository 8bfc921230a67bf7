#include "kernel/diagnostics/interrupt_test.h"

#include <stddef.h>

#include "kernel/core/interrupts.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/core/panic.h"
#include "shared/memory.h"

#define OPERATION_COUNT UINT64_C(100000)
#define INTERRUPT_COUNT UINT64_C(1000)
/* The heap is locked most of the time, so this number of operations without a deferral is an error.
 */
#define OPERATION_LIMIT (100 * OPERATION_COUNT)
#define SLOT_COUNT      64
#define TIMER_PERIOD    50000

/* Blocks that one of the two sides holds. Each is filled with a byte of its own. */
struct user {
    uint64_t random;
    struct {
        uint8_t *bytes;
        size_t size_bytes;
        uint8_t fill;
    } slots[SLOT_COUNT];
    uint64_t step_count;
    uint64_t operation_count;
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void give_back(struct user *user, size_t slot)
{
    const uint8_t *bytes = user->slots[slot].bytes;
    for (size_t i = 0; i < user->slots[slot].size_bytes; i++) {
        if (bytes[i] != user->slots[slot].fill)
            panic(PANIC_SELF_TEST,
                  "interrupts: byte %zu of a block was overwritten by another owner", i);
    }
    kfree(user->slots[slot].bytes);
    user->slots[slot].bytes = NULL;
    user->operation_count++;
}

static uint8_t *allocate(size_t size_bytes)
{
    uint8_t *bytes = kmalloc(size_bytes);
    if (bytes == NULL)
        panic(PANIC_SELF_TEST, "interrupts: no memory for %zu bytes", size_bytes);
    return bytes;
}

/* Free the block of a slot, or allocate one for an empty slot. */
static void step(struct user *user)
{
    size_t slot = next_random(&user->random) % SLOT_COUNT;
    if (user->slots[slot].bytes != NULL) {
        give_back(user, slot);
        return;
    }
    size_t size_bytes = 1 + next_random(&user->random) % (user->step_count % 16 == 0 ? 8000 : 300);
    uint8_t *bytes = allocate(size_bytes);
    user->slots[slot].bytes = bytes;
    user->slots[slot].size_bytes = size_bytes;
    user->slots[slot].fill = (uint8_t)(user->step_count * 2 + (user->random & 1));
    memset(bytes, user->slots[slot].fill, size_bytes);
    user->step_count++;
    user->operation_count++;
}

static void give_back_all(struct user *user)
{
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        if (user->slots[slot].bytes != NULL)
            give_back(user, slot);
    }
}

static struct user interrupted = {.random = 1};
static struct user handler = {.random = 2};
static volatile uint64_t interrupt_count;

static void on_timer(void *context)
{
    interrupt_count++;
    step(context);
}

static bool is_enough(uint64_t deferred_before)
{
    if (interrupted.operation_count < OPERATION_COUNT || interrupt_count < INTERRUPT_COUNT)
        return false;
    if (cpu_current()->interrupts.deferred_count != deferred_before)
        return true;
    if (interrupted.operation_count > OPERATION_LIMIT)
        panic(PANIC_SELF_TEST, "interrupts: no interrupt arrived while the heap was locked");
    return false;
}

bool interrupt_test_run(struct heap *heap, struct timer *timer, struct address_space *space,
                        struct interrupt_test_result *ret_result)
{
    uint64_t deferred_before = cpu_current()->interrupts.deferred_count;
    interrupts_set_handler(INTERRUPT_TIMER, on_timer, &handler);
    if (!timer_start(timer, space, TIMER_PERIOD))
        return false;
    interrupts_allow();
    while (!is_enough(deferred_before))
        step(&interrupted);
    interrupts_forbid();
    timer_stop();

    give_back_all(&interrupted);
    give_back_all(&handler);
    const char *problem = heap_check(heap);
    if (problem != NULL)
        panic(PANIC_SELF_TEST, "interrupts: the heap's check: %s", problem);
    *ret_result = (struct interrupt_test_result){
        .operation_count = interrupted.operation_count,
        .interrupt_count = interrupt_count,
        .deferred_count = cpu_current()->interrupts.deferred_count - deferred_before,
    };
    return true;
}
