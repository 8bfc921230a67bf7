#!/usr/bin/env python3
"""Compress the section .packed of a PE image in place (shared/text/packed_text.h).

IMAGE is the loader as the linker wrote it. The section keeps its addresses and its size in memory. Its bytes in the
file become one block of deflate (RFC 1951), and the rest of the file moves up. The section becomes writable, because
the loader unpacks it there. Equal images make equal files, with one version of zlib.
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
RELOCATION_DIRECTORY = 5


class PackError(Exception):
    """The image cannot be packed. The text has the reason."""


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    packed = packer.compress(data) + packer.flush()
    if packed[0] & 7 != DYNAMIC_BLOCK:
        raise PackError("zlib did not make one block with codes of its own")
    return packed


def relocated_addresses(image, sections, directory_offset):
    """Yield each address that firmware changes when it moves the image."""
    address, size = struct.unpack_from("<II", image, directory_offset)
    where = next((raw + address - start for start, length, raw in sections if start <= address < start + length), 0)
    end = where + size
    while where < end:
        page, block = struct.unpack_from("<II", image, where)
        for entry in struct.unpack_from(f"<{(block - 8) // 2}H", image, where + 8):
            if entry >> 12:
                yield page + (entry & 0xFFF)
        where += block


def pack(image):
    image = bytearray(image)
    headers, = struct.unpack_from("<I", image, 0x3C)
    count, symbols, optional_bytes = struct.unpack_from("<4x2xH4xI4xH", image, headers)
    file_alignment, = struct.unpack_from("<I", image, headers + 24 + 36)
    table = headers + 24 + optional_bytes
    places = [table + 40 * number for number in range(count)]
    place = next((place for place in places if image[place : place + 8] == NAME), None)
    if place is None:
        raise PackError("the image has no section .packed")

    size, address, raw_size, raw = struct.unpack_from("<4I", image, place + 8)
    sections = [struct.unpack_from("<II4xI", image, at + 8) for at in places]
    sections = [(start, length, offset) for length, start, offset in sections]
    if size > UNPACKED_LIMIT:
        raise PackError(f"the texts have {size} bytes, and the loader has a buffer of {UNPACKED_LIMIT}")
    for target in relocated_addresses(image, sections, headers + 24 + 112 + 8 * RELOCATION_DIRECTORY):
        if address <= target < address + size:
            raise PackError("a packed text contains a pointer")

    packed = deflate(bytes(image[raw : raw + min(size, raw_size)]))
    packed += bytes(-len(packed) % file_alignment)
    saved = raw_size - len(packed)
    struct.pack_into("<I", image, place + 16, len(packed))
    struct.pack_into("<I", image, place + 36, READ_WRITE_DATA)
    for at in places:
        offset, = struct.unpack_from("<I", image, at + 20)
        if offset > raw:
            struct.pack_into("<I", image, at + 20, offset - saved)
    if symbols > raw:
        struct.pack_into("<I", image, headers + 12, symbols - saved)
    image[raw : raw + raw_size] = packed
    return bytes(image)


def main():
    parser = arguments.Parser(prog="pack-texts.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the file that is changed")
    path = parser.parse_args().image
    try:
        path.write_bytes(pack(path.read_bytes()))
    except (OSError, PackError, struct.error) as error:
        sys.exit(f"pack-texts.py: {path}: {error}")


if __name__ == "__main__":
    main()
