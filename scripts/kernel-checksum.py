#!/usr/bin/env python3
"""Write the checksum of a kernel into its note HANDOFF_NOTE_CHECKSUM, with which the loader finds a damaged kernel.

docs/HANDOFF.md describes the note and the checksum. Run it on the finished file: each later change of its loadable
bytes makes the checksum wrong."""

import struct
import sys
from pathlib import Path

import arguments

PT_LOAD, PT_NOTE = 1, 4
PF_X, PF_W = 1, 2
OWNER = b"Handoff\0"
CHECKSUM = 6
SEED, MULTIPLIER = 0x48616E646F666621, 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


class ElfError(Exception):
    """The file has no note for a checksum, or is no ELF file. The text has the reason."""


def program_headers(kernel):
    """Return [(type, flags, offset, address, file size, memory size, alignment)] of an ELF64 file."""
    if kernel[:6] != b"\x7fELF\x02\x01":
        raise ElfError("it is not an ELF file of 64 bits, little-endian")
    (table,) = struct.unpack_from("<Q", kernel, 32)
    (count,) = struct.unpack_from("<H", kernel, 56)
    rows = [struct.unpack_from("<IIQQQQQQ", kernel, table + 56 * row) for row in range(count)]
    return [(kind, flags, offset, address, file_size, size, alignment)
            for kind, flags, offset, address, _, file_size, size, alignment in rows]  # fmt: skip


def find_note(kernel, headers):
    """Return the offset of the value of the note."""
    for kind, _, offset, _, size, _, alignment in headers:
        step, place, end = (8 if alignment == 8 else 4), offset, offset + size
        while kind == PT_NOTE and place + 12 <= end:
            name_size, value_size, note_type = struct.unpack_from("<III", kernel, place)
            value = offset + -(-(place + 12 + name_size - offset) // step) * step
            if kernel[place + 12 : place + 12 + name_size] == OWNER and (note_type, value_size) == (CHECKSUM, 8):
                return value
            place = offset + -(-(value + value_size - offset) // step) * step
    raise ElfError("it has no note HANDOFF_NOTE_CHECKSUM")


def mix(state, word):
    state = ((state ^ word) * MULTIPLIER) & MASK
    return (state << 32 | state >> 32) & MASK


def checksum(kernel, headers, value):
    """Return the checksum of a file whose note has its value at this offset."""
    kernel = kernel[:value] + bytes(8) + kernel[value + 8 :]
    (entry,) = struct.unpack_from("<Q", kernel, 24)
    state = mix(SEED, entry)
    segments = sorted((row for row in headers if row[0] == PT_LOAD and row[5] != 0), key=lambda row: row[3])
    for _, flags, offset, address, file_size, size, _ in segments:
        permissions = (2 if flags & PF_W else 0) | (1 if flags & PF_X else 0)
        for word in (address, address + size, file_size, permissions):
            state = mix(state, word)
        content = kernel[offset : offset + file_size]
        for (word,) in struct.iter_unpack("<Q", content + bytes(-len(content) % 8)):
            state = mix(state, word)
    return state or 1


def main():
    parser = arguments.Parser(prog="kernel-checksum.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("kernel", type=Path, metavar="KERNEL", help="the file that is changed")
    path = parser.parse_args().kernel
    try:
        kernel = path.read_bytes()
        headers = program_headers(kernel)
        value = find_note(kernel, headers)
        with path.open("r+b") as file:
            file.seek(value)
            file.write(struct.pack("<Q", checksum(kernel, headers, value)))
    except (OSError, ElfError, struct.error) as error:
        sys.exit(f"kernel-checksum.py: {path}: {error}")


if __name__ == "__main__":
    main()
