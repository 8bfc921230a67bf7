"""The commands of gdb: handoff-regions, handoff-heap, handoff-pages, handoff-slide, handoff-help. Each only reads."""

from collections import Counter
from functools import lru_cache

import gdb

import handoff_heap
import handoff_pages
from handoff_printers import count_text, range_text, region_text, rows_of, size_text
from handoff_target import Missing, Physical, kernel, symbol_of, tables

SHOWN_BLOCKS = 40
# Where the kernel is linked (kernel/arch/x86_64/kernel-pie.ld). It is alone in the last 2 GiB.
LINK_BASE = 0xFFFF_FFFF_8000_0000


def say(text=""):
    gdb.write(f"{text}\n")


class Command(gdb.Command):
    """A command whose help is its docstring. An error is one sentence, and never a Python traceback."""

    name = ""

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        try:
            self.answer(argument.strip())
        except Missing as reason:
            say(str(reason))
        except gdb.error as error:
            say(f"{self.name}: gdb cannot read this here: {str(error).rstrip('.')}.")


class Regions(Command):
    """List the memory map that the loader handed over: range, size, type, and when its memory is reusable.
Usage: handoff-regions"""

    name = "handoff-regions"

    def answer(self, argument):
        if argument:
            raise Missing("handoff-regions takes no argument.")
        regions = kernel()["view"]["regions"]
        if int(regions["first"]) == 0:
            raise Missing("The kernel has not checked the handoff yet: break at boot_early_heap.")
        for row in rows_of(regions):
            say(region_text(row))
        say(f"{count_text(int(regions['count']), 'region')}.")


class Heap(Command):
    """Show a heap: figures, then its live blocks. `all` also shows free memory and the heap's own records.
Usage: handoff-heap [all] [EXPRESSION]
EXPRESSION is a pointer to a struct heap; without it, the kernel's permanent heap.
Example: handoff-heap all"""

    name = "handoff-heap"

    def answer(self, argument):
        first, _, rest = argument.partition(" ")
        shows_all = first == "all"
        heap = self.find(rest.strip() if shows_all else argument)
        self.say_figures(heap)
        self.say_blocks(heap, shows_all)

    @staticmethod
    def find(expression):
        pointer = gdb.parse_and_eval(expression) if expression else kernel()["heap"]
        target = pointer.type.strip_typedefs()
        if target.code != gdb.TYPE_CODE_PTR or target.target().strip_typedefs().tag != "heap":
            raise Missing(f"{expression} is not a pointer to a struct heap. Example: handoff-heap all kernel.heap")
        if int(pointer) == 0:
            raise Missing("There is no permanent heap yet: break at boot_self_test.")
        heap = pointer.dereference()
        if int(heap["policy"]) == 0 or handoff_heap.policy_name(heap) not in handoff_heap.POLICIES:
            raise Missing(f"The heap at 0x{int(pointer):x} is not set up yet.")
        return heap

    @staticmethod
    def say_figures(heap):
        base, size = int(heap["base"]), int(heap["size_bytes"])
        figures = handoff_heap.counters(heap)
        layers = [name for name, layer in zip(("debug", "guarded"), range(2)) if int(heap["layers"][layer]) != 0]
        say(f"policy     {handoff_heap.policy_name(heap)}; layers: {', '.join(layers) or 'none'}")
        say(f"range      {range_text(base, base + size)}, at most {size_text(int(heap['limit_bytes']))}")
        say(f"used       {figures['used_bytes']} bytes; the peak was {figures['peak_used_bytes']} bytes")
        say(f"calls      {count_text(figures['free_count'], 'free')}, "
            f"{count_text(figures['failure_count'], 'failed request')}, {count_text(figures['fault_count'], 'fault')}")
        if heap["is_corrupt"]:
            say("The heap is corrupt: every call fails.")
        if "guarded" in layers:
            say("Blocks between guard pages are not among the blocks below.")

    @staticmethod
    def say_blocks(heap, shows_all):
        counts, shown, name_of = Counter(), 0, lru_cache(None)(symbol_of)
        try:
            for piece in handoff_heap.walk(heap):
                counts[piece.kind] += 1
                if not shows_all and (piece.kind != handoff_heap.LIVE or shown == SHOWN_BLOCKS):
                    continue
                shown += 1
                size = piece.size_bytes if piece.size_bytes or piece.kind == handoff_heap.LIVE else piece.extent_bytes
                caller = name_of(piece.allocated_by)
                say(f"0x{piece.start:x} {piece.kind:11} {count_text(size, 'byte')}{caller and f', by {caller}'}")
        finally:
            left = "" if shows_all or counts[handoff_heap.LIVE] <= shown else f" The first {shown} are shown."
            say("Pieces: " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) + "." + left
                if counts else "The heap has no pieces.")  # fmt: skip


class Pages(Command):
    """Show the entry of each level of the page tables for an address, with its flags.
Usage: handoff-pages ADDRESS
The tables are those that the CPU uses now, with 4 or 5 levels: those of the firmware, the loader or the kernel.
Example: handoff-pages $rip"""

    name = "handoff-pages"

    def answer(self, argument):
        if not argument:
            raise Missing("handoff-pages needs an address. Example: handoff-pages $rip")
        address = self.address_of(argument)
        root, levels = tables()
        say(f"0x{address:x}, tables of {levels} levels, root 0x{root:x}")
        if not handoff_pages.is_canonical(address, levels):
            raise Missing("The address is not canonical: no table can map it.")
        with Physical() as physical:
            steps = handoff_pages.find_path(physical.word, root, levels, address)
        for step in steps:
            say(str(step))
        say(self.conclusion(steps[-1], address, steps))
        self.say_owner(address)

    @staticmethod
    def address_of(argument):
        value = gdb.parse_and_eval(argument)
        if value.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            value = value["value"]  # a struct virt_addr
        return int(value.cast(gdb.lookup_type("unsigned long")))

    @staticmethod
    def conclusion(last, address, steps):
        if not last.is_present:
            return "The address is not mapped: an access faults."
        physical = last.target + address % last.page_bytes
        return f"physical 0x{physical:x} in a page of {size_text(last.page_bytes)}, {handoff_pages.rights(steps)}"

    @staticmethod
    def say_owner(address):
        """Name the owner of the address. The kernel names owners when it builds its own tables."""
        try:
            space = kernel()["address_space"]
        except Missing:
            return
        for index in reversed(range(int(space["guard_count"]))):
            guard = space["guards"][index]
            if int(guard["virtual"]["start"]["value"]) <= address < int(guard["virtual"]["end"]["value"]):
                return say(f'It is a guard page of "{guard["name"].string()}".')
        for index in reversed(range(int(space["area_count"]))):
            area = space["areas"][index]
            if int(area["virtual"]["start"]["value"]) <= address < int(area["virtual"]["end"]["value"]):
                return say(f'It belongs to "{area["name"].string()}".')


class Slide(Command):
    """Move the symbols of a kernel that is a PIE (make PIE=1) to the address at which the loader has mapped it.
Usage: handoff-slide [SLIDE]
Without SLIDE, the first mapped page of the last 2 GiB is the image. The file of the symbols is loaded again.
Example: handoff-slide"""

    name = "handoff-slide"

    def answer(self, argument):
        slide = Pages.address_of(argument) if argument else self.find()
        gdb.execute(f"symbol-file -o 0x{slide:x} {self.file_name()}", to_string=True)
        say(f"The slide is 0x{slide:x}.")

    @staticmethod
    def file_name():
        name = gdb.current_progspace().filename
        if name is None:
            raise Missing("There is no file of symbols: name one with `file build/pie/kernel.debug.elf`.")
        return name

    @staticmethod
    def find():
        root, levels = tables()
        with Physical() as physical:
            base = handoff_pages.first_page(physical.word, root, levels, LINK_BASE, 1 << 64)
        if base is None:
            raise Missing("The kernel is not mapped yet: break later, or give the slide.")
        return base - LINK_BASE


class Help(Command):
    """List the commands of Handoff, and the structures that gdb prints as a line.
Usage: handoff-help"""

    name = "handoff-help"

    def answer(self, _argument):
        for command in COMMANDS:
            text = command.__doc__.splitlines()
            usage = next(line for line in text if line.startswith("Usage: ")).removeprefix("Usage: ")
            say(f"{usage:36} {text[0]}")
        say("print kernel.view.regions, kernel.early_heap, *kernel.heap, … show these structures in words; print/r shows")
        say("their members. Addresses, ranges, regions and page tables have such printers, too.")


COMMANDS = [Regions, Heap, Pages, Slide, Help]


def register():
    for command in COMMANDS:
        command()
