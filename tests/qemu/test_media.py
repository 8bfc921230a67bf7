"""A medium that is slow, or that fails (catalogue ES5, ES6): QEMU limits and spoils the reads of the disk itself, so the
firmware's own drivers see what they see on a PC."""

import re
import struct
import time
from pathlib import Path

import pytest

from lab import BUILD, TIMEOUT_SECONDS, expect_ready, expect_stop, random_places, volume
from image import MIB, PARTITION_OFFSET_BYTES

KERNEL = (volume.ESP / "kernel.elf").read_bytes()
SECTOR_BYTES = 512
# An error of input or output, as Linux numbers it.
EIO = 5


def limit(running, bytes_per_second):
    """Limit the reads of the disk; 0 is no limit."""
    running.command("block_set_io_throttle", {
        "device": "disk", "bps": bytes_per_second, "bps_rd": 0, "bps_wr": 0, "iops": 0, "iops_rd": 0, "iops_wr": 0,
    })  # fmt: skip


def slow_boot(lab, bytes_per_second, machine=None):
    """Return a machine with a slow disk. The conductor and the loader are read slowly, too."""
    running = lab.restore(lab.case_disk(machine), go=False, machine=machine)
    limit(running, bytes_per_second)
    running.send(b"g")
    return running


# A call of the firmware that does not return: its plan, the line in handoff.conf, the line on the screen.
HANGS = {
    "medium": (["read-at-most 4096", "read-waits-at 20"], b"", r"reading \\kernel\.elf"),
    "variable": (["watch-variables", "variable-waits"], b"post_mortem = nvram\n",
                 "post_mortem=nvram: reading and writing the EFI variable"),
    "facts": (["query-mode-waits"], b"", "asking the firmware"),
    "mode": (["set-mode-waits"], b"resolution = 800x600\n", r"output 1: setting mode \d+"),
}  # fmt: skip


@pytest.mark.parametrize("step", HANGS)
def test_ES5_firmware_that_hangs_leaves_its_step_on_the_screen(lab, console, step):
    """It is the last line. When the call returns, the boot goes on."""
    plan, key, line = HANGS[step]
    configuration = b"cmdline = debug-exit=0xf4 once unattended\n" + key
    with lab.restore(lab.case_disk(None, {"handoff.conf": configuration}, plan)) as running:
        assert running.wait_for("^conductor: (a read|the firmware) waits", TIMEOUT_SECONDS), running.serial
        picture = running.scratch / "screen.ppm"
        deadline = time.monotonic() + 20
        while not re.fullmatch(line, last_line(running, console, picture)):
            assert time.monotonic() < deadline, console.read(picture)
            running.pump(0.1)
        running.send(b"g")
        expect_ready(running.watch(TIMEOUT_SECONDS))


def last_line(running, console, picture):
    """Return the last line of text. The firmware's logo is below it."""
    running.screenshot(picture)
    lines = [line for line in console.read(picture).splitlines() if line and "\ufffd" not in line]
    return lines[-1] if lines else ""


def test_ES5_quiet_boot_that_hangs_shows_nothing(lab, console):
    """The picture of the vendor stays."""
    disk = lab.case_disk(None, plan=["read-at-most 4096", "read-waits-at 20"], command_line="quiet")
    with lab.restore(disk) as running:
        assert running.wait_for("^conductor: a read waits", TIMEOUT_SECONDS), running.serial
        running.pump(1)
        assert "reading" not in running.serial
        assert last_line(running, console, running.scratch / "screen.ppm").startswith("BdsDxe: starting ")
        running.send(b"g")
        expect_ready(running.watch(TIMEOUT_SECONDS))


def large_kernel(lab, **settings):
    """Boot a kernel with more than 3 MiB in its file, which checks every number there."""
    return lab.case(kernel=BUILD / "small_kernels/large.elf", **settings)


@pytest.mark.parametrize("plan", [[], ["read-at-most 65521"]], ids=["in-one-read", "in-short-reads"])
def test_ES5_large_kernel_arrives_whole(lab, plan):
    verdict = large_kernel(lab, plan=plan)
    assert verdict.success, f"{verdict.sentence}\n{verdict.serial}"


def test_ES6_firmware_that_fails_on_long_reads(lab):
    """The loader reads again, 1 MiB at a time."""
    verdict = large_kernel(lab, plan=[f"long-reads-fail {MIB}"])
    assert verdict.has_line(r"conductor: a read of 31[0-9]{5} bytes fails$"), verdict.serial
    assert verdict.success, f"{verdict.sentence}\n{verdict.serial}"


def test_ES6_firmware_that_fails_on_reads_of_half_a_mebibyte(lab):
    verdict = expect_stop(large_kernel(lab, plan=[f"long-reads-fail {MIB // 2}"]), 10)
    assert r"what:   \kernel.elf, at byte 0 of 3158432" in verdict.serial, verdict.serial


@pytest.mark.full
@pytest.mark.parametrize("medium", ["virtio", "ahci", "scsi", "usb"])
def test_ES5_slow_medium_boots(lab, medium):
    """Every driver waits for its reads. The kernel takes several seconds."""
    with slow_boot(lab, 100 * 1024, {"medium": medium}) as running:
        assert running.wait_for("Handoff loader", TIMEOUT_SECONDS), running.serial
        started = time.monotonic()
        expect_ready(running.watch(TIMEOUT_SECONDS))
        assert time.monotonic() - started > 1.5, "the limit had no effect"


@pytest.mark.full
def test_ES6_stick_that_is_pulled_out(lab):
    """In the middle of the kernel. The firmware's driver gives up, and the loader names the byte."""
    machine = {"medium": "usb"}
    disk = lab.case_disk(machine, plan=["read-at-most 4096", "read-waits-at 20"])
    with lab.restore(disk, machine=machine) as running:
        assert running.wait_for("^conductor: a read waits", TIMEOUT_SECONDS), running.serial
        running.command("device_del", {"id": "stick"})
        running.send(b"g")
        verdict = expect_stop(running.watch(TIMEOUT_SECONDS), 10)
    assert r"what:   \kernel.elf, at byte " in verdict.serial, verdict.serial


def with_bad_sector(disk, offset, once=False):
    """Return the name of the disk for QEMU: each read of the sector at this byte fails, or only the first one."""
    rules = disk.with_suffix(".rules")
    rules.write_text('[inject-error]\nevent = "read_aio"\n'
                     f'errno = "{EIO}"\nsector = "{offset // SECTOR_BYTES}"\nonce = "{"on" if once else "off"}"\n',
                     encoding="ascii")  # fmt: skip
    return Path(f"blkdebug:{rules}:{disk}")


def place_on_disk(disk, offset):
    """Return the byte of the disk that holds this byte of the kernel. On a new volume a file is in one piece."""
    start = disk.read_bytes().find(KERNEL)
    assert start > 0 and start % SECTOR_BYTES == 0
    return start + offset


def boot_with_bad_sector(lab, offset, machine=None, once=False):
    disk = lab.case_disk(machine)
    with lab.restore(with_bad_sector(disk, place_on_disk(disk, offset), once), machine=machine) as running:
        return running.watch(TIMEOUT_SECONDS)


@pytest.mark.parametrize("medium", ["virtio", pytest.param("scsi", marks=pytest.mark.full),
                                    pytest.param("usb", marks=pytest.mark.full)])  # fmt: skip
def test_ES6_bad_sector_in_the_kernel(lab, medium):
    """On AHCI the error does not reach the loader: see the next test."""
    machine = None if medium == "virtio" else {"medium": medium}
    verdict = expect_stop(boot_with_bad_sector(lab, len(KERNEL) // 2, machine), 10)
    assert r"what:   \kernel.elf, at byte " in verdict.serial, verdict.serial


def changed_kernel(share):
    """Return the kernel with one changed bit."""
    kernel = bytearray(KERNEL)
    kernel[int(len(kernel) * share)] ^= 0x10
    return bytes(kernel)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_ES6_changed_bit_in_the_kernel(lab, share):
    verdict = expect_stop(lab.case({"kernel.elf": changed_kernel(share)}), 31)
    assert r"what:   \kernel.elf: checksum " in verdict.serial, verdict.serial


@pytest.mark.full
def test_ES6_bad_sector_that_the_firmware_does_not_see(lab):
    """With QEMU's AHCI disk, OVMF calls the read successful. The bytes are wrong."""
    expect_stop(boot_with_bad_sector(lab, len(KERNEL) // 2, {"medium": "ahci"}), 31)


@pytest.mark.full
def test_ES6_bad_sectors_at_random_places(lab):
    """The loader names the error, or it does not need the sector. It boots also if the firmware reads again."""
    random = random_places()
    stops = 0
    for _ in range(20):
        offset, once = random.randrange(len(KERNEL)), random.random() < 0.3
        print(f"byte {offset}, once: {once}")
        verdict = boot_with_bad_sector(lab, offset, once=once)
        if verdict.success:
            continue
        expect_stop(verdict, 10)
        stops += 1
    assert stops > 5


def end_chain_early(disk, cluster_index):
    """Let the chain of the kernel's clusters end there, as if the medium was removed before it was written. The
    directory still has the whole size."""
    image = bytearray(disk.read_bytes())
    boot_sector = image[PARTITION_OFFSET_BYTES : PARTITION_OFFSET_BYTES + SECTOR_BYTES]
    cluster_sectors, reserved, tables, root_entries = struct.unpack_from("<BHBH", boot_sector, 13)
    (table_sectors,) = struct.unpack_from("<H", boot_sector, 22)
    first_table = PARTITION_OFFSET_BYTES + reserved * SECTOR_BYTES
    data = first_table + tables * table_sectors * SECTOR_BYTES + root_entries * 32
    cluster = 2 + (place_on_disk(disk, 0) - data) // (cluster_sectors * SECTOR_BYTES) + cluster_index
    for table in range(tables):
        entry = first_table + table * table_sectors * SECTOR_BYTES + 2 * cluster
        assert struct.unpack_from("<H", image, entry) == (cluster + 1,), "a chain of neighbours"
        struct.pack_into("<H", image, entry, 0xFFFF)
    disk.write_bytes(image)


@pytest.mark.parametrize("share", [0, 0.5])
def test_ES5_cluster_chain_that_ends_early(lab, share):
    """The firmware reports a damaged volume, or a file that ends early."""
    disk = lab.case_disk(None)
    end_chain_early(disk, int(len(KERNEL) // (8 * SECTOR_BYTES) * share))
    with lab.restore(disk) as running:
        verdict = running.watch(TIMEOUT_SECONDS)
    expect_stop(verdict, 10 if "HL-10:" in verdict.serial else 9)
    assert r"what:   \kernel.elf, at byte " in verdict.serial, verdict.serial
