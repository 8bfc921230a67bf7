"""Test the disks that make usb refuses, with an imitation of /sys and /proc, and the data that it writes."""

import errno
import hashlib
import io
import os

import image
import progress
import pytest
import usb
from usb import Disk, Refused, check

GIB = 1024**3
NEEDED_BYTES = 50 * 1024 * 1024


class FakeSystem:
    """A computer with one disk, sdx, that make usb accepts. A test then changes one property."""

    def __init__(self, root):
        self.sys = root / "sys"
        self.proc = root / "proc"
        self.entry = self.sys / "class/block/sdx"
        self.write("dev", "8:16")
        self.write("removable", "1")
        self.write("ro", "0")
        self.write("size", str(8 * GIB // 512))
        self.write("queue/logical_block_size", "512")
        self.write("device/vendor", "Acme")
        self.write("device/model", "Stick 3000")
        self.write("sdx1/partition", "1")
        self.write("sdx1/dev", "8:17")
        (self.proc / "self").mkdir(parents=True)
        self.mounts("20 1 8:1 / / rw - ext4 /dev/sda1 rw")
        (self.proc / "swaps").write_text("Filename Type\n/dev/sda2 partition\n", encoding="utf-8")

    def write(self, name, text):
        path = self.entry / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")

    def mounts(self, line):
        (self.proc / "self/mountinfo").write_text(line + "\n", encoding="utf-8")

    def check(self, block_device=True):
        disk = Disk("sdx", self.sys, self.proc)
        check(disk, NEEDED_BYTES, block_device=lambda path: block_device)


@pytest.fixture(name="system")
def make_system(tmp_path):
    return FakeSystem(tmp_path)


def test_removable_unmounted_disk_is_accepted(system):
    system.check()


def test_description_has_model_and_size(system):
    text = Disk("sdx", system.sys, system.proc).description()
    assert "Acme Stick 3000" in text and "8.6 GB" in text


def refused(system, reason, **options):
    with pytest.raises(Refused, match=reason):
        system.check(**options)


def test_not_a_block_device(system):
    refused(system, "not a block device", block_device=False)


def test_partition(system):
    system.write("partition", "1")
    refused(system, "is a partition")


def test_not_removable(system):
    system.write("removable", "0")
    refused(system, "not removable")


def test_loop_device(system):
    system.write("loop/backing_file", "/some.img")
    refused(system, "loop device")


def test_virtual_device(system):
    for path in (system.entry / "device").iterdir():
        path.unlink()
    (system.entry / "device").rmdir()
    refused(system, "not a physical disk")


@pytest.mark.parametrize(
    "line",
    [
        "21 1 8:16 / /mnt rw - vfat /dev/sdx rw",
        "21 1 8:17 / /mnt rw - vfat /dev/sdx1 rw",
        "21 1 0:44 / /mnt rw - btrfs /dev/sdx1 rw",
        "21 1 8:17 / /mnt rw shared:1 master:2 - vfat /dev/disk/by-label/STICK rw",
    ],
)
def test_mounted(system, line):
    system.mounts(line)
    refused(system, "mounted at /mnt")


def test_swap(system):
    (system.proc / "swaps").write_text("Filename\n/dev/sdx1 partition\n", encoding="utf-8")
    refused(system, "swap")


def test_held_by_something_on_top(system):
    (system.entry / "sdx1/holders/dm-0").mkdir(parents=True)
    refused(system, "in use by dm-0")


def test_write_protected(system):
    system.write("ro", "1")
    refused(system, "write-protected")


def test_no_medium(system):
    system.write("size", "0")
    refused(system, "no medium")


def test_too_small(system):
    system.write("size", str(NEEDED_BYTES // 512 - 1))
    refused(system, "too small")


def test_other_sector_size(system):
    system.write("queue/logical_block_size", "4096")
    refused(system, "make usb SECTOR=4096 ")
    system.write("queue/logical_block_size", "2048")
    refused(system, "sectors of 2048 bytes, and no image has such sectors")


def test_image_with_the_disk_s_sectors_is_accepted(system):
    system.write("queue/logical_block_size", "4096")
    check(Disk("sdx", system.sys, system.proc), NEEDED_BYTES,
          block_device=lambda path: True, sector_bytes=4096)  # fmt: skip


def test_unknown_to_the_kernel(system):
    disk = Disk("sdz", system.sys, system.proc)
    with pytest.raises(Refused, match="not known"):
        check(disk, NEEDED_BYTES, block_device=lambda path: True)


@pytest.fixture(name="disk_image")
def make_disk_image(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(b"content" * 1000)
    path = tmp_path / "disk.img"
    image.make_disk(tree, path, fat_bits=16)
    return path


def test_written_stick_has_its_table_at_its_end(disk_image, tmp_path):
    stick = tmp_path / "stick"
    size_bytes = 64 * 1024 * 1024
    stick.write_bytes(b"\xff" * size_bytes)
    usb.write(disk_image, stick, size_bytes)
    data = stick.read_bytes()
    assert len(data) == size_bytes
    assert data[512:520] == b"EFI PART" and data[-512:-504] == b"EFI PART"
    start, tail = image.PARTITION_OFFSET_BYTES, image.TABLE_TAIL_BYTES
    original = disk_image.read_bytes()
    assert data[start : len(original) - tail] == original[start:-tail]


def test_stick_with_large_sectors_gets_a_table_in_them(tmp_path):
    (tmp_path / "tree").mkdir()
    disk_image, stick = tmp_path / "disk.img", tmp_path / "stick"
    image.make_disk(tmp_path / "tree", disk_image, fat_bits=16, sector_bytes=4096)
    size_bytes = 64 * 1024 * 1024
    stick.write_bytes(bytes(size_bytes))
    usb.write(disk_image, stick, size_bytes)
    data = stick.read_bytes()
    assert data[4096:4104] == b"EFI PART" and data[-4096:-4088] == b"EFI PART"


STICK_BYTES = 64 * 1024 * 1024


@pytest.fixture(name="stick")
def make_stick(tmp_path):
    path = tmp_path / "stick"
    path.write_bytes(b"\xff" * STICK_BYTES)
    return path


def test_stick_that_does_not_keep_its_data_is_refused(disk_image, stick, monkeypatch):
    monkeypatch.setattr(usb, "write_all", lambda descriptor, data, offset: None)
    with pytest.raises(Refused, match="did not keep the data: byte 0 is the first that differs"):
        usb.write(disk_image, stick, STICK_BYTES)


@pytest.mark.parametrize("byte", [image.PARTITION_OFFSET_BYTES, usb.CHUNK_BYTES + 4242, STICK_BYTES - 1])
def test_first_byte_that_differs_is_named(disk_image, stick, monkeypatch, byte):
    """The stick loses a byte, and all behind it, between the two passes: a table at its end, too."""
    def lose(descriptor, device):
        os.pwrite(descriptor, b"\x5a" * 100, byte)

    monkeypatch.setattr(usb, "forget_cached", lose)
    with pytest.raises(Refused, match=f"did not keep the data: byte {byte} is"):
        usb.write(disk_image, stick, STICK_BYTES)


def test_stick_that_ends_early_is_named(disk_image, stick, monkeypatch):
    """A forged stick states more than it has."""
    monkeypatch.setattr(usb, "forget_cached", lambda descriptor, device: os.truncate(stick, 5_000_000))
    with pytest.raises(Refused, match="did not keep the data: byte (5000000|[0-9]{8}) is"):
        usb.write(disk_image, stick, STICK_BYTES)


@pytest.mark.parametrize("call, words", [("pwrite", "written"), ("pread", "read")])
def test_error_of_the_device_has_its_place(disk_image, stick, monkeypatch, call, words):
    real = getattr(os, call)

    def fail(descriptor, data, offset):
        if offset >= image.PARTITION_OFFSET_BYTES + usb.CHUNK_BYTES and offset < STICK_BYTES // 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, call, fail)
    place = image.PARTITION_OFFSET_BYTES + usb.CHUNK_BYTES
    with pytest.raises(Refused, match=f"cannot be {words} at byte {place}: Input/output error"):
        usb.write(disk_image, stick, STICK_BYTES)


def test_image_that_changes_meanwhile_is_found(disk_image, stick, monkeypatch):
    """The stick has the new bytes of the image, but the first pass has written old ones."""
    def change(descriptor, device):
        for path in (disk_image, stick):
            with path.open("r+b") as file:
                file.seek(image.PARTITION_OFFSET_BYTES + 100)
                file.write(b"changed")

    monkeypatch.setattr(usb, "forget_cached", change)
    with pytest.raises(Refused, match="has changed while it was written"):
        usb.write(disk_image, stick, STICK_BYTES)


def test_report_has_size_and_checksum(disk_image, stick):
    report = usb.write(disk_image, stick, STICK_BYTES)
    pieces = list(usb.contents(disk_image, STICK_BYTES))
    assert report.size_bytes == sum(len(data) for _, data in pieces)
    assert report.sha256 == hashlib.sha256(b"".join(data for _, data in pieces)).hexdigest()
    assert report.sha256 in str(report) and "MiB written in 0 s (" in str(report)


def test_progress_counts_the_bytes_on_the_stick(disk_image, stick, monkeypatch):
    """Each number was shown behind the flush of its bytes."""
    events = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: events.append("flushed"))
    monkeypatch.setattr(progress.Progress, "advance", lambda self, done: events.append(done))
    descriptor = os.open(stick, os.O_RDWR)
    pieces = list(usb.contents(disk_image, STICK_BYTES))
    usb.write_pieces(descriptor, pieces, stick, progress.Progress("x", stream=io.StringIO()))
    os.close(descriptor)
    assert events[::2] == ["flushed"] * len(pieces)
    assert events[1::2] == [sum(len(data) for _, data in pieces[: count + 1]) for count in range(len(pieces))]
