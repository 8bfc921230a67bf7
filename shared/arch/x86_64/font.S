/*
 * font.S - the bytes of console_font.h for the kernel, and of packed_font.h for the loader.
 */
#ifdef _WIN32 /* the target of a PE image; clang defines __ELF__ only where there is a system */
    .section .rdata, "dr"
    .globl packed_font
packed_font:
    .incbin "packed_font.bin"
#else
    .section .rodata, "a", @progbits
    .globl console_font
    .balign 16
console_font:
    .incbin "font.bin"
#endif

#ifndef _WIN32
    .section .note.GNU-stack, "", @progbits
#endif
