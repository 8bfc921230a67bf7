"""Write the disk image to a USB stick.

All data on the stick is lost. So the program accepts only a whole, removable, unmounted disk. If it refuses a disk, it prints
the reason. The user must type the name of the device before the first byte is written. The program shows its progress.
Then it reads all written data back from the stick, and compares each byte and the SHA-256 of all.
"""

import fcntl
import hashlib
import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import arguments
from image import (
    MIB, PARTITION_OFFSET_BYTES, SECTOR_SIZES, TABLE_TAIL_BYTES, ImageError, partition_table, sector_bytes_of,
)  # fmt: skip
from progress import Progress, duration

# Linux, <linux/fs.h>: drop the cached blocks of a device; read its partition table again.
BLKFLSBUF = 0x1261
BLKRRPART = 0x125F
CHUNK_BYTES = 4 * 1024 * 1024


class Refused(Exception):
    """The program does not write to this device. The text has the reason."""


def is_block_device(path: Path):
    try:
        return stat.S_ISBLK(path.stat().st_mode)
    except OSError:
        return False


class Disk:
    """A device as the kernel describes it. Only tests use other folders than /sys and /proc."""

    def __init__(self, name, sys_root=Path("/sys"), proc_root=Path("/proc")):
        self.name = name
        self.entry = sys_root / "class/block" / name
        self.proc = proc_root

    def read(self, relative, default=""):
        try:
            return (self.entry / relative).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return default

    def size_bytes(self):
        return int(self.read("size", "0")) * 512

    def partitions(self):
        """Return the names of the disk and of its partitions."""
        inside = [path.parent.name for path in self.entry.glob("*/partition")]
        return [self.name] + sorted(inside)

    def description(self):
        model = f"{self.read('device/vendor')} {self.read('device/model')}".strip()
        return f"{model or 'unknown model'}, {self.size_bytes() / 1e9:.1f} GB"

    def mounted_at(self):
        """Return the mount point of the disk or of a partition, or None."""
        names = self.partitions()
        numbers = {self.read("dev")} | {self.read(f"{name}/dev") for name in names[1:]}
        numbers.discard("")
        for line in (self.proc / "self/mountinfo").read_text(encoding="utf-8").splitlines():
            fields = line.split()
            source = Path(fields[fields.index("-") + 2])
            if fields[2] in numbers or source.name in names and str(source).startswith("/dev/"):
                return fields[4]
        return None

    def swap(self):
        """Return whether the disk or a partition is swap space."""
        try:
            lines = (self.proc / "swaps").read_text(encoding="utf-8").splitlines()[1:]
        except OSError:
            return False
        return any(Path(line.split()[0]).name in self.partitions() for line in lines if line)

    def holder(self):
        """Return the device that uses the disk or a partition (encryption, RAID, LVM), or None."""
        for name in self.partitions():
            entry = self.entry if name == self.name else self.entry / name
            for holder in entry.glob("holders/*"):
                return holder.name
        return None


def check(disk: Disk, needed_bytes, device=None, block_device=is_block_device, sector_bytes=512):
    """Raise Refused unless the program may overwrite the disk with an image that has sectors of this size."""
    device = device or Path("/dev") / disk.name
    if not block_device(device):
        raise Refused(f"{device} is not a block device")
    if not disk.entry.exists():
        raise Refused(f"{device} is not known to the kernel")
    if disk.read("partition"):
        raise Refused(f"{device} is a partition: name the whole disk")
    if disk.name.startswith("loop") or (disk.entry / "loop").exists():
        raise Refused(f"{device} is a loop device, not a disk")
    if not (disk.entry / "device").exists():
        raise Refused(f"{device} is not a physical disk")
    if disk.read("removable") != "1":
        raise Refused(f"{device} ({disk.description()}) is not removable")
    mounted = disk.mounted_at()
    if mounted is not None:
        raise Refused(f"{device} is in use: it is mounted at {mounted}. Unmount it first")
    if disk.swap():
        raise Refused(f"{device} is in use as swap space")
    if disk.holder() is not None:
        raise Refused(f"{device} is in use by {disk.holder()}")
    if disk.read("ro") == "1":
        raise Refused(f"{device} is write-protected")
    if disk.size_bytes() == 0:
        raise Refused(f"{device} has no medium")
    own_sector_bytes = disk.read("queue/logical_block_size", "512")
    if own_sector_bytes not in map(str, SECTOR_SIZES):
        raise Refused(f"{device} has sectors of {own_sector_bytes} bytes, and no image has such sectors")
    if own_sector_bytes != str(sector_bytes):
        raise Refused(
            f"{device} has sectors of {own_sector_bytes} bytes, and the image has sectors of {sector_bytes}: use "
            f"make usb SECTOR={own_sector_bytes} DEV={device}"
        )
    if disk.size_bytes() < needed_bytes:
        raise Refused(f"{device} is too small: it has {disk.size_bytes()} bytes, and the image {needed_bytes}")


def contents(image: Path, disk_bytes):
    """Yield the data to write, as (offset, bytes): the partition of the image, and a partition table for the disk. Its
    second copy must be at the end of the disk."""
    partition_bytes = image.stat().st_size - PARTITION_OFFSET_BYTES - TABLE_TAIL_BYTES
    sector_bytes = sector_bytes_of(image)
    first = PARTITION_OFFSET_BYTES // sector_bytes
    last = first + partition_bytes // sector_bytes - 1
    yield from partition_table(disk_bytes, first, last, sector_bytes)
    with image.open("rb") as file:
        offset = PARTITION_OFFSET_BYTES
        file.seek(offset)
        end = offset + partition_bytes
        while offset < end:
            data = file.read(min(CHUNK_BYTES, end - offset))
            yield offset, data
            offset += len(data)


@dataclass(frozen=True)
class Report:
    """The result: the size of the data, its SHA-256, and the seconds of each pass."""

    size_bytes: int
    sha256: str
    writing_seconds: float
    reading_seconds: float

    def __str__(self):
        def pass_words(seconds):
            return f"{duration(seconds)} ({self.size_bytes / MIB / max(seconds, 0.001):.1f} MiB/s)"

        return (f"{self.size_bytes / MIB:.1f} MiB written in {pass_words(self.writing_seconds)}, read back in "
                f"{pass_words(self.reading_seconds)}, SHA-256 {self.sha256}")  # fmt: skip


def write_all(descriptor, data, offset):
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def write_pieces(descriptor, pieces, device, progress):
    """Write the pieces, and return the SHA-256 of all. A piece counts as progress only when it is on the device: the
    cache of this computer would take all pieces at once."""
    total, done = hashlib.sha256(), 0
    for offset, data in pieces:
        try:
            write_all(descriptor, data, offset)
            os.fdatasync(descriptor)
        except OSError as error:
            raise Refused(f"{device} cannot be written at byte {offset}: {error.strerror}") from error
        total.update(data)
        done += len(data)
        progress.advance(done)
    progress.clear()
    return total.hexdigest()


def forget_cached(descriptor, device):
    """Drop the cached copy of the device's data. Otherwise the comparison would read the cache."""
    os.fsync(descriptor)
    if is_block_device(device):
        fcntl.ioctl(descriptor, BLKFLSBUF)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def read_partitions_again(descriptor, device):
    """Let the kernel read the new partition table. If another program uses the old partition, the kernel reads the table
    when the stick is plugged in again."""
    if is_block_device(device):
        with suppress(OSError):
            fcntl.ioctl(descriptor, BLKRRPART)


def read_exactly(descriptor, size_bytes, offset, device):
    """Return the bytes at an offset. A device that ends early gives fewer."""
    data = b""
    try:
        while len(data) < size_bytes:
            piece = os.pread(descriptor, size_bytes - len(data), offset + len(data))
            if not piece:
                break
            data += piece
    except OSError as error:
        raise Refused(f"{device} cannot be read at byte {offset + len(data)}: {error.strerror}") from error
    return data


def first_difference(expected, found):
    """Return the index of the first byte that differs or is missing, or None."""
    if expected == found:
        return None
    pairs = enumerate(zip(expected, found))
    return next((index for index, (one, other) in pairs if one != other), min(len(expected), len(found)))


def compare_pieces(descriptor, pieces, device, progress):
    """Compare the pieces with the device. Return the SHA-256 of the data on the device."""
    total, done = hashlib.sha256(), 0
    for offset, data in pieces:
        found = read_exactly(descriptor, len(data), offset, device)
        index = first_difference(data, found)
        if index is not None:
            progress.clear()
            raise Refused(f"{device} did not keep the data: byte {offset + index} is the first that differs. Use another "
                          "stick")  # fmt: skip
        total.update(found)
        done += len(found)
        progress.advance(done)
    progress.clear()
    return total.hexdigest()


def write(image: Path, device: Path, disk_bytes):
    """Write the image, then read it back and compare. Return a Report."""
    size_bytes = sum(len(data) for _, data in contents(image, disk_bytes))
    # O_EXCL: the kernel refuses if another program uses the disk since it was checked.
    descriptor = os.open(device, os.O_RDWR | os.O_EXCL)
    try:
        writing = Progress("usb.py: writing", size_bytes, unit_bytes=True)
        written = write_pieces(descriptor, contents(image, disk_bytes), device, writing)
        writing_seconds = writing.seconds()
        forget_cached(descriptor, device)
        reading = Progress("usb.py: comparing", size_bytes, unit_bytes=True)
        found = compare_pieces(descriptor, contents(image, disk_bytes), device, reading)
        if found != written:
            raise Refused(f"{image} has changed while it was written: write it again")
        read_partitions_again(descriptor, device)
        return Report(size_bytes, found, writing_seconds, reading.seconds())
    finally:
        os.close(descriptor)


def parse_arguments():
    parser = arguments.Parser(
        prog="usb.py", description="Write the disk image to a USB stick. All data on the stick is lost, so the program "
        "asks before it\nwrites. It accepts only a whole, removable, unmounted disk.",
        epilog="make usb DEV=/dev/sdX calls it; lsblk lists the disks.",
    )
    parser.add_argument("image", type=arguments.readable_file, metavar="IMAGE",
                        help="a disk image of make image")
    parser.add_argument("device", metavar="DEVICE", help="the stick: /dev/sdX")
    options = parser.parse_args()  # fmt: skip
    if not options.device:
        parser.error("name the stick: make usb DEV=/dev/sdX (lsblk lists the disks)")
    return options


def confirm_and_write(image: Path, device: Path):
    disk = Disk(device.name)
    sector_bytes = sector_bytes_of(image)
    check(disk, image.stat().st_size, device, sector_bytes=sector_bytes)
    print(f"{device}: {disk.description()}. All data on it will be lost.")
    try:
        typed = input(f"Type {disk.name} to go on: ").strip()
    except EOFError:
        typed = ""
    if typed != disk.name:
        raise Refused("you have not confirmed; nothing was written")
    check(disk, image.stat().st_size, device, sector_bytes=sector_bytes)
    return write(image, device, disk.size_bytes())


def main():
    arguments.print_anything()
    options = parse_arguments()
    named = options.device
    device = Path(named if "/" in named else f"/dev/{named}").resolve()
    try:
        report = confirm_and_write(options.image, device)
    except (Refused, ImageError) as reason:
        sys.exit(f"usb.py: {reason}")
    except PermissionError:
        sys.exit(f"usb.py: {device} cannot be written by this user: use sudo make usb DEV={device}")
    except OSError as error:
        sys.exit(f"usb.py: {device}: {error.strerror}")
    except KeyboardInterrupt:
        print("\nusb.py: interrupted; the stick may contain a part of the image",
              file=sys.stderr)  # fmt: skip
        sys.exit(130)
    print(f"usb.py: {report}\nusb.py: {device} was written and compared; you can remove it")


if __name__ == "__main__":
    main()
