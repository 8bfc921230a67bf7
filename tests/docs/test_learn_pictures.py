"""The pictures of docs/learn: complete, inside their frame, readable on light and dark pages, without scripts."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "host/lessons"), str(ROOT / "host/simulator")]
import heap_svg  # noqa: E402 (the path is set just above)
import svg_canvas  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def state(step, size_bytes, pieces, marks=(), call="allocate(8)"):
    return {"lesson": 7, "step": step, "call": call, "size_bytes": size_bytes,
            "pieces": [{"start_bytes": start, "end_bytes": end, "sign": sign} for start, end, sign in pieces],
            "marks": [{"offset_bytes": offset, "name": name} for offset, name in marks]}  # fmt: skip


EMPTY = [state(1, 1 << 20, [], [(0, "free")], "begin(memory, 1048576)")]
BUMP = [state(2, 1 << 20, [(0, 16, "a")], [(16, "free")]),
        state(3, 1 << 20, [(0, 16, "a"), (16, 48, "b")], [(48, "free")])]  # fmt: skip
LIST = [state(4, 4096, [(0, 16, "#"), (16, 116, "a"), (116, 128, "-"), (128, 144, "#"), (144, 1152, "."),
                        (1152, 1168, "#"), (1168, 4096, "Z")], [(144, "free_list"), (144, "next"), (4096, "end")],
              "free(" + "b" * 200 + ")")]  # fmt: skip
TINY = [state(1, 1 << 30, [(i * 4096, i * 4096 + 1, chr(ord("a") + i)) for i in range(26)], [(1 << 30, "free")])]
SMALL = [state(1, 16, [(0, 16, "a")], [(16, "free")])]
ALL = {"empty": EMPTY, "bump": BUMP, "list": LIST, "tiny": TINY, "small": SMALL}


@pytest.fixture(name="states", params=ALL.values(), ids=ALL)
def every_state(request):
    return request.param


def parsed(states):
    return ElementTree.fromstring(heap_svg.draw(states))


def tooltips(root):
    return [title.text for title in root.iter(SVG + "title")][1:]


def texts(root):
    return [text.text for text in root.iter(SVG + "text")]


def test_picture_drawn_again_is_equal(states):
    assert heap_svg.draw(states) == heap_svg.draw(states)


def test_every_byte_of_every_state_has_a_tooltip(states):
    found = [re.search(r"from \+(\d+) to \+(\d+)", tooltip) for tooltip in tooltips(parsed(states))]
    spans = [(int(one[1]), int(one[2])) for one in found]
    position = 0
    for begin, end in spans:
        assert begin in (position, 0)
        position = end
    assert sum(end - begin for begin, end in spans) == sum(one["size_bytes"] for one in states)


def test_pieces_are_named():
    assert tooltips(parsed(LIST))[1:5] == [
        "block a: 100 bytes, from +16 to +116", "bytes that no block uses: 12 bytes, from +116 to +128",
        "the heap's own record: 16 bytes, from +128 to +144", "free: 1008 bytes, from +144 to +1152"]  # fmt: skip
    words = texts(parsed(LIST))
    assert {"heap_start", "heap_end = +4096", "free_list = +144", "next = +144", "a", "100", "not to scale"} <= set(words)
    assert {"bytes that no block uses", "the heap's own record", "free"} <= set(words)


def test_steps_have_the_same_scale():
    widths = [(float(rect.get("x")), float(rect.get("width"))) for rect in parsed(BUMP).iter(SVG + "rect")
              if (title := rect.find(SVG + "title")) is not None and title.text.startswith("block a")]  # fmt: skip
    assert len(widths) == 2 and widths[0] == widths[1]


def test_blocks_of_a_linear_picture_are_as_wide_as_their_sizes():
    width = {title.text[6]: float(rect.get("width")) for rect in parsed(BUMP).iter(SVG + "rect")
             if (title := rect.find(SVG + "title")) is not None and title.text.startswith("block")}  # fmt: skip
    assert width["b"] == pytest.approx(2 * width["a"], abs=0.2)


def test_no_piece_is_too_narrow_to_see(states):
    for rect in parsed(states).iter(SVG + "rect"):
        assert rect.find(SVG + "title") is None or float(rect.get("width")) >= 7


def test_nothing_is_outside_of_the_frame(states):
    root = parsed(states)
    width, height = float(root.get("width")), float(root.get("height"))
    for rect in root.iter(SVG + "rect"):
        if rect.get("x"):
            assert 0 <= float(rect.get("x")) and float(rect.get("x")) + float(rect.get("width")) <= width - 20
            assert float(rect.get("y")) + float(rect.get("height")) <= height - 10
    for text in root.iter(SVG + "text"):
        classes = text.get("class").split()
        em = svg_canvas.EM_MONO if "mono" in classes else svg_canvas.EM_BOLD if "b" in classes else svg_canvas.EM
        long = svg_canvas.text_width(text.text, float(text.get("font-size")), em)
        left = float(text.get("x")) - long * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
        assert left >= 0 and left + long <= width and float(text.get("y")) <= height - 10, text.text


def test_picture_needs_nothing_but_itself(states):
    text = heap_svg.draw(states).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|<script|href|@import|<image|@font-face", text)
    assert "@media(prefers-color-scheme:dark)" in text


def brightness(colour):
    """Return the relative luminance of #rrggbb, as WCAG defines it."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_are_readable_on_their_grounds(scheme):
    """WCAG asks for a contrast of 4.5."""
    ground = {name: colours[1 + scheme] for name, colours in heap_svg.COLOURS.items()}
    words = {name: pair[scheme] for name, pair in heap_svg.TEXTS.items()}
    pairs = [(words[""], ground[f"b{number}"]) for number in range(len(heap_svg.BLOCKS))]
    pairs += [(words[name], ground["page"]) for name in ("", ".dim", ".mark")]
    pairs += [(words[".dim"], ground["free"]), (words[".inv"], ground["header"])]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []
