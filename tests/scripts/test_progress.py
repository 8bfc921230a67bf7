"""Test the line that shows the progress of long work."""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import progress
import pytest

ROOT = Path(__file__).resolve().parents[2]


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("seconds, text", [(0.2, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7800, "2 h 10 min"), (-1, "0 s")])
def test_duration(seconds, text):
    assert progress.duration(seconds) == text


def test_bytes_have_a_rate_and_a_time_left():
    clock, stream = Clock(), Terminal()
    line = progress.Progress("writing", 48 * progress.MIB, unit_bytes=True, stream=stream, clock=clock)
    clock.now += 4
    line.advance(12 * progress.MIB)
    assert stream.getvalue() == "\r\033[Kwriting: 12.0 of 48.0 MiB, 3.0 MiB/s, 12 s left"
    line.clear()
    assert stream.getvalue().endswith("\r\033[K")


def test_terminal_gets_two_lines_in_a_second_and_a_file_one_in_ten():
    for stream, count in ((Terminal(), 50), (io.StringIO(), 2)):
        clock = Clock()
        line = progress.Progress("work", 200, stream=stream, clock=clock)
        for _ in range(200):
            clock.now += 0.125
            line.advance()
        assert stream.getvalue().count("work: ") == count
    assert stream.getvalue().splitlines()[0] == "work: 80 of 200, 15 s left"


def test_time_is_the_expected_one_if_it_is_given():
    clock = Clock()
    line = progress.Progress("fuzz", 19, expected_seconds=600, clock=clock, stream=Terminal())
    clock.now += 60
    assert line.text() == "fuzz: 0 of 19, 9 min 0 s left"


def test_unknown_total_shows_the_time_that_has_passed():
    clock = Clock()
    line = progress.Progress("packages", clock=clock, stream=Terminal())
    clock.now += 5
    assert line.text() == "packages: 0, 5 s"


def test_steps_are_shown_on_a_terminal_only():
    terminal, file = Terminal(), io.StringIO()
    assert list(progress.steps("boots", "ab", stream=terminal)) == ["a", "b"]
    assert terminal.getvalue() == "\r\033[Kboots: 0 of 2, 0 s\r\033[Kboots: 1 of 2, 0 s\r\033[K"
    assert list(progress.steps("boots", iter("ab"), 5, stream=file)) == ["a", "b"] and file.getvalue() == ""


def test_steps_of_a_pipe_have_no_total():
    terminal = Terminal()
    assert list(progress.steps("times", iter("a"), stream=terminal)) == ["a"]
    assert terminal.getvalue().startswith("\r\033[Ktimes: 0, 0 s")


def test_filter_copies_every_byte_and_shows_nothing_in_a_pipe():
    done = subprocess.run(
        [sys.executable, progress.__file__, "--title", "x", "--lines", "^a", "--total", "2"],
        input="a 1\né\na 2\nlast".encode(), capture_output=True, check=True)  # fmt: skip
    assert done.stdout == "a 1\né\na 2\nlast\n".encode() and done.stderr == b""


def test_filter_on_a_terminal_shows_the_count_until_the_input_ends():
    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, progress.__file__, "--title", "x", "--lines", "^a", "--total", "2"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs)  # fmt: skip
    os.close(theirs)
    child.stdin.write(b"a\nb\n")
    child.stdin.flush()
    seen = b""
    while b"x: 1 of 2" not in seen:
        seen += os.read(ours, 1000)
    assert child.communicate()[0] == b"a\nb\n"
    os.close(ours)


def test_fuzzers_show_the_time_left_on_a_terminal(tmp_path):
    """Two fuzzers that only wait stand for real ones."""
    for name in ("fuzz_a", "fuzz_b"):
        (tmp_path / name).write_text("#!/bin/sh\nsleep 1\necho stat::number_of_executed_units: 7\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    ours, theirs = pty.openpty()
    done = subprocess.run([ROOT / "scripts/fuzz.sh", tmp_path, "60", "fuzz_a", "fuzz_b"], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=theirs, text=True, check=True)  # fmt: skip
    os.close(theirs)
    seen = os.read(ours, 10000).decode()
    os.close(ours)
    assert re.search(r"fuzz.sh: (1 of 2, (1 min 0|5\d)|2 of 2, 0) s left", seen), seen
    assert [re.sub(r"\d+ s", "N s", line) for line in sorted(done.stdout.splitlines())[1:]] == [
        "fuzz_a: passed (7 runs, N s)", "fuzz_b: passed (7 runs, N s)"]  # fmt: skip
    assert done.stdout.splitlines()[-1] == "2 passed, 0 failed"
