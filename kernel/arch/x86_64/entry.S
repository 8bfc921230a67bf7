/* entry.S - the kernel's first instructions.
 *
 * State at kernel_entry: docs/HANDOFF.md, "The CPU at entry".
 */
    .section .text.entry, "ax", @progbits
    .globl kernel_entry
    .type kernel_entry, @function
kernel_entry:
    /* RDI: virtual address of struct handoff. The frame-pointer chain ends here. */
    xorl %ebp, %ebp
    call kernel_main
    ud2
    /* With a size, debuggers prefer this name to the linker script's for the same address. */
    .size kernel_entry, . - kernel_entry
