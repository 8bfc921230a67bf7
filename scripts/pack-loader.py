#!/usr/bin/env python3
"""Make the loader's file smaller, after the linker.

IMAGE is the loader as the linker wrote it. Its section .packed (shared/text/packed_text.h) keeps its addresses and its
size in memory. Its bytes in the file become one block of deflate (RFC 1951), and the section becomes writable, because
the loader unpacks it there. The headers lose the program for DOS. Equal images make equal files, with one version of
zlib.
"""

import struct
import sys
import zlib
from pathlib import Path

import arguments

NAME = b".packed\0"
UNPACKED_LIMIT = 65536  # the buffer in bootloader/packed_text.c
READ_WRITE_DATA = 0xC0000040
DYNAMIC_BLOCK = 0b101  # the last block, with codes of its own: bootloader/pure/inflate.c reads no other
FILE_ALIGNMENT = 512
DOS_HEADER_BYTES = 64
# Directories of data: the place in the optional header, the number of the relocations, and how many UEFI uses.
DIRECTORIES, RELOCATIONS, DIRECTORY_COUNT = 112, 5, 6


class PackError(Exception):
    """The image cannot be packed. The text has the reason."""


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    packed = packer.compress(data) + packer.flush()
    if packed[0] & 7 != DYNAMIC_BLOCK:
        raise PackError("zlib did not make one block with codes of its own")
    return packed


def read_sections(image):
    """Return [(place of the row, name, memory size, address, size in the file, place in the file)]."""
    headers, = struct.unpack_from("<I", image, 0x3C)
    count, optional_bytes = struct.unpack_from("<4x2xH12xH", image, headers)
    rows = [headers + 24 + optional_bytes + 40 * number for number in range(count)]
    return [(row, bytes(image[row : row + 8]), *struct.unpack_from("<4I", image, row + 8)) for row in rows]


def move_up(image, end, saved):
    """Correct the headers: what begins at `end` or behind it is `saved` bytes nearer to the begin of the file."""
    headers, = struct.unpack_from("<I", image, 0x3C)
    symbols, = struct.unpack_from("<I", image, headers + 12)
    if symbols >= end:
        struct.pack_into("<I", image, headers + 12, symbols - saved)
    for row, *_, place in read_sections(image):
        if place >= end:
            struct.pack_into("<I", image, row + 20, place - saved)


def relocated_addresses(image, sections):
    """Yield each address that firmware changes when it moves the image."""
    headers, = struct.unpack_from("<I", image, 0x3C)
    address, size = struct.unpack_from("<II", image, headers + 24 + DIRECTORIES + 8 * RELOCATIONS)
    where = next((place + address - start for _, _, _, start, length, place in sections
                  if start <= address < start + length), 0)  # fmt: skip
    end = where + size
    while where < end:
        page, block = struct.unpack_from("<II", image, where)
        for entry in struct.unpack_from(f"<{(block - 8) // 2}H", image, where + 8):
            if entry >> 12:
                yield page + (entry & 0xFFF)
        where += block


def pack_texts(image):
    """Compress the section .packed."""
    sections = read_sections(image)
    found = next((section for section in sections if section[1] == NAME), None)
    if found is None:
        raise PackError("the image has no section .packed")
    row, _, size, address, raw_size, place = found
    if size > UNPACKED_LIMIT:
        raise PackError(f"the texts have {size} bytes, and the loader has a buffer of {UNPACKED_LIMIT}")
    if any(address <= target < address + size for target in relocated_addresses(image, sections)):
        raise PackError("a packed text contains a pointer")

    packed = deflate(bytes(image[place : place + min(size, raw_size)]))
    packed += bytes(-len(packed) % FILE_ALIGNMENT)
    struct.pack_into("<I", image, row + 16, len(packed))
    struct.pack_into("<I", image, row + 36, READ_WRITE_DATA)
    move_up(image, place + raw_size, raw_size - len(packed))
    image[place : place + raw_size] = packed


def pack_headers(image):
    """Leave out the program for DOS, and the directories that UEFI does not use. Then 512 bytes are enough."""
    headers, = struct.unpack_from("<I", image, 0x3C)
    optional_bytes, = struct.unpack_from("<H", image, headers + 20)
    old_bytes, = struct.unpack_from("<I", image, headers + 24 + 60)
    struct.pack_into("<H", image, headers + 20, DIRECTORIES + 8 * DIRECTORY_COUNT)
    struct.pack_into("<I", image, headers + 24 + DIRECTORIES - 4, DIRECTORY_COUNT)
    used = image[headers : headers + 24 + DIRECTORIES + 8 * DIRECTORY_COUNT]
    table = image[headers + 24 + optional_bytes :][: 40 * struct.unpack_from("<H", image, headers + 6)[0]]
    short = image[:DOS_HEADER_BYTES] + used + table
    short += bytes(-len(short) % FILE_ALIGNMENT)
    struct.pack_into("<I", short, 0x3C, DOS_HEADER_BYTES)
    struct.pack_into("<I", short, DOS_HEADER_BYTES + 24 + 60, len(short))
    image[:old_bytes] = short
    move_up(image, old_bytes, old_bytes - len(short))


def pack(image):
    image = bytearray(image)
    pack_texts(image)
    pack_headers(image)
    return bytes(image)


def main():
    parser = arguments.Parser(prog="pack-loader.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the file that is changed")
    path = parser.parse_args().image
    try:
        path.write_bytes(pack(path.read_bytes()))
    except (OSError, PackError, struct.error) as error:
        sys.exit(f"pack-loader.py: {path}: {error}")


if __name__ == "__main__":
    main()
