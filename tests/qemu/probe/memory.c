#include "tests/qemu/probe/memory.h"

#include "tests/qemu/probe/arch/x86_64/cpu.h"
#include "tests/qemu/probe/block.h"
#include "tests/qemu/probe/image.h"

/* Large enough for pages without bytes in the file. No code writes to it. */
static volatile uint8_t zeros[3 * PAGE];

static void require_zero(struct promises *promises, const uint8_t *image, uint64_t start,
                         uint64_t end)
{
    for (uint64_t address = start; address < end; address++) {
        uint8_t byte = image[address - image_start()];
        promise_require(promises, byte == 0, "zeros where the file has no bytes", address);
    }
}

/* Read the image in the direct map, where the gaps are mapped too. */
void memory_check_image(const struct handoff *handoff, struct promises *promises)
{
    const uint8_t *image = block_pointer(handoff, handoff->kernel_physical_base);
    struct image_segment segments[IMAGE_SEGMENT_COUNT];
    image_segments(segments);

    promise_begin(promises, "bss-is-zero");
    for (uint64_t i = 0; i < sizeof(zeros); i++)
        promise_require(promises, zeros[i] == 0, "zero", i);
    promise_end(promises);

    promise_begin(promises, "page-tails-and-gaps-are-zero");
    uint64_t proven_to = image_start();
    for (unsigned i = 0; i < IMAGE_SEGMENT_COUNT; i++) {
        require_zero(promises, image, proven_to, segments[i].start);
        proven_to = segments[i].file_end;
    }
    require_zero(promises, image, proven_to, image_end());
    promise_end(promises);
}

static void check_heap(const struct handoff *handoff, struct promises *promises)
{
    volatile uint8_t *heap = block_pointer(handoff, handoff->temp_heap_base);
    uint64_t size_bytes = handoff->temp_heap_size;

    promise_begin(promises, "temporary-heap-is-memory");
    for (uint64_t page = 0; page < size_bytes; page += PAGE) {
        heap[page] = (uint8_t)(page / PAGE);
        heap[page + PAGE - 1] = (uint8_t) ~(page / PAGE);
    }
    for (uint64_t page = 0; page < size_bytes; page += PAGE) {
        promise_require_equal(promises, (uint8_t)(page / PAGE), heap[page]);
        promise_require_equal(promises, (uint8_t) ~(page / PAGE), heap[page + PAGE - 1]);
    }
    promise_end(promises);
}

/* More of the stack than the probe itself uses. */
#define STACK_IN_USE_BYTES 8192

static void check_stack(const struct handoff *handoff, struct promises *promises)
{
    volatile uint8_t *stack = (volatile uint8_t *)handoff->stack_virtual_base;
    volatile uint8_t *same = block_pointer(handoff, handoff->stack_physical_base);

    promise_begin(promises, "stack-is-memory");
    for (uint64_t i = 0; i < handoff->stack_size_bytes - STACK_IN_USE_BYTES; i++)
        stack[i] = (uint8_t)(i * 7);
    for (uint64_t i = 0; i < handoff->stack_size_bytes - STACK_IN_USE_BYTES; i++)
        promise_require_equal(promises, (uint8_t)(i * 7), same[i]);
    promise_end(promises);
}

void memory_check_use(const struct handoff *handoff, struct promises *promises)
{
    check_heap(handoff, promises);
    check_stack(handoff, promises);
}
