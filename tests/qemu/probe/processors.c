#include "tests/qemu/probe/processors.h"

#include "tests/qemu/probe/block.h"

#define WINDOW           UINT64_C(0xffffff0080000000)
#define STACKS           UINT64_C(0xffffff0080400000)
#define WINDOW_END       UINT64_C(0xffffff00c0000000)
#define STACK_SIZE_BYTES UINT64_C(16384)
#define ID_NONE          UINT64_C(0xffffffff)

static const struct handoff_processor *processor_at(const struct handoff *handoff, uint32_t index)
{
    return block_pointer(handoff, handoff->processors.first +
                                      (uint64_t)index * handoff->processors.stride_bytes);
}

static bool is_parked(const struct handoff *handoff, uint64_t physical, uint64_t size_bytes)
{
    return size_bytes <= handoff->parking.size_bytes && physical >= handoff->parking.base &&
           physical - handoff->parking.base <= handoff->parking.size_bytes - size_bytes;
}

bool processors_own(const struct handoff *handoff, const struct page_leaf *leaf)
{
    return leaf->virtual >= WINDOW && leaf->virtual < WINDOW_END &&
           is_parked(handoff, leaf->physical, leaf->size_bytes) &&
           (leaf->virtual >= STACKS ||
            leaf->virtual - WINDOW == leaf->physical - handoff->parking.base);
}

static void check_list(const struct handoff *handoff, struct promises *promises)
{
    uint32_t boot_count = 0;
    promise_begin(promises, "processors-are-listed-once");
    for (uint32_t i = 0; i < handoff->processors.count; i++) {
        const struct handoff_processor *processor = processor_at(handoff, i);
        boot_count += (processor->flags & HANDOFF_PROCESSOR_BOOT) != 0;
        promise_require(promises, processor->hardware_id < ID_NONE, "an ID of 32 bits",
                        processor->hardware_id);
        promise_require(promises, processor->flags < 3, "known flags, and not both",
                        processor->flags);
        for (uint32_t j = 0; j < i; j++)
            promise_require(promises,
                            processor_at(handoff, j)->hardware_id != processor->hardware_id,
                            "an ID that no other processor has", processor->hardware_id);
        for (unsigned j = 0; j < 3; j++)
            promise_require_equal(promises, 0, processor->reserved[j]);
    }
    promise_require_equal(promises, 1, boot_count);
    promise_end(promises);
}

static void require_stack(const struct handoff *handoff, struct promises *promises, uint64_t base)
{
    struct page_leaf leaf;
    for (uint64_t page = base; page < base + STACK_SIZE_BYTES; page += PAGE)
        promise_require(promises,
                        page_walk_find(handoff, page, &leaf) && leaf.write &&
                            processors_own(handoff, &leaf),
                        "a writable page of the parking block", page);
    promise_require(promises, !page_walk_find(handoff, base - PAGE, &leaf),
                    "no page below the stack", base);
}

static void check_waiting(const struct handoff *handoff, struct promises *promises,
                          const struct handoff_processor *processor)
{
    const struct handoff_mailbox *mailbox = block_pointer(handoff, processor->mailbox);
    bool lies_there = processor->mailbox % 64 == 0 && is_parked(handoff, processor->mailbox, 64);
    promise_require(promises, lies_there, "a mailbox in the parking block", processor->mailbox);
    if (!lies_there)
        return;
    promise_require_equal(promises, HANDOFF_MAILBOX_WAITS, mailbox->state);
    promise_require_equal(promises, 0, mailbox->entry);
    promise_require_equal(promises, 0, mailbox->reserved_0 | mailbox->reserved_1);
    promise_require_equal(promises, handoff->arch.x86_64.page_table_root, mailbox->page_table_root);
    promise_require_equal(promises, processor->stack_virtual_base + processor->stack_size_bytes,
                          mailbox->stack_top);
    promise_require_equal(promises, STACK_SIZE_BYTES, processor->stack_size_bytes);
    require_stack(handoff, promises, processor->stack_virtual_base);
}

static void check_mailboxes(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "processors-wait-at-their-mailboxes");
    for (uint32_t i = 0; i < handoff->processors.count; i++) {
        const struct handoff_processor *processor = processor_at(handoff, i);
        if ((processor->flags & HANDOFF_PROCESSOR_STARTED) != 0)
            check_waiting(handoff, promises, processor);
        else
            promise_require_equal(promises, 0,
                                  processor->mailbox | processor->stack_virtual_base |
                                      processor->stack_size_bytes);
    }
    promise_end(promises);
}

/* Only the code can be executed, and only the rest can be written. */
static void check_window(const struct handoff *handoff, struct promises *promises)
{
    bool no_execute = (handoff->arch.x86_64.flags & HANDOFF_X86_64_NO_EXECUTE) != 0;
    struct page_leaf leaf;
    promise_begin(promises, "processors-code-is-mapped");
    if (handoff->parking.size_bytes != 0) {
        promise_require(promises,
                        page_walk_find(handoff, WINDOW, &leaf) && leaf.execute && !leaf.write &&
                            leaf.physical == handoff->parking.base,
                        "the code page at the start of the window", WINDOW);
        promise_require(promises,
                        page_walk_find(handoff, WINDOW + PAGE, &leaf) && leaf.write &&
                            !(leaf.execute && no_execute),
                        "a data page behind it", WINDOW + PAGE);
    }
    promise_end(promises);
}

void processors_check(const struct handoff *handoff, struct promises *promises)
{
    check_list(handoff, promises);
    check_mailboxes(handoff, promises);
    check_window(handoff, promises);
}
