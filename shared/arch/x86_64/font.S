/*
 * font.S - the bytes of console_font.h, for the loader's PE image and the kernel's ELF alike.
 */
#ifdef _WIN32 /* the target of a PE image; clang defines __ELF__ only where there is a system */
    .section .rdata, "dr"
#else
    .section .rodata, "a", @progbits
#endif
    .globl console_font
    .balign 16
console_font:
    .incbin "font.bin"

#ifndef _WIN32
    .section .note.GNU-stack, "", @progbits
#endif
