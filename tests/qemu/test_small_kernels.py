"""Kernels of one file, each with at most one header of the project: shared/handoff.h or shared/handoff_note.h."""

import pytest

from lab import ROOT, expect_stop
from test_firmware_tables import NO_ROW, RESERVED, RESERVED_LOW, moved

OK = 0x10


def boot_kernel(lab, name, **settings):
    return lab.case(kernel=ROOT / f"build/small_kernels/{name}.elf", **settings)


@pytest.mark.parametrize("place", [RESERVED, RESERVED_LOW, NO_ROW],
                         ids=["reserved", "reserved-below-1M", "in-no-row"])  # fmt: skip
def test_T1_kernel_of_one_file_reaches_smbios(lab, place):
    verdict = boot_kernel(lab, "smbios", plan=[f"smbios-at {place}"])
    moved(verdict, "SMBIOS entry point")
    moved(verdict, "SMBIOS structures")
    assert verdict.code == OK, f"{verdict.sentence}\n{verdict.serial}"
    # Firmware and structures of QEMU: SMBIOS 2.8 or 3.0, and a BIOS (0) or system (1) first.
    assert verdict.has_line(r"SMBIOS [23]\.[0-9]+, first structure: type [01]$"), verdict.serial


def test_H2_kernel_for_version_1_refuses_version_2_by_name(lab):
    verdict = boot_kernel(lab, "version_1")
    assert verdict.code == OK, f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"handoff version 2\.0, wanted 1$"), verdict.serial


def test_L6_kernel_for_version_3_is_refused_before_it_starts(lab):
    """The linker makes the PT_NOTE segment, without a linker script."""
    verdict = expect_stop(boot_kernel(lab, "version_3"), 25)
    assert "handoff version 3.0; this loader has 2.0" in verdict.serial
