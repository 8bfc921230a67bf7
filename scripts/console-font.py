#!/usr/bin/env python3
"""Write the console font that the build embeds.

OUT gets the glyphs of the 95 printable ASCII characters (0x20 to 0x7e). Each has 8 x 16 pixels, in 16 bytes. They
come from a console font of the distribution (PSF 1 or 2, plain or gzip), so the project ships no font.
CONSOLE_FONT=FILE names another 8 x 16 font.
"""

import gzip
import os
import pathlib
import struct
import sys

import arguments

# Unifont is the first choice, because it has the same glyphs on every distribution. The other fonts are
# those that a distribution installs in any case.
FOLDERS = [
    "/usr/share/consolefonts",  # Debian, Ubuntu, openSUSE (older)
    "/usr/lib/kbd/consolefonts",  # Fedora
    "/usr/share/kbd/consolefonts",  # Arch, openSUSE
    "/opt/homebrew/share/consolefonts",
    "/usr/local/share/consolefonts",
]
NAMES = [
    "Unifont-APL8x16.psf.gz",
    "default8x16.psfu.gz",
    "default8x16.psf.gz",
    "Lat15-VGA16.psf.gz",
    "lat0-16.psfu.gz",
    "lat1-16.psfu.gz",
    "eurlatgr.psfu.gz",
    "Lat15-Fixed16.psf.gz",
]
PACKAGES = (
    "psf-unifont or console-setup-linux (Debian, Ubuntu), kbd (Fedora, Arch, openSUSE);"
    " or set CONSOLE_FONT to an 8x16 PSF font"
)

WIDTH, HEIGHT = 8, 16
FIRST, LAST = 0x20, 0x7E

PSF1_MAGIC = b"\x36\x04"
PSF1_MODE_512, PSF1_MODE_TABLES = 0x01, 0x06
PSF2_MAGIC = b"\x72\xb5\x4a\x86"
PSF2_HAS_TABLE = 0x01


class FontError(Exception):
    """The file is not a usable font. The text has the reason."""


def parse_psf1(data):
    """Return (glyphs, {character: glyph index}) of a PSF 1 font. None replaces an absent table."""
    mode, height = data[2], data[3]
    count = 512 if mode & PSF1_MODE_512 else 256
    glyphs = cut_glyphs(data, 4, count, 8, height, height)
    if not mode & PSF1_MODE_TABLES:
        return glyphs, None
    table, index = {}, 0
    words = data[4 + count * height :]
    in_sequence = False
    for (code,) in struct.iter_unpack("<H", words[: len(words) // 2 * 2]):
        if code == 0xFFFF:
            index, in_sequence = index + 1, False
        elif code == 0xFFFE:
            in_sequence = True
        elif not in_sequence:
            table.setdefault(code, index)
    return glyphs, table


def parse_psf2(data):
    """Do the same for PSF 2. Its table is UTF-8 with 0xFF and 0xFE as separators."""
    if len(data) < 32:
        raise FontError("the header is incomplete")
    offset, flags, count, size, height, width = struct.unpack_from("<6I", data, 8)
    glyphs = cut_glyphs(data, offset, count, width, height, size)
    if not flags & PSF2_HAS_TABLE:
        return glyphs, None
    table = {}
    for index, entry in enumerate(data[offset + count * size :].split(b"\xff")):
        for character in entry.split(b"\xfe")[0].decode("utf-8", "replace"):
            table.setdefault(ord(character), index)
    return glyphs, table


def cut_glyphs(data, offset, count, width, height, size):
    if (width, height, size) != (WIDTH, HEIGHT, HEIGHT):
        raise FontError(f"{width}x{height} pixels, not {WIDTH}x{HEIGHT}")
    if offset + count * size > len(data):
        raise FontError("the glyphs are incomplete")
    return [data[offset + i * size : offset + (i + 1) * size] for i in range(count)]


def ascii_glyphs(data):
    """Return the 95 glyphs from the bytes of a font file."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:2] == PSF1_MAGIC and len(data) >= 4:
        glyphs, table = parse_psf1(data)
    elif data[:4] == PSF2_MAGIC:
        glyphs, table = parse_psf2(data)
    else:
        raise FontError("it is not a PSF font")

    result = b""
    for code in range(FIRST, LAST + 1):
        index = code if table is None else table.get(code)
        if index is None or index >= len(glyphs):
            raise FontError(f"no glyph for {chr(code)!r}")
        result += glyphs[index]
    return result


def candidates():
    named = os.environ.get("CONSOLE_FONT")
    if named and not os.path.isfile(named):
        sys.exit(f"CONSOLE_FONT={named} is not a file{arguments.tilde_advice(named)}")
    if named:
        return [pathlib.Path(named)]
    return [pathlib.Path(folder) / name for name in NAMES for folder in FOLDERS]


def parse_arguments():
    parser = arguments.Parser(prog="console-font.py", description=__doc__)
    parser.add_argument("out", type=arguments.writable_file, metavar="OUT", help="the file to write")
    return parser.parse_args()


def write(path, glyphs):
    """Replace the file in one step, so that another build at the same time never reads half of it."""
    if not path.is_file() and path.exists():
        path.write_bytes(glyphs)  # a device
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(glyphs)
    fresh.replace(path)


def main():
    options = parse_arguments()
    refused = []
    for path in candidates():
        if not path.is_file():
            continue
        try:
            glyphs = ascii_glyphs(path.read_bytes())
        except (FontError, OSError, EOFError) as error:
            refused.append(f"  {path}: {error}")
            continue
        write(options.out, glyphs)
        return
    sys.exit("\n".join(["no usable console font was found: install " + PACKAGES, *refused]))


if __name__ == "__main__":
    main()
