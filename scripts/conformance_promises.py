"""The promises of docs/HANDOFF.md that the probe kernel checks, by name, with the section of each."""

import re
from dataclasses import dataclass

import machine

CPU = "The CPU at entry (x86-64)"
FAULTS = "Faults before the kernel has its own handlers"
MAPPINGS = "Mappings at entry"
REGIONS = "Regions: the owners of memory"
RULES = "The rules from the firmware's map to the regions"
TYPES = "Types"
TABLES = "Firmware tables"
STRUCTURE = "The structure"
NOTES = "Notes: demands of a kernel"
IMAGE = "Kernels that the loader accepts"

# The name of a promise begins with one of these words. The first one that fits counts.
SECTIONS = [
    ("faults-are-reported", FAULTS), ("misbehaviour-", FAULTS), ("own-tables", FAULTS),
    ("cpu-", CPU), ("handoff-pointer", CPU), ("physical-address-bits", CPU), ("flags-are", CPU),
    ("note-", NOTES), ("stack-size", NOTES),
    ("bss-is-zero", IMAGE), ("page-tails-and-gaps", IMAGE),
    ("direct-map", MAPPINGS), ("kernel-permissions", MAPPINGS), ("kernel-place", MAPPINGS), ("stack-", MAPPINGS),
    ("nothing-else", MAPPINGS), ("page-", MAPPINGS), ("pages-", MAPPINGS), ("loader-", MAPPINGS),
    ("regions-follow", RULES), ("region-facts", "Facts"), ("regions-have-the-facts", TYPES), ("regions-", RULES),
    ("blocks-are-loader-memory", TYPES), ("blocks-have-their-types", TYPES), ("temporary-heap", TYPES),
    ("modules-", "struct handoff_module (88 bytes)"),
    ("ram-is-handed-over", REGIONS),
    ("acpi-", TABLES), ("smbios-", TABLES), ("rsdp-", TABLES), ("every-configuration-table", TABLES),
    ("firmware-tables", TABLES), ("boot-record", "The boot record"), ("framebuffer", "struct handoff_framebuffer (64 bytes)"),
    ("timeline", "struct handoff_moment (32 bytes)"), ("serial-port", "struct handoff_x86_64 (128 bytes)"),
    ("processors-", "Started processors"),
    ("", STRUCTURE),
]  # fmt: skip

BROKEN = re.compile(r"^not ok (\S+): (.*)$", re.MULTILINE)
KEPT = re.compile(r"^ok (\S+)", re.MULTILINE)
PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
FIGURE = re.compile(r"^# (\w+)=(.*)$", re.MULTILINE)
# The firmware keeps a part of the RAM for itself.
FIRMWARE_SHARE, FIRMWARE_BYTES = 0.05, 4 * machine.MIB


@dataclass(frozen=True)
class Promise:
    """A broken promise, with the expected and the found value."""

    name: str
    details: str

    @property
    def section(self):
        return next(section for start, section in SECTIONS if self.name.startswith(start))

    def __str__(self):
        return f"{self.name} (HANDOFF.md, \"{self.section}\"): {self.details}"


def broken_in(serial):
    return [Promise(name, details.strip()) for name, details in BROKEN.findall(serial)]


def count(serial):
    """Return the number of promises that are kept."""
    return len(KEPT.findall(serial))


def is_complete(serial):
    """Return whether the probe has ended, and no line is missing."""
    plan = PLAN.search(serial)
    return plan is not None and int(plan.group(1)) == count(serial)


def broken_figures(case, serial):
    """Return the broken promises about properties of the machine. The probe does not know them, but this program does."""
    figures = dict(FIGURE.findall(serial))
    broken = []
    if "command_line" in figures and not figures["command_line"].rstrip().endswith(case.words):
        broken.append(Promise("command-line-is-handed-over",
                              f"expected …{case.words!r}, found {figures['command_line']!r}"))  # fmt: skip
    if "ram_bytes" in figures:
        asked = machine.parse_size(case.machine.get("memory", "512M"))
        found = int(figures["ram_bytes"], 0)
        if not asked * (1 - FIRMWARE_SHARE) - FIRMWARE_BYTES <= found <= asked:
            broken.append(Promise("ram-is-handed-over", f"expected about {asked:#x} bytes, found {found:#x}"))
    return broken
