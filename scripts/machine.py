"""Describe a virtual machine, for run.sh and for the tests.

A Machine is plain data. `arguments()` makes QEMU's command line of it. boot.py runs the boot.
"""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import List, Optional

from firmware import Firmware, escape

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")

# A write to this port ends QEMU with the status 2 * value + 1.
DEBUG_EXIT_PORT = 0xF4

MEDIA = {
    "virtio": ["-device", "virtio-blk-pci,drive=disk,bootindex=0"],
    "scsi": ["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=disk,bootindex=0"],
    "ahci": ["-device", "ide-hd,drive=disk,bootindex=0"],
    "nvme": ["-device", "nvme,drive=disk,serial=handoff,bootindex=0"],
    # Like a real stick.
    "usb": [
        # usb-storage would always have sectors of 512 bytes.
        "-device", "qemu-xhci", "-device", "usb-bot,id=stick",
        "-device", "scsi-hd,bus=stick.0,drive=disk,removable=on,bootindex=0",
    ],
    "iso": ["-device", "ide-cd,drive=disk,bootindex=0"],
}  # fmt: skip

# QEMU's AHCI disks have sectors of 512 bytes only, and a disc has other sectors.
MEDIA_OF_512 = ("ahci", "iso")

GRAPHICS = {
    "std": ["-device", "VGA"],
    "virtio": ["-device", "virtio-vga"],
    "bochs": ["-device", "bochs-display"],
    "qxl": ["-device", "qxl-vga"],
    "cirrus": ["-device", "cirrus-vga"],
    "ramfb": ["-device", "ramfb"],
    # It has no linear framebuffer. The firmware's graphics output can only copy blocks (BltOnly).
    "virtio-gpu": ["-device", "virtio-gpu-pci"],
    "none": [],
}

MIB = 1024**2
GIB = 1024**3
SIZE_UNITS = {"": MIB, "K": 1024, "M": MIB, "G": GIB, "T": 1024**4}
# With 48 MiB, OVMF leaves no room for the kernel's image. With less, it hangs without a message.
SMALLEST_MEMORY_BYTES = 52 * MIB
# With more memory a boot takes minutes, because firmware and kernel map all of it, page by page on some CPUs.
LARGEST_MEMORY_BYTES = 2 * 1024 * GIB
# The q35 machine has a hole below 4 GiB. It moves the memory above by this size.
MEMORY_HOLE_BYTES = 2 * GIB
LARGEST_CPU_COUNT = 255
SECTOR_SIZES = (512, 4096)
# The place of the random device on the PCI bus, for absent_tpm.py.
RANDOM_DEVICE_SLOT = 0x10
# Larger memory of a guest is not reserved on the host, because a test uses only a small part of it.
UNRESERVED_FROM_BYTES = 4 * GIB
# QEMU's default of 40 physical address bits ends at 1 TiB. The hole below 4 GiB needs a part of that.
WIDE_ADDRESSES_FROM_BYTES = 512 * GIB
# Firmware and kernel read every page of the guest. Each such amount of memory adds the basic time once more.
SLOWER_BY_ONE_BYTES = 256 * GIB


class MachineError(Exception):
    """The machine is not possible. The text has the reason."""


def parse_size(text):
    """Return the bytes of a size: `64M`, `3G`, `1T`, or a plain number of MiB as for QEMU."""
    match = re.fullmatch(r"([1-9][0-9]*)([KMGT]?)(?:i?B)?", text.strip().upper().replace("IB", "B"))
    if match is None:
        raise MachineError(f"{text!r} is not a size: write, for example, 512M, 3G or 1T")
    return int(match.group(1)) * SIZE_UNITS[match.group(2)]


def memory_bytes(text):
    """Return the bytes of a size, if a machine can have this much memory."""
    size_bytes = parse_size(text)
    if size_bytes < SMALLEST_MEMORY_BYTES:
        raise MachineError(f"{text!r} is too little memory: firmware, loader and kernel need 52M")
    if size_bytes > LARGEST_MEMORY_BYTES:
        raise MachineError(f"{text!r} is too much memory: 2T is the maximum")
    if size_bytes % MIB != 0:
        raise MachineError(f"{text!r} is not a multiple of 1M: QEMU needs one")
    return size_bytes


def kvm_probe_image():
    """Return 64 KiB of firmware. Its reset vector leaves QEMU through the debug-exit port."""
    code = bytes([0xB0, 0x10, 0xE6, DEBUG_EXIT_PORT, 0xF4])  # mov al, 0x10; out port, al; hlt
    return code.rjust(65536 - 16 + len(code), b"\x90").ljust(65536, b"\x90")


@lru_cache(maxsize=1)
def kvm_obstacle():
    """Return the reason why KVM cannot run a guest here, or None. A nested host may have a /dev/kvm that does not
    work, so a guest is run."""
    if not os.path.exists("/dev/kvm"):
        return "there is no /dev/kvm here"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "this user cannot open /dev/kvm (its group is often called kvm)"
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        flags = ""
    if not re.search(r"^flags\s*:.*\b(vmx|svm)\b", flags, re.MULTILINE):
        return "this computer's CPU has no virtualisation, or it is switched off"
    return None if kvm_runs_a_guest() else "/dev/kvm exists, but no guest runs on it"


def kvm_works():
    return kvm_obstacle() is None


def kvm_runs_a_guest():
    """Return whether a guest can execute a few instructions."""
    with tempfile.TemporaryDirectory(prefix="handoff-kvm-") as scratch:
        image = Path(scratch) / "probe.bin"
        image.write_bytes(kvm_probe_image())
        command = [
            QEMU, "-nodefaults", "-machine", "q35,accel=kvm", "-cpu", "host", "-m", "64",
            "-display", "none", "-bios", str(image), "-no-reboot",
            "-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT},iosize=4",
        ]  # fmt: skip
        try:
            probe = subprocess.run(command, capture_output=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return probe.returncode == 0x10 * 2 + 1


@dataclass
class Machine:
    """A PC: its devices and its boot medium."""

    firmware: Firmware
    image: Path
    memory: str = "512M"
    cpu: Optional[str] = None  # None: the host's CPU with KVM, else QEMU's CPU with all features
    cpu_count: int = 1
    medium: str = "virtio"
    graphics: str = "std"
    window: Optional[str] = None  # a backend of QEMU's -display; None: no window
    accelerator: Optional[str] = None  # kvm or tcg; None: KVM if it works
    random_device: bool = True  # EFI_RNG_PROTOCOL
    serial_port: bool = True
    debug_exit: bool = True  # the device through which a panic ends QEMU
    stay_at_end: bool = False  # pause, and keep the screen, instead of an end or a reset
    sector_bytes: int = 512  # of the disk
    extra: List[str] = field(default_factory=list)

    def uses_kvm(self):
        return self.accelerator == "kvm" or (self.accelerator is None and kvm_works())

    def patience(self, seconds):
        """Return the time to wait for a step that takes at most `seconds` on a machine with little memory."""
        return seconds * (1 + parse_size(self.memory) / SLOWER_BY_ONE_BYTES)

    def cpu_model(self):
        """Return QEMU's name of the CPU, with enough address bits for the memory."""
        model = self.cpu or ("host" if self.uses_kvm() else "max")
        size_bytes = parse_size(self.memory)
        wide = size_bytes >= WIDE_ADDRESSES_FROM_BYTES
        if wide and model != "host" and "phys-bits" not in model:
            # Twice the memory leaves room for devices. More would be slow: the firmware maps all addresses, page by
            # page on a CPU without 1 GiB pages.
            model += f",phys-bits={(2 * size_bytes - 1).bit_length() + 1}"
        return model

    def _memory_arguments(self):
        size_bytes = memory_bytes(self.memory)
        size_mib = size_bytes // MIB
        if size_bytes < UNRESERVED_FROM_BYTES:
            return ["-m", f"{size_mib}M"]
        backend = f"memory-backend-ram,id=ram,size={size_mib}M,reserve=off"
        return ["-m", f"{size_mib}M", "-object", backend]

    def _machine_arguments(self):
        machine = "q35,accel=" + ("kvm" if self.uses_kvm() else "tcg")
        if self.firmware.requires_smm:
            machine += ",smm=on"
        if parse_size(self.memory) >= UNRESERVED_FROM_BYTES:
            machine += ",memory-backend=ram"
        return ["-machine", machine]

    def _medium_arguments(self):
        if self.medium not in MEDIA:
            raise MachineError(f"medium {self.medium!r} is not one of: {', '.join(MEDIA)}")
        drive = f"if=none,id=disk,format=raw,file={escape(self.image)}"
        # Some firmware keeps its variables in a file on the volume. It must not change our image.
        drive += ",media=cdrom,readonly=on" if self.medium == "iso" else ",snapshot=on"
        return ["-drive", drive] + [self._with_sectors(word) for word in MEDIA[self.medium]]

    def _with_sectors(self, word):
        """Return the option of the disk with the size of its sectors."""
        if "drive=disk" not in word or self.sector_bytes == 512:
            return word
        if self.medium in MEDIA_OF_512:
            raise MachineError(f"medium {self.medium!r} has no sectors of {self.sector_bytes} bytes")
        return f"{word},logical_block_size={self.sector_bytes},physical_block_size=4096"

    def _graphics_arguments(self):
        if self.graphics not in GRAPHICS:
            raise MachineError(f"display {self.graphics!r} is not one of: {', '.join(GRAPHICS)}")
        return ["-display", self.window or "none"] + GRAPHICS[self.graphics]

    def arguments(self, scratch: Path):
        """Return QEMU's command line, without the options for watching the boot. Writable firmware is copied to
        `scratch`."""
        arguments = [QEMU, "-nodefaults", "-no-reboot", "-net", "none"]
        arguments += self._machine_arguments()
        arguments += self._memory_arguments()
        arguments += ["-cpu", self.cpu_model(), "-smp", str(self.cpu_count)]
        arguments += self.firmware.arguments(scratch)
        arguments += self._medium_arguments()
        arguments += self._graphics_arguments()
        if self.debug_exit:
            arguments += ["-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT},iosize=4"]
        if self.stay_at_end:
            arguments += ["-no-shutdown"]
        if self.random_device:
            arguments += ["-device", f"virtio-rng-pci,addr={RANDOM_DEVICE_SLOT:#x}"]
        return arguments + self.extra


def has_display():
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@lru_cache(maxsize=1)
def window_backends():
    """Return the kinds of window that this QEMU knows."""
    try:
        listed = subprocess.run(
            [QEMU, "-display", "help"], capture_output=True, text=True, timeout=10, check=False
        ).stdout.split("\n")
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [word.strip() for word in listed if re.fullmatch(r"[a-z][a-z-]+", word.strip())]


def window_backend():
    """Return the kind of window that QEMU can open here, or None without a display."""
    if not has_display():
        return "cocoa" if shutil.which("sw_vers") else None
    return next((name for name in ("gtk", "sdl", "cocoa") if name in window_backends()), None)
