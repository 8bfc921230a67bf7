"""Test QEMU's command line of a machine."""

from pathlib import Path

import machine
import pytest
from firmware import Firmware
from machine import GIB, Machine, MachineError, parse_size


@pytest.fixture(name="pc")
def make_pc(tmp_path):
    def build(**options):
        code = tmp_path / "code.fd"
        code.write_bytes(b"code")
        options.setdefault("accelerator", "tcg")
        pc = Machine(firmware=Firmware(code, None), image=Path("/a,b.img"), **options)
        return pc.arguments(tmp_path)

    return build


@pytest.mark.parametrize(
    "text, size", [("64M", 64 << 20), ("3G", 3 * GIB), ("1T", 1024 * GIB), ("512", 512 << 20),
                   ("2GiB", 2 * GIB), ("256mb", 256 << 20)]
)  # fmt: skip
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1M", "M", "1.5G", "1X", "64 M M"])
def test_text_that_is_not_a_size(text):
    with pytest.raises(MachineError):
        parse_size(text)


@pytest.mark.parametrize("memory", ["1M", "51M", "65K", "65537K", "3T", "99999T"])
def test_memory_that_cannot_be(pc, memory):
    with pytest.raises(MachineError):
        pc(memory=memory)


@pytest.mark.parametrize("memory", ["52M", "65M", "65536K", "4097M"])
def test_memory_need_not_be_a_round_number(pc, memory):
    words = pc(memory=memory)
    assert words[words.index("-m") + 1] == f"{parse_size(memory) // 1024**2}M"


def test_more_memory_gets_more_patience():
    def patience(memory):
        return Machine(firmware=None, image=None, memory=memory).patience(100)

    assert 100 <= patience("512M") < 101
    assert patience("1T") == 500 and patience("2T") == 900


def test_large_memory_is_not_reserved(pc):
    words = pc(memory="256G")
    assert any("reserve=off" in word for word in words)
    assert not any("reserve=off" in word for word in pc(memory="512M"))


def test_wide_addresses_from_half_a_terabyte(pc):
    assert "max,phys-bits=42" in pc(memory="1T")
    assert "qemu64,phys-bits=42" in pc(memory="1T", cpu="qemu64")
    assert "max" in pc(memory="256G")


def test_commas_in_names_are_escaped(pc):
    assert any("file=/a,,b.img" in word for word in pc())


def test_image_is_never_written(pc):
    for medium in machine.MEDIA:
        drive = next(word for word in pc(medium=medium) if "id=disk" in word)
        assert "snapshot=on" in drive or "readonly=on" in drive


def test_unknown_medium_and_display_are_named(pc):
    with pytest.raises(MachineError, match="floppy"):
        pc(medium="floppy")
    with pytest.raises(MachineError, match="hercules"):
        pc(graphics="hercules")


def test_sectors_are_the_disk_s(pc):
    for medium in ("virtio", "scsi", "nvme", "usb"):
        device = next(word for word in pc(medium=medium, sector_bytes=4096) if "drive=disk" in word)
        assert "logical_block_size=4096" in device
    for medium in machine.MEDIA_OF_512:
        with pytest.raises(MachineError, match="no sectors of 4096"):
            pc(medium=medium, sector_bytes=4096)
    assert not any("block_size" in word for word in pc())


def test_machine_that_is_to_be_looked_at_stays(pc):
    words = pc(debug_exit=False, stay_at_end=True)
    assert "-no-shutdown" in words
    assert not any("isa-debug-exit" in word for word in words)


def test_no_reboot_no_network_and_a_way_out(pc):
    words = pc()
    assert "-no-reboot" in words and "-nodefaults" in words
    assert "isa-debug-exit,iobase=244,iosize=4" in words


def test_kvm_probe_begins_at_the_reset_vector():
    """The first instruction of the CPU is 16 bytes below the end of the image."""
    probe = machine.kvm_probe_image()
    assert len(probe) == 65536
    assert probe[-16:-11] == bytes([0xB0, 0x10, 0xE6, machine.DEBUG_EXIT_PORT, 0xF4])
