#!/usr/bin/env python3
"""Convert the output of `llvm-dwarfdump --debug-line` (standard input) to the assembly of the kernel's line table
(standard output). kernel/core/line_table.h describes the table. With empty input the table is empty: the first link of
the kernel uses it."""

import os
import re
import struct
import sys

import arguments

IMAGE_BASE = 0xFFFFFFFF80000000
# The parameters of kernel/core/line_table.c.
ADDRESS_ORDER, POSITION_ORDER, FILE_ORDER, LINE_ORDER = 3, 0, 7, 1
FILES_OF_UNIT_LIMIT = 64
DIRECTORY_LIMIT = 255


# --- Reading ----------------------------------------------------------------------------------------


class Unit:
    """The directories and files of one compiled file, as its line program names them."""

    def __init__(self):
        self.directories = {0: ""}
        self.files = {}
        self.number = None

    def read(self, line):
        """Take a line of the header."""
        if match := re.match(r'include_directories\[ *(\d+)\] = "(.*)"', line):
            self.directories[int(match[1])] = match[2]
        elif match := re.match(r"file_names\[ *(\d+)\]:", line):
            self.number = int(match[1])
        elif match := re.match(r' +name: "(.*)"', line):
            self.files[self.number] = match[1]
        elif match := re.match(r" +dir_index: (\d+)", line):
            self.files[self.number] = self.path(int(match[1]), self.files[self.number])

    def path(self, directory, name):
        """Return a path that is relative to the folder of the build, if it is below it."""
        top = self.directories[0]
        path = os.path.normpath(os.path.join(top, self.directories[directory], name))
        return path.removeprefix(f"{top}/")


def read_sequences(lines):
    """Return a list of [(address, line, path)] for each unit of code. The rows of a unit are in order."""
    unit, rows, sequences = Unit(), [], []
    for text in lines:
        if text.startswith("debug_line["):
            unit = Unit()
        elif not text.startswith("0x"):
            unit.read(text)
        else:
            address, line, _, file, *_ = text.split()
            if "end_sequence" not in text:
                rows.append((int(address, 16), int(line), unit.files[int(file)]))
            else:
                sequences.append(rows)
                rows = []
    return sorted(rows for rows in sequences if rows)


def without_repeats(rows):
    """Of rows with one address the last one counts. Line 0 is the compiler's own code: it belongs to the line before."""
    kept = []
    for row in rows:
        if row[1] == 0:
            continue
        if kept and kept[-1][0] == row[0]:
            kept.pop()
        if not kept or kept[-1][1:] != row[1:]:
            kept.append(row)
    return kept


# --- Writing ----------------------------------------------------------------------------------------


def coded(number, order):
    """Return the bits of a number as an exponential Golomb code."""
    shifted = number + (1 << order)
    return "0" * (shifted.bit_length() - 1 - order) + f"{shifted:b}"


def coded_rows(rows, numbers):
    """Return the bytes of a unit's rows."""
    bits, recent, last_address = "", [], rows[0][0]
    for address, line, path in rows:
        bits += coded(address - last_address, ADDRESS_ORDER)
        last_address = address
        position = next((i for i, (name, _) in enumerate(recent) if name == path), len(recent))
        bits += coded(position, POSITION_ORDER)
        if position == len(recent):
            bits += coded(numbers[path], FILE_ORDER)
            last_line = 0
        else:
            _, last_line = recent.pop(position)
        recent.insert(0, (path, line))
        difference = line - last_line
        bits += coded(2 * difference if difference >= 0 else -2 * difference - 1, LINE_ORDER)
    if len(recent) > FILES_OF_UNIT_LIMIT:
        sys.exit(f"kernel-lines.py: {rows[0][2]} has code of {len(recent)} files: raise LINE_TABLE_FILE_LIMIT")
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def coded_names(paths):
    """Return the bytes of the directories and files."""
    directories = sorted({os.path.dirname(path) for path in paths})
    if len(directories) > DIRECTORY_LIMIT:
        sys.exit("kernel-lines.py: there are more than 255 directories")
    names = bytes([len(directories)])
    names += b"".join(name.encode() + b"\0" for name in directories)
    for path in paths:
        names += bytes([directories.index(os.path.dirname(path))]) + os.path.basename(path).encode() + b"\0"
    return names


def line_table(sequences):
    """Return the bytes of the table."""
    units = [rows for rows in map(without_repeats, sequences) if rows]
    paths = sorted({path for rows in units for _, _, path in rows})
    numbers = {path: number for number, path in enumerate(paths)}
    index, code = b"", b""
    for rows in units:
        index += struct.pack("<II", rows[0][0] - IMAGE_BASE, len(code))
        code += coded_rows(rows, numbers)
    names = coded_names(paths)
    size = 16 + len(index) + len(code) + len(names)
    return struct.pack("<IIII", size, len(units), len(code), len(paths)) + index + code + names


def main():
    arguments.Parser(prog="kernel-lines.py", description=__doc__).parse_args()
    table = line_table(read_sequences(sys.stdin))
    print('    .section .symbols, "a", @progbits')
    print("    .balign 8")
    print("    .globl kernel_line_table")
    print("kernel_line_table:")
    for start in range(0, len(table), 32):
        print("    .byte " + ",".join(str(byte) for byte in table[start : start + 32]))


if __name__ == "__main__":
    main()
