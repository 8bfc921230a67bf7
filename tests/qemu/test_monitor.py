"""The monitor behind [ready], on the serial port and on the PS/2 keyboard; and the key that restarts after a panic."""

import re
import time
from contextlib import contextmanager

from lab import CASE_IMAGE_MIB, TIMEOUT_SECONDS

PROMPT = "handoff> "
READY = f"^{PROMPT}$"


@contextmanager
def staying(lab, pattern, command_line="", machine=None):
    """Start a kernel that does not power off, and wait for a line."""
    disk = lab.disk(command_line=command_line, words=[], plan=[], size_mib=CASE_IMAGE_MIB)
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


def test_dialogue(lab):
    """One boot, many lines: good and bad input, noise, a long paste, and the keyboard."""
    with staying(lab, READY) as running:
        dialogue = Dialogue(running)
        dialogue.ask("help", r"^  heap ", r"^  poweroff ")
        dialogue.ask("help heap", r"^  example: heap")
        dialogue.ask("heap", r"policy fast", r"used +0 bytes")
        dialogue.ask("heap stats format=kv", r"^\[heap-stats\] size=\d+ .* when=monitor$")
        dialogue.ask("heap check", r"sound")
        dialogue.ask("frames", r"^  total +\d+ frames", r"sound")
        dialogue.ask("frames format=kv", r"^\[memory\] total=.* closes=yes$")
        dialogue.ask("map", r"kernel-image +reserved$")
        dialogue.ask("map format=kv", r"^\[region\] base=0x")
        dialogue.ask("early", r"retired")
        dialogue.ask("hepa", r'did you mean "heap"\?')
        dialogue.ask("print", r"is not a command")
        assert dialogue.ask("") == "" and dialogue.ask("   ") == ""
        refused = dialogue.type(b"x" * 10000 + b"\r")
        assert "at most 255 characters" in refused and "10000" in refused
        assert dialogue.type(bytes(byte for byte in range(256) if byte not in b"\r\n\x03\x0c\x15") + b"\r")
        assert "policy" in dialogue.type(b"garbage\x15heat\x1b[D\x1b[C\x08p sta\t\r")
        assert "policy" in dialogue.type(b"draft\x1b[A\r"), "the key up brings the line back"
        assert dialogue.type(b"reboot\x03") == "", "Ctrl-C drops the line"
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
