"""Recognise U-Boot, the second family of firmware with UEFI, in a flash image.

U-Boot has no firmware volumes. QEMU maps its image below 4 GiB (-bios). It keeps no variables in flash.
"""

import re

BANNER = re.compile(rb"U-Boot (?:SPL )?20[0-9]{2}\.[0-9]{2}")
# Only a build for x86-64 has the name of the loader for x86-64.
LOADER_NAME = re.compile(rb"bootx64\.efi", re.IGNORECASE)
OTHER_LOADER_NAME = re.compile(rb"boot(ia32|aa64|arm|riscv64)\.efi", re.IGNORECASE)
OTHER_MACHINES = {
    b"ia32": "32-bit x86", b"aa64": "AArch64", b"arm": "32-bit ARM", b"riscv64": "RISC-V",
}  # fmt: skip
# Debian's build has a driver for these disks only.
USUAL_MEDIUM = "ahci"


def code_machine(image):
    """Return the name of the CPU that can run the image, or None if the image is not U-Boot."""
    if BANNER.search(image) is None:
        return None
    if LOADER_NAME.search(image) is not None:
        return "x86-64"
    other = OTHER_LOADER_NAME.search(image)
    return "a CPU without UEFI" if other is None else OTHER_MACHINES[other.group(1).lower()]
