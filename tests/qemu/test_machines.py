"""Usual machines: memory, CPUs, media, displays, file systems, firmware builds. The machines of machines.py, and some
here, have many special properties at once, so that few starts of the firmware cover all of them. `make test-all` has a
machine for each property.
"""

import os
import re
import shutil
import time
from pathlib import Path

import pytest

import absent_tpm
import firmware
import matrix
from lab import BUILD, TIMEOUT_SECONDS, boot, expect_ready, has_graphics, installed, volume
from machine import parse_size
from machines import DISC, EXECUTABLE, MODERN, PLAIN, SMALL
from screen import expect_report, read_screen

MIB = 1024 * 1024
FULL = pytest.mark.full


# test_map_of_machines in test_address_space.py has the smaller ones.
@FULL
def test_memory_of_one_tib(lab):
    verdict = expect_ready(lab.cold(machine={"memory": "1T"}))
    seen_mib = int(verdict.has_line(r"\[frames\] .*ram_mib=(\d+)").group(1))
    assert MIB * 0.999 <= seen_mib <= MIB, "nearly all of the memory is known to the kernel"


@pytest.mark.parametrize("cpu, machine", [
    pytest.param("qemu64", PLAIN, id="qemu64"), pytest.param("max", MODERN, id="max"),
    pytest.param("Nehalem", {"cpu": "Nehalem"}, id="Nehalem", marks=FULL),
])  # fmt: skip
def test_cpu(lab, cpu, machine):
    verdict = expect_ready(lab.boot_machine(machine, {"cpu": cpu}))
    smep = verdict.has_line(r"\[cpu\] .*\bsmep=(\w+)").group(1)
    assert smep == ("on" if cpu == "max" else "absent")


def test_P12_cpu_without_no_execute(lab):
    expect_ready(lab.boot_machine(EXECUTABLE, {"cpu": "qemu64,-nx"}))


def test_several_cpus_and_memory_in_two_nodes(lab):
    """Four CPUs, of which one works, and NUMA. Only ACPI distinguishes the nodes: the map has the memory
    of the whole machine."""
    nodes = [word for node in (0, 1) for word in (
        "-object", f"memory-backend-ram,id=node{node},size={1 + node}G",
        "-numa", f"node,nodeid={node},memdev=node{node},cpus={2 * node}-{2 * node + 1}")]  # fmt: skip
    machine = {"cpu_count": 4, "memory": "3G", "extra": nodes}
    verdict = expect_ready(lab.cold(machine=machine, command_line="measure"))
    assert 3066 <= int(verdict.has_line(r"\[frames\] .*ram_mib=(\d+)").group(1)) <= 3072
    costs = re.findall(r'^\[measure\] ticks_each=([\d.]+) what="(.*)"$', verdict.serial, re.MULTILINE)
    assert len(costs) == 34 and all(float(ticks) > 0 for ticks, _ in costs), costs
    assert verdict.has_line(r"\[measure\] steps=\d+ what=")
    assert verdict.has_line(r"\[measure\] refilled=64 threshold=\d+ what=")


@pytest.mark.parametrize("policy, cpu, guard", [
    ("fast", "max", "heap_sample=100 heap_guard=4K"), ("best-fit", "qemu64", ""),
])  # fmt: skip
def test_heap_under_interrupts(lab, policy, cpu, guard):
    """A timer's handler allocates while 100,000 operations run: some arrive inside of the heap."""
    words = f"once self-test=interrupts print-heap print-leaks heap={policy} {guard}"
    verdict = expect_ready(lab.boot_machine(PLAIN if cpu == "qemu64" else MODERN, {"cpu": cpu}, command_line=words))
    line = verdict.has_line(
        r"\[interrupts\] operations=(\d+) interrupts=(\d+) deferred=(\d+) check=passed")
    assert line, "the test of interrupts ran"
    operations, interrupts, deferred = map(int, line.groups())
    stats = verdict.has_line(r"\[heap-stats\] size=\d+ used=(\d+) .* blocks=(\d+) .* when=ready$")
    assert stats.groups() == ("0", "0"), "everything was given back"
    guarded = verdict.has_line(
        r"\[heap-stats\] .* guarded_blocks=0 guarded=\d+ sampled=(\d+) unguarded=0 when=ready$")
    assert guarded and (not guard or int(guarded.group(1)) > 100), verdict.serial
    assert verdict.has_line(r"\[heap-map\] from=0xffffd\w+ map=\.+$")
    assert verdict.has_line(r"\[leak\] sites=0 others_blocks=0 others_bytes=0$")
    assert operations >= 100_000 and interrupts >= 1000 and 0 < deferred <= interrupts


@pytest.mark.parametrize("guard", ["", "heap_guard=off heap_sample=0"])
def test_free_pages_inside_of_the_heap_go_back(lab, guard):
    """Most frames under a live block are free after the blocks there were freed, also if these were in slabs."""
    verdict = expect_ready(lab.boot_machine(PLAIN, {}, command_line=f"once self-test=heap-pages {guard}"))
    for size in (32768, 6144):
        line = verdict.has_line(rf"\[heap-pages\] size={size} freed=(\d+) returned=(\d+) absent=(\d+) check=passed")
        assert line, "the test ran"
        freed, returned, absent = map(int, line.groups())
        assert 7 << 20 < freed < 8 << 20 and absent >= freed - (3 << 20) and returned >= absent


@pytest.mark.parametrize("medium, machine", [
    pytest.param("scsi", PLAIN, id="scsi"), pytest.param("ahci", SMALL, id="ahci"),
    pytest.param("nvme", None, id="nvme", marks=FULL),  # QEMU takes no snapshot of it
    pytest.param("usb", EXECUTABLE, id="usb"), pytest.param("iso", DISC, id="iso"),
])  # fmt: skip
def test_medium(lab, medium, machine):
    expect_ready(lab.boot_machine(machine, {"medium": medium}))


@FULL
def test_iso_on_a_stick(lab):
    """The ISO is a hybrid: it boots as a disk, too."""
    disk = lab.disk(iso=True)
    expect_ready(boot.boot(lab.machine(disk, medium="usb"), TIMEOUT_SECONDS))


@FULL
@pytest.mark.parametrize("fat_bits", [12, 32])
def test_ES9_file_system(lab, fat_bits):
    expect_ready(lab.cold(fat_bits=fat_bits))


def second_disk(lab):
    """Return QEMU's options for a second disk, with a volume of the same kind and a broken kernel."""
    other = lab.disk({"kernel.elf": b"not a kernel", "EFI/BOOT/BOOTX64.EFI": None})
    return ["-drive", f"if=none,id=other,format=raw,snapshot=on,file={other}",
            "-device", "virtio-blk-pci,drive=other"]  # fmt: skip


@FULL
def test_ES10_only_the_own_volume_is_used(lab):
    expect_ready(lab.cold(machine={"extra": second_disk(lab)}))


# Some distributions keep these in packages of their own.
LINEAR_CARDS = [card for card in ("std", "virtio", "bochs", "ramfb", "qxl", "cirrus")
                if has_graphics(card)]  # fmt: skip
# The log stays on the screen, so that its text can be read back.
IDLE = ["debug-exit=0xf4", "overview=off"]
# A snapshot does not have what the guest told a ramfb.
SHOWN_ON = {"std": {}, "virtio": DISC, "bochs": SMALL}


@pytest.mark.parametrize("graphics", [
    pytest.param(card, marks=[] if card in SHOWN_ON else FULL) for card in LINEAR_CARDS
])  # fmt: skip
def test_screen_shows_the_boot(lab, graphics, tmp_path):
    """The text is on the screen, read back glyph by glyph with the console's own font."""
    with lab.start_machine(SHOWN_ON.get(graphics), {"graphics": graphics}, words=IDLE) as running:
        expect_boot_on_screen(running, tmp_path / "screen.ppm")


def expect_boot_on_screen(running, picture):
    assert running.wait_for(r"^\[ready\]", TIMEOUT_SECONDS), running.serial
    text = wait_for_text(running, r"^\[ready\] action=idle", picture)
    assert re.search(r"^\[paging\] .*\bwx=0\b", text, re.MULTILINE), text


def wait_for_text(running, pattern, picture):
    """Return the screen's text as soon as it has the pattern. The kernel writes a line to the screen after
    the serial port, and QEMU redraws later."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        running.screenshot(picture)
        text = read_screen(picture, BUILD / "font.bin")
        if re.search(pattern, text, re.MULTILINE):
            return text
        assert time.monotonic() < deadline, text
        running.pump(0.2)


@pytest.mark.parametrize("graphics, machine", [("virtio-gpu", EXECUTABLE), ("none", PLAIN)],
                         ids=["virtio-gpu", "none"])  # fmt: skip
def test_FW15_no_linear_framebuffer(lab, graphics, machine):
    verdict = expect_ready(lab.boot_machine(machine, {"graphics": graphics}))
    assert verdict.has_line(r"\[handoff\] warning: no screen")


OVMF_FOLDER = Path("/usr/share/OVMF")
FIRMWARE = [str(OVMF_FOLDER / name) for name in (
    "OVMF_CODE.fd", "OVMF_CODE.secboot.fd", "OVMF_CODE_4M.secboot.fd")] + ["/usr/share/ovmf/OVMF.fd"]  # fmt: skip


def other_builds():
    """Return the code images of builds that are not installed: those that scripts/firmware-builds.sh has unpacked, and
    those in the folder that HANDOFF_FIRMWARE names."""
    folders = [*sorted(BUILD.glob("firmware/*/usr/share/OVMF")), Path(os.environ.get("HANDOFF_FIRMWARE") or "/nowhere")]
    return [str(code) for folder in folders for code in sorted(folder.glob("*CODE*.fd"))
            if not any(word in code.name for word in (".ms.", ".snakeoil."))]  # fmt: skip


@FULL
@pytest.mark.parametrize("name", [*installed(*FIRMWARE), *other_builds()])
def test_firmware_build(lab, name):
    expect_ready(lab.cold(machine={"firmware": firmware.find(name)}))


@FULL
def test_firmware_with_strict_memory_protection(lab):
    """Data is really not executable, and page 0 is not there."""
    builds = [name for name in other_builds() if "strictnx" in name]
    if not builds:
        pytest.skip("no build with strictnx is here: apt has no ovmf from 2025.02 on, and HANDOFF_FIRMWARE names "
                    "no folder with OVMF_CODE_4M.secboot.strictnx.fd and its OVMF_VARS_4M.fd")  # fmt: skip
    for cpu in ("max", "qemu64"):
        expect_ready(lab.cold(machine={"firmware": firmware.find(builds[-1]), "cpu": cpu}))


def secure_build(folder, name):
    """Return a copy of the installed build for Secure Boot, with another name. Its variable store has no keys."""
    if not (OVMF_FOLDER / "OVMF_CODE_4M.secboot.fd").is_file():
        pytest.skip(f"there is no OVMF_CODE_4M.secboot.fd in {OVMF_FOLDER}")
    shutil.copy(OVMF_FOLDER / "OVMF_CODE_4M.secboot.fd", folder / name)
    shutil.copy(OVMF_FOLDER / "OVMF_VARS_4M.fd", folder)
    return firmware.find(folder / name)


# test_matrix boots such a build by default, and tests/scripts/test_firmware.py has all names.
@FULL
@pytest.mark.parametrize("name", ["OVMF_CODE_4M.secboot.strictnx.fd", "OVMF_CODE_4M.strictnx.fd", "any.fd"])
def test_secure_boot_build_of_any_name_starts(lab, tmp_path, name):
    """Without SMM, secure flash and its variable store it stops with #UD at 0xE0000."""
    expect_ready(lab.cold(machine={"firmware": secure_build(tmp_path, name)}))


@FULL
@pytest.mark.parametrize("name", ["OVMF_CODE_4M.ms.fd", "OVMF_CODE_4M.snakeoil.fd"])
def test_secure_boot_with_keys_refuses_the_loader_by_name(lab, name):
    code = OVMF_FOLDER / name
    if not code.is_file():
        pytest.skip(f"there is no {code}")
    verdict = lab.cold(machine={"firmware": firmware.find(code)})
    assert "Secure Boot is on, and the loader is not signed" in verdict.sentence, verdict.sentence
    assert "switch Secure Boot off" in verdict.advice


U_BOOT = Path("/usr/lib/u-boot/qemu-x86_64/u-boot.rom")


def u_boot():
    """Return the second family of firmware."""
    if not U_BOOT.is_file():
        pytest.skip(f"there is no {U_BOOT}: Debian's package u-boot-qemu has it")
    return firmware.find(U_BOOT)


@pytest.mark.parametrize("machine", [
    pytest.param({"memory": "3G", "cpu": "qemu64", "cpu_count": 2}, id="3G"),
    pytest.param({"memory": "512M", "cpu": "max"}, id="max", marks=FULL),
    pytest.param({"memory": "128M", "cpu": "Nehalem", "graphics": "none"}, id="128M", marks=FULL),
])  # fmt: skip
def test_u_boot(lab, machine):
    """Another family of firmware: a short map, no screen, and a ResetSystem that restarts."""
    # U-Boot gives its bootargs, words for Linux, as load options.
    verdict = expect_ready(lab.cold(machine={"firmware": u_boot(), "medium": "ahci", **machine}, load_options="off"))
    assert verdict.has_line(r"\[power-off\] by=acpi register=0x604 "), verdict.serial
    assert verdict.has_line(r"U-Boot 20\d\d\.") and verdict.has_line(r"\[handoff\] warning: no screen")


@FULL
@pytest.mark.parametrize("medium", ["virtio", "scsi", "nvme", "usb", "iso"])
def test_u_boot_that_does_not_see_the_medium(lab, medium):
    verdict = lab.cold(machine={"firmware": u_boot(), "medium": medium})
    assert f"no driver for the medium {medium}" in verdict.sentence, verdict.sentence
    assert "--medium ahci" in verdict.advice


def test_absent_tpm_reads_as_ones(lab):
    """Otherwise OVMF waits 1.6 seconds in each boot. The CPU of this machine does not start."""
    with boot.Boot(lab.machine(lab.disk()), arguments=["-S"]) as running:

        def monitor(line):
            return running.command("human-monitor-command", {"command-line": line})

        read = f"xp /1xb {absent_tpm.TPM_ADDRESS:#x}"
        assert "0xff" not in monitor(read)
        absent_tpm.show_absence(monitor)
        assert "0xff" in monitor(read)


@FULL
def test_no_random_device(lab):
    expect_ready(lab.cold(machine={"random_device": False, "cpu": "Nehalem"}))


@pytest.mark.parametrize("build, fat_bits, iso, machine", [
    # A machine of test_matrix has this medium, firmware and display, too.
    pytest.param("OVMF_CODE_4M.secboot.fd", 16, False, {"medium": "nvme", "graphics": "qxl", "cpu": "Nehalem",
                                                        "random_device": False}, marks=FULL),
    ("OVMF_CODE.fd", 32, False, {"graphics": "cirrus", "cpu": "Nehalem"}),
    ("OVMF.fd", 12, False, {"medium": "ahci", "graphics": "ramfb", "cpu": "max"}),
    ("OVMF_CODE.secboot.fd", 16, True, {"medium": "usb", "graphics": "std", "cpu": "max"}),
], ids=["nvme", "fat32", "fat12", "iso-on-a-stick"])  # fmt: skip
def test_machine_that_differs_in_much(lab, build, fat_bits, iso, machine, tmp_path):
    """Firmware that is not installed is left out. Each machine has a second disk with a broken kernel."""
    name = next((name for name in installed(*FIRMWARE) if name and name.endswith(f"/{build}")), None)
    card = machine["graphics"] if machine["graphics"] in LINEAR_CARDS else "std"
    disk = lab.disk(words=IDLE, fat_bits=fat_bits, iso=iso)
    pc = lab.machine(disk, **{**machine, "graphics": card, "firmware": firmware.find(name),
                              "extra": second_disk(lab)})  # fmt: skip
    with boot.Boot(pc) as running:
        expect_boot_on_screen(running, tmp_path / "screen.ppm")
        running.send(b"poweroff\r")
        verdict = expect_ready(running.watch(TIMEOUT_SECONDS))
    smep = verdict.has_line(r"\[cpu\] .*\bsmep=(\w+)").group(1)
    assert smep == ("on" if machine["cpu"] == "max" else "absent")


def test_panic_without_debug_exit_halts(lab):
    """As on a PC, the panic stays on the screen, and the machine does nothing else."""
    verdict = lab.boot_machine({}, {}, words=["unattended"], command_line="provoke=divide")
    assert not verdict.success and verdict.code is None
    assert "#DE" in verdict.serial


@FULL
def test_no_loader_is_no_success(lab):
    """The firmware's shell, or its error message, is recognised long before the time limit."""
    verdict = lab.cold({"EFI/BOOT/BOOTX64.EFI": None})
    assert not verdict.success
    assert "firmware found" in verdict.sentence


def test_start_over_the_network_is_named(lab, console, tmp_path):
    """The firmware fetches the loader from a TFTP server. There is no volume, so no kernel. The screen says so."""
    shutil.copy(volume.ESP / "EFI/BOOT/BOOTX64.EFI", tmp_path / "BOOTX64.EFI")
    disk = tmp_path / "empty.img"
    disk.write_bytes(bytes(MIB))
    network = ["-netdev", f"user,id=net,tftp={tmp_path},bootfile=BOOTX64.EFI",
               "-device", "virtio-net-pci,netdev=net,romfile=,bootindex=1"]  # fmt: skip
    with boot.Boot(lab.machine(disk, extra=network)) as running:
        assert running.wait_for(r"HL-19: The loader was started over the network", TIMEOUT_SECONDS)
        assert running.wait_for(r"^ *remedy: .*\n", TIMEOUT_SECONDS)
        expect_report(running, 19, console.read)


DIMENSIONS = {
    "firmware": [name for name in (*installed(str(OVMF_FOLDER / "OVMF_CODE_4M.fd"), *FIRMWARE), str(U_BOOT))
                 if name is None or Path(name).is_file()],
    "medium": ["virtio", "scsi", "ahci", "nvme", "usb", "iso"],
    "memory": ["96M", "512M", "3G", "8G"],
    "cpu": ["max", "max,la57=off", "Nehalem", "qemu64", "qemu64,-nx"],
    "graphics": [*LINEAR_CARDS, "virtio-gpu", "none"],
}  # fmt: skip


def is_possible(machine):
    """U-Boot sees AHCI disks only, and shows nothing. With ramfb, OVMF with SMM resets before any loader."""
    name, graphics = str(machine["firmware"]), machine["graphics"]
    if name == str(U_BOOT):
        return machine["medium"] == "ahci" and graphics in ("std", "none")
    return not ("secboot" in name and graphics == "ramfb")


MATRIX = matrix.machines(DIMENSIONS, is_possible)


@pytest.mark.parametrize("machine", [
    pytest.param(machine, id="-".join(Path(str(value)).stem for value in machine.values()),
                 marks=[] if index < matrix.telling_count(MATRIX) else FULL)
    for index, machine in enumerate(MATRIX)
])  # fmt: skip
def test_matrix(lab, machine):
    """Every pair of firmware, medium, memory, CPU and display is on a machine."""
    options = {**machine, "firmware": firmware.find(machine["firmware"])}
    verdict = expect_ready(lab.cold(machine=options))
    shows = machine["graphics"] in LINEAR_CARDS and machine["firmware"] != str(U_BOOT)
    assert (verdict.has_line(r"\[handoff\] warning: no screen") is None) is shows, verdict.serial
    smep = verdict.has_line(r"\[cpu\] .*\bsmep=(\w+)").group(1)
    assert smep == ("on" if machine["cpu"].startswith("max") else "absent")
    size_mib = parse_size(machine["memory"]) // MIB
    seen_mib = int(verdict.has_line(r"\[frames\] .*ram_mib=(\d+)").group(1))
    assert size_mib * 0.8 <= seen_mib <= size_mib
