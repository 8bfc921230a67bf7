"""How gdb prints the kernel's structures: `print kernel.view.regions`. `print/r` shows the plain members."""

import gdb
import gdb.printing

UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"]
ROW_LIMIT = 4096


def size_text(size_bytes):
    """Return a size in the largest unit that shows it exactly: 4096 is 4 KiB."""
    unit = 0
    while unit + 1 < len(UNITS) and size_bytes and size_bytes % 1024 == 0:
        size_bytes //= 1024
        unit += 1
    return "1 byte" if (size_bytes, unit) == (1, 0) else f"{size_bytes} {UNITS[unit]}"


def count_text(count, noun):
    return f"{count} {noun}{'' if count == 1 else 's'}"


def range_text(start, end):
    if start > end:
        return f"[0x{start:x}, 0x{end:x}) is not a range: its start lies behind its end"
    return f"[0x{start:x}, 0x{end:x}) {'empty' if start == end else size_text(end - start)}"


def enumerator(tag, prefix, value):
    """Return the name of a value, as the log writes it ("boot-services"), or its number."""
    for field in gdb.lookup_type(f"enum {tag}").fields():
        if field.enumval == value and field.name.startswith(prefix):
            return field.name[len(prefix):].lower().replace("_", "-")
    return str(value)


def region_text(row):
    """Return a line about a struct handoff_region."""
    base, size = int(row["base"]), int(row["size_bytes"])
    kind = enumerator("handoff_region_type", "HANDOFF_REGION_", int(row["type"]))
    reuse = enumerator("handoff_reuse", "HANDOFF_REUSE_", int(row["reuse"]))
    return f"{range_text(base, base + size)}, {kind}, reuse {reuse}"


def rows_of(regions):
    """Yield the rows of a struct region_list, which are `stride_bytes` apart."""
    pointer = gdb.lookup_type("struct handoff_region").pointer()
    first, stride = int(regions["first"]), int(regions["stride_bytes"])
    for index in range(min(int(regions["count"]), ROW_LIMIT)):
        yield gdb.Value(first + index * stride).cast(pointer).dereference()


class Text:
    """A value that one line describes."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        try:
            return self.text(self.value)
        except gdb.error as error:
            return f"<{error}>"


class PhysicalAddress(Text):
    def text(self, value):
        return f"physical 0x{int(value['value']):x}"


class VirtualAddress(Text):
    def text(self, value):
        return f"virtual 0x{int(value['value']):x}"


class PhysicalRange(Text):
    kind = "physical"

    def text(self, value):
        return f"{self.kind} {range_text(int(value['start']['value']), int(value['end']['value']))}"


class VirtualRange(PhysicalRange):
    kind = "virtual"


class FrameRange(Text):
    def text(self, value):
        start, end = int(value["start"]), int(value["end"])
        if start > end:
            return f"frames [{start}, {end}) is not a range: its start lies behind its end"
        return f"frames [{start}, {end}) {count_text(end - start, 'frame')}"


class Region(Text):
    def text(self, value):
        return region_text(value)


class RegionList(Text):
    def text(self, value):
        return count_text(int(value["count"]), "region")

    def children(self):
        if int(self.value["first"]) != 0:
            for index, row in enumerate(rows_of(self.value)):
                yield f"[{index}]", row

    def display_hint(self):
        return "array"


class EarlyHeap(Text):
    def text(self, value):
        start, end = int(value["start"]["value"]), int(value["end"]["value"])
        if start == end:
            return "early heap, not set up yet"
        used = int(value["next"]["value"]) - start
        retired = ", retired" if value["retired"] else ""
        return f"early heap {range_text(start, end)}, {size_text(used)} used{retired}"


class Heap(Text):
    def text(self, value):
        base, size = int(value["base"]), int(value["size_bytes"])
        if int(value["policy"]) == 0:
            return "heap, not set up yet"
        return f"heap {range_text(base, base + size)}, policy {value['policy']['name'].string()}; see handoff-heap"


class PageTable(Text):
    def text(self, value):
        levels = int(value["features"]["levels"])
        if levels == 0:
            return "page table, not set up yet"
        return f"page table of {levels} levels, root 0x{int(value['root']['value']):x}, " + count_text(
            int(value["table_count"]), "table")  # fmt: skip


PRINTERS = {"phys_addr": PhysicalAddress, "virt_addr": VirtualAddress, "phys_range": PhysicalRange,
            "virt_range": VirtualRange, "frame_range": FrameRange, "handoff_region": Region,
            "region_list": RegionList, "early_heap": EarlyHeap, "heap": Heap, "page_table": PageTable}  # fmt: skip


def register():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("handoff")
    for tag, printer in PRINTERS.items():
        collection.add_printer(tag, f"^{tag}$", printer)
    gdb.printing.register_pretty_printer(None, collection, replace=True)
