"""Read the page tables of a running machine through QEMU's monitor. The decoder here follows the
processor's manual (Intel SDM Vol. 3A, 4.5 and 4.9.2) and uses no code of the project."""

import re
import struct
from dataclasses import dataclass

PAGE_BYTES = 4096
ENTRY_COUNT = 512

PRESENT, WRITE, USER, WRITE_THROUGH, CACHE_DISABLE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
LARGE, GLOBAL, NO_EXECUTE = 1 << 7, 1 << 8, 1 << 63
PAT_SMALL, PAT_LARGE = 1 << 7, 1 << 12
ADDRESS = 0x000FFFFFFFFFF000

CR4_PAE, CR4_PGE, CR4_UMIP, CR4_LA57 = 1 << 5, 1 << 7, 1 << 11, 1 << 12
CR4_SMEP, CR4_SMAP = 1 << 20, 1 << 21
CR0_WRITE_PROTECT = 1 << 16
EFER_NO_EXECUTE = 1 << 11

# The memory type of each index of the PAT in docs/HANDOFF.md.
MEMORY_TYPES = ["write-back", "write-through", "uncached-", "uncached",
                "write-back", "write-combining", "uncached-", "uncached"]  # fmt: skip


@dataclass(frozen=True)
class Page:
    """One mapped page, with the permissions of all levels together."""

    virtual: int
    physical: int
    size: int
    write: bool
    execute: bool
    user: bool
    is_global: bool
    memory: str


def monitor(running, line):
    """Run a command of QEMU's human monitor."""
    return running.command("human-monitor-command", {"command-line": line})


def registers(running):
    """Return the control registers of the first processor."""
    text = monitor(running, "info registers")
    return {name: int(value, 16)
            for name, value in re.findall(r"\b(CR[0-4]|EFER)=([0-9a-f]+)", text)}  # fmt: skip


def read_table(running, physical):
    """Return the entries of the table at a physical address."""
    path = running.scratch / "table"
    path.unlink(missing_ok=True)
    running.command("pmemsave", {"val": physical, "size": PAGE_BYTES, "filename": str(path)})
    return struct.unpack("<512Q", path.read_bytes())


def sign_extend(address, levels):
    bits = 12 + 9 * levels
    return address | (2**64 - 2**bits) if address >> (bits - 1) else address


def memory_type(entry, level):
    pat = entry & (PAT_SMALL if level == 1 else PAT_LARGE)
    return MEMORY_TYPES[4 * bool(pat) + 2 * bool(entry & CACHE_DISABLE)
                        + bool(entry & WRITE_THROUGH)]  # fmt: skip


def walk_table(running, physical, level, levels, base, rights):
    """Yield the pages below one table, in order."""
    for index, entry in enumerate(read_table(running, physical)):
        if not entry & PRESENT:
            continue
        size = PAGE_BYTES << (9 * (level - 1))
        address = base + index * size
        write, execute, user = rights
        below = (write and bool(entry & WRITE), execute and not entry & NO_EXECUTE,
                 user and bool(entry & USER))  # fmt: skip
        if level == 1 or entry & LARGE:
            yield Page(sign_extend(address, levels), entry & ADDRESS & ~(size - 1), size, *below,
                       bool(entry & GLOBAL), memory_type(entry, level))  # fmt: skip
        else:
            yield from walk_table(running, entry & ADDRESS, level - 1, levels, address, below)


def walk(running):
    """Return all mapped pages."""
    state = registers(running)
    levels = 5 if state["CR4"] & CR4_LA57 else 4
    return list(walk_table(running, state["CR3"] & ADDRESS, levels, levels, 0, (True, True, True)))


def qemu_walk(running):
    """Return the same from QEMU's own walk (`info tlb`): {virtual: (physical, write, execute, user)}."""
    pages = {}
    for line in monitor(running, "info tlb").splitlines():
        match = re.match(r"([0-9a-f]+): ([0-9a-f]+) (\S+)$", line.strip())
        if match:
            flags = match.group(3)
            pages[int(match.group(1), 16)] = (int(match.group(2), 16), flags[-1] == "W",
                                              flags[0] != "X", flags[-2] == "U")  # fmt: skip
    return pages
