/*
 * enter.h - the switch from the loader to the kernel, and the state that enter.S needs for it.
 */
#ifndef BOOTLOADER_ARCH_X86_64_ENTER_H
#define BOOTLOADER_ARCH_X86_64_ENTER_H

#include <stddef.h>
#include <stdint.h>

/* enter.S reads the fields at these offsets. */
struct enter_state {
    uint64_t page_table_root;
    uint64_t entry;     /* virtual */
    uint64_t handoff;   /* virtual: the kernel's first argument */
    uint64_t stack_top; /* virtual, 16-byte aligned */
    uint64_t efer;
    uint64_t cr4;
    uint64_t pat; /* 0: the CPU has none, and the MSR is not touched */
    /* For the switch of levels (level_switch.h); 0 if there is no such switch. */
    uint64_t level_switch;         /* physical, prepared */
    uint64_t switch_root;          /* of the switch tables */
    uint64_t handler_displacement; /* for descriptor_tables_move_up() */
    uint64_t switched;             /* called after the switch, with `context` */
    uint64_t context;
};
_Static_assert(offsetof(struct enter_state, page_table_root) == 0, "enter.S");
_Static_assert(offsetof(struct enter_state, entry) == 8, "enter.S");
_Static_assert(offsetof(struct enter_state, handoff) == 16, "enter.S");
_Static_assert(offsetof(struct enter_state, stack_top) == 24, "enter.S");
_Static_assert(offsetof(struct enter_state, efer) == 32, "enter.S");
_Static_assert(offsetof(struct enter_state, cr4) == 40, "enter.S");
_Static_assert(offsetof(struct enter_state, pat) == 48, "enter.S");
_Static_assert(offsetof(struct enter_state, level_switch) == 56, "enter.S");
_Static_assert(offsetof(struct enter_state, switch_root) == 64, "enter.S");
_Static_assert(offsetof(struct enter_state, handler_displacement) == 72, "enter.S");
_Static_assert(offsetof(struct enter_state, switched) == 80, "enter.S");
_Static_assert(offsetof(struct enter_state, context) == 88, "enter.S");

/* Put the CPU into the state that docs/HANDOFF.md promises, and jump to the kernel. First it
 * switches interrupts and both interrupt controllers off. Then it changes EFER, PAT, with
 * `level_switch` the number of levels, CR3, CR4, CR0, and the stack. Last come the FPU, debug,
 * segment-base and general registers. Preconditions: those of arch_enter_kernel(); *state is part
 * of the image. In the switch of levels, about twenty instructions run without fault handlers.
 */
_Noreturn void enter_kernel(const struct enter_state *state);

/* Return CR4 as docs/HANDOFF.md promises it. */
uint64_t enter_cr4(unsigned levels);

#endif
