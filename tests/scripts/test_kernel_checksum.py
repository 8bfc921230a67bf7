"""Test scripts/kernel-checksum.py: the loader's own code accepts what it writes, and nothing else."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD") or ROOT / "build").absolute()
NOTE = struct.pack("<III8s", 8, 8, 6, b"Handoff\0")
DAMAGED = "The kernel is damaged: its bytes do not have the checksum in its note."


@pytest.fixture(name="kernel")
def kernel_fixture(tmp_path):
    """A copy of the finished kernel."""
    return Path(shutil.copyfile(BUILD / "kernel.elf", tmp_path / "kernel.elf"))


def write_checksum(path):
    return subprocess.run([sys.executable, ROOT / "scripts/kernel-checksum.py", path], capture_output=True, text=True,
                          check=False)  # fmt: skip


def verdict(path):
    """Return what the loader's code says about a kernel, without its remedy; "" if it accepts the kernel."""
    words = subprocess.run([BUILD / "check_boot/check_boot", "kernel", path], capture_output=True, text=True,
                           check=False).stdout  # fmt: skip
    return words.partition("\n")[0]


def change(path, offset, data):
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)


def value_offset(path):
    return path.read_bytes().index(NOTE) + len(NOTE)


def test_kernel_of_the_build_has_its_checksum(kernel):
    assert verdict(kernel) == ""
    assert any(kernel.read_bytes()[value_offset(kernel) :][:8])


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_changed_byte_is_seen_until_the_checksum_is_written_again(kernel, share):
    content = kernel.read_bytes()
    offset = int(len(content) * share)
    change(kernel, offset, bytes([content[offset] ^ 0x40]))
    assert verdict(kernel) == DAMAGED
    assert write_checksum(kernel).returncode == 0
    assert verdict(kernel) == ""


def test_wrong_value_is_seen_and_zero_is_no_checksum(kernel):
    good = kernel.read_bytes()
    change(kernel, value_offset(kernel), b"\x01")
    assert verdict(kernel) == DAMAGED
    change(kernel, value_offset(kernel), bytes(8))
    assert verdict(kernel) == ""
    assert write_checksum(kernel).returncode == 0
    assert kernel.read_bytes() == good, "the value in the file does not count"


@pytest.mark.parametrize("content, words", [
    (b"", "it is not an ELF file"), (b"\x7fELF\x01\x01" + bytes(60), "it is not an ELF file"),
    (b"\x7fELF\x02\x01" + bytes(60), "it has no note HANDOFF_NOTE_CHECKSUM"), (b"\x7fELF\x02\x01", ""),
], ids=["empty", "32-bit", "no-note", "cut"])  # fmt: skip
def test_file_that_cannot_have_a_checksum_is_an_error(tmp_path, content, words):
    path = tmp_path / "kernel.elf"
    path.write_bytes(content)
    result = write_checksum(path)
    assert result.returncode == 1 and f"kernel-checksum.py: {path}: {words}" in result.stderr
    assert path.read_bytes() == content


def test_file_that_is_absent_is_an_error(tmp_path):
    result = write_checksum(tmp_path / "absent.elf")
    assert result.returncode == 1 and "No such file" in result.stderr
