"""The text of a panic's QR code: what programs between the phone and scripts/symbolize.sh do to it."""

import random
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)
import report_text  # noqa: E402

KERNEL = folders.build_folder() / "kernel.debug.elf"


def packed(report, level=9):
    """Pack a report as the kernel does, with another compressor."""
    stream = zlib.compress(report.encode("ascii"), level)
    text = ""
    for start in range(0, len(stream), 2):
        pair = stream[start : start + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            text += report_text.ALPHABET[value % 45]
            value //= 45
    return "HANDOFF-PANIC-1:" + text


def report(size, seed=1):
    choice = random.Random(seed)
    lines = [f"[panic] #{index} 0x{choice.getrandbits(64):016x} name" for index in range(size)]
    return "\n".join([*lines, "[panic] halted; press r"]) + "\n"


def with_blank(find):
    """Return a report, and its text in which `find` matches."""
    for seed in range(1, 400):
        text = packed(report(seed % 40, seed))
        if re.search(find, text):
            return report(seed % 40, seed), text
    raise AssertionError(find)


@pytest.mark.parametrize("size", range(12))
def test_round_trip(size):
    assert report_text.decode(packed(report(size))) == report(size)
    assert report_text.decode(packed("x" * size)) == "x" * size


@pytest.mark.parametrize("change", [
    lambda text: text + "\n",
    lambda text: f"Scanned: {text}\r\n",
    lambda text: f'"{text}"\n',
    lambda text: f"'{text}'",
    lambda text: re.sub("(.{72})", "\\1\r\n", text),
    lambda text: re.sub("(.{60}[^ ]*) ", "\\1\n", text),
], ids=["newline", "sentence", "quotes", "apostrophes", "lines", "lines-at-blanks"])  # fmt: skip
def test_changes_that_are_understood(change):
    for size in range(1, 30, 4):
        assert report_text.decode(change(packed(report(size)))) == report(size)


@pytest.mark.parametrize("find", [r"[^ ]  [^ ]", r"[^ ]  [^ ].*[^ ]  [^ ]"], ids=["one", "two"])
def test_dropped_blanks_are_found_again(find):
    wanted, text = with_blank(find)
    assert text.count("  ") == 1 + find.count(".*")
    assert report_text.decode(re.sub(" +", " ", text)) == wanted


TEXT = packed(report(9))


@pytest.mark.parametrize("text, sentence", [
    (TEXT.replace("PANIC-1", "PANIC-2"), "has version '2', and this script reads version 1"),
    (TEXT.replace("PANIC-1", "PANIC-"), "has version ''"),
    (TEXT[:100] + "é" + TEXT[101:], "has the character 'é'"),
    (TEXT + "\nSent from a phone", "has the character 'e'"),
    (TEXT[:100] + "\x00" + TEXT[101:], r"has the character '\x00'"),
    (TEXT[:50] + TEXT[53:], "is damaged"),
    (TEXT[:-20] + "Z" * 20, "is damaged"),
    (TEXT[:100] + ("A" if TEXT[100] != "A" else "B") + TEXT[101:], "is damaged"),
    ("HANDOFF-PANIC-1:", "ends too early"),
    ("HANDOFF-PANIC-1:A", "ends too early"),
    ("HANDOFF-PANIC-1::::", "is damaged"),
    ("HANDOFF-PANIC-1:" + "A" * 10000, "is damaged"),
    (packed("0" * 100000), "holds more than a report can have"),
], ids=["version", "no-version", "foreign", "more-text", "control", "missing", "end", "one", "empty", "short",
        "no-number", "long", "expanding"])  # fmt: skip
def test_errors_have_names(text, sentence):
    with pytest.raises(report_text.ReportTextError, match=re.escape(sentence)):
        report_text.decode(text)


def test_every_cut_is_noticed():
    """A text that ends too early gives what can be read, and an error."""
    for length in range(16, len(TEXT)):
        if TEXT[length:].strip() == "":
            continue
        with pytest.raises(report_text.ReportTextError) as caught:
            report_text.decode(TEXT[:length])
        assert report(9).startswith(caught.value.readable)
        assert length < 200 or len(caught.value.readable) > 50


def test_noise_never_crashes():
    choice = random.Random(9285)
    for _ in range(300):
        letters = report_text.ALPHABET + "\n\xff"
        noise = "".join(choice.choices(letters, weights=[9] * 45 + [1, 0.1], k=choice.randrange(90)))
        with pytest.raises(report_text.ReportTextError):
            report_text.decode("HANDOFF-PANIC-1:" + noise)


# --- scripts/symbolize.sh ------------------------------------------------------------------------------


def symbolize(*words, text=""):
    return subprocess.run([ROOT / "scripts/symbolize.sh", *words], input=text, capture_output=True, text=True,
                          check=False)  # fmt: skip


@pytest.fixture(scope="module")
def place():
    """The address of a function of the kernel, and its report."""
    listed = subprocess.run(["llvm-nm", KERNEL], capture_output=True, text=True, check=True).stdout
    address = int(re.search(r"^(\w+) T kfree$", listed, re.MULTILINE).group(1), 16)
    return address, f"[panic] at {address:#x} kfree+0x0\n[panic] halted; press r\n"


def test_symbolize_reads_it_from_three_places(tmp_path, place):
    address, wanted = place
    text = packed(wanted)
    (tmp_path / "message").write_text(text + "\n")
    for done in (symbolize(text), symbolize(tmp_path / "message"), symbolize(text=f"From: me\n{text}\n")):
        assert done.returncode == 0 and done.stderr == "", done.stderr
        assert done.stdout.startswith(f"{wanted}\n{address:#x} kfree+0x0 kernel/mm/kmalloc.c:"), done.stdout


def test_symbolize_says_that_lines_are_missing(place):
    done = symbolize(packed(place[1].split("\n")[0] + "\n"))
    assert done.returncode == 0 and "kfree+0x0 kernel/mm/kmalloc.c:" in done.stdout
    assert done.stderr == "symbolize.sh: the QR code had no room for the last lines of the report\n"


def test_symbolize_uses_the_readable_part(place):
    done = symbolize(packed(place[1])[:-12])
    assert done.returncode == 1 and "kfree+0x0 kernel/mm/kmalloc.c:" in done.stdout
    assert done.stderr == "symbolize.sh: the QR code's text ends too early: copy all of it\n"


def test_symbolize_refuses_a_damaged_text():
    done = symbolize(text=TEXT.replace(TEXT[60:64], ""))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("symbolize.sh: the QR code's text is damaged") and done.stderr.count("\n") == 1
