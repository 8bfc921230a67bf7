#!/usr/bin/env python3
"""Convert the output of `nm --numeric-sort` (standard input) to the assembly of the kernel's symbol table (standard
output). kernel/core/symbols.h describes the table. It contains only functions, because a backtrace names nothing else.
The boundaries of the linker script are not functions, though they have addresses of functions. With empty input the
table is empty: the first link of the kernel uses it."""

import re
import sys

import arguments

IMAGE_BASE = 0xFFFFFFFF80000000
# The names in kernel.ld for the start and the end of the image and of its parts.
BOUNDARY = re.compile(r"kernel_(image|text|rodata|data|symbols)_(start|end|entry)")


def read_functions(lines):
    functions = []
    for line in lines:
        address, kind, name = line.split()
        if kind in "tT" and not BOUNDARY.fullmatch(name):
            functions.append((int(address, 16), name))
    return functions


def main():
    arguments.Parser(prog="kernel-symbols.py", description=__doc__).parse_args()
    functions = read_functions(sys.stdin)
    print('    .section .symbols, "a", @progbits')
    print("    .balign 8")
    print("    .globl kernel_symbol_table")
    print("kernel_symbol_table:")
    print(f"    .quad {IMAGE_BASE:#x}")
    print(f"    .long {len(functions)}")
    print("    .long 0")
    name_offset = 0
    for address, name in functions:
        print(f"    .long {address - IMAGE_BASE:#x}, {name_offset}")
        name_offset += len(name) + 1
    for _, name in functions:
        print(f'    .asciz "{name}"')


if __name__ == "__main__":
    main()
