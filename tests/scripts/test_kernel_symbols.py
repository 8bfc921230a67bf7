"""Test the kernel's symbol table, with the functions that a backtrace names."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NM = """ffffffff80000000 T kernel_image_start
ffffffff80000000 T kernel_entry
ffffffff80000000 T kernel_text_start
ffffffff80001000 t helper
ffffffff80002000 T kernel_text_end
ffffffff80002000 R kernel_rodata_start
ffffffff80002010 r table
ffffffff80003000 d state
"""


def symbols(nm):
    """Return [(offset, name)] of the table for an output of nm."""
    table = subprocess.run(
        [sys.executable, ROOT / "scripts/kernel-symbols.py"],
        input=nm, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    offsets = [int(offset, 16) for offset in re.findall(r"\.long (0x[0-9a-f]+), \d+", table)]
    names = re.findall(r'\.asciz "(.*)"', table)
    assert f"    .long {len(names)}\n" in table
    assert len(offsets) == len(names)
    return list(zip(offsets, names))


def test_functions_are_named_and_boundaries_are_not():
    assert symbols(NM) == [(0, "kernel_entry"), (0x1000, "helper")]


def test_empty_input_makes_an_empty_table():
    assert symbols("") == []


def test_every_boundary_of_the_linker_script_is_known():
    script = (ROOT / "kernel/arch/x86_64/kernel.ld").read_text(encoding="utf-8")
    boundaries = re.findall(r"^\s*(\w+) = \.;", script, re.MULTILINE)
    assert len(boundaries) >= 10
    nm = "".join(f"ffffffff80000000 T {name}\n" for name in boundaries)
    assert symbols(nm + "ffffffff80000000 T kernel_entry\n") == [(0, "kernel_entry")]
