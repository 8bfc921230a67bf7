"""scripts/run.py from end to end, as run.sh calls it."""

import os
import subprocess
import sys

import pytest

from lab import ROOT, TIMEOUT_SECONDS


def test_picture_of_a_panic_from_a_stick_with_large_sectors(tmp_path):
    """4096-byte sectors, FAT32, no window; the screen is saved where a panic would end QEMU."""
    picture = tmp_path / "screen é.png"
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/run.py", "--once", "--medium", "usb", "--sector", "4096",
         "--display", "none", "--screenshot", picture, "--cmdline", "provoke=heap-double-free",
         "--timeout", str(TIMEOUT_SECONDS)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "run.sh: FAILED: the kernel stopped with" in done.stderr, done.stderr
    assert f"the screen is in {picture}" in done.stderr
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG") and data[-8:-4] == b"IEND" and len(data) > 4000


def test_W4_menu_and_monitor_in_a_terminal():
    """What a person does in the terminal: look at the details, edit the command line, boot, and switch off."""
    pexpect = pytest.importorskip("pexpect")
    with pexpect.spawn(sys.executable, [str(ROOT / "scripts/run.py"), "--menu", "--display", "none"],
                       timeout=TIMEOUT_SECONDS, encoding="utf-8", codec_errors="replace",
                       dimensions=(24, 80), env={**os.environ, "NO_COLOR": "1"}) as terminal:  # fmt: skip
        terminal.expect_exact("Handoff: choose an entry (1 of 1)")
        terminal.expect_exact("Enter: start")
        terminal.send("d")
        terminal.expect_exact("SHA-256 ")
        terminal.expect_exact("Esc: back")
        terminal.send("\r")
        terminal.expect_exact("Enter: start  e: edit")
        terminal.send("e")
        terminal.expect_exact("The command line of this boot")
        terminal.send(" heap=best-fit")
        terminal.expect_exact("heap=best-fit")
        terminal.send("\r")
        terminal.expect(r"\[heap\] .*policy=best-fit")
        terminal.expect_exact("handoff> ")
        terminal.send("poweroff\r")
        terminal.expect_exact(pexpect.EOF)
    assert terminal.exitstatus == 0, terminal.before
