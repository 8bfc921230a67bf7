"""Faults of the loader, or of the firmware that it calls, before the exit of boot services."""

import time

import pytest

from lab import BUILD, CASE_IMAGE_MIB, PANIC, TIMEOUT_SECONDS, expect_ready, expect_stop
from screen import read_screen


def test_fault_in_the_loader_is_an_error_like_others(lab):
    """It follows a pointer of the firmware to unmapped memory. It names the fault, frees its memory and returns."""
    verdict = expect_stop(lab.case(plan=["volume-nowhere"]), 27)
    assert verdict.has_line(r"\[loader\] fault: #PF page fault, in the loader")
    assert verdict.has_line(r"  code:   .*no page is mapped there")
    assert "cr2 0000200000000" in verdict.serial
    assert verdict.has_line(r".*addr2line -e BOOTX64.debug.efi 0x14000[0-9a-f]+ names the line")
    assert verdict.has_line(r'  what:   #PF page fault, in the loader at [0-9a-f]+, phase "read config"')
    assert verdict.has_line("conductor: handlers after it: the firmware's$")


def test_fault_in_the_firmware_stops_the_machine(lab):
    """The firmware may hold locks, so the loader neither calls it nor returns to it."""
    verdict = lab.case(plan=["read-at-most 4096", "read-jumps-at 5"])
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"\[loader\] fault: #PF page fault, in a call of the firmware")
    assert verdict.has_line("HL-27: The loader itself faulted")
    assert verdict.has_line(r'  what:   .* at 200000000000, phase "load kernel"')
    assert "conductor: the loader returned" not in verdict.serial


# The firmware's own TSS has stacks for page faults only. A leftover of another program counts as none.
TASK_STATES = [[], ["task-state"], ["task-state-left"]]

@pytest.mark.parametrize("task_state", TASK_STATES, ids=["none", "firmware's", "left"])
@pytest.mark.parametrize("plan, name, words", [
    ("read-pushes-at", "#PF page fault", r"  cr2: +beside the stack pointer: the stack is used up, or"),
    ("read-spins-at", "#PF page fault", r"  cr2: +beside the stack pointer: the stack is used up, or"),
    ("read-breaks-at", "(#SS stack-segment fault|#GP general protection)", r"  remedy: "),
], ids=["push", "interrupt", "no-address"])  # fmt: skip
def test_X8_fault_without_a_stack_is_named(lab, task_state, plan, name, words):
    """The handlers have a stack of their own. Without it the machine resets with no word. QEMU raises #GP where a CPU
    raises #SS."""
    if task_state == ["task-state"] and plan == "read-breaks-at":
        name = "#DF double fault"  # the firmware has no stack for the first fault
    verdict = lab.case(plan=["read-at-most 4096", f"{plan} 5", *task_state])
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(rf"\[loader\] fault: {name}, in a call of the firmware"), verdict.serial
    assert verdict.has_line(words) and verdict.has_line("HL-27: The loader itself faulted"), verdict.serial


@pytest.mark.parametrize("task_state", TASK_STATES[1:], ids=["firmware's", "left"])
def test_boot_and_error_with_a_task_state_of_others(lab, task_state):
    """The firmware has its tables again at the exit, and after an error."""
    verdict = expect_ready(lab.case(plan=["show-handlers", *task_state]))
    assert verdict.has_line("conductor: handlers: the loader's.*, the timer ticks"), verdict.serial
    assert verdict.has_line("conductor: handlers at the exit: the firmware's$")
    verdict = expect_stop(lab.case({"kernel.elf": None}, plan=task_state), 4)
    assert verdict.has_line("conductor: handlers after it: the firmware's$")


def test_fault_in_the_firmware_is_on_the_screen(lab, tmp_path):
    disk = lab.disk(words=["unattended"], plan=["map-jumps"], size_mib=CASE_IMAGE_MIB)
    with lab.restore(disk) as running:
        assert running.wait_for("HL-27: The loader itself faulted", TIMEOUT_SECONDS), running.serial
        deadline = time.monotonic() + 60
        text = ""
        while "remedy: Update the firmware" not in text and time.monotonic() < deadline:
            running.pump(0.2)
            running.screenshot(tmp_path / "screen.ppm")
            text = read_screen(tmp_path / "screen.ppm", BUILD / "font.bin")
    assert "[loader] fault: #PF page fault, in a call of the firmware" in text
    assert 'HL-27: The loader itself faulted.' in text and 'phase "reserve handoff"' in text


def test_firmware_keeps_its_timer_and_gets_its_handlers_back(lab):
    verdict = expect_ready(lab.case(plan=["show-handlers"]))
    assert "conductor: handlers: the loader's, the timer ticks" in verdict.serial
    assert verdict.has_line("conductor: handlers at the exit: the firmware's$")


def test_firmware_gets_its_handlers_back_after_an_error(lab):
    verdict = expect_stop(lab.case({"kernel.elf": None}, plan=["show-handlers"]), 4)
    assert verdict.has_line("conductor: handlers after it: the firmware's$")
