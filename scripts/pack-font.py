#!/usr/bin/env python3
"""Pack the console font for the loader (bootloader/pure/packed_font.h).

IN has glyphs of 16 lines, one byte a line (scripts/console-font.py). In OUT each glyph is a number of 16 bits, and the
bytes of some lines. Bit i is 1 if line i differs from the line above it; the line above the first one is empty.
"""

import struct
from pathlib import Path

import arguments

HEIGHT = 16


def pack_glyph(glyph):
    lines = [(number, line) for number, line in enumerate(glyph) if line != (b"\0" + glyph)[number]]
    return struct.pack("<H", sum(1 << number for number, _ in lines)) + bytes(line for _, line in lines)


def main():
    parser = arguments.Parser(prog="pack-font.py", description=__doc__)
    parser.add_argument("font", type=arguments.readable_file, metavar="IN", help="the font")
    parser.add_argument("out", type=arguments.writable_file, metavar="OUT", help="the file to write")
    options = parser.parse_args()
    font = Path(options.font).read_bytes()
    glyphs = [font[at : at + HEIGHT] for at in range(0, len(font), HEIGHT)]
    Path(options.out).write_bytes(b"".join(map(pack_glyph, glyphs)))


if __name__ == "__main__":
    main()
