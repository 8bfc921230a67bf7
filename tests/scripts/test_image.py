"""Disk images, checked by tools that did not make them."""

import os
import shutil
import subprocess

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


def test_equal_trees_make_equal_partition_tables(tree, tmp_path):
    for name in ("a", "b"):
        image.make_disk(tree, tmp_path / name)
    first, second = ((tmp_path / name).read_bytes()[: image.MIB] for name in ("a", "b"))
    assert first == second


def test_too_small_is_refused(tree, tmp_path):
    (tree / "big").write_bytes(bytes(4 * image.MIB))
    with pytest.raises(image.ImageError, match="needed"):
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
