"""Test the kernel's line table: what scripts/kernel-lines.py writes, kernel/core/line_table.c reads."""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)

BUILD = folders.build_folder()
IMAGE_BASE = 0xFFFFFFFF80000000
# tests/unit/test_line_table.c reads the same table. The fuzzer begins with it, behind 4 bytes of an address.
SEED = ROOT / "tests/fuzz/seeds/line_table/sample"
DUMP = """debug_line[0x00000000]
Line table prologue:
include_directories[  0] = "/src"
include_directories[  1] = "./kernel/core"
file_names[  0]:
           name: "main.c"
      dir_index: 0
   md5_checksum: 1a948aae5900095a133754b0ad950f38
file_names[  1]:
           name: "inline.h"
      dir_index: 1

Address            Line   Column File   ISA Discriminator Flags
------------------ ------ ------ ------ --- ------------- -------------
0xffffffff80000000     10      0      0   0             0  is_stmt
0xffffffff80000004     11      5      0   0             0  is_stmt
0xffffffff80000008     11      9      0   0             0
0xffffffff80000010    200      1      1   0             0  is_stmt prologue_end
0xffffffff80000014      0      1      1   0             0
0xffffffff80000018      9      1      0   0             0
0xffffffff80000018     12      1      0   0             0
0xffffffff80000020     12      1      0   0             0  end_sequence

debug_line[0x00000100]
include_directories[  0] = "/src"
file_names[  0]:
           name: "kernel/core/other.c"
      dir_index: 0
0xffffffff80100000  70000      0      0   0             0  is_stmt
0xffffffff80100040  70000      0      0   0             0  is_stmt end_sequence
"""
EXPECTED = [(0, "main.c", 10), (3, "main.c", 10), (4, "main.c", 11), (0xF, "main.c", 11),
            (0x10, "kernel/core/inline.h", 200), (0x17, "kernel/core/inline.h", 200), (0x18, "main.c", 12),
            (0x100000, "kernel/core/other.c", 70000), (0x10003F, "kernel/core/other.c", 70000)]  # fmt: skip


class SourceLine(ctypes.Structure):
    _fields_ = [("directory", ctypes.c_char_p), ("file", ctypes.c_char_p), ("line", ctypes.c_uint32)]


@pytest.fixture(scope="module")
def find(tmp_path_factory):
    """The kernel's own function, as find(table, offset) -> (path, line) or None."""
    library = tmp_path_factory.mktemp("line_table") / "line_table.so"
    clang = os.environ.get("CLANG", "clang")
    subprocess.run([clang, "-std=c17", "-O2", "-fPIC", "-shared", f"-I{ROOT}", "-o", library,
                    ROOT / "kernel/core/line_table.c"], check=True)  # fmt: skip
    function = ctypes.CDLL(str(library)).line_table_find
    function.restype = ctypes.c_bool
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64, ctypes.POINTER(SourceLine)]

    def find_line(table, offset):
        line = SourceLine()
        if not function(table, len(table), offset, ctypes.byref(line)):
            return None
        return "/".join(filter(None, (line.directory.decode(), line.file.decode()))), line.line

    return find_line


def make_table(dump):
    """Return the bytes of the table for an output of llvm-dwarfdump."""
    assembly = subprocess.run([sys.executable, ROOT / "scripts/kernel-lines.py"],
                              input=dump, capture_output=True, text=True, check=True).stdout  # fmt: skip
    return bytes(int(number) for row in re.findall(r"\.byte ([\d,]+)", assembly) for number in row.split(","))


def test_lines_of_a_small_dump(find):
    table = make_table(DUMP)
    assert [(offset, *find(table, offset)) for offset, _, _ in EXPECTED] == EXPECTED
    assert SEED.read_bytes()[4:] == table, "the sample of the C tests is this table"


def test_empty_input_makes_an_empty_table(find):
    table = make_table("")
    assert len(table) == 17 and find(table, 0) is None


def test_every_row_of_the_kernel(find):
    """The table in the kernel has the lines of its debug information."""
    kernel = BUILD / "kernel.debug.elf"
    dump = subprocess.run(["llvm-dwarfdump", "--debug-line", kernel], capture_output=True, text=True, check=True).stdout
    table = make_table(dump)
    assert table in kernel.read_bytes()
    rows = wanted_rows(dump)
    assert len(rows) > 10_000
    wrong = [(hex(address), line, found) for address, line in rows
             if (found := find(table, address - IMAGE_BASE)) is None or found[1] != line]  # fmt: skip
    assert wrong == []


def test_size_in_document_is_the_tables():
    """docs/DESIGN.md states the size and its ratio to the text section. Other changes of the kernel may move them."""
    kernel = BUILD / "kernel.debug.elf"
    dump = subprocess.run(["llvm-dwarfdump", "--debug-line", kernel], capture_output=True, text=True, check=True).stdout
    sections = subprocess.run(["llvm-objdump", "-h", kernel], capture_output=True, text=True, check=True).stdout
    text_bytes = int(re.search(r" \.text +([0-9a-f]+)", sections).group(1), 16)
    document = (ROOT / "docs/DESIGN.md").read_text(encoding="utf-8")
    stated = re.search(r"takes ([\d,]+) bytes, ([\d.]+) % of the text section", document)
    table_bytes = len(make_table(dump))
    assert table_bytes == pytest.approx(int(stated.group(1).replace(",", "")), rel=0.1)
    assert 100 * table_bytes / text_bytes == pytest.approx(float(stated.group(2)), rel=0.1)


def wanted_rows(dump):
    """Return (address, line) of the last row at each address. Rows of line 0 and ends are left out."""
    rows = {}
    for text in dump.splitlines():
        if text.startswith("0x"):
            words = text.split()
            if "end_sequence" not in text:
                rows[int(words[0], 16)] = int(words[1])
    return [(address, line) for address, line in rows.items() if line != 0]
