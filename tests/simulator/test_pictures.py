"""The output for people and programs: the terminal's picture, the SVG, the JSON, and errors about wrong options."""

import json
import re
import xml.etree.ElementTree as ElementTree

import picture
import picture_svg
import picture_text
import pytest
import svg_canvas
import units
from lab import DOES_NOT_BOOT, FOLDER, MAPS, NO_INPUT, READY, ROOT, simulate, simulate_json

CLEVO = MAPS / "clevo-p65xsg-intel-ami-laptop.txt"
SVG = "{http://www.w3.org/2000/svg}"


def draw(tmp_path, *options):
    """Run with --svg. Return the result and the parsed picture."""
    path = tmp_path / "picture.svg"
    result = simulate(*options, "--svg", path)
    return result, ElementTree.parse(path).getroot()


def tooltips(root):
    return [title.text for title in root.iter(SVG + "title")]


def texts(root):
    return ["".join(text.itertext()) for text in root.iter(SVG + "text")]


def test_svg_that_cannot_be_written_is_a_sentence(tmp_path):
    result = simulate(CLEVO, "--svg", tmp_path / "absent" / "picture.svg")
    assert result.status == NO_INPUT
    assert "cannot be written: No such file" in result.errors


@pytest.mark.parametrize("name", ["clevo-p65xsg-intel-ami-laptop.txt",
                                  "hp-superdome2-16s-12TiB.txt"])  # fmt: skip
def test_svg_shows_every_region_and_every_owner(name, tmp_path):
    result, root = draw(tmp_path, MAPS / name)
    report = json.loads(simulate(MAPS / name, "--json").output)
    shown = tooltips(root)
    for region in report["regions"]:
        start = region["base"]
        assert any(t.startswith(f"{region['type']}: ") and first <= start <= last
                   for t in shown if (span := re.search(r"(0x\w+) to (0x\w+)", t))
                   for first, last in [(int(span[1], 16), int(span[2], 16))])  # fmt: skip
    names = texts(root)
    assert all(owner["name"] in names for owner in report["ownership"])
    assert any("boots: the whole memory stack came up" in text for text in names)
    assert result.status == READY


def test_svg_has_the_allowed_uses_of_a_region(tmp_path):
    _, root = draw(tmp_path, FOLDER / "maps/kernel-log-2.0.txt")
    shown = tooltips(root)

    def tooltip(kind):
        return next(text for text in shown if text.startswith(f"{kind}: "))

    assert "facts: RAM, mapped, writable\nreuse: at entry" in tooltip("boot-services")
    assert "facts: RAM, mapped, writable\nreuse: never" in tooltip("low-memory")
    assert "facts: RAM, mapped, writable, placed by the loader\nreuse: never" in tooltip(
        "processor-start")
    assert "facts: mapped, writable\nreuse: never" in tooltip("framebuffer")
    assert "facts: none\nreuse: never" in tooltip("mmio")
    assert "facts" not in tooltip("nothing")


def test_every_type_of_the_contract_has_a_colour_and_a_letter():
    meanings = (ROOT / "shared/region.c").read_text(encoding="utf-8")
    names = set(re.findall(r' ROW\(.*, "([\w-]+)"\)', meanings))
    assert len(names) > 20 and names | {"nothing"} == set(picture.KINDS)
    for column in (1, 2):
        shown = [kind[column] for kind in picture.KINDS.values()]
        assert len(shown) == len(set(shown))


def test_svg_stays_inside_its_frame(tmp_path):
    _, root = draw(tmp_path, FOLDER / "maps/kernel-log.txt")
    width, height = float(root.get("width")), float(root.get("height"))
    for rect in list(root)[2:]:
        if rect.tag == SVG + "rect" and rect.get("x"):
            assert float(rect.get("x")) + float(rect.get("width")) <= width - 29
            assert float(rect.get("y")) + float(rect.get("height")) <= height


def text_end(text):
    """Return the right end of a text, in pixels."""
    words, size = "".join(text.itertext()), float(text.get("font-size") or 12)
    classes = text.get("class") or ""
    em = svg_canvas.EM_MONO if "mono" in classes else svg_canvas.EM
    em = svg_canvas.EM_BOLD if "b" in classes.split() else em
    share = {"start": 1, "middle": 0.5, "end": 0}[text.get("text-anchor", "start")]
    return float(text.get("x")) + share * svg_canvas.text_width(words, size, em)


@pytest.mark.parametrize("load", ["boot", "random", "exhaustion", "fragmentation"])
def test_svg_cuts_no_text_off(load, tmp_path):
    name = tmp_path / ("long-" * 40 + ".txt")
    name.write_bytes(CLEVO.read_bytes())
    path = tmp_path / "picture.svg"
    assert simulate(name, "--load", load, "--svg", path).status == READY
    root = ElementTree.parse(path).getroot()
    width = float(root.get("width"))
    assert [text for text in root.iter(SVG + "text") if text_end(text) > width - 20] == []


def test_svg_s_labels_do_not_touch_the_borders_of_their_blocks(tmp_path):
    _, root = draw(tmp_path, CLEVO)
    elements = list(root)
    labels = 0
    for block, label in zip(elements, elements[1:]):
        is_pair = block.tag == SVG + "rect" and label.tag == SVG + "text"
        if is_pair and label.get("text-anchor") == "middle":
            labels += 1
            width = svg_canvas.text_width(label.text, 11, svg_canvas.EM_BOLD)
            assert width + 2 * picture_svg.BORDER <= float(block.get("width")), label.text
    assert labels > 10


@pytest.mark.parametrize("load, words", [
    ("boot", ["heap allocations", "GiB)"]), ("random", ["40000 operations", "MiB) held"]),
    ("exhaustion", ["runs of 1 GiB", "GiB) taken"]),
    ("fragmentation", ["131072 frames (512 MiB) taken", "large runs were found",
                       "KiB overhead"])])  # fmt: skip
def test_figures_of_a_load_have_units(load, words, tmp_path):
    result, root = draw(tmp_path, CLEVO, "--load", load)
    for text in (" ".join(texts(root)), " ".join(result.output.split())):
        assert all(word in text for word in words)


def test_terminal_s_tables_fit_a_narrow_terminal():
    report = simulate_json(CLEVO, "--load", "fragmentation").report
    lines = picture_text.draw(report, False, 80)[:-2]
    assert max(map(len, lines)) <= 96 and max(map(len, picture_text.draw(report, False)[:-2])) > 96
    assert all(len(line) <= 80 for line in lines if "%" in line or "heap" in line and "0x" not in line)


def test_svg_of_a_machine_that_does_not_boot_says_why(tmp_path):
    result, root = draw(tmp_path, MAPS / "apple-macbookpro-attr-bit59-partial.txt")
    assert result.status == DOES_NOT_BOOT
    assert any("does not boot: the loader stops. The firmware has no free memory" in text
               for text in texts(root))  # fmt: skip
    assert len(tooltips(root)) > 8, "the map is drawn in this case, too"


def test_svg_needs_nothing_but_itself(tmp_path):
    path = tmp_path / "picture.svg"
    simulate(CLEVO, "--svg", path)
    text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|<script|href|@import|<image", text)


def test_terminal_shows_map_owners_and_verdict():
    output = simulate(CLEVO).output
    assert re.search(r"^ +0x0 r1+", output, re.M), "the ribbon begins at 0, with low memory"
    assert re.search(r"^  1 low-memory +\d+ KiB", output, re.M)
    assert re.search(r"^  U usable +15\.2 GiB", output, re.M)
    assert re.search(r"^  free +15\.3 GiB +15\.9 GiB", output, re.M), "with boot services' memory"
    assert re.search(r"^  direct map +0xffff8000", output, re.M)
    assert "15.9 GiB of RAM; boots" in output
    assert "\033[" not in output, "no colours without a terminal"


def test_standard_output_has_only_the_json():
    result = simulate(CLEVO, "--json", "--load", "fragmentation")
    report = json.loads(result.output)
    assert report["outcome"] == "ready" and report["map"]["form"] == "data rows"
    assert report["load"]["figures"]["frames_taken"] > 0
    assert any(line.startswith("[paging]") for line in report["log"])


def test_map_is_printed_as_data_rows_that_are_read_again(tmp_path):
    rows = simulate(FOLDER / "maps/shell-memmap.txt", "--print-map").output
    path = tmp_path / "rows.txt"
    path.write_text(rows)
    assert simulate(path, "--print-map").output == rows


@pytest.mark.parametrize("options, words", [
    ([], "either a file or --generate"),
    (["/nonexistent"], "cannot be opened"),
    (["/"], "cannot be read"),
    ([CLEVO, "--generate", "1G"], "either a file or --generate"),
    (["--generate", "1M"], "from 16 MiB to 1 PiB"),
    (["--generate", "2000T"], "from 16 MiB to 1 PiB"),
    (["--generate", "many"], "is not a size"),
    ([CLEVO, "--temp-heap", "1000"], "whole pages"),
    ([CLEVO, "--temp-heap", "99999999999999999999"], "is not a number"),
    ([CLEVO, "--temp-heap", "-1"], "is not a number"),
    ([CLEVO, "--heap-policy", "magic"], "no heap policy magic"),
    ([CLEVO, "--heap-policy", "bump", "--load", "random"], "frees in any order"),
    ([CLEVO, "--load", "feather"], "is not one of: boot"),
])  # fmt: skip
def test_wrong_option_is_refused(options, words):
    result = simulate(*options)
    assert result.status == NO_INPUT and words in result.errors
    assert "Traceback" not in result.errors and result.output == ""


@pytest.mark.parametrize("size_bytes, text", [
    (0, "0 B"), (4096, "4 KiB"), (1507328, "1.44 MiB"), (600 << 20, "600 MiB"),
    (12 << 40, "12 TiB"), ((12 << 40) + (123 << 30), "12.1 TiB"), (1023 << 20, "1023 MiB"),
])  # fmt: skip
def test_sizes_are_printed_with_units(size_bytes, text):
    assert units.size_text(size_bytes) == text
