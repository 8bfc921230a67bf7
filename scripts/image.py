"""Make bootable images from a tree of files: a GPT disk with an EFI System Partition, or an ISO.

No root and no loop mounts: the partition table is written here, mkfs.vfat formats the partition
in place, and mtools copies the files into it. Equal input gives equal partition tables.

    image.py disk TREE OUT [--fat 12|16|32] [--size MIB]
    image.py iso  TREE OUT
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid
import zlib
from pathlib import Path

MIB = 1024 * 1024
# Where partitioning tools put the first partition; mtools reads it as `@@1M`.
PARTITION_OFFSET_BYTES = MIB
# Room for the second copy of the partition table, at the disk's end.
TABLE_TAIL_BYTES = MIB
SECTOR_BYTES = 512
# UEFI 2.10 section 5.3.3: the type of an EFI System Partition.
ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
# Fixed, so that images are reproducible; what identifies a stick is its place, not this number.
DISK_ID = uuid.UUID("48414e44-4f46-4600-8000-000000000001")
PARTITION_ID = uuid.UUID("48414e44-4f46-4600-8000-000000000002")
GPT_ENTRY_COUNT = 128
GPT_ENTRY_BYTES = 128
GPT_TABLE_SECTORS = GPT_ENTRY_COUNT * GPT_ENTRY_BYTES // SECTOR_BYTES
# The smallest partition on which each kind of FAT has a legal number of clusters (FAT12: the
# largest; FAT32: 65525 clusters of 512 bytes need 33 MiB with the tables).
FAT_SIZE_MIB = {12: 8, 16: 16, 32: 48}
FAT_CLUSTER_SECTORS = {12: 8, 16: 1, 32: 1}


class ImageError(Exception):
    """An image could not be made, with the reason."""


def run_tool(*command):
    """Run one of the packaged tools, quietly unless it fails."""
    environment = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    # sgdisk and mkfs.vfat are in /usr/sbin, which is not in every user's PATH.
    environment["PATH"] = environment.get("PATH", "") + ":/usr/sbin:/sbin"
    command = [str(word) for word in command]
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise ImageError(f"{command[0]} is not installed: make doctor names its package")
    result = subprocess.run(
        [program] + command[1:], env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise ImageError(f"{' '.join(command)}: {(result.stderr or result.stdout).strip()}")


def protective_mbr(disk_sectors):
    """The MBR that keeps old tools from taking the disk for empty (UEFI 2.10 section 5.2.3)."""
    entry = struct.pack(
        "<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1,
        min(disk_sectors - 1, 0xFFFFFFFF),
    )  # fmt: skip
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def gpt_header(here, other, table, disk_sectors, entries):
    """One GPT header (UEFI 2.10 section 5.3.2), padded to a sector."""
    first_usable = 2 + GPT_TABLE_SECTORS
    last_usable = disk_sectors - 2 - GPT_TABLE_SECTORS

    def pack(checksum):
        return struct.pack(
            "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x00010000, 92, checksum, 0, here, other,
            first_usable, last_usable, DISK_ID.bytes_le, table, GPT_ENTRY_COUNT, GPT_ENTRY_BYTES,
            zlib.crc32(entries),
        )  # fmt: skip

    return pack(zlib.crc32(pack(0))).ljust(SECTOR_BYTES, b"\0")


def partition_table(disk_sectors, first, last):
    """Both copies of a GPT with one EFI System Partition, sectors `first` to `last`, as a list of
    (offset in bytes, bytes)."""
    name = "Handoff".encode("utf-16-le").ljust(72, b"\0")
    entry = struct.pack("<16s16sQQQ", ESP_TYPE.bytes_le, PARTITION_ID.bytes_le, first, last, 0)
    entries = (entry + name).ljust(GPT_ENTRY_COUNT * GPT_ENTRY_BYTES, b"\0")
    end = disk_sectors - 1
    start = protective_mbr(disk_sectors) + gpt_header(1, end, 2, disk_sectors, entries) + entries
    tail_sector = end - GPT_TABLE_SECTORS
    tail = entries + gpt_header(end, 1, tail_sector, disk_sectors, entries)
    return [(0, start), (tail_sector * SECTOR_BYTES, tail)]


def tree_size_bytes(tree: Path):
    """What the files of a tree need, each rounded up to a generous cluster, with the two tables:
    eight bytes for each cluster, which has a sector at least."""
    content = sum(-(-path.stat().st_size // 4096) * 4096 + 4096 for path in tree.rglob("*"))
    return content + content // SECTOR_BYTES * 8


def make_fat(tree: Path, image: Path, offset_bytes, size_bytes, fat_bits):
    """Format `size_bytes` of the image at the offset as FAT and copy the tree into it."""
    run_tool(
        "mkfs.vfat", f"--offset={offset_bytes // SECTOR_BYTES}", "-F", fat_bits, "-n", "HANDOFF",
        "-s", FAT_CLUSTER_SECTORS[fat_bits], "-g", "255/63",
        "-h", offset_bytes // SECTOR_BYTES, "--invariant",
        image, size_bytes // 1024,
    )  # fmt: skip
    entries = sorted(tree.iterdir())
    if entries:
        run_tool("mcopy", "-s", "-Q", "-i", f"{image}@@{offset_bytes}", *entries, "::/")


def fat_size_mib(tree: Path, fat_bits, size_mib=None):
    """The size of the partition: as asked, or as small as the files and the FAT kind allow."""
    needed = -(-tree_size_bytes(tree) // MIB) + 2
    size = size_mib or max(FAT_SIZE_MIB[fat_bits], needed)
    if size < needed:
        raise ImageError(f"{needed} MiB are needed for {tree}, not {size}")
    return size


def make_disk(tree: Path, image: Path, fat_bits=32, size_mib=None):
    """A GPT disk image with one EFI System Partition that holds the tree."""
    partition_bytes = fat_size_mib(tree, fat_bits, size_mib) * MIB
    temporary = image.with_name(image.name + ".part")
    with temporary.open("wb") as file:
        disk_bytes = PARTITION_OFFSET_BYTES + partition_bytes + TABLE_TAIL_BYTES
        file.truncate(disk_bytes)
        first = PARTITION_OFFSET_BYTES // SECTOR_BYTES
        last = first + partition_bytes // SECTOR_BYTES - 1
        for offset, data in partition_table(disk_bytes // SECTOR_BYTES, first, last):
            file.seek(offset)
            file.write(data)
    make_fat(tree, temporary, PARTITION_OFFSET_BYTES, partition_bytes, fat_bits)
    temporary.replace(image)


def make_iso(tree: Path, image: Path):
    """An ISO that UEFI boots from a disc (El Torito) and, written to a stick, as a GPT disk: both
    point at the same FAT file system, appended as a partition."""
    with tempfile.TemporaryDirectory(prefix="handoff-iso-") as scratch:
        fat = Path(scratch) / "esp.img"
        size_bytes = fat_size_mib(tree, 16) * MIB
        with fat.open("wb") as file:
            file.truncate(size_bytes)
        make_fat(tree, fat, 0, size_bytes, 16)
        temporary = image.with_name(image.name + ".part")
        run_tool(
            "xorriso", "-as", "mkisofs", "-quiet", "-V", "HANDOFF", "-R", "-J",
            "-append_partition", "2", "0xef", fat, "-appended_part_as_gpt",
            "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
            "-o", temporary, tree,
        )  # fmt: skip
        temporary.replace(image)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("kind", choices=["disk", "iso"])
    parser.add_argument("tree", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fat", type=int, choices=[12, 16, 32], default=32)
    parser.add_argument("--size", type=int, metavar="MIB")
    options = parser.parse_args()
    try:
        if options.kind == "iso":
            make_iso(options.tree, options.out)
        else:
            make_disk(options.tree, options.out, options.fat, options.size)
    except ImageError as error:
        sys.exit(f"image: {error}")


if __name__ == "__main__":
    main()
