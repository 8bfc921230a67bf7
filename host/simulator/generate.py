"""A memory map for a machine of any size, as firmware would report it.

The layout is that of a PC. Low memory is fragmented. Boot services and ACPI are below the hole at 2 GiB, and device
registers end at 4 GiB. The rest of the RAM is above, with a large device window far above the RAM.
"""

from units import PAGE, size_text

MIB = 1 << 20
GIB = 1 << 30
WB = 0xF
RUNTIME = 1 << 63
LOW_RAM_END = 2 * GIB
FOUR_GIB = 4 * GIB
SMALLEST = 16 * MIB
LARGEST = 1 << 50  # above this limit, addresses of the window need more than 52 bits


def low_rows(size_bytes):
    """Return RAM up to `size_bytes`, at most 2 GiB, with the firmware's own memory at its top."""
    rows = [(3, 0, PAGE, WB), (7, PAGE, 0x9E000, WB), (0, 0x9F000, 0x61000, WB)]
    # The firmware of a small machine keeps less memory.
    scale = max(1, min(32, size_bytes // (32 * MIB)))
    top = size_bytes
    kept = []
    for efi_type, pages, attributes in [
        (4, 64, WB), (6, 32, WB | RUNTIME), (5, 16, WB | RUNTIME), (10, 8, WB), (9, 8, WB),
        (0, 16, WB), (4, 128, WB), (3, 32, WB), (7, 24, WB), (4, 96, WB),
    ]:  # fmt: skip
        size = pages * scale * PAGE
        top -= size
        kept.append((efi_type, top, size, attributes))
    rows.append((7, MIB, top - MIB, WB))
    return rows + kept[::-1]


def generate(size_bytes):
    """Return the text of a map with this amount of RAM, as data rows."""
    if not SMALLEST <= size_bytes <= LARGEST or size_bytes % MIB:
        raise ValueError(f"the RAM of a machine is from {size_text(SMALLEST)} to {size_text(LARGEST)}, in "
                         "whole MiB")  # fmt: skip
    rows = low_rows(min(size_bytes, LOW_RAM_END))
    if size_bytes > LOW_RAM_END:
        rows.append((7, FOUR_GIB, size_bytes - LOW_RAM_END, WB))
    rows += [(0, 0xE0000000, 256 * MIB, 0), (11, 0xFED00000, 0x100000, 1 | RUNTIME),
             (11, 0xFF000000, 16 * MIB, 1 | RUNTIME)]  # fmt: skip
    window = max(1 << 40, 1 << (size_bytes * 2 - 1).bit_length())
    rows.append((11, window, 64 * GIB, 1 | RUNTIME))
    lines = [f"{kind} {base:#x} {size // PAGE} {attributes:#x}"
             for kind, base, size, attributes in rows]  # fmt: skip
    return "\n".join([f"# generated: {size_text(size_bytes)} of RAM",
                      "# columns: type base pages attr", *lines, ""])  # fmt: skip
