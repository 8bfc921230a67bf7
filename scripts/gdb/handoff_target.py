"""The machine under gdb: memory, registers, and the kernel's state. Nothing here changes the machine."""

import gdb

PAGE_BYTES = 4096
# Control bits (Intel SDM Vol. 3A, 2.5).
CR0_PAGING, CR4_LA57 = 1 << 31, 1 << 12


class Missing(Exception):
    """The sentence that says why there is no answer."""


def kernel():
    """Return the kernel's state: the struct kernel of kernel/main.c. Many functions have an argument of the same name."""
    symbols = [symbol for symbol in gdb.lookup_static_symbols("kernel", gdb.SYMBOL_VAR_DOMAIN)
               if symbol.type.strip_typedefs().tag == "kernel"]  # fmt: skip
    if not symbols:
        raise Missing("This program has no struct kernel: load the symbols of build/kernel.debug.elf.")
    state = symbols[0].value()
    try:
        int(state["handoff"]["magic"])
    except gdb.error:
        raise Missing("The kernel's memory is not mapped here: the machine has not entered the kernel yet.") from None
    return state


class Memory:
    """Virtual memory, read a page at a time. Valid while the machine is stopped."""

    def __init__(self):
        self.pages = {}

    def page(self, number):
        if number not in self.pages:
            try:
                data = gdb.selected_inferior().read_memory(number * PAGE_BYTES, PAGE_BYTES)
            except gdb.error:
                raise Missing(f"The memory at 0x{number * PAGE_BYTES:x} cannot be read: it has no page.") from None
            self.pages[number] = bytes(data)
        return self.pages[number]

    def read(self, address, size):
        data = b""
        while len(data) < size:
            number, offset = divmod(address + len(data), PAGE_BYTES)
            data += self.page(number)[offset : offset + size - len(data)]
        return data

    def word(self, address):
        return int.from_bytes(self.read(address, 8), "little")


class Physical:
    """Physical memory. QEMU's gdb stub reads it on request; another stub may not, so the kernel's direct map is used."""

    def __enter__(self):
        self.by_stub = "OK" in self.packet("Qqemu.PhyMemMode:1")
        self.base = 0
        if not self.by_stub:
            self.base = int(kernel()["direct_map_base"]["value"])
            if self.base == 0:
                raise Missing("The kernel has not set up its direct map yet, and the stub reads no physical memory.")
        return self

    def __exit__(self, *_):
        if self.by_stub:
            self.packet("Qqemu.PhyMemMode:0")

    @staticmethod
    def packet(text):
        try:
            return gdb.execute(f"maintenance packet {text}", to_string=True).partition("received:")[2]
        except gdb.error:
            return ""  # a process of this machine

    def word(self, address):
        try:
            data = gdb.selected_inferior().read_memory(self.base + address, 8)
        except gdb.error:
            raise Missing(f"The physical memory at 0x{address:x} cannot be read.") from None
        return int.from_bytes(bytes(data), "little")


def register(name):
    """Return a control register; None if the target does not have it."""
    try:
        # QEMU describes them as flags, which gdb casts to a number.
        return int(gdb.parse_and_eval(f"(unsigned long)${name}")) & (1 << 64) - 1
    except gdb.error:
        return None


def tables():
    """Return the root and the levels of the tables that the CPU uses."""
    cr0, cr3, cr4 = register("cr0"), register("cr3"), register("cr4")
    if None in (cr0, cr3, cr4):
        raise Missing("The target shows no control registers: start the machine with make debug.")
    if cr0 & CR0_PAGING == 0:
        raise Missing("Paging is off: the CPU uses no page tables yet.")
    return cr3 & 0x000F_FFFF_FFFF_F000, 5 if cr4 & CR4_LA57 else 4


def symbol_of(address):
    """Return the name of the function at a code address, or ''."""
    if address == 0:
        return ""
    text = gdb.execute(f"info symbol 0x{address:x}", to_string=True).strip()
    return "" if text.startswith("No symbol") else text.partition(" in section")[0]
