/*
 * backtrace.c - the chain of frame pointers, followed with suspicion, and the registers in print.
 */
#include "kernel/arch.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/core/image.h"
#include "kernel/core/log.h"
#include "shared/direct_map.h"

/* The compiler's frame: the caller's RBP, then the return address (System V ABI, 3.2.2). */
struct stack_frame {
    uint64_t previous;
    uint64_t return_address;
};

/* No kernel stack is larger: a chain that leaves this many bytes above its start has left its
 * stack. */
#define STACK_SPAN_BYTES (UINT64_C(64) * 1024)

static bool is_kernel_text(uint64_t address)
{
    return address >= (uint64_t)kernel_text_start && address < (uint64_t)kernel_text_end;
}

static uint64_t *access_through_direct_map(void *context, struct phys_addr table)
{
    const struct page_table_features *features = context;
    return (uint64_t *)(direct_map_base(features->levels) + table.value);
}

/* Asks the live tables, so that a wild frame pointer is judged instead of followed. */
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

/* A call through a bad pointer stops before the frame of what was called exists: its return address
 * is the top of the stack. */
static void visit_bad_call(const struct arch_registers *registers,
                           void (*visit)(uint64_t return_address))
{
    if (is_kernel_text(registers->rip) || registers->rsp % 8 != 0 || !is_readable(registers->rsp))
        return;
    uint64_t return_address = *(const uint64_t *)registers->rsp;
    if (is_kernel_text(return_address))
        visit(return_address);
}

void arch_walk_stack(const struct arch_registers *registers, unsigned limit,
                     void (*visit)(uint64_t return_address))
{
    uint64_t frame_pointer = registers->rbp;
    visit_bad_call(registers, visit);
    uint64_t lowest = frame_pointer;
    uint64_t highest = frame_pointer + STACK_SPAN_BYTES;

    for (unsigned depth = 0; depth < limit; depth++) {
        if (frame_pointer < lowest || frame_pointer > highest || frame_pointer % 8 != 0 ||
            !is_readable(frame_pointer) || !is_readable(frame_pointer + 8))
            return;
        const struct stack_frame *frame = (const struct stack_frame *)frame_pointer;
        if (!is_kernel_text(frame->return_address))
            return;
        visit(frame->return_address);
        lowest = frame_pointer + sizeof *frame;
        frame_pointer = frame->previous;
    }
}

static void print_four(const char *const names[4], const uint64_t values[4])
{
    log_raw("[panic] %-3s %016llx  %-3s %016llx  %-3s %016llx  %-3s %016llx\n", names[0],
            (unsigned long long)values[0], names[1], (unsigned long long)values[1], names[2],
            (unsigned long long)values[2], names[3], (unsigned long long)values[3]);
}

void arch_print_registers(const struct arch_registers *r)
{
    print_four((const char *const[]){"rax", "rbx", "rcx", "rdx"},
               (const uint64_t[]){r->rax, r->rbx, r->rcx, r->rdx});
    print_four((const char *const[]){"rsi", "rdi", "rbp", "rsp"},
               (const uint64_t[]){r->rsi, r->rdi, r->rbp, r->rsp});
    print_four((const char *const[]){"r8", "r9", "r10", "r11"},
               (const uint64_t[]){r->r8, r->r9, r->r10, r->r11});
    print_four((const char *const[]){"r12", "r13", "r14", "r15"},
               (const uint64_t[]){r->r12, r->r13, r->r14, r->r15});
    print_four((const char *const[]){"rip", "rfl", "cr2", "cr3"},
               (const uint64_t[]){r->rip, r->rflags, cr2_read(), cr3_read()});
}
