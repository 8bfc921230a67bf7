"""Test the reader of boot records on sample bytes, with every kind of damage."""

import re
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

import post_mortem

ROOT = Path(__file__).resolve().parents[2]
HEADER = (ROOT / "shared/post_mortem.h").read_text(encoding="utf-8")
VARIABLE = (ROOT / "bootloader/firmware/variable.c").read_text(encoding="utf-8")
REPORT = '\n[panic] code=0x1e name="heap double free"\n[panic] cause: twice\n'


def record(stage=5, code=0x1E, log="[heap] size=1\n", report=REPORT, sequence=7, version=1):
    """Written by hand from docs/HANDOFF.md."""
    text = (log + report).encode("latin-1")
    head = struct.pack("<8sHHI", b"BOOTREC\0", version, 0, 64 + len(text))
    tail = struct.pack("<III", sequence, code, len(log))
    checksum = zlib.crc32(head + bytes(4) + tail + bytes(4) + bytes(28) + text)
    word = stage | (~stage & 0xFFFF) << 16
    data = head + struct.pack("<I", checksum) + tail + struct.pack("<I", word) + bytes(28) + text
    return data.ljust(post_mortem.SLOT_BYTES, b"\0")


def show(path):
    return subprocess.run([ROOT / "scripts/post-mortem.sh", path], capture_output=True, text=True, check=False)


def test_panic_in_a_copy_of_the_variable(tmp_path):
    path = tmp_path / "variable"
    path.write_bytes(b"\x07\0\0\0" + record())
    done = show(path)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == ("The boot ended in a panic, code 0x1e.\n\nThe last log lines:\n[heap] size=1\n\nThe report:\n"
                           '[panic] code=0x1e name="heap double free"\n[panic] cause: twice\n')


def test_error_of_the_loader(tmp_path):
    path = tmp_path / "pages"
    path.write_bytes(record(1, code=16, report="HL-16: A cause.\n"))
    assert show(path).stdout.startswith("The boot ended in the loader's error HL-16.\n")
    assert "\nThe report:\nHL-16: A cause.\n" in show(path).stdout


@pytest.mark.parametrize("pages, words", [
    (record(3, sequence=1) + record(sequence=2), "ended in a panic"),
    (record(3, sequence=2) + record(sequence=1), "did not end. At the reset: the kernel ran, and was not ready."),
    (record(3, sequence=0) + record(sequence=2**32 - 1), "did not end"),
    (bytes(4096) + record(6), "ended as wished"),
    (record(version=2) + record(4), "the kernel was ready"),
])  # fmt: skip
def test_newest_record_of_the_pages(tmp_path, pages, words):
    path = tmp_path / "pages"
    path.write_bytes(pages)
    assert words in show(path).stdout


@pytest.mark.parametrize("data, words", [
    (b"", "it holds no boot record"),
    (b"\xff" * 8192, "it holds no boot record"),
    (record()[:63], "it is cut"),
    (record()[:100], "its size is impossible"),
    (record(version=2), "has version 2, and this program knows version 1"),
    (record()[:70] + b"!" + record()[71:], "its checksum is wrong"),
    (record()[:32] + b"\x05\0\0\0" + record()[36:], "its stage is unknown"),
    (record(stage=9), "its stage is unknown"),
])  # fmt: skip
def test_I6_damage_is_named(tmp_path, data, words):
    path = tmp_path / "damaged"
    path.write_bytes(data)
    done = show(path)
    assert done.returncode == 1 and done.stdout == ""
    assert words in done.stderr and done.stderr.count("\n") == 1


def test_I6_every_length_and_every_bit():
    good = record().rstrip(b"\0")
    for length in range(len(good)):
        with pytest.raises(post_mortem.NoRecord):
            post_mortem.read(good[:length])
    for bit in range(len(good) * 8):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(post_mortem.NoRecord):
            post_mortem.read(bytes(data))


def test_hostile_text_is_made_printable():
    text = post_mortem.describe(post_mortem.read(record(log="\x1b[2J\r\xff\n")))
    assert re.fullmatch(r"[\n -~]*", text) and "?[2J??" in text


def test_missing_variable_is_explained(tmp_path):
    folder = tmp_path / "efi/efivars"
    with pytest.raises(post_mortem.NoRecord, match="was not started by UEFI"):
        post_mortem.read_variable(folder)
    folder.mkdir(parents=True)
    with pytest.raises(post_mortem.NoRecord, match="mount -t efivarfs"):
        post_mortem.read_variable(folder)
    (folder / "Other-1").write_bytes(b"")
    with pytest.raises(post_mortem.NoRecord, match="post_mortem=nvram"):
        post_mortem.read_variable(folder)
    (folder / post_mortem.VARIABLE).write_bytes(b"\x07\0\0\0" + record(4))
    assert post_mortem.read(post_mortem.read_variable(folder)).stage == 4
    (folder / post_mortem.VARIABLE).unlink()
    (folder / post_mortem.VARIABLE).mkdir()
    with pytest.raises(post_mortem.NoRecord, match="cannot be read"):
        post_mortem.read_variable(folder)


def test_names_and_numbers_are_those_of_the_code():
    stages = {int(number): name for name, number in re.findall(r"POST_MORTEM_(\w+) = (\d+),  ?/\*|^$", HEADER) if name}
    assert stages == {1: "LOADER", 2: "ENTRY", 3: "KERNEL", 4: "READY", 5: "PANIC", 6: "ENDED"}
    assert f"#define POST_MORTEM_VERSION {post_mortem.VERSION}" in re.sub(r" +", " ", HEADER)
    magic = int(re.search(r"POST_MORTEM_MAGIC\s+UINT64_C\((\w+)\)", HEADER).group(1), 16)
    assert struct.pack("<Q", magic) == post_mortem.MAGIC
    words = re.findall(r"0x([0-9a-f]+)", re.search(r"guid = \{(.*?)\};", VARIABLE, re.S).group(1))
    guid = f"{words[0]}-{words[1]}-{words[2]}-{words[3]}{words[4]}-{''.join(words[5:])}"
    name = "".join(re.findall(r"'(\w)'", VARIABLE))
    assert post_mortem.VARIABLE == f"{name}-{guid}"
    code = (ROOT / "shared/post_mortem.c").read_text(encoding="utf-8")
    sentences = dict(re.findall(r'\[POST_MORTEM_(\w+)\] = "(.*?)"', code))
    assert all(post_mortem.STAGES[stage] == sentences[stages[stage]] for stage in range(1, 5))
