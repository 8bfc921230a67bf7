"""Test the line that shows the progress of long work."""

import io
import os
import pty
import subprocess
import sys

import progress
import pytest


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
