"""The monitor after [ready], on the serial port and on the PS/2 keyboard; and the key that restarts after a panic."""

import re
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from lab import CASE_IMAGE_MIB, ROOT, TIMEOUT_SECONDS, expect_panic, random_places

PROMPT = "handoff> "
READY = f"^{PROMPT}$"


@contextmanager
def staying(lab, pattern, command_line="", machine=None, **settings):
    """Start a kernel that does not power off, and wait for a line."""
    disk = lab.disk(command_line=command_line, words=[], plan=[], size_mib=CASE_IMAGE_MIB, **settings)
    with lab.restore(disk, machine=machine) as running:
        assert running.wait_for(pattern, TIMEOUT_SECONDS), running.serial
        yield running


class Dialogue:
    """A person at the prompt."""

    def __init__(self, running):
        self.running = running
        self.seen = 0
        self.wait_for_prompt()

    def wait_for_prompt(self):
        """Wait for the next prompt. Return the text before it."""
        start, deadline = self.seen, time.monotonic() + TIMEOUT_SECONDS
        while not self.running.serial[start:].endswith(f"\n{PROMPT}"):
            assert self.running.pump(0.1) and time.monotonic() < deadline, self.running.serial[start:]
        self.seen = len(self.running.serial)
        return self.running.serial[start : self.seen - len(PROMPT)]

    def type(self, data: bytes):
        """Send keys that end with Enter. Return the answer, without the line that was typed."""
        self.running.send(data)
        return self.wait_for_prompt().partition("\n")[2]

    def ask(self, line, *patterns):
        answer = self.type(line.encode() + b"\r")
        for pattern in patterns:
            assert re.search(pattern, answer, re.MULTILINE), f"{line}: no {pattern!r} in:\n{answer}"
        return answer


def press(running, *keys):
    for key in keys:
        running.command("send-key", {"keys": [{"type": "qcode", "data": code} for code in key.split("-")]})


def type_noise(dialogue, noise):
    """Send any bytes. The monitor must still answer behind them: Ctrl-C ends a sequence that breaks off, and the line."""
    dialogue.running.send(noise + b"\x03\x03")
    mark = f"mark-{dialogue.seen}"
    dialogue.running.send(f"{mark}\r".encode())
    start = dialogue.seen
    assert dialogue.running.wait_for(rf'"{mark}" is not a command', TIMEOUT_SECONDS), dialogue.running.serial[start:]
    dialogue.wait_for_prompt()


def ask_with_noise(dialogue):
    """Random bytes, sequences that break off, UTF-8, and a paste of many lines."""
    random = random_places()
    type_noise(dialogue, random.randbytes(2000))
    type_noise(dialogue, bytes(random.choice(b"\x1b[O;0123456789~ABCDHF\x7f\t\x01\x05\x0b") for _ in range(1000)))
    for broken in (b"\x1b", b"\x1b[", b"\x1bO", b"\x1b[1;5", b"\x1b[" + b"9" * 300, b"\x1b[?\xff", b"\x1b\x1b\x1b["):
        type_noise(dialogue, broken)
    assert "policy" in dialogue.type(b"\x1b[200~heap\x1b[201~ stats\r"), "a terminal marks a paste"
    assert '"hp" is not a command' in dialogue.type("h\u00e4p \u20ac\U0001f600\r".encode())
    assert "at most 255" in dialogue.type("\u00e4".encode() * 10 + b"y" * 256 + b"\r")
    before = dialogue.seen
    type_noise(dialogue, b"free 8\r\n" * 40)
    answers = dialogue.running.serial[before:].count("is not a live block")
    assert answers == 40, f"a paste of 40 lines has {answers} answers"
    dialogue.ask("heap check; frames", r"whole heap: sound", r"all records: sound")


def ask_about_blocks(dialogue):
    block = re.match(r"(0x\w+), 4096 bytes", dialogue.ask("alloc 4K 64")).group(1)
    dialogue.ask("heap walk; heap histogram; heap leaks", rf"{block} live +4096 bytes", r"up to +4096 bytes +1 #")
    moved = re.match(r"(0x\w+), 65536 bytes", dialogue.ask(f"realloc {block} 64K")).group(1)
    dialogue.ask(f"free {moved}", r"^freed$")
    dialogue.ask(f"free {moved}", r"is not a live block")
    dialogue.ask("heap picture", r"# blocks")


def ask_about_addresses(dialogue):
    text, ram = "0xffffffff80000000", "0xffff800000100000"
    dialogue.ask(f"pages {text}", r"^level 1, .* r-x kernel only, page 0x", r'It belongs to "text"')
    dialogue.ask("space", r"r-x write-back +text$", r"--- guard page of main stack$")
    dialogue.ask("space format=kv", r'^\[map\] from=.* owner="text"$')
    dialogue.ask("peek 0; peek 0x400000", r'guard page of "null pointer"', r"nothing is mapped at 0x400000")
    dialogue.ask(f"poke {text} 1", r"is read-only")
    dialogue.ask(f"poke {ram} 0x41; peek {ram} 1", r"is now 0x41", r"  41 .* A$")
    registers = re.search(r"^(0x\w+).* uncached ", dialogue.ask("space"), re.MULTILINE).group(1)
    dialogue.ask(f"peek {registers} 4", r"belongs to a device")


def test_dialogue(lab):
    """One boot, many lines: good and bad input, noise, a long paste, and the keyboard."""
    with staying(lab, READY, "heap_aslr=off") as running:
        dialogue = Dialogue(running)
        dialogue.ask("help", r"^  heap ", r"^  poweroff ")
        dialogue.ask("help words", r'^\[help\] word="once"')
        dialogue.ask("help heap", r"^  example: heap")
        dialogue.ask("heap", r"policy fast", r"used +0 bytes")
        dialogue.ask("heap stats format=kv", r"^\[heap-stats\] size=\d+ .* when=monitor$")
        dialogue.ask("heap check", r"sound")
        dialogue.ask("frames", r"^  total +\d+ frames", r"sound")
        dialogue.ask("frames format=kv", r"^\[memory\] total=.* closes=yes$")
        dialogue.ask("map", r"kernel-image +reserved$")
        dialogue.ask("map format=kv", r"^\[region\] base=0x")
        dialogue.ask("early", r"retired")
        ask_about_blocks(dialogue)
        ask_about_addresses(dialogue)
        dialogue.ask("handoff", r'^Handoff 2\.1 of "handoff-loader', r"^  command line: heap_aslr=off$")
        dialogue.ask("timeline", r" us +kernel: self-test +#")
        log = dialogue.ask("log", r"\A\[loader\] ", r"^\[ready\] action=idle$", r'^\[monitor\] run="help"$')
        assert "policy fast:" not in log, "the answers are not kept"
        dialogue.ask("bench", r"^\[measure\] ticks_each=.* what=\"kmalloc, 64 bytes\"$")
        dialogue.ask("lesson 4", r"this kernel has no lessons")
        dialogue.ask("panic heap-leak; panic nonsense", r"survived=yes", r"is not a name")
        dialogue.ask("heap check; frames", r"whole heap: sound", r"all records: sound")
        dialogue.ask("hepa", r'did you mean "heap"\?')
        dialogue.ask("print", r"is not a command")
        assert dialogue.ask("") == "" and dialogue.ask("   ") == ""
        refused = dialogue.type(b"x" * 2000 + b"\r")
        assert "at most 255 characters" in refused and "2000" in refused
        type_noise(dialogue, bytes(byte for byte in range(256) if byte not in b"\r\n\x03\x0c\x15") + b"\r")
        assert "policy" in dialogue.type(b"garbage\x15heat\x1b[D\x1b[C\x08p sta\t\r")
        assert "policy" in dialogue.type(b"draft\x1b[A\r"), "the key up brings the line back"
        assert dialogue.type(b"reboot\x03") == "", "Ctrl-C drops the line"
        ask_with_noise(dialogue)
        press(running, "h", "e", "a", "p", "spc", "c", "h", "e", "c", "k", "ret")
        assert "sound" in dialogue.wait_for_prompt(), "the keyboard types, too"
        running.send(b"poweroff\r")
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.success and verdict.has_line(r"\[ready\] action=power-off"), verdict.sentence


def test_keyboard_restarts(lab):
    with staying(lab, READY) as running:
        press(running, "shift-r", "backspace", "r", "e", "b", "o", "o", "t", "ret")
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.success and verdict.has_line(r"\[ready\] action=restart"), verdict.sentence


def test_commands_of_the_command_line(lab):
    verdict = lab.case(command_line='run="heap check; frames format=kv; nonsense; poweroff; map"')
    assert verdict.success, verdict.sentence
    assert "Check of the whole heap: sound." in verdict.serial
    behind = verdict.serial.partition("[ready] action=power-off")[2]
    assert re.search(r"^\[memory\] total=.* closes=yes$", behind, re.MULTILINE), behind
    assert '"nonsense" is not a command' in behind and "Physical memory" not in behind


def test_panic_stays_until_a_key_restarts(lab):
    with staying(lab, r"^\[panic\] halted.*r to restart", "provoke=divide") as running:
        press(running, "x")
        running.send(b"q")
        assert running.pump(0.3), "other keys do nothing"
        press(running, "r")
        while running.pump(0.1):
            continue
        assert running.monitor.shutdown_reason == "guest-reset"


def print_map(path):
    """Return the rows that the simulator reads in a file."""
    command = [sys.executable, "host/simulator/simulate.py", str(path), "--print-map"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_dump_is_read_back_by_the_simulator(lab, tmp_path):
    with staying(lab, READY) as running:
        dialogue = Dialogue(running)
        dump, regions = dialogue.ask("dump"), dialogue.ask("map format=kv")
    assert "\n[ready] action=idle\n" in dump, "the log follows the map"
    subprocess.run(["make", "--no-print-directory", "--silent", "simulator"], cwd=ROOT, check=True)
    (tmp_path / "dump").write_text(dump, encoding="ascii")
    (tmp_path / "regions").write_text(regions, encoding="ascii")
    rows = print_map(tmp_path / "dump")
    assert rows.count("\n") > 20 and rows == print_map(tmp_path / "regions")


def test_forced_access_is_a_panic(lab):
    verdict = lab.case(command_line='run="poke 8 1 force"')
    expect_panic(verdict, "NULL_ACCESS")


@pytest.mark.full
def test_machine_without_a_keyboard_says_so(lab):
    with staying(lab, READY, machine={"extra": ["-machine", "i8042=off"]}) as running:
        dialogue = Dialogue(running)
        assert "[ready] keyboard=absent\n" in running.serial
        assert "no PS/2 keyboard answers" in running.serial
        dialogue.ask("heap check", "sound")
