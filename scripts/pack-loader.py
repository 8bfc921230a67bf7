#!/usr/bin/env python3
"""Make the loader's file smaller, after the linker.

IMAGE is the loader as the linker wrote it. Its section .packed (shared/text/packed_text.h) keeps its addresses and its
size in memory, but no bytes in the file. It becomes writable, because the loader unpacks it there. The texts are packed
as bootloader/pure/unpack.c reads them, into the room at the end of .rdata that bootloader/packed_text.c reserves: in a
section of their own they would need a padding of their own. The headers lose the program for DOS. Equal images make
equal files.
"""

import struct
import sys
from pathlib import Path

import arguments

NAME = b".packed\0"
UNPACKED_LIMIT = 65536  # the buffer in bootloader/packed_text.c
ROOM_MARK = b"room for the packed texts\0"  # the begin of the room
ROOM_BYTES = 8192
READ_WRITE_ZEROS = 0xC0000080
FILE_ALIGNMENT = 512
DOS_HEADER_BYTES = 64
# Directories of data: the place in the optional header, the number of the relocations, and how many UEFI uses.
DIRECTORIES, RELOCATIONS, DIRECTORY_COUNT = 112, 5, 6


class PackError(Exception):
    """The image cannot be packed. The text has the reason."""


class Model:
    """What followed in the text so far: the model of bootloader/pure/unpack.c, with the same numbers."""

    CONTEXTS = range(5)
    SLOT_BITS = 17

    def __init__(self):
        self.tags = [0] * (1 << self.SLOT_BITS)
        self.counts = [bytearray(1 << self.SLOT_BITS), bytearray(1 << self.SLOT_BITS)]
        self.slots = [0] * len(self.CONTEXTS)
        self.last_bytes = [0] * len(self.CONTEXTS)  # the newest first
        self.bits = 1

    def totals(self):
        """Return the weights of a 0 and of a 1 as the next bit."""
        tags, (zeros, ones), slots = self.tags, self.counts, self.slots
        zero_total = one_total = 2
        number = self.bits * 0x9E3779B1 & 0xFFFFFFFF
        for i, byte in enumerate(self.last_bytes):
            slots[i] = slot = number >> 32 - self.SLOT_BITS
            if tags[slot] != number & 0xFFFF:
                tags[slot] = number & 0xFFFF
                zeros[slot] = ones[slot] = 0
            zero_total += zeros[slot] << 2 * i
            one_total += ones[slot] << 2 * i
            number = (number + byte + 1) * 0x9E3779B1 & 0xFFFFFFFF
        return zero_total, one_total

    def learn(self, bit):
        expected, other = self.counts[bit], self.counts[1 - bit]
        for slot in self.slots:
            expected[slot] = min(expected[slot] + 1, 255)
            other[slot] -= other[slot] // 4
        self.bits = self.bits * 2 + bit
        if self.bits > 0x7F:
            self.last_bytes = [self.bits & 0x7F, *self.last_bytes[:-1]]
            self.bits = 1


def pack_bytes(data):
    """Divide a range for each bit in the ratio of the totals. The first number of the last range stands for the text."""
    model = Model()
    first, size, byte_count = 0, 1, 0
    for byte in data:
        for shift in range(6, -1, -1):
            while size < 1 << 24:
                first, size, byte_count = first << 8, size << 8, byte_count + 1
            zero_total, one_total = model.totals()
            zeros = size * zero_total // (zero_total + one_total)
            bit = byte >> shift & 1
            first, size = (first + zeros, size - zeros) if bit else (first, zeros)
            model.learn(bit)
    return first.to_bytes(byte_count, "big")


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


def remove(image, place, byte_count):
    """Remove bytes from the file. What is behind them moves."""
    move_up(image, place + byte_count, byte_count)
    del image[place : place + byte_count]


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

    texts = bytes(image[place : place + min(size, raw_size)])
    if not texts.isascii():
        raise PackError("a packed text is not ASCII")
    remove(image, place, raw_size)
    struct.pack_into("<II", image, row + 16, 0, 0)
    struct.pack_into("<I", image, row + 36, READ_WRITE_ZEROS)
    put_into_room(image, pack_bytes(texts))


def put_into_room(image, packed):
    """Write the packed bytes over the room. The zeros behind them are not in the file."""
    room = image.find(ROOM_MARK)
    if room < 0:
        raise PackError("the image has no room for the packed texts")
    if len(packed) > ROOM_BYTES:
        raise PackError(f"the packed texts have {len(packed)} bytes, and the room has {ROOM_BYTES}")
    image[room : room + ROOM_BYTES] = packed + bytes(ROOM_BYTES - len(packed))

    row, *_, raw_size, place = next(one for one in read_sections(image) if one[5] <= room < one[5] + one[4])
    kept = len(image[place : place + raw_size].rstrip(b"\0"))
    kept += -kept % FILE_ALIGNMENT
    struct.pack_into("<I", image, row + 16, kept)
    remove(image, place + kept, raw_size - kept)


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
