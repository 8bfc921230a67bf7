"""Other processors (docs/HANDOFF.md, "Started processors"): a kernel takes over those that the loader started, and this
project's kernel leaves them where they wait. QEMU's MADT begins with an entry of eight bytes for each processor."""

import re
import struct

import pytest

from lab import BUILD, TIMEOUT_SECONDS, expect_ready
from machines import SMALL

TAKER = BUILD / "small_kernels/processors.elf"
TAKEN = 0x10
ENTRIES, ENTRY_BYTES, ID_OFFSET = 44, 8, 3
WINDOW, WINDOW_END = 0xFFFFFF0080000000, 0xFFFFFF00C0000000


def madt_byte(offset, value):
    """The line of the conductor's plan that changes a byte of the MADT."""
    return f"madt-byte {offset * 256 + value}"


def id_of(index):
    return ENTRIES + index * ENTRY_BYTES + ID_OFFSET


def expect_taken(verdict, listed, taken):
    """The kernel prints hexadecimal numbers."""
    assert verdict.has_line(f"processors: {listed:x} listed, {taken:x} taken over, 0 promises broken"), verdict.serial
    assert verdict.code == TAKEN, f"{verdict.sentence}\n{verdict.serial}"


def take(lab, plan=(), words="processors=start", **machine):
    return lab.case(kernel=TAKER, command_line=words, plan=plan, machine=machine or SMALL)


def test_kernel_takes_over_each_processor(lab):
    """Each one has the promised state. The last one is sent to no code, and stops there with a report."""
    verdict = take(lab)
    expect_taken(verdict, 4, 3)
    assert "does not answer" not in verdict.serial


def short(identifier, flags=1):
    return struct.pack("<BBBBI", 0, 8, identifier, identifier, flags)


def long(identifier, flags=1):
    return struct.pack("<BBHIII", 9, 16, 0, identifier, flags, identifier)


def madt(*entries):
    """Return a MADT with these entries (ACPI 6.5, 5.2.12)."""
    body = b"".join(entries)
    header = struct.pack("<4sIBB6s8sIII", b"APIC", ENTRIES + len(body), 3, 0, b"TEST", b"HOSTILE", 1, 0, 0)
    table = bytearray(header + struct.pack("<II", 0xFEE00000, 1) + body)
    table[9] = -sum(table) % 256
    return bytes(table)


def test_N6_N7_hostile_list_of_processors(lab):
    """Some processors are listed twice, some do not exist, and some are not enabled. The IDs from 255 on cannot be
    reached in xAPIC mode; 255 would reach all processors. The wait is a second for all of them together."""
    table = madt(short(0), short(0), short(1), long(1), short(5, flags=2), short(6, flags=0), long(2), long(3), short(77),
                 long(254), long(255), long(300), long(0), short(255))  # fmt: skip
    verdict = lab.case({"madt.bin": table}, ["madt-file"], command_line="processors=start", machine=SMALL)
    expect_ready(verdict)
    assert verdict.has_line(r"\[loader\] warning: processor 0 is listed twice: counted once$"), verdict.serial
    absent = re.findall(r"warning: processor (\d+) does not answer: left out$", verdict.serial, re.MULTILINE)
    assert absent == ["77", "254", "255", "300"], verdict.serial
    assert verdict.has_line(r"\[cpu\] processors=8 running=1 waiting=3$"), verdict.serial


@pytest.mark.full
@pytest.mark.parametrize("count, listed, taken", [(4096, 4096, 3), (5000, 1, 0)])
def test_N6_thousands_of_processors(lab, count, listed, taken):
    """A second for all that do not answer. A list over the limit has only the boot processor."""
    table = madt(*(long(identifier) for identifier in range(count)))
    machine = {"cpu_count": 4, "memory": "512M"}
    verdict = lab.case({"madt.bin": table}, ["madt-file"], kernel=TAKER, command_line="processors=start", machine=machine)
    expect_taken(verdict, listed, taken)


def processors_of(running):
    """Return {name: value} of the registers of each processor."""
    text = running.command("human-monitor-command", {"command-line": "info registers -a"})
    return [dict(re.findall(r"\b(RIP|CR3|HLT|IDT|GDT)= *([0-9a-f]+)", part)) for part in re.split(r"CPU#\d+", text)[1:]]


def test_processors_wait_in_their_own_memory_while_the_kernel_uses_the_rest(lab):
    """At the end of the boot the kernel has its own tables, and has reused the loader's memory."""
    disk = lab.case_disk(SMALL, words=["unattended"], command_line="processors=start print-regions")
    with lab.restore(disk, machine=SMALL) as running:
        assert running.wait_for(r"^\[ready\] keyboard=", TIMEOUT_SECONDS), running.serial
        block = re.search(r"base=(0x\w+) size=(\d+) type=parking", running.serial)
        start, size = int(block.group(1), 0), int(block.group(2))
        others = [cpu for cpu in processors_of(running) if WINDOW <= int(cpu["RIP"], 16) < WINDOW + 4096]
        assert len(others) == 3
        for cpu in others:
            assert cpu["HLT"] == "1"
            assert start <= int(cpu["CR3"], 16) < start + size
            assert WINDOW <= int(cpu["GDT"], 16) < WINDOW_END and WINDOW <= int(cpu["IDT"], 16) < WINDOW_END


def test_without_the_word_no_processor_is_started(lab):
    verdict = take(lab, words="processors=list")
    expect_taken(verdict, 4, 0)
    assert "[loader] progress: processors" not in verdict.serial


@pytest.mark.full
@pytest.mark.parametrize("change, warning", [
    (madt_byte(id_of(1), 0), "processor 0 is listed twice: counted once"),
    (madt_byte(ENTRIES + ENTRY_BYTES + 1, 0), r"ACPI's list of processors \(MADT\): an entry is too short"),
    (madt_byte(ENTRIES + ENTRY_BYTES + 1, 255), r"ACPI's list of processors \(MADT\): truncated"),
], ids=["N7", "T3-length-0", "T3-truncated"])  # fmt: skip
def test_T3_N7_wrong_table_is_a_warning(lab, change, warning):
    listed = 3 if "twice" in warning else 1
    verdict = take(lab, [change])
    assert verdict.has_line(f"processors: {listed} listed, .* 0 promises broken"), verdict.serial
    verdict = lab.case(plan=[change], machine=SMALL)
    assert expect_ready(verdict).has_line(rf"\[loader\] warning: {warning}$"), verdict.serial


@pytest.mark.full
def test_T4_without_a_page_below_1M_none_is_started(lab):
    verdict = lab.case(plan=["low-memory-full"], command_line="processors=start", machine=SMALL)
    warning = r"\[loader\] warning: no page below 1 MiB is free: no other processor can be started$"
    assert expect_ready(verdict).has_line(warning), verdict.serial
    assert verdict.has_line(r"\[cpu\] processors=4 running=1 waiting=0$"), verdict.serial


@pytest.mark.full
@pytest.mark.parametrize("machine, words", [
    ({"cpu_count": 1}, ""), ({"cpu_count": 4, "cpu": "max"}, "paging=5"), ({"cpu_count": 4, "memory": "6G"}, ""),
    ({"cpu_count": 4, "cpu": "qemu64,-nx"}, ""), ({"cpu_count": 16, "memory": "512M"}, ""),
    ({"cpu_count": 64, "memory": "1G"}, ""), ({"cpu_count": 255, "memory": "1G"}, ""),
], ids=["1", "5-levels", "6G", "no-nx", "16", "64", "255"])  # fmt: skip
def test_kernel_takes_over_many_processors(lab, machine, words):
    verdict = lab.cold(kernel=TAKER, command_line=f"processors=start {words}", machine=machine)
    expect_taken(verdict, machine["cpu_count"], machine["cpu_count"] - 1)
