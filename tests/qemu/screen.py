"""Read the text of a screenshot: compare each cell with the glyphs of a font.

Kernel and loader draw with the project's own font. The firmware's console has a font of its own. A test learns it from
a picture with all characters at known places (the conductor's show-letters).
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict

from boot import REFUSAL

GLYPH_WIDTH, GLYPH_HEIGHT = 8, 16
FIRST_CHARACTER = 0x20
# Above this brightness of green (of 255) a pixel belongs to the text. The paper is black, or red in a panic.
BRIGHT = 0x60


def read_ppm(path: Path):
    """Return width, height and the bytes of a binary PPM file."""
    data = path.read_bytes()
    fields, offset = [], 0
    while len(fields) < 4:
        end = offset
        while data[end : end + 1].strip():
            end += 1
        fields.append(data[offset:end])
        offset = end + 1
    assert fields[0] == b"P6" and fields[3] == b"255"
    return int(fields[1]), int(fields[2]), data[offset:]


def glyph_table(font: Path):
    """Return {bits of a glyph: its character}."""
    data = font.read_bytes()
    table = {}
    for index in range(len(data) // GLYPH_HEIGHT):
        bits = data[index * GLYPH_HEIGHT : (index + 1) * GLYPH_HEIGHT]
        table.setdefault(bits, chr(FIRST_CHARACTER + index))
    return table


def read_cell(pixels, width, left, top, height=GLYPH_HEIGHT):
    """Return the bits of the cell with this upper left corner."""
    rows = bytearray()
    for y in range(top, top + height):
        start = (y * width + left) * 3
        row = pixels[start + 1 : start + GLYPH_WIDTH * 3 : 3]
        rows.append(sum(0x80 >> x for x, green in enumerate(row) if green >= BRIGHT))
    return bytes(rows)


def shrink(width, height, pixels, scale):
    """Return the upper left pixel of each square of `scale` pixels: width, height and bytes."""
    lines = []
    for y in range(0, height - scale + 1, scale):
        line = pixels[y * width * 3 : (y + 1) * width * 3]
        channels = [line[channel :: 3 * scale][: width // scale] for channel in range(3)]
        lines.append(bytes(value for pixel in zip(*channels) for value in pixel))
    return width // scale, height // scale, b"".join(lines)


def read_screen(path: Path, font: Path, scale=1):
    """Return the screen as lines of text; U+FFFD replaces pixels that are not a glyph of the font. `scale` is the size
    of the letters, in pixels of the screen for each pixel of the font."""
    width, height, pixels = read_ppm(path)
    if scale > 1:
        width, height, pixels = shrink(width, height, pixels, scale)
    glyphs = glyph_table(font)
    lines = []
    for top in range(0, height - GLYPH_HEIGHT + 1, GLYPH_HEIGHT):
        cells = [
            glyphs.get(read_cell(pixels, width, left, top), "\ufffd")
            for left in range(0, width - GLYPH_WIDTH + 1, GLYPH_WIDTH)
        ]
        lines.append("".join(cells).rstrip())
    return "\n".join(lines).rstrip()


# UEFI 2.10, section 34.3.2: a narrow glyph.
CONSOLE_GLYPH_HEIGHT = 19
LETTERS_IN_A_ROW = 32


@dataclass
class Console:
    """The firmware's console: a grid of cells in the middle of the screen."""

    columns: int
    rows: int
    glyphs: Dict[bytes, str] = field(default_factory=dict)

    def cells(self, path: Path):
        """Return the bits of all cells, as rows."""
        width, height, pixels = read_ppm(path)
        left = (width - self.columns * GLYPH_WIDTH) // 2
        top = (height - self.rows * CONSOLE_GLYPH_HEIGHT) // 2
        return [[read_cell(pixels, width, left + column * GLYPH_WIDTH, top + row * CONSOLE_GLYPH_HEIGHT,
                           CONSOLE_GLYPH_HEIGHT) for column in range(self.columns)]
                for row in range(self.rows)]  # fmt: skip

    def learn(self, path: Path):
        """Learn the glyphs from a picture of all printable characters."""
        cells = self.cells(path)
        self.glyphs = {}
        for code in range(FIRST_CHARACTER, 0x7F):
            glyph = cells[code // LETTERS_IN_A_ROW][code % LETTERS_IN_A_ROW]
            self.glyphs.setdefault(glyph, chr(code))
        assert len(self.glyphs) == 0x7F - FIRST_CHARACTER, "each character has a glyph of its own"

    def read(self, path: Path):
        """Return the screen as lines of text; U+FFFD replaces pixels that are not a glyph."""
        lines = ("".join(self.glyphs.get(cell, "\ufffd") for cell in row).rstrip() for row in self.cells(path))
        return "\n".join(lines).rstrip()


def squeezed(text):
    """The text without blanks and line ends: the console breaks long lines."""
    return "".join(text.split())


def expect_report(running, number, read):
    """Each part of the report that is on the serial port is on the screen, too."""
    report = REFUSAL.search(running.serial)
    assert report and report.group("number") == f"HL-{number:02d}", running.serial
    picture = running.scratch / "screen.ppm"
    deadline = time.monotonic() + 20
    while True:
        running.screenshot(picture)
        text = read(picture)
        missing = [part for part in report.groups() if squeezed(part) not in squeezed(text)]
        if not missing:
            return
        assert time.monotonic() < deadline, f"{missing} is not on the screen:\n{text}"
        running.pump(0.1)
