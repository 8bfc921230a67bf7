"""Firmware without common features (catalogue FW1, FW2, FW14-FW17), and strict memory protection."""

import re

import pytest

from lab import expect_ready, expect_stop
from machines import MODERN


def test_FW1_no_loaded_image(lab):
    expect_stop(lab.case(plan=["no-loaded-image"]), 1)


def test_FW1_no_file_system(lab):
    expect_stop(lab.case(plan=["no-file-system"]), 2)


def test_FW2_watchdog_is_switched_off_first(lab):
    verdict = expect_ready(lab.case())
    assert "conductor: SetWatchdogTimer(0) after 0 other calls" in verdict.serial


def test_FW2_watchdog_that_stays_is_a_warning(lab):
    verdict = expect_ready(lab.case(plan=["watchdog-fails"]))
    assert "the firmware does not stop its watchdog" in verdict.serial


def test_FW14_no_console(lab):
    expect_ready(lab.case(plan=["no-console"]))


def test_FW14_no_console_and_an_error(lab):
    """The error is still printed on the serial port."""
    expect_stop(lab.case({"kernel.elf": None}, plan=["no-console"]), 4)


@pytest.mark.parametrize("fault", ["no-graphics", "graphics-blt-only", "graphics-empty"])
def test_FW15_no_usable_framebuffer(lab, fault):
    verdict = expect_ready(lab.case(plan=[fault]))
    assert verdict.has_line(r"\[handoff\] warning: no screen")


def test_FW16_no_acpi(lab):
    verdict = expect_ready(lab.case(plan=["no-acpi"]))
    assert "the firmware has no ACPI tables" in verdict.serial
    assert verdict.has_line(r'\[power-off\] by=firmware reason="the handoff has no ACPI tables'), verdict.serial


def test_FW16_no_acpi_with_five_levels(lab):
    """ResetSystem switches the machine off, under tables of five levels, too."""
    verdict = expect_ready(lab.case(plan=["no-acpi"], machine=MODERN, command_line="paging=5"))
    assert verdict.has_line(r"\[paging\] levels=5 ") and verdict.has_line(r"\[power-off\] by=firmware "), verdict.serial


def test_power_off_by_acpi(lab):
    verdict = expect_ready(lab.case())
    assert verdict.has_line(r"\[power-off\] by=acpi register=0x604 type=0$"), verdict.serial
    assert "by=firmware" not in verdict.serial


def test_reset_that_needs_memory_of_boot_services(lab):
    """Without ACPI, ResetSystem is the only way. So the memory stays, and its size is in the log."""
    verdict = expect_ready(lab.case(plan=["no-acpi", "late-reset"]))
    assert verdict.has_line("conductor: ResetSystem reads the page at"), verdict.serial
    kept = verdict.has_line(r'\[boot-services\] kept=yes frames=(\d+) mib=\d+ reason="the handoff has no ACPI tables')
    assert verdict.has_line(r'\[power-off\] by=firmware reason=".*" boot_services=kept$'), verdict.serial
    free = r"\[frames\] total=\d+ free=(\d+) "
    reused = lab.case(plan=["no-acpi", "late-reset"], command_line="boot_services=reuse")
    assert int(reused.has_line(free).group(1)) - int(verdict.has_line(free).group(1)) == int(kept.group(1))


def test_reset_without_the_memory_of_boot_services_is_named(lab):
    """The kernel names the page that this firmware needs."""
    verdict = lab.case(plan=["no-acpi", "late-reset"], command_line="boot_services=reuse")
    page = verdict.has_line(r"conductor: ResetSystem reads the page at ([0-9a-f]+)").group(1)
    assert not verdict.success and verdict.has_line(r"\[power-off\] by=firmware .* boot_services=reused$")
    assert "[boot-services]" not in verdict.serial and re.search(f"0x0*{page}", verdict.serial), verdict.serial


def test_memory_of_boot_services_can_stay_with_acpi_too(lab):
    plain = expect_ready(lab.case())
    verdict = expect_ready(lab.case(command_line="boot_services=keep"))
    assert "[boot-services]" not in plain.serial
    assert verdict.has_line(r'\[boot-services\] kept=yes .* reason="boot_services=keep"$'), verdict.serial


@pytest.mark.parametrize("plan, words", [([], "boot_services=keep"), (["no-acpi"], "")], ids=["word", "no-acpi"])
def test_memory_of_boot_services_does_not_stay_if_it_is_most_of_the_ram(lab, plan, words):
    """The firmware leaves 20 MiB of 128. A kernel without RAM is worse than a late ResetSystem that fails."""
    verdict = expect_ready(lab.case(plan=[*plan, "leave-pages 5120"], command_line=words))
    reused = verdict.has_line(r"\[boot-services\] warning: (\d+) MiB are reused, since they are more than half of the RAM: "
                              "a late ResetSystem of the firmware may need them$")  # fmt: skip
    assert reused and 64 < int(reused.group(1)) < 128, verdict.serial
    free = verdict.has_line(r"\[frames\] total=\d+ free=(\d+) ")
    assert int(free.group(1)) * 4096 > 64 << 20, "they are free"
    assert "kept=yes" not in verdict.serial


def test_no_random_numbers_from_firmware(lab):
    """RDRAND serves."""
    expect_ready(lab.case(plan=["no-random"]))


def test_FW17_no_memory_attribute_protocol(lab):
    expect_ready(lab.case(plan=["no-memory-attribute"]))


def test_FW17_memory_attribute_protocol_that_fails(lab):
    """The loader does not need it and never uses it."""
    verdict = expect_ready(lab.case(plan=["memory-attribute-fails"]))
    assert verdict.has_line("conductor: memory-attribute protocol: present, fails")
    assert "conductor: memory attributes of" not in verdict.serial


def test_M13_firmware_code_that_is_not_write_back(lab):
    """The handoff has it as reserved, it is mapped uncached, and the runtime call still works."""
    plain = expect_ready(lab.case())
    verdict = expect_ready(lab.case(plan=["firmware-uncached", "no-acpi"]))
    assert verdict.has_line(r"\[power-off\] by=firmware ")
    total = r"\[frames\] total=(\d+)"
    assert int(verdict.has_line(total).group(1)) < int(plain.has_line(total).group(1))


def test_strict_memory_protection(lab):
    """Data is not executable, code is not writable, and the loader's sections have their own permissions."""
    verdict = expect_ready(lab.case(plan=["strict-nx"]))
    assert verdict.has_line("conductor: strict-nx: on")
