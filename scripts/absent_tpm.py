"""Make OVMF see at once that a machine has no TPM.

On a PC without a TPM the address of its registers reads as ones. QEMU reads it as zeros, so OVMF believes that a TPM
is there. It waits 1.6 seconds for an answer, half of a boot. Here the registers of QEMU's random device are moved to this
address, where they answer with ones, until the firmware gives all devices new addresses. This takes only writes to I/O
ports, before the CPU starts.
"""

import re

import machine

TPM_ADDRESS = 0xFED40000
# Ports of the PCI configuration space.
ADDRESS_PORT, DATA_PORT = 0xCF8, 0xCFC
# Registers of a PCI device.
COMMAND, BAR4, CAPABILITIES = 0x04, 0x20, 0x34
COMMAND_MEMORY = 0x2
VENDOR_CAPABILITY = 0x09
# The capability through which a virtio device's registers are written (virtio 1.0, 4.1.4.7). Its fields:
PCI_CFG_TYPE = 5
CFG_TYPE, BAR, OFFSET, LENGTH, DATA = 3, 4, 8, 12, 16
# The first register of BAR 4 (device_feature_select) keeps each value. The driver writes it before it uses it.
ONES = 0xFFFFFFFF
ATTEMPTS = 16  # the longest list of capabilities


class NotPossible(Exception):
    """QEMU or its device is not as expected. Then the boot only takes longer."""


class Device:
    """The registers of a PCI device, through `monitor`, which runs a command of QEMU's monitor for people."""

    def __init__(self, monitor, slot):
        self.monitor = monitor
        self.address = 1 << 31 | slot << 11

    def select(self, register):
        self.monitor(f"o /w {ADDRESS_PORT:#x} {self.address | register & ~3:#x}")

    def read_byte(self, register):
        self.select(register)
        answer = str(self.monitor(f"i /b {DATA_PORT + register % 4:#x}"))
        value = re.search(r"= (0x[0-9a-f]+)", answer)
        if value is None:
            raise NotPossible(answer)
        return int(value.group(1), 16)

    def write(self, register, value, size="w"):
        """Write `size`: b (a byte), h (2 bytes), w (4 bytes)."""
        self.select(register)
        self.monitor(f"o /{size} {DATA_PORT + register % 4:#x} {value:#x}")

    def capability(self, kind):
        """Return the place of the vendor's capability of this kind."""
        place = self.read_byte(CAPABILITIES)
        for _ in range(ATTEMPTS):
            if place == 0:
                break
            if self.read_byte(place) == VENDOR_CAPABILITY and self.read_byte(place + CFG_TYPE) == kind:
                return place
            place = self.read_byte(place + 1)
        raise NotPossible(f"no capability {kind}")


def is_awaited(pc, arguments):
    """Return whether the firmware of this machine waits for a TPM. `arguments` are more words for QEMU."""
    words = [*pc.extra, *arguments]
    starts = "-S" not in words and "-incoming" not in words
    return starts and pc.random_device and not pc.firmware.is_u_boot and not any("tpm" in word for word in words)


def show_absence(monitor):
    """Place ones at the TPM's address. The CPU must not have started."""
    device = Device(monitor, machine.RANDOM_DEVICE_SLOT)
    window = device.capability(PCI_CFG_TYPE)
    device.write(BAR4, TPM_ADDRESS)
    device.write(BAR4 + 4, 0)
    device.write(COMMAND, COMMAND_MEMORY, "h")
    device.write(window + BAR, 4, "b")
    device.write(window + OFFSET, 0)
    device.write(window + LENGTH, 4)
    device.write(window + DATA, ONES)
