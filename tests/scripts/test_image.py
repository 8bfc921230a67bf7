"""Test disk images with other tools than those that made them."""

import os
import re
import shutil
import struct
import subprocess
import sys

import image
import pytest


@pytest.fixture(name="tree")
def make_tree(tmp_path):
    tree = tmp_path / "tree"
    (tree / "EFI/BOOT").mkdir(parents=True)
    (tree / "EFI/BOOT/BOOTX64.EFI").write_bytes(bytes(range(256)) * 150)
    (tree / "handoff.conf").write_text("# nothing\n", encoding="utf-8")
    return tree


def read_back(disk, name, out):
    source = f"{disk}@@{image.PARTITION_OFFSET_BYTES}"
    subprocess.run(["mcopy", "-n", "-i", source, f"::{name}", str(out)], check=True)
    return out.read_bytes()


@pytest.mark.parametrize("fat_bits", [12, 16, 32])
def test_disk_holds_the_tree(tree, tmp_path, fat_bits):
    disk = tmp_path / "disk.img"
    image.make_disk(tree, disk, fat_bits)
    loader = read_back(disk, "/EFI/BOOT/BOOTX64.EFI", tmp_path / "out")
    assert loader == (tree / "EFI/BOOT/BOOTX64.EFI").read_bytes()
    with disk.open("rb") as file:
        file.seek(image.PARTITION_OFFSET_BYTES)
        boot_sector = file.read(512)
    assert f"FAT{fat_bits}".encode() in boot_sector


def test_partition_table_is_sound(tree, tmp_path):
    sgdisk = shutil.which("sgdisk", path="/usr/sbin:/sbin:/usr/bin:/opt/homebrew/bin")
    if sgdisk is None:
        pytest.skip("sgdisk is not installed")
    disk = tmp_path / "disk.img"
    image.make_disk(tree, disk)
    verified = subprocess.run([sgdisk, "-v", disk], capture_output=True, text=True, check=True)
    assert "No problems found" in verified.stdout
    listed = subprocess.run([sgdisk, "-p", disk], capture_output=True, text=True, check=True)
    assert "EF00" in listed.stdout


def test_partition_table_counts_in_the_disk_s_sectors(tree, tmp_path):
    """UEFI 2.10, section 5.3: the header is in sector 1, and its copy in the last sector."""
    disk = tmp_path / "disk.img"
    image.make_disk(tree, disk, sector_bytes=4096)
    data = disk.read_bytes()
    assert data[510:512] == b"\x55\xaa" and data[4096:4104] == b"EFI PART"
    assert data[-4096:-4088] == b"EFI PART"
    first, last = struct.unpack_from("<QQ", data, 2 * 4096 + 32)
    assert first * 4096 == image.PARTITION_OFFSET_BYTES
    assert (last + 1) * 4096 == len(data) - image.TABLE_TAIL_BYTES
    assert struct.unpack_from("<H", data, image.PARTITION_OFFSET_BYTES + 11) == (4096,)
    assert image.sector_bytes_of(disk) == 4096
    loader = read_back(disk, "/EFI/BOOT/BOOTX64.EFI", tmp_path / "out")
    assert loader == (tree / "EFI/BOOT/BOOTX64.EFI").read_bytes()


@pytest.mark.parametrize("fat_bits, size_mib, sector_bytes, words", [
    (32, 20, 512, "too small for FAT32"), (32, 200, 4096, "too small for FAT32"),
    (12, 900, 512, "too large for FAT12"), (16, 4000, 512, "too large for FAT16"),
])  # fmt: skip
def test_size_that_the_FAT_cannot_have_is_refused(tree, tmp_path, fat_bits, size_mib, sector_bytes, words):
    with pytest.raises(image.ImageError, match=words):
        image.make_disk(tree, tmp_path / "disk.img", fat_bits, size_mib, sector_bytes)
    assert list(tmp_path.iterdir()) == [tree], "nothing is left behind"


@pytest.mark.parametrize("words", [
    ["disk", "{tree}", "{out}/x/disk.img"], ["disk", "{tree}", "{out}"], ["disk", "{out}/no", "{out}/a"],
    ["disk", "{tree}", "{out}/a", "--size", "-1"], ["disk", "{tree}", "{out}/a", "--size", "0"],
    ["disk", "{tree}", "{out}/a", "--size", "9" * 20], ["disk", "{tree}", "{out}/a", "--fat", "13"],
    ["disk", "{tree}", "{out}/a", "--sector", ""], ["iso", "{tree}", "{out}/a", "--sector", "512"],
    ["disk", "{tree}", "{out}/a", "--size", "20"], ["disk"], ["floppy", "{tree}", "{out}/a"],
])  # fmt: skip
def test_wrong_words_are_one_sentence(tree, tmp_path, words):
    words = [word.format(tree=tree, out=tmp_path) for word in words]
    done = subprocess.run([sys.executable, image.__file__, *words], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode in (1, 2) and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("image.py: ")


def test_image_and_its_use_are_printed(tree, tmp_path):
    for kind, out, words in [("disk", "é 'a@@b,c.img", "make usb"), ("iso", "disc.iso", "burn it")]:
        done = subprocess.run([sys.executable, image.__file__, kind, tree, tmp_path / out],
                              capture_output=True, text=True, check=True)  # fmt: skip
        size_mib = -(-(tmp_path / out).stat().st_size // image.MIB)
        assert f"{tmp_path / out} ({size_mib} MiB)" in done.stdout and words in done.stdout


def test_equal_trees_make_equal_partition_tables(tree, tmp_path):
    for name in ("a", "b"):
        image.make_disk(tree, tmp_path / name)
    first, second = ((tmp_path / name).read_bytes()[: image.MIB] for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("fat_bits, size_mib, sector_bytes, sectors", [
    (16, 16, 512, 4), (16, 20, 512, 8), (16, 1024, 512, 64), (12, 8, 512, 8), (32, 48, 512, 1),
    (32, 512, 512, 8), (16, 24, 4096, 1),
])  # fmt: skip
def test_clusters_are_large_where_their_count_allows_it(fat_bits, size_mib, sector_bytes, sectors):
    """Firmware reads a kernel of 16 MiB in clusters of 4 KiB with a fifth of the instructions."""
    assert image.cluster_sectors(fat_bits, size_mib * image.MIB, sector_bytes) == sectors


def test_too_small_is_refused(tree, tmp_path):
    (tree / "big").write_bytes(bytes(4 * image.MIB))
    with pytest.raises(image.ImageError, match="use a larger --size"):
        image.make_disk(tree, tmp_path / "disk.img", size_mib=3)
    assert not (tmp_path / "disk.img").exists()


def test_tables_of_a_large_file_have_room(tree, tmp_path):
    (tree / "large").touch()
    os.truncate(tree / "large", 200 * image.MIB)
    image.make_disk(tree, tmp_path / "disk.img")
    assert (tmp_path / "disk.img").stat().st_size < 210 * image.MIB


def test_iso_has_a_boot_record_and_a_partition(tree, tmp_path):
    if shutil.which("xorriso") is None:
        pytest.skip("xorriso is not installed")
    iso = tmp_path / "disc.iso"
    image.make_iso(tree, iso)
    data = iso.read_bytes()
    assert b"EL TORITO SPECIFICATION" in data[17 * 2048 : 18 * 2048]
    assert data[512:520] == b"EFI PART"


def test_missing_tool_is_named():
    with pytest.raises(image.ImageError, match="no-such-tool"):
        image.run_tool("no-such-tool")


def test_equal_trees_make_equal_disks_at_any_time_and_place(tree, tmp_path, monkeypatch):
    """Another order of the folder's entries, other times of the files, another time zone."""
    (tree / "EFI/BOOT/extra.bin").write_bytes(b"extra")
    (tree / "EFI/AAA").mkdir()
    other = tmp_path / "other"
    for path in sorted(tree.rglob("*"), reverse=True):
        target = other / path.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(path.read_bytes())
            os.utime(target, (0, 12345678))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    image.make_disk(tree, tmp_path / "a")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    image.make_disk(other, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    listed = subprocess.run(["mdir", "-i", f"{tmp_path / 'a'}@@1M", "-/", "::"], capture_output=True, text=True,
                            check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}).stdout  # fmt: skip
    assert "::/EFI/AAA" in listed and "BOOTX64  EFI" in listed and "extra    bin" in listed
    dates = set(re.findall(r"\d{4}-\d\d-\d\d +\d+:\d\d", listed))
    assert dates == {"2026-09-21  14:13"}, listed
