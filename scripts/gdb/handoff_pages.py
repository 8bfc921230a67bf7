"""The entries of x86-64 page tables through which the CPU finds the page of an address (Intel SDM Vol. 3A, 4.5).

Pure: this file does not need gdb. kernel/mm/paging/page_path.c does the same in the kernel.
"""

from dataclasses import dataclass

ENTRY_COUNT = 512
ADDRESS_BITS = 0x000F_FFFF_FFFF_F000
PRESENT, LARGE, NO_EXECUTE = 1 << 0, 1 << 7, 1 << 63
# The name of each bit that has the same meaning at every level.
FLAGS = [(1 << 0, "present"), (1 << 1, "write"), (1 << 2, "user"), (1 << 3, "write-through"), (1 << 4, "cache-disable"),
         (1 << 5, "accessed"), (1 << 6, "dirty"), (1 << 8, "global"), (NO_EXECUTE, "no-execute")]  # fmt: skip
# A large page has its PAT bit in bit 12, and a page of 4 KiB in bit 7.
PAT_LARGE, PAT_SMALL = 1 << 12, 1 << 7
LARGE_LEVELS = (2, 3)


@dataclass(frozen=True)
class Step:
    """One entry of the path."""

    level: int
    index: int
    table: int  # physical address of the table
    entry: int

    @property
    def is_present(self):
        return self.entry & PRESENT != 0

    @property
    def is_leaf(self):
        return self.level == 1 or (self.level in LARGE_LEVELS and self.entry & LARGE != 0)

    @property
    def page_bytes(self):
        """The bytes of addresses that the entry covers."""
        return 1 << (12 + 9 * (self.level - 1))

    @property
    def target(self):
        """The physical address of the page or of the next table."""
        address = self.entry & ADDRESS_BITS
        return address & ~(self.page_bytes - 1) if self.is_leaf else address

    @property
    def flags(self):
        names = [name for bit, name in FLAGS if self.entry & bit]
        if self.is_leaf:
            if self.level != 1:
                names.insert(1, "large")
            if self.entry & (PAT_SMALL if self.level == 1 else PAT_LARGE):
                names.append("pat")
        return names

    def __str__(self):
        place = f"level {self.level}, entry {self.index:3} of 0x{self.table:x}: 0x{self.entry:016x}"
        if not self.is_present:
            return f"{place} not present"
        kind = "page" if self.is_leaf else "table"
        return f"{place} {' '.join(self.flags)}, {kind} 0x{self.target:x}"


def is_canonical(address, levels):
    """Return whether the bits above the translated ones all equal the highest of these."""
    upper = address >> (12 + 9 * levels - 1)
    return upper in (0, (1 << (64 - (12 + 9 * levels - 1))) - 1)


def find_path(read_word, root, levels, address):
    """Return the steps for an address, from the root down. `read_word(physical)` reads 8 bytes."""
    steps, table = [], root
    for level in range(levels, 0, -1):
        index = address >> (12 + 9 * (level - 1)) & ENTRY_COUNT - 1
        step = Step(level, index, table, read_word(table + 8 * index))
        steps.append(step)
        if not step.is_present or step.is_leaf:
            break
        table = step.target
    return steps


def first_page(read_word, root, levels, start, end):
    """Return the address of the first mapped page in [start, end), or None."""
    address = start
    while address < end:
        last = find_path(read_word, root, levels, address)[-1]
        if last.is_present:
            return address
        address = (address | last.page_bytes - 1) + 1
    return None


def rights(steps):
    """Return the rights of the page at the end of a path: all levels must allow an access."""
    def allow(bit):
        return all(step.entry & bit for step in steps)

    execute = not any(step.entry & NO_EXECUTE for step in steps)
    return f"r{'w' if allow(1 << 1) else '-'}{'x' if execute else '-'}, {'user' if allow(1 << 2) else 'kernel only'}"
