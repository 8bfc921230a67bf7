"""Modules and several temporary heaps (catalogue N). The probe checks all promises, so one boot answers most questions."""

import hashlib
import re

import pytest

from lab import expect_ready, expect_stop
from test_integrity import SECURE, digest, enrolled, expect_hashes, expect_measured, files_of
from test_integrity import config as config_with
from test_probe import boot_probe, expect_complete

KIB, MIB = 1024, 1024 * 1024
LARGE_BYTES = 4 * MIB + 1  # so large that the loader reads it in pieces
ENDING = b"cmdline = debug-exit=0xf4 once unattended\n"

CONFIG = rb"""
module = \one
module_name = "the first"
module_cmdline = "a=1 b"
module = boot/two.bin
module_align = 2M
module = other/two.bin
temp_heap = 16G, 1M, 64K below 16M, 4K from 64M, 4K from 64M, 8K
"""


def marked_file():
    """Return the large file: zeros with another number at the start of each MiB, and at the end."""
    content = bytearray(LARGE_BYTES)
    for index in range(0, LARGE_BYTES, MIB):
        content[index] = index // MIB + 1
    return bytes(content)


def sum_of(content):
    """Return the probe's sum of these bytes."""
    marks = [index for index, byte in enumerate(content) if byte != 0]
    return sum(content[index] * pow(31, len(content) - 1 - index, 1 << 64) for index in marks) % (1 << 64)


def with_hash(content):
    """Return handoff.conf with the hash of the second module in its lines."""
    line = f"module_align = 2M\nmodule_sha256 = {hashlib.sha256(content).hexdigest()}\n".encode()
    return CONFIG.replace(b"module_align = 2M\n", line)


@pytest.fixture(scope="module", name="volume")
def make_volume():
    return {"one": b"x", "boot/two.bin": marked_file(), "other/two.bin": b"z" * 4096}


def test_N2_modules_and_heaps_are_where_the_handoff_says(lab, volume):
    """Two modules have one name, and a heap is impossible. A slow medium shows the progress of the large file."""
    verdict = boot_probe(lab, changes={"handoff.conf": with_hash(volume["boot/two.bin"]), **volume}, plan=["read-takes 300"])
    seen = expect_complete(verdict)
    modules = [seen[f"module_{index}"].split(" ", 4) for index in range(3)]
    assert [module[4] for module in modules] == ["the first | a=1 b", "two.bin | ", "two.bin | "]
    expected = [(len(content), sum_of(content)) for content in volume.values()]
    assert [tuple(int(number, 0) for number in module[1:3]) for module in modules] == expected
    assert int(modules[1][0], 0) % (2 * MIB) == 0 and int(modules[2][0], 0) % 4096 == 0

    hashes = [bytes(int(number) for number in module[3].split(",")) for module in modules]
    assert hashes == [bytes(32), hashlib.sha256(volume["boot/two.bin"]).digest(), bytes(32)]

    heaps = [tuple(int(number, 0) for number in heap.split(":")) for heap in seen["heaps"].split(" ")[1:]]
    assert [size for _, size in heaps] == [MIB, 64 * KIB, 4 * KIB, 4 * KIB, 8 * KIB]
    assert heaps[1][0] + heaps[1][1] <= 16 * MIB
    assert all(64 * MIB <= base < 65 * MIB for base, _ in heaps[2:4])
    assert re.search(r"  [34] of 4 MiB, \d+ KiB/s", verdict.serial), verdict.serial
    assert "no temporary heap 1: the firmware does not have 16777216 KiB there" in verdict.serial


def test_the_kernel_names_modules_and_gives_them_back(lab, volume):
    verdict = expect_ready(lab.case({"handoff.conf": ENDING + CONFIG, **volume}))
    assert verdict.has_line(r'\[module\] name="the first" base=0x[0-9a-f]+000 size=1 command_line="a=1 b"')
    assert len(re.findall(r'\[module\] name="two.bin"', verdict.serial)) == 2
    assert verdict.has_line(rf"\[modules\] count=3 returned={1 + LARGE_BYTES // 4096 + 1 + 1}$")
    returned = int(verdict.has_line(r"\[early-heap\] retired .* returned=(\d+)").group(1))
    assert returned >= 256 - 16 + 16 + 1 + 1 + 2, "all heaps, except the part of the first that is in use"
    assert verdict.has_line(r"\[memory\] .* closes=yes")


SMALL = ENDING + b"module = \\one\n"
LARGE = SMALL + b"module = \\boot\\two.bin\n"


@pytest.mark.parametrize("config, changes, plan, number, text", [
    (SMALL, {"one": b""}, [], 7, r"\one"),
    (LARGE, {}, ["file-shrinks-to 3000000"], 9, r"\boot\two.bin, at byte 3000000 of 4194305"),
    (SMALL + b"module_sha256 = " + 64 * b"0", {}, [], 39, r"module \one"),
    (LARGE, {}, ["leave-pages 1200"], 35, r"\boot\two.bin: 4096 KiB"),
    pytest.param(SMALL, {"one": None}, [], 4, r"\one", marks=pytest.mark.full),
    pytest.param(SMALL, {"one": "directory"}, [], 6, r"\one", marks=pytest.mark.full),
    pytest.param(LARGE, {}, ["long-reads-fail 500000"], 10, r"\boot\two.bin, at byte 0", marks=pytest.mark.full),
], ids=["empty", "shrinks", "hash", "memory", "missing", "directory", "device-error"])  # fmt: skip
def test_N1_module_that_cannot_be_loaded_is_named(lab, volume, config, changes, plan, number, text):
    verdict = expect_stop(lab.case({"handoff.conf": config, **volume, **changes}, plan=plan), number)
    assert f"what:   {text}" in verdict.serial, verdict.serial


def test_I1_module_with_a_changed_bit_is_refused(lab):
    """The list in the signed image has its hash."""
    changes = {**config_with("module = one"), "one": b"content"}
    files = files_of(lab, changes)
    verdict = lab.case({**enrolled(files), **changes, "one": b"contenT"}, plan=SECURE)
    expect_hashes(verdict, 38, digest(b"contenT"), digest(b"content"))


def test_a_module_is_measured(lab):
    verdict = expect_ready(lab.case({**config_with("module = one"), "one": b"content"}, plan=["fake-tpm"]))
    expect_measured(verdict, 9, b"content", "module \\one")


@pytest.mark.full
def test_a_module_of_256_MiB(lab):
    """It is loaded with its progress on the screen, or named if the machine is too small for it."""
    config = ENDING + b"module = \\large\nmodule_align = 2M\n"
    changes = {"handoff.conf": config, "large": 256 * MIB}
    verdict = expect_ready(lab.cold(changes, fat_bits=32, machine={"memory": "512M"}))
    assert verdict.has_line(rf'\[module\] name="large" base=0x[0-9a-f]+00000 size={256 * MIB} ')
    assert re.search(r"  \d+ of 256 MiB, \d+ KiB/s", verdict.serial), verdict.serial
    verdict = expect_stop(lab.cold(changes, plan=[], fat_bits=32, machine={"memory": "128M"}), 35)
    assert r"\large: 262144 KiB" in verdict.serial
