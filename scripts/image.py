"""Make bootable images from a tree of files: a GPT disk with an EFI System Partition, or an ISO.

This needs no root and no loop mounts. This program writes the partition table, mkfs.vfat formats the partition in
place, and mtools copies the files into it. If SOURCE_DATE_EPOCH has a time, the files have it, and equal input makes
equal disks.

    image.py disk TREE OUT [--fat 12|16|32] [--size MIB] [--sector 512|4096]
    image.py iso  TREE OUT
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid
import zlib
from contextlib import contextmanager
from pathlib import Path

import arguments

MIB = 1024 * 1024
# Partitioning tools put the first partition here. mtools reads it as `@@1M`.
PARTITION_OFFSET_BYTES = MIB
# Room for the second copy of the partition table, at the disk's end.
TABLE_TAIL_BYTES = MIB
# Most disks have sectors of 512 bytes, some ("4Kn") of 4096. The partition table counts in sectors.
SECTOR_SIZES = (512, 4096)
# UEFI 2.10 section 5.3.3: the type of an EFI System Partition.
ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
# The numbers are constants, so that images are reproducible. A stick is identified by its device, not by them.
DISK_ID = uuid.UUID("48414e44-4f46-4600-8000-000000000001")
PARTITION_ID = uuid.UUID("48414e44-4f46-4600-8000-000000000002")
GPT_ENTRY_COUNT = 128
GPT_ENTRY_BYTES = 128
GPT_TABLE_BYTES = GPT_ENTRY_COUNT * GPT_ENTRY_BYTES
# The number of clusters decides the kind of FAT (Microsoft's FAT specification, 3.5).
FAT_CLUSTER_COUNTS = {12: (1, 4084), 16: (4085, 65524), 32: (65525, 0x0FFFFFF5)}
# Tools and firmware disagree by a few clusters near the limits, so this distance is kept.
FAT_CLUSTER_MARGIN = 16
# A partition of this size has room for the usual files.
FAT_SIZE_MIB = {512: {12: 8, 16: 16, 32: 48}, 4096: {12: 8, 16: 24, 32: 264}}
# Firmware looks up each cluster when it reads a file. With clusters of 512 bytes this takes longer than the reading:
# a kernel of 16 MiB takes 17 million instructions in place of three.
PREFERRED_CLUSTER_BYTES = 4096
# Some firmware cannot read clusters of more than 32 KiB.
LARGEST_CLUSTER_BYTES = 32 * 1024
# The sector counts of a FAT have 32 bits. A larger size is a typing error.
LARGEST_SIZE_MIB = 1024 * 1024


class ImageError(Exception):
    """An image cannot be made. The text has the reason."""


def run_tool(*command, folder=None):
    """Run a tool of a package in a folder. Its output appears only if it fails."""
    environment = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    if "SOURCE_DATE_EPOCH" in environment:
        environment["TZ"] = "UTC"  # mtools writes local times
    # sgdisk and mkfs.vfat are in /usr/sbin, which is not in every user's PATH.
    environment["PATH"] = environment.get("PATH", "") + ":/usr/sbin:/sbin"
    command = [str(word) for word in command]
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise ImageError(f"{command[0]} is not installed: run make doctor, which names its package")
    result = subprocess.run(
        [program] + command[1:], env=environment, capture_output=True, text=True, check=False,
        cwd=folder,
    )  # fmt: skip
    if result.returncode != 0:
        raise ImageError(f"{' '.join(command)}: {(result.stderr or result.stdout).strip()}")


def protective_mbr(disk_sectors):
    """Return the protective MBR, with which old tools do not see an empty disk (UEFI 2.10 section 5.2.3)."""
    entry = struct.pack(
        "<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1,
        min(disk_sectors - 1, 0xFFFFFFFF),
    )  # fmt: skip
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def gpt_header(here, other, table, disk_sectors, entries, sector_bytes):
    """Return a GPT header (UEFI 2.10 section 5.3.2), padded to a sector."""
    table_sectors = GPT_TABLE_BYTES // sector_bytes
    first_usable = 2 + table_sectors
    last_usable = disk_sectors - 2 - table_sectors

    def pack(checksum):
        return struct.pack(
            "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x00010000, 92, checksum, 0, here, other,
            first_usable, last_usable, DISK_ID.bytes_le, table, GPT_ENTRY_COUNT, GPT_ENTRY_BYTES,
            zlib.crc32(entries),
        )  # fmt: skip

    return pack(zlib.crc32(pack(0))).ljust(sector_bytes, b"\0")


def partition_table(disk_bytes, first, last, sector_bytes=512):
    """Return both copies of a GPT with one EFI System Partition, as a list of (offset in bytes, bytes). The
    partition has the sectors from `first` to `last`."""
    name = "Handoff".encode("utf-16-le").ljust(72, b"\0")
    entry = struct.pack("<16s16sQQQ", ESP_TYPE.bytes_le, PARTITION_ID.bytes_le, first, last, 0)
    entries = (entry + name).ljust(GPT_TABLE_BYTES, b"\0")
    disk_sectors = disk_bytes // sector_bytes
    end = disk_sectors - 1
    tail_sector = end - GPT_TABLE_BYTES // sector_bytes

    def header(here, other, table):
        return gpt_header(here, other, table, disk_sectors, entries, sector_bytes)

    start = protective_mbr(disk_sectors).ljust(sector_bytes, b"\0") + header(1, end, 2) + entries
    return [(0, start), (tail_sector * sector_bytes, entries + header(end, 1, tail_sector))]


def sector_bytes_of(image: Path):
    """Return the sector size of a disk image. The header of its partition table is in the second sector."""
    with image.open("rb") as file:
        start = file.read(2 * max(SECTOR_SIZES))
    for sector_bytes in SECTOR_SIZES:
        if start[sector_bytes : sector_bytes + 8] == b"EFI PART":
            return sector_bytes
    raise ImageError(f"{image} is not a disk image: name one that make image has made")


def tree_size_bytes(tree: Path):
    """Return the bytes that the files of a tree need. Each file is rounded up to a large cluster. The two tables
    have eight bytes for each cluster, and a cluster has at least one sector."""
    content = sum(-(-path.stat().st_size // 4096) * 4096 + 4096 for path in tree.rglob("*"))
    return content + content // min(SECTOR_SIZES) * 8


def cluster_sectors(fat_bits, size_bytes, sector_bytes):
    """Return a number of sectors in a cluster with which the number of clusters is valid: the largest one up to the
    preferred size, or else the smallest one."""
    fewest, most = FAT_CLUSTER_COUNTS[fat_bits]
    sectors = size_bytes // sector_bytes
    valid = []
    count = 1
    while count * sector_bytes <= LARGEST_CLUSTER_BYTES:
        # Two tables, with at most four bytes for each cluster, need a part of the same sectors.
        clusters = int((sectors - 32) / (count + 8 / sector_bytes))
        if clusters < fewest + FAT_CLUSTER_MARGIN:
            break
        if sectors // count <= most - FAT_CLUSTER_MARGIN:
            valid.append(count)
        count *= 2
    if not valid:
        size = "too large" if count * sector_bytes > LARGEST_CLUSTER_BYTES else "too small"
        remedy = "use another --fat" if size == "too large" else "use a larger --size, or another --fat"
        raise ImageError(f"{size_bytes // MIB} MiB is {size} for FAT{fat_bits}: {remedy}")
    preferred = [count for count in valid if count * sector_bytes <= PREFERRED_CLUSTER_BYTES]
    return max(preferred, default=valid[0])


def make_fat(tree: Path, image: Path, offset_bytes, size_bytes, fat_bits, sector_bytes=512):
    """Format `size_bytes` of the image at the offset as FAT and copy the tree into it."""
    first_sector = offset_bytes // sector_bytes
    run_tool(
        "mkfs.vfat", f"--offset={first_sector}", "-F", fat_bits, "-n", "HANDOFF", "-S", sector_bytes,
        "-s", cluster_sectors(fat_bits, size_bytes, sector_bytes), "-g", "255/63", "-h", first_sector,
        "--invariant", image, size_bytes // 1024,
    )  # fmt: skip
    copy_tree(tree, image, offset_bytes)


def copy_tree(tree: Path, image: Path, offset_bytes):
    """Copy the tree into the file system at the offset. The order is that of the names. `mcopy -s` would take the order
    that the file system here has."""
    # mtools gets the name without its folder, because the folder's name may contain `@@`.
    volume = f"{image.name}@@{offset_bytes}"
    inside = sorted(path for path in tree.rglob("*") if path.is_dir())
    if inside:
        names = [f"::/{path.relative_to(tree).as_posix()}" for path in inside]
        run_tool("mmd", "-i", volume, *names, folder=image.parent)
    for place in [tree, *inside]:
        files = [path.absolute() for path in sorted(place.iterdir()) if not path.is_dir()]
        if files:
            run_tool("mcopy", "-Q", "-i", volume, *files, f"::/{place.relative_to(tree).as_posix()}",
                     folder=image.parent)  # fmt: skip


def fat_size_mib(tree: Path, fat_bits, size_mib=None, sector_bytes=512):
    """Return the size of the partition: the requested size, or the smallest one for the files and the kind of FAT."""
    smallest = FAT_SIZE_MIB[sector_bytes][fat_bits]
    needed = -(-tree_size_bytes(tree) // MIB) + 2
    size = size_mib or max(smallest, needed)
    if size < needed:
        raise ImageError(f"{tree} needs {needed} MiB, and --size is {size}: use a larger --size")
    return size


def make_disk(tree: Path, image: Path, fat_bits=32, size_mib=None, sector_bytes=512):
    """Make a GPT disk image with one EFI System Partition that contains the tree."""
    partition_bytes = fat_size_mib(tree, fat_bits, size_mib, sector_bytes) * MIB
    with fresh_file(image) as temporary:
        disk_bytes = PARTITION_OFFSET_BYTES + partition_bytes + TABLE_TAIL_BYTES
        with temporary.open("wb") as file:
            file.truncate(disk_bytes)
            first = PARTITION_OFFSET_BYTES // sector_bytes
            last = first + partition_bytes // sector_bytes - 1
            for offset, data in partition_table(disk_bytes, first, last, sector_bytes):
                file.seek(offset)
                file.write(data)
        make_fat(tree, temporary, PARTITION_OFFSET_BYTES, partition_bytes, fat_bits, sector_bytes)


def make_iso(tree: Path, image: Path):
    """Make an ISO. UEFI boots it from a disc (El Torito) and, if it is written to a stick, as a GPT disk. Both
    refer to the same FAT file system, which is appended as a partition."""
    with tempfile.TemporaryDirectory(prefix="handoff-iso-") as scratch:
        fat = Path(scratch) / "esp.img"
        size_bytes = fat_size_mib(tree, 16) * MIB
        with fat.open("wb") as file:
            file.truncate(size_bytes)
        make_fat(tree, fat, 0, size_bytes, 16)
        with fresh_file(image) as temporary:
            run_tool(
                "xorriso", "-as", "mkisofs", "-quiet", "-V", "HANDOFF", "-R", "-J",
                "-append_partition", "2", "0xef", fat, "-appended_part_as_gpt",
                "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
                "-o", temporary, tree,
            )  # fmt: skip


@contextmanager
def fresh_file(path: Path):
    """Give a temporary file in the same folder, and rename it to `path` at the end. So no other program reads an
    incomplete file, and two programs at the same time do not mix their output."""
    temporary = path.with_name(f"handoff-{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def parse_arguments():
    parser = arguments.Parser(
        prog="image.py", description=__doc__.split("\n", maxsplit=1)[0],
        epilog="make image and make iso call it. make image SECTOR=4096 is for disks with sectors of "
        "4096 bytes.",
    )
    add = parser.add_argument
    add("kind", choices=["disk", "iso"], help="a GPT disk, or a disc that is also a GPT disk")
    add("tree", type=arguments.folder, metavar="TREE", help="the folder with the files")
    add("out", type=arguments.writable_file, metavar="OUT", help="the file of the image")
    add("--fat", type=arguments.one_of(12, 16, 32), default=32, metavar="BITS",
        help="the kind of FAT: 12, 16, 32 (default 32)")
    add("--size", type=arguments.integer(1, LARGEST_SIZE_MIB), metavar="MIB",
        help="the size of the partition (default: the smallest one)")
    add("--sector", type=arguments.one_of(*SECTOR_SIZES), default=512, metavar="BYTES",
        help="the size of the disk's sectors: 512, 4096 (default 512)")
    options = parser.parse_args()  # fmt: skip
    for name in ("fat", "size", "sector"):
        if options.kind == "iso" and name in parser.given:
            parser.error(f"--{name} is for disks only: leave it out for an ISO")
    return options


def describe(image: Path, options):
    """Return a line about the image and its use."""
    size_mib = -(-image.stat().st_size // MIB)
    if options.kind == "iso":
        return f"{image} ({size_mib} MiB): burn it, or boot it in a virtual machine with UEFI"
    sectors = f", for disks with sectors of {options.sector} bytes" if options.sector != 512 else ""
    stick = "make usb DEV=/dev/sdX" + (" SECTOR=4096" if options.sector != 512 else "")
    return (f"{image} ({size_mib} MiB{sectors}): write it to a stick with `{stick}`, or boot it as a raw disk in a "
            "virtual machine with UEFI")  # fmt: skip


def main():
    arguments.print_anything()
    options = parse_arguments()
    try:
        if options.kind == "iso":
            make_iso(options.tree, options.out)
        else:
            make_disk(options.tree, options.out, options.fat, options.size, options.sector)
    except (ImageError, OSError) as error:
        sys.exit(f"image.py: {error}")
    print(f"image.py: {describe(options.out, options)}")


if __name__ == "__main__":
    main()
