"""The one description of a virtual machine, for run.sh and for the tests.

A Machine is plain data; `arguments()` turns it into QEMU's command line. Nothing here runs a boot:
that is boot.py.
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

# The port whose write ends QEMU with the status 2 * value + 1.
DEBUG_EXIT_PORT = 0xF4

MEDIA = {
    "virtio": ["-device", "virtio-blk-pci,drive=disk,bootindex=0"],
    "scsi": ["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=disk,bootindex=0"],
    "ahci": ["-device", "ide-hd,drive=disk,bootindex=0"],
    "nvme": ["-device", "nvme,drive=disk,serial=handoff,bootindex=0"],
    # As a stick would be.
    "usb": [
        "-device", "qemu-xhci", "-device", "usb-storage,drive=disk,removable=on,bootindex=0"
    ],
    "iso": ["-device", "ide-cd,drive=disk,bootindex=0"],
}  # fmt: skip

GRAPHICS = {
    "std": ["-device", "VGA"],
    "virtio": ["-device", "virtio-vga"],
    "bochs": ["-device", "bochs-display"],
    "qxl": ["-device", "qxl-vga"],
    "cirrus": ["-device", "cirrus-vga"],
    "ramfb": ["-device", "ramfb"],
    # No linear framebuffer: the firmware's graphics output can only copy blocks (BltOnly).
    "virtio-gpu": ["-device", "virtio-gpu-pci"],
    "none": [],
}

MIB = 1024**2
GIB = 1024**3
SIZE_UNITS = {"": MIB, "K": 1024, "M": MIB, "G": GIB, "T": 1024**4}
# No UEFI firmware starts in less.
SMALLEST_MEMORY_BYTES = 16 * MIB
# Above this the guest's memory is not reserved on the host: a test touches only a little of it.
UNRESERVED_FROM_BYTES = 4 * GIB
# QEMU's default of 40 physical address bits ends at 1 TiB, and the hole below 4 GiB is in the way.
WIDE_ADDRESSES_FROM_BYTES = 512 * GIB
# Firmware and kernel look at every page of the guest: with this much memory a boot may take twice
# the time.
SLOWER_BY_ONE_BYTES = 256 * GIB


class MachineError(Exception):
    """The machine asked for cannot be built, with the reason."""


def parse_size(text):
    """The bytes of `64M`, `3G`, `1T`, or of a plain number of MiB as QEMU counts them."""
    match = re.fullmatch(r"([1-9][0-9]*)([KMGT]?)(?:i?B)?", text.strip().upper().replace("IB", "B"))
    if match is None:
        raise MachineError(f"{text!r} is not a size: write for example 512M, 3G or 1T")
    return int(match.group(1)) * SIZE_UNITS[match.group(2)]


def kvm_probe_image():
    """64 KiB of firmware whose reset vector leaves QEMU through the debug-exit port."""
    code = bytes([0xB0, 0x10, 0xE6, DEBUG_EXIT_PORT, 0xF4])  # mov al, 0x10; out port, al; hlt
    return code.rjust(65536 - 16 + len(code), b"\x90").ljust(65536, b"\x90")


@lru_cache(maxsize=1)
def kvm_works():
    """Whether KVM really runs a guest: a nested host may offer a /dev/kvm that does not."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    if not re.search(r"^flags\s*:.*\b(vmx|svm)\b", flags, re.MULTILINE):
        return False
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
    """A PC: what it has and what it boots from."""

    firmware: Firmware
    image: Path
    memory: str = "512M"
    cpu: Optional[str] = None  # None: the host's with KVM, else everything that QEMU emulates
    cpu_count: int = 1
    medium: str = "virtio"
    graphics: str = "std"
    window: Optional[str] = None  # a backend of QEMU's -display; None: no window
    accelerator: Optional[str] = None  # kvm or tcg; None: KVM where it works
    random_device: bool = True  # EFI_RNG_PROTOCOL
    serial_port: bool = True
    extra: List[str] = field(default_factory=list)

    def uses_kvm(self):
        return self.accelerator == "kvm" or (self.accelerator is None and kvm_works())

    def patience(self, seconds):
        """How long to wait for what takes at most `seconds` on a machine with little memory."""
        return seconds * (1 + parse_size(self.memory) / SLOWER_BY_ONE_BYTES)

    def _cpu_arguments(self):
        model = self.cpu or ("host" if self.uses_kvm() else "max")
        size_bytes = parse_size(self.memory)
        wide = size_bytes >= WIDE_ADDRESSES_FROM_BYTES
        if wide and model != "host" and "phys-bits" not in model:
            # Twice the memory, for what lies beside it, and no more: the firmware maps all of what
            # can be addressed, page by page on a CPU without 1 GiB pages.
            model += f",phys-bits={(2 * size_bytes - 1).bit_length() + 1}"
        return ["-cpu", model, "-smp", str(self.cpu_count)]

    def _memory_arguments(self):
        size_bytes = parse_size(self.memory)
        if size_bytes % MIB != 0 or size_bytes < SMALLEST_MEMORY_BYTES:
            raise MachineError(f"memory {self.memory}: at least 16M and a multiple of 1M")
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
            raise MachineError(f"medium {self.medium!r}: one of {', '.join(MEDIA)}")
        drive = f"if=none,id=disk,format=raw,file={escape(self.image)}"
        # A firmware that keeps its variables in a file on the volume must not change our image.
        drive += ",media=cdrom,readonly=on" if self.medium == "iso" else ",snapshot=on"
        return ["-drive", drive] + MEDIA[self.medium]

    def _graphics_arguments(self):
        if self.graphics not in GRAPHICS:
            raise MachineError(f"display {self.graphics!r}: one of {', '.join(GRAPHICS)}")
        return ["-display", self.window or "none"] + GRAPHICS[self.graphics]

    def arguments(self, scratch: Path):
        """QEMU's command line, without what watches the boot. Writable firmware is copied to
        `scratch`."""
        arguments = [QEMU, "-nodefaults", "-no-reboot", "-net", "none"]
        arguments += self._machine_arguments()
        arguments += self._memory_arguments()
        arguments += self._cpu_arguments()
        arguments += self.firmware.arguments(scratch)
        arguments += self._medium_arguments()
        arguments += self._graphics_arguments()
        arguments += ["-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT},iosize=4"]
        if self.random_device:
            arguments += ["-device", "virtio-rng-pci"]
        return arguments + self.extra


def window_backend():
    """The window that QEMU can open here, or None where there is no display."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "cocoa" if shutil.which("sw_vers") else None
    try:
        known = subprocess.run(
            [QEMU, "-display", "help"], capture_output=True, text=True, timeout=10, check=False
        ).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return next((backend for backend in ("gtk", "sdl", "cocoa") if backend in known), None)
