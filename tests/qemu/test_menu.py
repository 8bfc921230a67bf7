"""The menu of the loader: keys from the keyboard and from the serial port, entries, and files of entries.

The rows and the keys have unit tests (tests/unit/test_menu.c). Here is what only a machine shows.
"""

import hashlib
import re
import time
import unicodedata
from dataclasses import replace

import pytest

from lab import BUILD, CASE_IMAGE_MIB, TIMEOUT_SECONDS, WORDS, expect_ready, expect_stop

UP, DOWN, HOME, END, ESCAPE = b"\x1b[A", b"\x1b[B", b"\x1b[H", b"\x1b[F", b"\x1b"
LIST = "Handoff: choose an entry"
GLOBAL = f"cmdline = {' '.join(WORDS)}"
ATTENDED = f"cmdline = {' '.join(word for word in WORDS if word != 'unattended')}"
LONG_TITLE = "x" * 300
# Wide characters, one with a mark of its own, one above U+FFFF.
STRANGE_TITLE = "\u6f22\u5b57 e\u0301 \U0001f600 \u20ac"
CONDUCTOR = re.compile(rb"conductor: watchdog: [^\n]*\n")
SEQUENCE = re.compile(r"\x1b\[([\d;?]*)([A-Za-z])")


def configuration(*lines, path="handoff.conf"):
    return {path: "".join(f"{line}\n" for line in lines).encode()}


class Terminal:
    """What a terminal of 80 columns and 24 rows shows."""

    def __init__(self, running):
        self.running = running

    def rows(self):
        rows, row, column = self.clear(), 0, 0
        text, place = CONDUCTOR.sub(b"", self.running.raw).decode("utf-8", "replace"), 0
        while place < len(text):
            match = SEQUENCE.match(text, place)
            if match:
                place = match.end()
                numbers = [int(number) for number in match[1].split(";") if number.isdigit()]
                if match[2] == "H":
                    row, column = (numbers[0] - 1, numbers[1] - 1) if len(numbers) == 2 else (0, 0)
                elif match[2] == "J":
                    rows = self.clear()
                continue
            character = text[place]
            place += 1
            if character == "\r":
                column = 0
            elif character == "\n":
                row = min(row + 1, 23)
            elif unicodedata.combining(character):
                rows[row][column - 1] += character
            elif column < 80:
                width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
                rows[row][column : column + width] = [character] + [""] * (width - 1)
                column += width
        return ["".join(cells).rstrip() for cells in rows]

    @staticmethod
    def clear():
        return [[" "] * 80 for _ in range(24)]

    def expect(self, *patterns, absent="\0"):
        """Wait until the screen matches all patterns, and has no `absent` text."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            text = "\n".join(self.rows())
            missing = [pattern for pattern in patterns if not re.search(pattern, text, re.MULTILINE)]
            if not missing and absent not in text:
                return text
            assert self.running.pump(0.05) and time.monotonic() < deadline, f"no {missing}, or {absent!r} in:\n{text}"

    def type(self, data, *patterns, absent="\0"):
        self.running.send(data)
        return self.expect(*patterns, absent=absent)


def start(lab, changes, plan):
    return lab.restore(lab.disk(changes, plan=plan, size_mib=CASE_IMAGE_MIB, words=[]))


def press(running, *keys):
    for key in keys:
        running.command("send-key", {"keys": [{"type": "qcode", "data": code} for code in key.split("-")]})


ENTRIES = configuration(
    ATTENDED, "entry = one", "title = Ein \u00e4rgerlicher Titel \u20ac", "entry = absent", "kernel = absent.elf",
    "entry = wrong", "serial = COM9", "entry = long", f"title = {LONG_TITLE}", *(f"entry = n{i}" for i in range(13)),
    "entry = strange", f"title = {STRANGE_TITLE}", *(f"entry = n{i}" for i in range(14, 20)),
)  # fmt: skip


def paste_and_remove(terminal):
    """Return how often the menu draws the row of a text that is pasted and removed. The menu draws when no byte waits.
    So a busy host, which lets the bytes arrive one by one, makes it draw more often, and the caller tries again."""
    before = len(terminal.running.raw)
    terminal.type(b" " + 25 * b"y", "y{25}$")
    terminal.type(26 * b"\x7f", rf"^{ATTENDED[10:]}$")
    return terminal.running.raw.count(ATTENDED[10:].encode(), before)


def test_W4_dialogue_on_the_serial_port(lab):
    """A key held since power-on opens the menu. The firmware has no keyboard, and its console no serial port."""
    with start(lab, ENTRIES, ["no-terminal", "no-keyboard", "await-serial"]) as running:
        assert running.wait_for("^conductor: awaiting a byte", TIMEOUT_SECONDS), running.serial
        running.send(b" ")
        terminal = Terminal(running)
        terminal.expect(rf"^{LIST} \(1 of 24\)$", r"^> Ein \u00e4rgerlicher Titel \u20ac$", r"^  absent$",
                        r"^  wrong \(error\)$", r"^  x{77}$", r"^Enter: start ")  # fmt: skip
        terminal.type(DOWN + DOWN, r"^> wrong \(error\)$",
                      r"^\\handoff.conf, line 7, key serial: The serial port is not COM1, ")  # fmt: skip
        terminal.type(b"\r" + END, r"\(24 of 24\)$", r"^> n19$", rf"^  {STRANGE_TITLE}$")  # it was the row of the x
        terminal.type(b"\x1b[H" + DOWN + b"d", r"^Details$", r"^ID: absent, from \\handoff.conf$",
                      r"^kernel: \\absent.elf \(The file is not on the boot volume.\)$")  # fmt: skip
        terminal.type(ESCAPE, rf"^{LIST} \(2 of 24\)$")
        terminal.type(b"\r", rf"^{LIST} \(1 of 24\)$", r"^  absent \(error\)$",
                      r"^HL-04: The file is not on the boot volume. \\absent.elf. ", r"^It starts in \d+ s.")  # fmt: skip
        terminal.type(b"e", r"^The command line of this boot$", rf"^{ATTENDED[10:]}$", absent="It starts")
        # A menu that draws at each byte would do this some fifty times, in each of three tries and on every host.
        drawn = [paste_and_remove(terminal)]
        while len(drawn) < 3 and drawn[-1] >= 20:
            drawn.append(paste_and_remove(terminal))
        assert drawn[-1] < 20, f"a pasted text is drawn when it ends: {drawn}"
        terminal.type(b" a=\"", rf"^{ATTENDED[10:]} a=\"$")
        terminal.type(b"\r", r"^The command line has a quote that is never closed.$")
        running.send(b"\x7f\x7f\x7fheap=best-fit\r")
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.success and verdict.has_line(r"\[heap\] .*policy=best-fit"), verdict.sentence
    assert verdict.has_line(r"\[loader\] entry one$")
    assert verdict.has_line(r"\[loader\] warning: entry absent: HL-04: The file is not on the boot volume. \\absent.elf. ")


def test_dialogue_on_the_keyboard_and_the_screen(lab, console):
    """The firmware's own console and keyboard: menu, countdown, edit, start. The screen has 80 columns and 25 rows."""
    changes = configuration("timeout = 300", ATTENDED, "entry = a", "title = First", "entry = b", "title = Second",
                            "entry = c", "entry = d", "title = " + 38 * "\u6f22")  # fmt: skip
    console = replace(console, columns=80, rows=25)
    with start(lab, changes, ["real-keyboard", "text-mode 0"]) as running:
        terminal = Terminal(running)
        terminal.expect(r"^> First$", r"^It starts in (300|299|298|29\d) s. Any key stops this.$")
        press(running, "down")
        terminal.expect(r"^> Second$", absent="It starts")
        press(running, "up", "pgdn", "home", "end", "up", "up", "e")
        terminal.expect(r"^The command line of this boot$")
        press(running, "spc", "p", "a", "g", "i", "n", "g", "equal", "home", "delete", "d", "end", "4", "5",
              "backspace")  # fmt: skip
        terminal.expect(rf"^{ATTENDED[10:]} paging=4$")
        shown = console.read(lab_picture(lab, running))
        assert "The command line of this boot" in shown and "paging=4" in shown and "Enter: start  Esc: back" in shown, shown
        press(running, "esc", "d")
        kernel = (BUILD / "kernel.elf").read_bytes()
        terminal.expect(r"^ID: b, from \\handoff.conf$", rf"^kernel: \\kernel.elf, {len(kernel)} bytes$",
                        f"^  SHA-256 {hashlib.sha256(kernel).hexdigest()}$")  # fmt: skip
        press(running, "ret")
        shown = list_on_screen(lab, running, console)
        assert shown[2:5] == ["  First", "> Second", "  c"], shown
        assert re.fullmatch("[ \ufffd]*", shown[5]), f"a part of the row before: {shown[5]}"
        press(running, "ret")
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.success and verdict.has_line(r"\[loader\] entry b$"), verdict.sentence
    assert not verdict.has_line(r"paging=4"), "Escape drops the edited line"


def list_on_screen(lab, running, console):
    """Return the rows of the firmware's console when its last row is drawn."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        rows = console.read(lab_picture(lab, running)).split("\n")
        if rows[22:] and rows[22].startswith("Enter: start  e: edit"):
            return rows
        assert running.pump(0.1) and time.monotonic() < deadline, rows


def lab_picture(lab, running):
    path = lab.scratch / "menu.ppm"
    running.screenshot(path)
    return path


def test_W4_a_held_key_opens_the_menu(lab):
    """The file lists no entry, and Space is held down."""
    with start(lab, configuration(ATTENDED), ["no-terminal", "key-after 0", "key-code 32"]) as running:
        terminal = Terminal(running)
        terminal.expect(rf"^{LIST} \(1 of 1\)$", r"^> default$")
        running.send(b"\r")
        assert running.watch(TIMEOUT_SECONDS).success


def test_W3_the_countdown_ends_without_a_keyboard(lab):
    changes = configuration("timeout = 1", "default = b", GLOBAL, "entry = a", "kernel = absent.elf", "entry = b")
    verdict = expect_ready(lab.case(changes, plan=["no-keyboard"], words=[]))
    assert "It starts in 1 s" in verdict.serial
    assert verdict.has_line(r"\[loader\] entry b$")


def test_W5_the_menu_of_a_firmware_that_hangs_is_reset(lab):
    changes = configuration("timeout = menu", "entry = a")
    with start(lab, changes, ["keyboard-hangs", "watchdog-seconds 1"]) as running:
        running.watch(TIMEOUT_SECONDS)
        assert running.monitor.shutdown_reason == "guest-reset"


def test_CM2_a_default_that_does_not_exist_and_entries_with_errors(lab):
    """Unattended: each problem is a warning, and the first entry without one starts."""
    changes = configuration("default = nobody", GLOBAL, "entry = wrong", "serial = COM9", "entry = absent",
                            "kernel = absent.elf", "entry = good")  # fmt: skip
    verdict = expect_ready(lab.case(changes, words=[]))
    assert verdict.has_line(r"\[loader\] warning: default names the entry nobody, which does not exist$")
    assert verdict.has_line(r"\[loader\] warning: entry absent: HL-04: The file is not on the boot volume. \\absent.elf. ")
    assert verdict.has_line(r"\[loader\] entry good$")
    assert LIST not in verdict.serial


def test_CM3_all_entries_are_broken(lab):
    changes = configuration(GLOBAL, "entry = a", "serial = COM9", "entry = b", "kernel =")
    verdict = expect_stop(lab.case(changes, words=[]), 20)
    assert r"\handoff.conf, line 3, key serial: The serial port is not COM1" in verdict.serial


def test_CM4_entries_above_the_limit_are_no_wrong_file_names(lab):
    changes = configuration("default = c1", GLOBAL, *(f"entry = c{i}" for i in range(260)))
    changes.update(configuration(path="handoff/entries/f.conf"))
    verdict = expect_ready(lab.case(changes, words=[]))
    assert verdict.has_line(r"warning: only 256 entries are listed, and 5 are left out$")
    assert "are ignored" not in verdict.serial, verdict.serial


def test_CM4_two_hundred_entries_of_both_kinds(lab):
    """handoff.conf lies beside the loader's file. The one in the root is not read."""
    changes = configuration("wrong")
    changes.update(configuration("default = f42", GLOBAL, *(f"entry = c{i}" for i in range(100)),
                                 path="EFI/HANDOFF/handoff.conf"))  # fmt: skip
    for number in range(100):
        lines = [f"title = File {number}", f"cmdline = {' '.join(WORDS)} heap_sample={number}"]
        changes.update(configuration(*lines, path=f"handoff/entries/f{number}.conf"))
    changes.update(configuration("bad =", path="handoff/entries/no entry.conf"))
    verdict = expect_ready(lab.case(changes, words=[]))
    assert verdict.has_line(r"\[loader\] entry f42$")
    assert verdict.has_line(r"\[heap\] .* sample=42$")
    assert verdict.has_line(r"warning: 1 files of \\handoff\\entries are ignored: the name is not ID.conf$")
