"""Faults of the loader, or of the firmware that it calls, before the exit of boot services."""

import time

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
    assert "still the loader's" not in verdict.serial


def test_fault_in_the_firmware_stops_the_machine(lab):
    """The firmware may hold locks, so the loader neither calls it nor returns to it."""
    verdict = lab.case(plan=["read-at-most 4096", "read-jumps-at 5"])
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"\[loader\] fault: #PF page fault, in a call of the firmware")
    assert verdict.has_line("HL-27: The loader itself faulted")
    assert verdict.has_line(r'  what:   .* at 200000000000, phase "load kernel"')
    assert "conductor: the loader returned" not in verdict.serial


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
    assert "conductor: handlers at the exit: the firmware's" in verdict.serial


def test_firmware_gets_its_handlers_back_after_an_error(lab):
    verdict = expect_stop(lab.case({"kernel.elf": None}, plan=["show-handlers"]), 4)
    assert "still the loader's" not in verdict.serial
