"""The contents of the pictures, for any output: pieces of the address space, names, colours."""

from dataclasses import dataclass

from units import PAGE, doublings, size_text

# name: (description, colour, letter in the terminal, ANSI colour)
KINDS = {
    "usable": ("free RAM", "#7cc47f", "U", 42),
    "boot-services": ("boot services: now free", "#bfe3b4", "B", 102),
    "loader": ("the loader's memory", "#d9e8a0", "L", 103),
    "acpi-reclaim": ("ACPI tables", "#f3d478", "A", 43),
    "low-memory": ("below 1 MiB: not used", "#e6d9b8", "1", 47),
    "temp-heap": ("the temporary heap", "#f29b4c", "T", 101),
    "stack": ("the first stack", "#6fb7e0", "S", 106),
    "page-tables": ("the bootstrap tables", "#4a90d9", "P", 104),
    "handoff-data": ("the handoff's data", "#8fd3d1", "H", 46),
    "kernel-image": ("the kernel", "#2f5fb3", "K", 44),
    "processor-start": ("start of other CPUs", "#e8684a", "p", 101),
    "boot-record": ("the boot record", "#c2557a", "b", 41),
    "module": ("modules", "#9ab87a", "m", 42),
    "parking": ("waiting CPUs", "#b5533c", "w", 103),
    "kernel-symbols": ("the kernel's symbols", "#5c88c4", "y", 106),
    "acpi-nvs": ("firmware: never free", "#c9a0dc", "N", 105),
    "runtime-data": ("runtime services, data", "#a678c8", "D", 45),
    "runtime-code": ("runtime services, code", "#7d4fa8", "C", 45),
    "persistent": ("persistent memory", "#b0895a", "M", 43),
    "unaccepted": ("not accepted yet", "#c9b497", "X", 43),
    "mmio": ("device registers", "#98a2ad", "d", 100),
    "bad": ("broken RAM", "#d9534f", "!", 41),
    "reserved": ("reserved", "#5d6773", "r", 100),
    "firmware-tables": ("readable tables", "#d8b84a", "f", 43),
    "framebuffer": ("the screen", "#e77fb3", "F", 105),
    "nothing": ("no row: reserved", "#ffffff", ".", 49),
}
DARK = {"kernel-image", "runtime-code", "runtime-data", "page-tables", "reserved", "bad"}

OWNER_COLOURS = {
    "free": "#7cc47f",
    "cpu-reserve": "#a8d8a0",
    "load": "#e8684a",
    "heap": "#f2b84c",
    "stacks": "#6fb7e0",
    "kernel-tables": "#4a90d9",
    "frame-records": "#8fd3d1",
}

# The fields of struct handoff_region (shared/handoff.h): bits of `facts`, values of `reuse`.
FACTS = ["RAM", "mapped", "writable", "placed by the loader"]
REUSE = ["never", "at entry", "after the loader's tables are left", "after the data is copied",
         "after the ACPI tables are read", "after the temporary heap"]  # fmt: skip

EFI_TYPES = [
    "Reserved", "LoaderCode", "LoaderData", "BootServicesCode", "BootServicesData",
    "RuntimeServicesCode", "RuntimeServicesData", "Conventional", "Unusable", "ACPIReclaim",
    "ACPINVS", "MemoryMappedIO", "MemoryMappedIOPortSpace", "PalCode", "Persistent", "Unaccepted",
]  # fmt: skip


@dataclass
class Piece:
    """A range of addresses of one kind. Adjacent regions that differ only in attributes are one piece."""

    kind: str
    start: int
    end: int
    efi_types: set
    attributes: set
    facts: int = 0
    reuse: int = 0

    @property
    def size(self):
        return self.end - self.start

    @property
    def weight(self):
        """The length in a picture grows by one with each doubling of the size. A hole is short."""
        return 1.5 if self.kind == "nothing" else 1 + doublings(self.size)

    def describe(self):
        """Return the text of a tooltip, with all details."""
        lines = [f"{self.kind}: {KINDS[self.kind][0]}",
                 f"{self.start:#x} to {self.end - 1:#x}",
                 f"{size_text(self.size)} ({self.size // 4096} page{'' if self.size == 4096 else 's'})"]  # fmt: skip
        names = [EFI_TYPES[kind] if kind < len(EFI_TYPES) else f"type {kind:#x}"
                 for kind in sorted(self.efi_types) if kind != 0xFFFFFFFF]  # fmt: skip
        if names:
            lines.append("EFI: " + ", ".join(names))
        if self.kind != "nothing":
            facts = [name for bit, name in enumerate(FACTS) if self.facts >> bit & 1]
            lines.append("facts: " + (", ".join(facts) or "none"))
            lines.append("reuse: " + REUSE[self.reuse])
        if self.attributes:
            lines.append("attributes: " + ", ".join(f"{a:#x}" for a in sorted(self.attributes)))
        return "\n".join(lines)


def pieces_of(regions):
    """Return the whole address space from 0 to the last region, in pieces."""
    pieces = []
    end = 0
    for region in regions:
        start, size = region["base"], region["size_bytes"]
        if start > end:
            pieces.append(Piece("nothing", end, start, set(), set()))
        if not pieces or pieces[-1].kind != region["type"] or start != end:
            pieces.append(Piece(region["type"], start, start, set(), set(), region["facts"],
                                region["reuse"]))  # fmt: skip
        pieces[-1].end = end = start + size
        pieces[-1].efi_types.add(region["efi_type"])
        pieces[-1].attributes.add(region["attributes"])
    return pieces


def totals_of(pieces):
    """Return {kind: (bytes, number of pieces)} in the order of KINDS."""
    totals = {}
    for kind in KINDS:
        sizes = [piece.size for piece in pieces if piece.kind == kind]
        if sizes:
            totals[kind] = (sum(sizes), len(sizes))
    return totals


def owner_colour(name):
    """Return the colour of an owner. An owner with the name of a region type has the colour of the type."""
    return OWNER_COLOURS.get(name) or KINDS[name][1]


def ram_bytes(report):
    return sum(region["size_bytes"] for region in report["regions"] if region["ram"])


def headline(report):
    """Return one line with the result."""
    if report["outcome"] == "ready":
        return "boots: the whole memory stack came up"
    verb = {"stop": "does not boot: the loader stops", "panic": "does not boot: the kernel panics",
            "broken": "BROKEN: an invariant of the memory stack does not hold"}  # fmt: skip
    return f"{verb[report['outcome']]}. {report['cause']}"


def page_counts(area):
    """Return the pages that map an area: '3 x 1 GiB, 510 x 2 MiB'."""
    counts = [(area["pages_1gib"], "1 GiB"), (area["pages_2mib"], "2 MiB"),
              (area["pages_4kib"], "4 KiB")]  # fmt: skip
    return ", ".join(f"{count} × {size}" for count, size in counts if count)


# The figures of the loads in words. {0} is the figure, {1} the size of this number of frames, {2} the size of this
# number of bytes.
LOAD_FIGURES = {
    "allocations": "{0} heap allocations so far",
    "largest_run_frames": "largest free run {0} frames ({1})",
    "operations": "{0} operations",
    "refused": "{0} refused",
    "peak_frames": "at most {0} frames ({1}) held",
    "runs_1gib": "{0} runs of 1 GiB",
    "runs_2mib": "{0} runs of 2 MiB",
    "single_frames": "{0} single frames",
    "frames_taken": "{0} frames ({1}) taken",
    "heap_blocks_without_frames": "{0} heap blocks when no frame was left",
    "heap_blocks": "{0} heap blocks when all frames were free again",
    "largest_run_before_frames": "largest free run before {0} frames ({1})",
    "largest_run_fragmented_frames": "fragmented {0} frames ({1})",
    "large_runs_had_of_16": "{0} of 16 large runs were found",
    "heap_free_bytes": "heap: {2} free",
    "heap_free_pieces": "in {0} pieces",
    "heap_largest_free_bytes": "the largest {2}",
    "heap_overhead_bytes": "{2} overhead",
}


def load_figures(report):
    """Return each figure of the load in words, with its unit: '131072 frames (512 MiB) taken'."""
    return [LOAD_FIGURES[key].format(value, size_text(value * PAGE), size_text(value))
            for key, value in report["load"]["figures"].items()]  # fmt: skip
