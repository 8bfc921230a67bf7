"""The overview on the screen after [ready], and the keys that switch between it and the log."""

import re
import time

import pytest

from lab import BUILD, TIMEOUT_SECONDS
from screen import GLYPH_HEIGHT, GLYPH_WIDTH, read_ppm, read_screen
from test_machines import wait_for_text
from test_monitor import PROMPT, Dialogue, press

FONT = BUILD / "font.bin"
# The colours of kernel/screen/overview_map.c, by the name in the legend.
COLOURS = {
    "free": 0x2F8F63, "in use": 0xF2C14E, "kernel": 0x4C9BE8, "early heap": 0xC08CF0, "loader": 0x58D0D0,
    "firmware": 0xE8783C, "low memory": 0x8A929C, "not usable": 0xD04A5A,
}  # fmt: skip
BAR_ROW = 7  # of the map, in rows of text
MARGIN_COLUMNS = 2
UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
WIDE = {"extra": [word for name in ("vgamem_mb=64", "xres=3840", "yres=2160") for word in ("-global", f"VGA.{name}")]}


def start(lab, resolution, machine=None):
    changes = {"handoff.conf": f"cmdline = heap_aslr=off\nresolution = {resolution}\n".encode()}
    return lab.restore(lab.case_disk(machine, changes), machine=machine)


def settled(running, picture, expect):
    """Return expect() for the first picture that it accepts. The machine draws while QEMU copies the screen."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        running.screenshot(picture)
        try:
            return expect()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        running.pump(0.1)


def legend(text):
    """Return the bytes of each owner, as the legend states them."""
    found = {}
    lines = text.partition("Physical memory")[2]
    for name in COLOURS:
        size = re.search(rf"{name} +(?:none|([\d.]+) (\w+))", lines)
        assert size, f"{name} is not in the legend:\n{text}"
        found[name] = float(size.group(1)) * UNITS[size.group(2)] if size.group(1) else 0
    return found


def expect_bar(picture, sizes, scale=1):
    """Each owner with memory is in the bar, and no other. The bar is to scale, within the pixels that small parts get
    more than their share."""
    width, _, pixels = read_ppm(picture)
    left = MARGIN_COLUMNS * GLYPH_WIDTH * scale
    start = ((BAR_ROW + 1) * GLYPH_HEIGHT * scale * width + left) * 3
    bar = pixels[start : start + (width - 2 * left) * 3]
    seen = [int.from_bytes(bar[at : at + 3], "big") for at in range(0, len(bar), 3)]
    counts = {name: seen.count(colour) for name, colour in COLOURS.items()}
    assert sum(counts.values()) == len(seen), "there is another colour in the bar"
    assert {name for name in counts if counts[name]} == {name for name in sizes if sizes[name]}
    share = counts["free"] / len(seen)
    assert abs(share - sizes["free"] / sum(sizes.values())) < 0.15, counts


def check_overview(picture, scale):
    """The texts of all sections are there, and the figures agree with each other and with the bar."""
    text = read_screen(picture, FONT, scale)
    total = re.search(r"^  RAM ([\d.]+) (\w+) +CPU \S", text, re.MULTILINE)
    assert total, text
    sizes = legend(text)
    assert abs(sum(sizes.values()) / (float(total.group(1)) * UNITS[total.group(2)]) - 1) < 0.01, text
    for line in (
        r" mapped \d+ KiB .* window \d+ MiB .* limit \d+ MiB$",
        r"^  Boot +[\d.]+ ms .* loader [\d.]+ m?s .* kernel [\d.]+ m?s$",
        r"^  kernel: self-test +[\d.]+ ms ",
        r"log and back .* prompt: help lists the commands$",
    ):
        assert re.search(line, text, re.MULTILINE), f"no {line} in:\n{text}"
    expect_bar(picture, sizes, scale)
    return text


def expect_overview(running, picture, scale=1):
    return settled(running, picture, lambda: check_overview(picture, scale))


def wrapped(serial, columns):
    """Return the rows in which a console shows the text."""
    rows = []
    for line in serial.split("\n"):
        rows += [line[at : at + columns].rstrip() for at in range(0, max(len(line), 1), columns)]
    return rows


def check_log(running, picture):
    """The screen has the newest rows of the log as the serial port has them, and a cursor behind the prompt."""
    width, height, _ = read_ppm(picture)
    log = running.serial[running.serial.index("[loader] Handoff loader") :]
    expected = wrapped(log, width // GLYPH_WIDTH)[-(height // GLYPH_HEIGHT) :]
    assert expected[-1] == PROMPT.rstrip()
    assert read_screen(picture, FONT).splitlines() == [*expected[:-1], f"{PROMPT}\ufffd"]


def test_overview_and_log(lab, tmp_path):
    """One boot: the overview; the log by F1 of the keyboard; the overview by Ctrl-O of the serial port; the log by a
    key; the overview by its command, with another figure; a panic over it."""
    picture = tmp_path / "screen.ppm"
    with start(lab, "800x600") as running:
        dialogue = Dialogue(running)
        assert "[ready] screen=overview\n" in running.serial
        before = expect_overview(running, picture)
        press(running, "f1")
        settled(running, picture, lambda: check_log(running, picture))
        running.send(b"\x0f")
        expect_overview(running, picture)
        dialogue.ask("alloc 300K", r"^0x\w+, 307200 bytes")
        wait_for_text(running, r", 307200 bytes$", picture)
        dialogue.ask("overview", "on the screen")
        after = expect_overview(running, picture)
        assert " used 0 bytes " in before and " used 300 KiB " in after
        running.send(b"panic divide\r")
        assert running.wait_for(r"^\[panic\] halted", TIMEOUT_SECONDS), running.serial
        wait_for_text(running, r"^ What happened", picture)


@pytest.mark.full
def test_overview_at_4k(lab, tmp_path):
    with start(lab, "3840x2160", machine=WIDE) as running:
        assert running.wait_for(r"^\[ready\] screen=overview", TIMEOUT_SECONDS), running.serial
        expect_overview(running, tmp_path / "screen.ppm", scale=4)
        assert read_ppm(tmp_path / "screen.ppm")[:2] == (3840, 2160)
