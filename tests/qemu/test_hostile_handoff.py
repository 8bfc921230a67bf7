"""A loader with a wrong handoff, on a real machine. A debugger stops the kernel at its first instruction. It changes
the handoff, writes the checksum again and lets the kernel continue. The kernel must refuse the handoff with the right
reason (catalogue group H; the rest of the group is in tests/unit/test_handoff_*.c)."""

import re
import struct
import time
import zlib

import pytest

from gdb_stub import RDI, RSP, GdbStub
from lab import BUILD, CASE_IMAGE_MIB, PANIC, ROOT, TIMEOUT_SECONDS, expect_ready
from screen import read_screen

HEADER = (ROOT / "shared/handoff.h").read_text(encoding="utf-8")
PAGE_BYTES = 4096


def offsets(structure):
    """{field: offset} of a struct, by the header's assertions."""
    found = re.findall(rf"ASSERT_OFFSET\({structure}, (\w+), (\d+)\)", HEADER)
    return {name: int(offset) for name, offset in found}


def size_of(structure):
    return int(re.search(rf"sizeof\(struct {structure}\) == (\d+)", HEADER).group(1))


def value_of(name):
    """Return the value of an enumerator, or of a #define that is a number."""
    text = re.search(rf"\b{name}(?: =|\s+UINT32_C\() ?(\w+)", HEADER).group(1)
    return int(text, 0)


# Every field that is changed here has eight bytes, except the listed fields of a region.
OFFSETS = offsets("handoff")
ARRAY, REGION = offsets("handoff_array"), offsets("handoff_region")
SIZE_BYTES = size_of("handoff")
REGION_WORDS = ("type", "facts", "reuse", "efi_type")
LOADER, PAGE_TABLES, KERNEL_IMAGE, USABLE = (
    value_of(f"HANDOFF_REGION_{name}") for name in ("LOADER", "PAGE_TABLES", "KERNEL_IMAGE", "USABLE"))
PLACED = value_of("HANDOFF_FACT_LOADER_PLACED")
AT_ENTRY, AFTER_LOADER = (value_of(f"HANDOFF_REUSE_{name}") for name in ("AT_ENTRY", "AFTER_LOADER"))
OFFSETS["page_table_root"] = OFFSETS["arch"] + offsets("handoff_x86_64")["page_table_root"]


class Row:
    """A region, as it is in memory."""

    def __init__(self, data):
        self.data = bytearray(data)

    def copy(self):
        return Row(self.data)

    def __getitem__(self, name):
        form = "<I" if name in REGION_WORDS else "<Q"
        return struct.unpack_from(form, self.data, REGION[name])[0]

    def __setitem__(self, name, value):
        form = "<I" if name in REGION_WORDS else "<Q"
        struct.pack_into(form, self.data, REGION[name], value)

    def become(self, kind, reuse):
        """A wrong type without a contradiction: facts and reuse are those of the new type, too."""
        self["type"], self["reuse"] = kind, reuse
        self["facts"] &= ~PLACED


def kernel_entry():
    """e_entry of the kernel's ELF header."""
    return struct.unpack_from("<Q", (BUILD / "kernel.elf").read_bytes(), 24)[0]


class Handoff:
    """The loader's handoff, in the memory of a machine that is stopped at the kernel's entry."""

    def __init__(self, stub):
        self.stub = stub
        self.address = stub.register(RDI)
        self.bytes = bytearray(stub.read(self.address, SIZE_BYTES))

    def __getitem__(self, name):
        return struct.unpack_from("<Q", self.bytes, OFFSETS[name])[0]

    def __setitem__(self, name, value):
        struct.pack_into("<Q", self.bytes, OFFSETS[name], value)

    def virtual(self, physical):
        return self["direct_map_base"] + physical

    def array(self, name):
        """Address, number of elements, and stride."""
        return struct.unpack_from("<QII", self.bytes, OFFSETS[name])

    def regions(self):
        first, count, stride = self.array("regions")
        data = self.stub.read(self.virtual(first), count * stride)
        return [Row(data[at:at + stride]) for at in range(0, len(data), stride)]

    def set_regions(self, rows):
        """There is room for more: the loader reserves some, and its scratch memory lies behind."""
        first = self.array("regions")[0]
        struct.pack_into("<I", self.bytes, OFFSETS["regions"] + ARRAY["count"], len(rows))
        self.stub.write(self.virtual(first), b"".join(row.data for row in rows))

    def seal(self):
        struct.pack_into("<I", self.bytes, OFFSETS["checksum"], 0)
        struct.pack_into("<I", self.bytes, OFFSETS["checksum"], zlib.crc32(self.bytes))
        self.stub.write(self.address, bytes(self.bytes))


def short_image(handoff):
    """The handoff has only the first page as the kernel. The rest belongs to the loader, and so becomes free soon."""
    rows = handoff.regions()
    index = next(i for i, row in enumerate(rows) if row["type"] == KERNEL_IMAGE)
    rest = rows[index].copy()
    rows[index]["size_bytes"] = PAGE_BYTES
    rest["base"] += PAGE_BYTES
    rest["size_bytes"] -= PAGE_BYTES
    rest.become(LOADER, AFTER_LOADER)
    rows.insert(index + 1, rest)
    handoff.set_regions(rows)
    handoff["kernel_size_bytes"] = PAGE_BYTES


def other_image(handoff):
    """The handoff has a page of the stack as the kernel's last page, and the image begins later."""
    rows = handoff.regions()
    index = next(i for i, row in enumerate(rows) if row["type"] == KERNEL_IMAGE)
    before, image = rows[index - 1], rows[index]
    assert before["base"] + before["size_bytes"] == image["base"]
    before["size_bytes"] -= PAGE_BYTES
    image["base"] -= PAGE_BYTES
    last = image.copy()
    last["base"] += last["size_bytes"]
    last["size_bytes"] = PAGE_BYTES
    last.become(LOADER, AFTER_LOADER)
    rows.insert(index + 1, last)
    handoff.set_regions(rows)
    handoff["kernel_physical_base"] -= PAGE_BYTES


def other_stack(handoff):
    """The stack in use is the same memory, at its address in the direct map."""
    top = handoff.virtual(handoff["stack_physical_base"] + handoff["stack_size_bytes"])
    handoff.stub.set_register(RSP, top - 8)


def missing_memory(handoff):
    """The data reaches behind the end of the machine's memory, and the regions lie there."""
    handoff["direct_map_size_bytes"] = 1 << 40
    handoff["data_size_bytes"] = (1 << 40) - handoff["data_base"]
    handoff["regions"] = 1 << 39


def free_page_tables(handoff):
    """The page tables in use are free memory."""
    rows = handoff.regions()
    for row in rows:
        if row["type"] == PAGE_TABLES:
            row.become(USABLE, AT_ENTRY)
    handoff.set_regions(rows)


def flags_in_root(handoff):
    handoff["page_table_root"] |= 0x18


def boot_changed(lab, changes):
    """Boot from the snapshot with a changed handoff; the machine runs on."""
    disk = lab.disk(words=["debug-exit=0xf4", "once", "unattended"], plan=[], size_mib=CASE_IMAGE_MIB)
    running = lab.restore(disk, go=False)
    with GdbStub(running) as stub:
        stub.run_to(kernel_entry(), lambda: running.send(b"g"))
        handoff = Handoff(stub)
        changes(handoff)
        handoff.seal()
        stub.leave()
    return running


@pytest.mark.parametrize("changes, reason", [
    (short_image, "kernel_size_bytes is not the size of the image as it was linked "
                  "(in the handoff: 0x1000, in use: 0x"),
    (other_image, "the kernel's image is not at kernel_physical_base"),
    (other_stack, "the stack in use is not the stack in the handoff"),
    (missing_memory, "the block of handoff data is not readable in the direct map"),
    (free_page_tables, "the page tables do not lie in regions of their type"),
    (flags_in_root, "page_table_root is not the root of the page tables in use"),
], ids=lambda value: getattr(value, "__name__", ""))  # fmt: skip
def test_lie_is_refused_by_name(lab, changes, reason):
    with boot_changed(lab, changes) as running:
        cause = running.wait_for(r"^\[panic\] cause: (.*)$", TIMEOUT_SECONDS)
        assert cause, running.serial
        assert "is refused: " + reason in cause.group(1), running.serial


def wait_for_halt(running):
    assert running.wait_for(r"^\[panic\] halted", TIMEOUT_SECONDS), running.serial


def test_refusal_is_on_the_screen(lab):
    """For a PC without a serial port: the page tables confirm the framebuffer."""
    with boot_changed(lab, free_page_tables) as running:
        wait_for_halt(running)
        picture = running.scratch / "screen.ppm"
        deadline = time.monotonic() + TIMEOUT_SECONDS
        text = ""
        while "is refused" not in text:  # QEMU redraws later
            assert time.monotonic() < deadline, text
            running.pump(0.1)
            running.screenshot(picture)
            text = read_screen(picture, BUILD / "font.bin")


def test_refusal_is_not_drawn_over_memory(lab):
    """The handoff says that the framebuffer lies in the handoff data."""
    seen = {}

    def screen_over_data(handoff):
        free_page_tables(handoff)
        first = handoff.virtual(handoff.array("framebuffers")[0])
        base = struct.pack("<Q", handoff["data_base"])
        handoff.stub.write(first + offsets("handoff_framebuffer")["base"], base)
        seen.update(handoff=handoff, base=handoff["data_base"])

    with boot_changed(lab, screen_over_data) as running:
        wait_for_halt(running)
        path = running.scratch / "memory"
        running.command("pmemsave", {"val": seen["base"], "size": SIZE_BYTES, "filename": str(path)})
        assert path.read_bytes() == bytes(seen["handoff"].bytes), "the structure is as it was"


def test_H4_pointer_to_unmapped_memory_is_reported_by_the_loader(lab):
    """The structure itself is read without a check: no kernel can check it before."""
    def change(handoff):
        handoff.stub.set_register(RDI, handoff.virtual(1 << 40))

    with boot_changed(lab, change) as running:
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"\[loader\] fault: #PF"), verdict.serial


def test_handoff_that_was_only_sealed_again_is_accepted(lab):
    """The debugger does not cause a refusal. So the changes caused the refusals above."""
    with boot_changed(lab, lambda handoff: handoff.set_regions(handoff.regions())) as running:
        expect_ready(running.watch(TIMEOUT_SECONDS))
