"""The walk of page tables for gdb (scripts/gdb/handoff_pages.py), over tables in a dictionary."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts/gdb"))

import handoff_pages as pages  # noqa: E402

PRESENT, WRITE, LARGE, NX = 1, 2, 1 << 7, 1 << 63
ADDRESS = 0xFFFF_8000_0040_3123


def index(level, address=ADDRESS):
    return address >> (12 + 9 * (level - 1)) & 511


def tables(levels, leaf_level, leaf):
    """Return a function that reads tables for ADDRESS: the table of each level lies at level << 12."""
    words = {(level << 12) + 8 * index(level): (level - 1 << 12) | PRESENT | WRITE
             for level in range(levels, leaf_level, -1)}  # fmt: skip
    words[(leaf_level << 12) + 8 * index(leaf_level)] = leaf
    return lambda address: words.get(address, 0)


@pytest.mark.parametrize("levels", [4, 5])
def test_page_of_4_kib(levels):
    steps = pages.find_path(tables(levels, 1, 0x1234_5000 | PRESENT | NX), levels << 12, levels, ADDRESS)
    assert [step.level for step in steps] == list(range(levels, 0, -1))
    assert [step.index for step in steps] == [index(level) for level in range(levels, 0, -1)]
    assert steps[-1].is_leaf and steps[-1].target == 0x1234_5000 and steps[-1].page_bytes == 4096
    assert pages.rights(steps) == "r--, kernel only"
    assert str(steps[-1]).endswith("present no-execute, page 0x12345000")
    assert str(steps[0]).endswith(f"present write, table 0x{levels - 1 << 12:x}")


@pytest.mark.parametrize("level, size", [(2, 2 << 20), (3, 1 << 30)])
def test_large_page_has_its_pat_bit_in_bit_12(level, size):
    entry = 0x4000_0000 | pages.PAT_LARGE | PRESENT | LARGE
    steps = pages.find_path(tables(4, level, entry), 4 << 12, 4, ADDRESS)
    assert steps[-1].is_leaf and steps[-1].page_bytes == size and steps[-1].target == 0x4000_0000
    assert steps[-1].flags == ["present", "large", "pat"]


def test_bit_7_of_a_small_page_is_pat():
    steps = pages.find_path(tables(4, 1, 0x5000 | PRESENT | LARGE), 4 << 12, 4, ADDRESS)
    assert steps[-1].flags == ["present", "pat"] and steps[-1].target == 0x5000


def test_entry_that_is_not_present_ends_the_path():
    steps = pages.find_path(tables(5, 3, 0x5000), 5 << 12, 5, ADDRESS)
    assert len(steps) == 3 and not steps[-1].is_present and str(steps[-1]).endswith("not present")


@pytest.mark.parametrize("address, levels, canonical", [
    (0, 4, True), (0x7FFF_FFFF_FFFF, 4, True), (0x8000_0000_0000, 4, False), (0x8000_0000_0000, 5, True),
    (0xFFFF_8000_0000_0000, 4, True), (0xFF00_0000_0000_0000, 4, False), (0xFF00_0000_0000_0000, 5, True),
    ((1 << 64) - 1, 4, True), ((1 << 64) - 1, 5, True), (1 << 63, 5, False)])  # fmt: skip
def test_canonical(address, levels, canonical):
    assert pages.is_canonical(address, levels) == canonical


@pytest.mark.parametrize("start", [ADDRESS & ~4095, ADDRESS & ~4095 - (5 << 30), 0xFFFF_8000_0000_0000])
def test_first_mapped_page(start):
    read = tables(4, 1, 0x1234_5000 | PRESENT)
    assert pages.first_page(read, 4 << 12, 4, start, 1 << 64) == ADDRESS & ~4095


def test_no_mapped_page():
    assert pages.first_page(lambda address: 0, 4 << 12, 4, 0xFFFF_FFFF_8000_0000, 1 << 64) is None
