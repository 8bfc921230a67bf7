"""A loader that lies, on a real machine: a debugger stops the kernel at its first instruction, changes
what was handed over, seals it again and lets the kernel go on. The kernel must refuse it by name
(catalogue group H; the rest of the group is in tests/unit/test_handoff_check.c)."""

import re
import struct
import time
import zlib

import pytest

from gdb_stub import RDI, RSP, GdbStub
from lab import CASE_IMAGE_MIB, PANIC, ROOT, TIMEOUT_SECONDS, expect_ready
from screen import read_screen

HEADER = (ROOT / "shared/handoff.h").read_text(encoding="utf-8")
# Name: offset in struct handoff. Every field that is changed here has eight bytes, but for the count.
OFFSETS = {name: int(offset)
           for name, offset in re.findall(r"ASSERT_OFFSET\(handoff, (\w+), (\d+)\)", HEADER)}  # fmt: skip
SIZE_BYTES = int(re.search(r"sizeof\(struct handoff\) == (\d+)", HEADER).group(1))
REGION = struct.Struct("<QQIIQ")
LOADER, PAGE_TABLES, KERNEL_IMAGE = 3, 7, 9
PAGE_BYTES = 4096


def kernel_entry():
    """e_entry of the kernel's ELF header."""
    return struct.unpack_from("<Q", (ROOT / "esp/kernel.elf").read_bytes(), 24)[0]


class Handoff:
    """What the loader handed over, in the memory of a machine that stands at the kernel's entry."""

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

    def regions(self):
        count = struct.unpack_from("<I", self.bytes, OFFSETS["region_count"])[0]
        rows = self.stub.read(self.virtual(self["regions"]), count * REGION.size)
        return [list(row) for row in REGION.iter_unpack(rows)]

    def set_regions(self, rows):
        """There is room for more: the loader reserves some, and its scratch memory lies behind."""
        struct.pack_into("<I", self.bytes, OFFSETS["region_count"], len(rows))
        data = b"".join(REGION.pack(*row) for row in rows)
        self.stub.write(self.virtual(self["regions"]), data)

    def seal(self):
        struct.pack_into("<I", self.bytes, OFFSETS["checksum"], 0)
        struct.pack_into("<I", self.bytes, OFFSETS["checksum"], zlib.crc32(self.bytes))
        self.stub.write(self.address, bytes(self.bytes))


def short_image(handoff):
    """The first page is handed over as the kernel; the rest is the loader's, and so free soon."""
    rows = handoff.regions()
    index = next(i for i, row in enumerate(rows) if row[2] == KERNEL_IMAGE)
    base, size, _, *rest = rows[index]
    rows[index][1] = PAGE_BYTES
    rows.insert(index + 1, [base + PAGE_BYTES, size - PAGE_BYTES, LOADER, *rest])
    handoff.set_regions(rows)
    handoff["kernel_size_bytes"] = PAGE_BYTES


def other_image(handoff):
    """A page of the stack is handed over as the kernel's last page, and the image begins later."""
    rows = handoff.regions()
    index = next(i for i, row in enumerate(rows) if row[2] == KERNEL_IMAGE)
    assert rows[index - 1][0] + rows[index - 1][1] == rows[index][0]
    rows[index - 1][1] -= PAGE_BYTES
    rows[index][0] -= PAGE_BYTES
    last = list(rows[index])
    last[0] += last[1]
    last[1:3] = [PAGE_BYTES, LOADER]
    rows.insert(index + 1, last)
    handoff.set_regions(rows)
    handoff["kernel_physical_base"] -= PAGE_BYTES


def other_stack(handoff):
    """The stack in use is the same memory, seen through the direct map."""
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
        if row[2] == PAGE_TABLES:
            row[2] = 1
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
                  "(handed over: 0x1000, in use: 0x"),
    (other_image, "the kernel's image is not at kernel_physical_base"),
    (other_stack, "the stack in use is not the stack that was handed over"),
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
    """For a PC without a serial port: the framebuffer is proven by the page tables."""
    with boot_changed(lab, free_page_tables) as running:
        wait_for_halt(running)
        picture = running.scratch / "screen.ppm"
        deadline = time.monotonic() + TIMEOUT_SECONDS
        text = ""
        while "is refused" not in text:  # QEMU redraws when it finds the time
            assert time.monotonic() < deadline, text
            running.pump(0.1)
            running.screenshot(picture)
            text = read_screen(picture, ROOT / "build/font.bin")


def test_refusal_is_not_drawn_over_memory(lab):
    """The framebuffer is said to be where the handed-over data is."""
    seen = {}

    def screen_over_data(handoff):
        free_page_tables(handoff)
        struct.pack_into("<Q", handoff.bytes, OFFSETS["framebuffer"], handoff["data_base"])
        seen.update(handoff=handoff, base=handoff["data_base"])

    with boot_changed(lab, screen_over_data) as running:
        wait_for_halt(running)
        path = running.scratch / "memory"
        running.command("pmemsave", {"val": seen["base"], "size": SIZE_BYTES, "filename": str(path)})
        assert path.read_bytes() == bytes(seen["handoff"].bytes), "the structure is as it was"


def test_H4_pointer_to_what_is_not_mapped_is_named_by_the_loader(lab):
    """The structure itself is read on the loader's word: no kernel can prove it before."""
    def change(handoff):
        handoff.stub.set_register(RDI, handoff.virtual(1 << 40))

    with boot_changed(lab, change) as running:
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"\[loader\] fault: #PF"), verdict.serial


def test_handoff_that_was_only_sealed_again_is_accepted(lab):
    """The debugger by itself changes nothing: what is refused above is refused for its change."""
    with boot_changed(lab, lambda handoff: handoff.set_regions(handoff.regions())) as running:
        expect_ready(running.watch(TIMEOUT_SECONDS))
