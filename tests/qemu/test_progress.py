"""The marks of the steps from ExitBootServices on: they name the step in which a boot hangs."""

import re
import time

from lab import BUILD, CASE_IMAGE_MIB, TIMEOUT_SECONDS, expect_ready
from screen import read_screen

STEPS = ["exit", "faults", "handoff", "switch", "kernel"]


def marks(serial):
    return re.findall(r"^\[loader\] progress: (\w+)$", serial.replace("\r", ""), re.M)


def expect_hang(lab, steps, tmp_path, plan=(), changes=None):
    """The machine stands still, and the marks are on the serial port and in the last line of the screen."""
    disk = lab.disk(changes, plan=plan, size_mib=CASE_IMAGE_MIB)
    with lab.restore(disk) as running:
        assert running.wait_for(rf"^\[loader\] progress: {steps[-1]}", TIMEOUT_SECONDS), running.serial
        deadline = time.monotonic() + 60
        last = ""
        while last != " ".join(steps) and time.monotonic() < deadline:
            running.pump(0.2)
            running.screenshot(tmp_path / "screen.ppm")
            last = read_screen(tmp_path / "screen.ppm", BUILD / "font.bin").splitlines()[-1]
        assert last == " ".join(steps)
        assert marks(running.serial) == steps
        return running.serial


def test_every_step_has_its_mark(lab):
    assert marks(expect_ready(lab.case()).serial) == STEPS


def test_exit_that_is_tried_again_has_marks(lab):
    verdict = expect_ready(lab.case(plan=["stale-fake 2"]))
    assert marks(verdict.serial) == ["exit", "again", "again", *STEPS[1:]]


def test_firmware_that_never_ends_is_visible(lab, tmp_path):
    expect_hang(lab, ["exit"], tmp_path, plan=["exit-hangs"])


def test_marks_need_no_screen(lab):
    assert marks(expect_ready(lab.case(plan=["no-graphics"])).serial) == STEPS
