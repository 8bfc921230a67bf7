"""Firmware that keeps its tables where kernels crash, or damages them (catalogue T). The probe derives
every promise of docs/HANDOFF.md there, and uses the handoff to read the tables."""

import re

import pytest

from test_probe import KEPT, boot_probe, expect_kept, figures

# The conductor's numbers for the places (tests/qemu/conductor/tables.c).
RESERVED, RESERVED_LOW, NO_ROW = 1, 2, 3
PLACES = pytest.mark.parametrize("place", [RESERVED, RESERVED_LOW, NO_ROW],
                                 ids=["reserved", "reserved-below-1M", "in-no-row"])  # fmt: skip
MOVED = r"conductor: {} at ([0-9a-f]+), "
WARNING = "firmware tables: (\\d+) are damaged and ignored"


def boot(lab, *plan):
    """Run the probe on a machine with these faults. Check that every promise is kept, and return its figures."""
    verdict = boot_probe(lab, plan=plan)
    expect_kept(verdict)
    assert verdict.code == KEPT, f"{verdict.sentence}\n{verdict.serial}"
    return verdict, figures(verdict)


def skipped(verdict):
    return re.findall(r"^ok (\S+) # SKIP", verdict.serial, re.MULTILINE)


def moved(verdict, name):
    """Return the place of a table that the conductor moved."""
    found = verdict.has_line(MOVED.format(name))
    assert found, verdict.serial
    return int(found.group(1), 16)


def expect_place(address, place):
    assert (address < 0x100000) == (place != RESERVED)
    assert (0xF0000 <= address < 0x100000) == (place == NO_ROW)


def test_all_acpi_tables_of_this_firmware_are_good(lab):
    verdict, seen = boot(lab)
    assert seen["useless_acpi_tables"] == "0"
    assert not re.search(WARNING, verdict.serial) and not skipped(verdict)


@PLACES
def test_T1_smbios_is_reached(lab, place):
    verdict, _ = boot(lab, f"smbios-at {place}")
    expect_place(moved(verdict, "SMBIOS entry point"), place)
    expect_place(moved(verdict, "SMBIOS structures"), place)
    assert verdict.has_line("ok smbios-can-be-read$") and not skipped(verdict)
    assert not re.search(WARNING, verdict.serial)


@PLACES
def test_T1_acpi_root_pointer_is_reached(lab, place):
    verdict, seen = boot(lab, f"rsdp-at {place}")
    expect_place(moved(verdict, "RSDP"), place)
    assert verdict.has_line("ok acpi-tables-can-be-read$") and not skipped(verdict)
    assert seen["useless_acpi_tables"] == "0"


def test_T2_root_pointer_without_a_root_table_is_a_warning(lab):
    verdict, seen = boot(lab, "rsdp-without-root")
    assert re.search(WARNING, verdict.serial).group(1) == "1"
    assert seen["useless_acpi_tables"] == "1"


def test_damaged_acpi_table_is_a_warning(lab):
    verdict, seen = boot(lab, "acpi-checksum 0")
    assert re.search(WARNING, verdict.serial).group(1) == "1"
    assert seen["useless_acpi_tables"] == "1"


def test_entry_that_leads_to_no_memory_is_a_warning(lab):
    """The firmware has no mapping there: reading it would end the boot."""
    verdict, seen = boot(lab, "acpi-entry-nowhere")
    assert re.search(WARNING, verdict.serial).group(1) == "1"
    assert seen["useless_acpi_tables"] == "1"


def test_damaged_smbios_is_a_warning(lab):
    verdict, seen = boot(lab, "smbios-checksum")
    assert re.search(WARNING, verdict.serial)
    assert seen["smbios"] == "damaged"


def test_FW16_T3_promises_hold_without_acpi(lab):
    verdict, seen = boot(lab, "no-acpi")
    assert "warning: ACPI's list of processors (MADT): absent or damaged" in verdict.serial
    assert int(seen["processor_count"], 0) == 1
    assert skipped(verdict) == ["acpi-tables-can-be-read"]


def test_T4_no_page_below_1M_is_a_warning(lab):
    verdict, seen = boot(lab, "low-memory-full")
    assert int(seen["processor_start_base"], 0) == 0
    assert "no page below 1 MiB is free: no other processor can be started" in verdict.serial


def test_T4_T5_page_for_processors_lies_below_1M(lab):
    _, seen = boot(lab)
    assert 0 < int(seen["processor_start_base"], 0) < 0x100000
