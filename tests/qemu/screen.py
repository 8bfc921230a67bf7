"""Read the text of a screenshot: compare each cell with the glyphs of the console's font."""

from pathlib import Path

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


def read_cell(pixels, width, left, top):
    """Return the bits of the cell with this upper left corner."""
    rows = bytearray()
    for y in range(top, top + GLYPH_HEIGHT):
        start = (y * width + left) * 3
        row = pixels[start + 1 : start + GLYPH_WIDTH * 3 : 3]
        rows.append(sum(0x80 >> x for x, green in enumerate(row) if green >= BRIGHT))
    return bytes(rows)


def read_screen(path: Path, font: Path):
    """Return the screen as lines of text; U+FFFD replaces pixels that are not a glyph of the font."""
    width, height, pixels = read_ppm(path)
    glyphs = glyph_table(font)
    lines = []
    for top in range(0, height - GLYPH_HEIGHT + 1, GLYPH_HEIGHT):
        cells = [
            glyphs.get(read_cell(pixels, width, left, top), "\ufffd")
            for left in range(0, width - GLYPH_WIDTH + 1, GLYPH_WIDTH)
        ]
        lines.append("".join(cells).rstrip())
    return "\n".join(lines).rstrip()
