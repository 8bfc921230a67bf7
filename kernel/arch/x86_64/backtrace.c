/*
 * backtrace.c - walk the chain of frame pointers. Every pointer is checked before it is followed.
 */
#include "kernel/arch.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/core/image.h"
#include "shared/direct_map.h"

/* The compiler's frame: the caller's RBP, then the return address (System V ABI, 3.2.2). */
struct stack_frame {
    uint64_t previous;
    struct virt_addr return_address;
};

/* No kernel stack is larger. A frame that lies further above the start of the chain is outside of
 * the stack. */
#define STACK_SPAN_BYTES (UINT64_C(64) * 1024)

static uint64_t *access_through_direct_map(void *context, struct phys_addr table)
{
    const struct page_table_features *features = context;
    return (uint64_t *)virt_addr_add(direct_map_base(features->levels), table.value).value;
}

/* Check the live tables, so that a wild frame pointer ends the walk and does not fault. */
static bool is_readable(uint64_t address)
{
    struct page_table_features features;
    arch_page_features(&features);
    const struct page_table live = {
        .root = arch_page_table_root(),
        .upper_root = arch_page_table_root(),
        .features = features,
        .memory = {.context = &features, .access_table = access_through_direct_map},
    };
    struct page_mapping mapping;
    return page_table_lookup(&live, virt_addr(address), &mapping) == PAGE_TABLE_OK;
}

/* A call through a bad pointer faults before the called function has a frame. So the return address
 * is at the top of the stack. */
static void visit_bad_call(const struct arch_registers *registers,
                           void (*visit)(void *context, struct virt_addr return_address),
                           void *context)
{
    if (image_is_code(virt_addr(registers->rip)) || registers->rsp % 8 != 0 ||
        !is_readable(registers->rsp))
        return;
    struct virt_addr return_address = virt_addr(*(const uint64_t *)registers->rsp);
    if (image_is_code(return_address))
        visit(context, return_address);
}

void arch_walk_stack(const struct arch_registers *registers, unsigned limit,
                     void (*visit)(void *context, struct virt_addr return_address), void *context)
{
    uint64_t frame_pointer = registers->rbp;
    visit_bad_call(registers, visit, context);
    uint64_t lowest = frame_pointer;
    uint64_t highest = frame_pointer + STACK_SPAN_BYTES;

    for (unsigned depth = 0; depth < limit; depth++) {
        if (frame_pointer < lowest || frame_pointer > highest || frame_pointer % 8 != 0 ||
            !is_readable(frame_pointer) || !is_readable(frame_pointer + 8))
            return;
        const struct stack_frame *frame = (const struct stack_frame *)frame_pointer;
        if (!image_is_code(frame->return_address))
            return;
        visit(context, frame->return_address);
        lowest = frame_pointer + sizeof *frame;
        frame_pointer = frame->previous;
    }
}
