"""Memory map and exit of bad firmware (catalogue FW6-FW13)."""

import re

import pytest

from lab import CODE_FORBIDDEN, PANIC, expect_ready, expect_stop


def expect_end_after_exit(verdict):
    """The loader cannot return to the firmware after it tried to exit. So it reports the failure on serial
    and framebuffer by itself, and stops the machine without another boot service."""
    assert verdict.code != CODE_FORBIDDEN, verdict.serial
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert "HL-16:" in verdict.serial, verdict.serial
    assert "FORBIDDEN" not in verdict.serial


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("kind", ["fake", "real"])
def test_FW10_stale_key_is_retried(lab, kind, count):
    verdict = expect_ready(lab.case(plan=[f"stale-{kind} {count}"]))
    assert len(re.findall(r"^conductor: ExitBootServices \d+", verdict.serial, re.M)) == count
    assert "FORBIDDEN" not in verdict.serial


def test_FW11_key_is_stale_every_time(lab):
    expect_end_after_exit(lab.case(plan=["stale-fake 1000000"]))


def test_FW12_map_fails_after_a_failed_exit(lab):
    expect_end_after_exit(lab.case(plan=["stale-fake 1", "map-fails-after-exit"]))


def test_FW13_second_map_exceeds_the_buffer(lab):
    expect_end_after_exit(lab.case(plan=["stale-fake 1", "map-huge-after-exit"]))


@pytest.mark.parametrize("count", [1, 4, 1000000])
def test_FW6_map_grows_on_each_call(lab, count):
    expect_ready(lab.case(plan=[f"map-grows {count}"]))


def test_FW6_map_grows_and_keys_are_stale(lab):
    expect_ready(lab.case(plan=["map-grows 1000000", "stale-real 3"]))


def test_FW6_map_outgrows_its_room_before_the_exit(lab):
    """The third read of the map is the one for ExitBootServices. Boot services still work then, so the loader reserves
    the block again."""
    verdict = expect_ready(lab.case(plan=["map-burst 3", "stale-real 1"]))
    assert "conductor: GetMemoryMap 3: the map bursts" in verdict.serial
    assert "conductor: GetMemoryMap 5" not in verdict.serial


def test_FW6_map_that_never_stops_growing(lab):
    verdict = expect_stop(lab.case(plan=["map-bursts 3"]), 15)
    assert "buffer too small" in verdict.serial


@pytest.mark.parametrize("fault", ["loader-data-uncached", "loader-data-special"])
def test_M13_blocks_that_are_no_plain_ram_by_the_map(lab, fault):
    """The direct map would not have the kernel's memory. The loader stops with an error, while it can still return to
    the firmware."""
    expect_stop(lab.case(plan=[fault]), 18)


def test_M13_map_without_any_attribute_is_taken_as_write_back(lab):
    """Taken literally, there would be no RAM at all."""
    plain = expect_ready(lab.case())
    verdict = expect_ready(lab.case(plan=["no-attributes"]))
    assert "warning: no memory map row has attributes: RAM is taken as write-back" in verdict.serial
    ram = r"\[frames\] .*ram_mib=(\d+)"
    assert verdict.has_line(ram).group(1) == plain.has_line(ram).group(1)


def test_L3_ram_above_the_addresses_of_the_cpu_is_reserved(lab):
    verdict = expect_ready(lab.case(plan=["high-row"]))
    assert re.search(r"warning: \d+ MiB of RAM at or above \d+ GiB stay reserved", verdict.serial)


@pytest.mark.parametrize("size", [48, 56, 64, 128])
def test_FW7_descriptor_stride_is_honoured(lab, size):
    """The bytes between the rows are garbage and must not be read as rows."""
    plain = expect_ready(lab.case())
    verdict = expect_ready(lab.case(plan=[f"descriptor-size {size}"]))
    ram = r"\[frames\] total=(\d+)"
    assert verdict.has_line(ram).group(1) == plain.has_line(ram).group(1)


@pytest.mark.parametrize("size", [0, 8, 39])
def test_FW8_impossible_descriptor_size(lab, size):
    expect_stop(lab.case(plan=[f"descriptor-size {size}"]), 15)


def test_FW8_map_size_is_no_multiple(lab):
    expect_stop(lab.case(plan=["map-ragged"]), 15)


def test_FW9_other_descriptor_version_is_a_warning(lab):
    verdict = expect_ready(lab.case(plan=["descriptor-version 7"]))
    assert "the memory map has version 7, and is read as version 1" in verdict.serial
