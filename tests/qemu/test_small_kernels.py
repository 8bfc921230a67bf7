"""Kernels of one file, each with at most one header of the project: shared/handoff.h or shared/handoff_note.h."""

import re
import subprocess

import pytest

from lab import BUILD, expect_stop
from test_firmware_tables import NO_ROW, RESERVED, RESERVED_LOW, moved

OK = 0x10


def boot_kernel(lab, name, **settings):
    path = BUILD / f"small_kernels/{name}.elf" if isinstance(name, str) else name
    return lab.case(kernel=path, **settings)


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
    assert verdict.has_line(r"handoff version 2\.1, wanted 1$"), verdict.serial


def test_L6_kernel_for_version_3_is_refused_before_it_starts(lab):
    """The linker makes the PT_NOTE segment, without a linker script."""
    verdict = expect_stop(boot_kernel(lab, "version_3"), 25)
    assert "handoff version 3.0; this loader has 2.1" in verdict.serial


def test_E16_refusal_names_segment_address_and_the_linker_s_option(lab, tmp_path):
    """The obvious option -Ttext leaves the constants below the higher half."""
    kernel = tmp_path / "first.elf"
    subprocess.run(["ld.lld", "-static", "-nostdlib", "--entry=entry", "-Ttext=0xffffffff80000000",
                    BUILD / "kernel/tests/qemu/small_kernels/version_1.o", "-o", kernel], check=True)  # fmt: skip
    verdict = expect_stop(boot_kernel(lab, kernel), 11)
    assert re.search(r"what: +\\kernel.elf: segment \d \(r--, 0x200[0-9a-f]{3}, \d+ bytes\): A segment is linked below "
                     r"0xffffffff80000000\.\n +remedy: Link with `--image-base=0xffffffff80000000`", verdict.serial)  # fmt: skip
