"""Pictures of the overview, compared with references: with the real font, on screens from the smallest to 4K.

A reference has the mean colours of a picture's parts, a row of parts in a line. So it is small, and it shows a change of
the layout, of a colour or of a text, but not a moved pixel. After an intended change, look at the pictures and write
the references anew: $(scripts/find-python.sh) tests/host/test_overview.py FOLDER
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)

REFERENCES = Path(__file__).resolve().parent / "overview"
SIZES = [(640, 480), (800, 600), (1024, 768), (3840, 2160)]
ACROSS, DOWN = 16, 30  # parts of a picture: a row of text at 640 x 480
TOLERANCE = 4  # of 255, for each part and channel
# Indices of tests/unit/support/pixel_formats.h, and the precision of a colour there.
FULL_COLOUR, FORMATS = 1, {0: 1, 2: 4, 3: 1, 4: 1, 5: 12, 6: 80}


def draw(width, height, pixel_format=FULL_COLOUR):
    """Return the picture as a PPM file."""
    build = folders.build_folder()
    words = [build / "font.bin", str(width), str(height), str(pixel_format)]
    return subprocess.run([build / "host/overview_picture", *words], capture_output=True, check=True).stdout


def means(ppm):
    """Return the mean colour of each part, as rows of (red, green, blue)."""
    _, size, _, pixels = ppm.split(b"\n", 3)
    width, height = map(int, size.split())
    step = max(1, height // 720)  # a part of the lines is enough on a large screen
    rows = []
    for part in range(DOWN):
        lines = range(height * part // DOWN, height * (part + 1) // DOWN, step)
        row = []
        for column in range(ACROSS):
            left, right = width * column // ACROSS, width * (column + 1) // ACROSS
            cut = b"".join(pixels[(y * width + left) * 3 : (y * width + right) * 3] for y in lines)
            row.append(tuple(round(sum(cut[channel::3]) * 3 / len(cut)) for channel in range(3)))
        rows.append(row)
    return rows


def reference(width, height):
    lines = (REFERENCES / f"{width}x{height}.txt").read_text(encoding="ascii").splitlines()
    return [[tuple(bytes.fromhex(word)) for word in line.split()] for line in lines]


def expect_alike(seen, wanted, tolerance):
    assert len(seen) == len(wanted) == DOWN and {len(row) for row in wanted} == {ACROSS}
    far = [(row, column, one, other)
           for row, (ones, others) in enumerate(zip(seen, wanted))
           for column, (one, other) in enumerate(zip(ones, others))
           if max(abs(a - b) for a, b in zip(one, other)) > tolerance]  # fmt: skip
    assert not far, f"{len(far)} parts differ, as (row, column, seen, reference): {far[:8]}"


@pytest.mark.parametrize("width, height", SIZES)
def test_picture(width, height):
    expect_alike(means(draw(width, height)), reference(width, height), TOLERANCE)


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_other_formats_show_the_same(pixel_format):
    expect_alike(means(draw(640, 480, pixel_format)), reference(640, 480), FORMATS[pixel_format])


def main(folder):
    """Write the references, and the pictures into a folder."""
    for width, height in SIZES:
        ppm = draw(width, height)
        (Path(folder) / f"{width}x{height}.ppm").write_bytes(ppm)
        lines = (" ".join(bytes(colour).hex() for colour in row) + "\n" for row in means(ppm))
        (REFERENCES / f"{width}x{height}.txt").write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1])
