"""The kernel's own map of its address space, printed as the simulator's table."""

import os
import re
import subprocess

import pytest
from lab import FOLDER, ROOT

LOG = FOLDER / "maps/kernel-print-map.txt"
SCRIPT = ROOT / "scripts/print-map.sh"


def print_map(*arguments, text=None, **environment):
    return subprocess.run([SCRIPT, *arguments], input=text, capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, **environment}, check=False)  # fmt: skip


def test_log_of_a_kernel_becomes_a_table():
    output = print_map("--log", LOG).stdout
    lines = LOG.read_text(encoding="utf-8").splitlines()
    assert len(output.splitlines()) == len(lines) + 2, "a heading, one line for each, and a blank line before the last"
    assert re.search(r"^  guard: null pointer +0x0000000000000000 +4 KiB none$", output, re.M)
    for row in (r"direct map of RAM +0xffff800000100000 +477 MiB rw- +238 × 2 MiB, 282 × 4 KiB$",
                r"direct map of framebuffer +0xffff8000c0000000 +3\.91 MiB rw- write-combining +1 × 2"):
        assert re.search("^  " + row, output, re.M)
    assert output.endswith("\nAudit passed: 2554 pages, in 17 tables of 4 levels from 0x1fe80000 on.\n")


def test_log_of_a_serial_line_may_have_anything_else_in_it():
    text = LOG.read_text(encoding="utf-8")
    noisy = "[paging] levels=4\r\n" + text.replace("\n", "\r\n[heap] x=1\r\n")
    assert print_map("--log", "-", text=noisy).stdout == print_map("--log", LOG).stdout
    assert print_map("--log", "-", "--raw", text=noisy).stdout == text.replace("[map] ", "")


@pytest.mark.parametrize("arguments, words", [
    (["--log", "/nonexistent"], "/nonexistent cannot be read"),
    (["--log"], "--log needs the name of a file"),
    (["--log", "-"], "no [map] line in the log"),
    (["--log", LOG, "--memory", "1G"], "--memory is an option for a boot"),
])  # fmt: skip
def test_picture_that_cannot_be_made_is_reported_in_a_sentence(arguments, words):
    done = print_map(*arguments, text="nothing\n")
    assert done.returncode == 1 and words in done.stderr and done.stdout == ""


def test_damaged_line_is_a_sentence():
    text = LOG.read_text(encoding="utf-8").replace("size_kib=636", "size_kib=6e6")
    done = print_map("--log", "-", text=text)
    assert done.returncode == 1 and "a [map] line of the log is damaged" in done.stderr


def test_terminal_of_ascii_gets_the_table_too():
    output = print_map("--log", LOG, PYTHONIOENCODING="ascii").stdout
    assert output.isascii() and "238 x 2 MiB" in output


def test_help_names_every_option():
    output = print_map("--help").stdout
    assert all(word in output for word in ("--raw", "--log FILE", "run.sh"))
