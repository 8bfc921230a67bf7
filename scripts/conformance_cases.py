"""The cases of the conformance kit: machines, injected failures, and the expected verdict on the kernel or loader."""

from dataclasses import dataclass, field

import matrix

USUAL_MACHINE = {"memory": "512M", "medium": "virtio", "graphics": "std"}
# QEMU's VGA card has no mode of this size without more memory of its own.
LARGE_SCREEN_MEMORY = ["-global", "VGA.vgamem_mb=64"]

# Each volume has the loader's file, so it is the module.
MODULE_KEYS = {"module": r"\EFI\BOOT\BOOTX64.EFI", "module_cmdline": "words of the module", "module_align": "2M",
               "temp_heap": "1M, 64K below 16M, 4K from 32M"}  # fmt: skip

READY, REFUSED, PROMISES, FAULT, RETURNED = "ready", "refused", "promises", "fault", "returned"


@dataclass(frozen=True)
class Case:
    """One boot. `machine` has the options of Machine that differ from the usual ones. `keys` are lines of handoff.conf,
    `words` of the command line."""

    name: str
    about: str
    expected: str = READY
    machine: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)
    words: str = ""

    @property
    def injected(self):
        """The word of `inject`, or an empty text."""
        return self.keys.get("inject", "").partition(":")[0]


def memory(size, about="this much memory"):
    return Case(f"memory-{size}", f"{size}: {about}", machine={"memory": size})


MACHINES = [
    Case("usual", "512M, virtio, a screen, the CPU with the most features"),
    memory("52M", "the smallest with which firmware and loader work"),
    memory("64M"),
    memory("128M"),
    memory("1G"),
    memory("3G", "memory on both sides of the hole below 4 GiB"),
    memory("4G"),
    memory("8G"),
    Case("medium-ahci", "a SATA disk", machine={"medium": "ahci"}),
    Case("medium-usb", "a USB stick", machine={"medium": "usb"}),
    Case("medium-iso", "a CD", machine={"medium": "iso"}),
    Case("medium-nvme", "an NVMe disk", machine={"medium": "nvme"}),
    Case("medium-scsi", "a SCSI disk", machine={"medium": "scsi"}),
    Case("medium-4096", "a disk with sectors of 4096 bytes", machine={"sector_bytes": 4096}),
    Case("display-none", "no graphics card", machine={"graphics": "none"}),
    Case("display-800x600", "a small screen", keys={"resolution": "800x600"}),
    Case("display-4K", "a screen of 3840x2160", machine={"extra": LARGE_SCREEN_MEMORY}, keys={"resolution": "3840x2160"}),
    Case("display-no-framebuffer", "a card without a linear framebuffer", machine={"graphics": "virtio-gpu"}),
    Case("display-ramfb", "a framebuffer in RAM", machine={"graphics": "ramfb"}),
    Case("display-bochs", "another card, of QEMU's display `bochs`", machine={"graphics": "bochs"}),
    Case("cpu-qemu64", "no 1 GiB pages, no SMEP, no SMAP", machine={"cpu": "qemu64"}),
    Case("cpu-no-nx", "no NX", machine={"cpu": "qemu64,-nx"}),
    Case("cpu-old", "no PAT, no global pages, no machine checks", machine={"cpu": "qemu64,-pat,-pge,-mce"}),
    Case("cpu-4-levels", "four levels of page tables", words="paging=4"),
    Case("cpu-5-levels", "five levels of page tables (LA57), if the kernel has no note against them", words="paging=5"),
    Case("cpu-4-processors", "four processors", machine={"cpu_count": 4}),
    Case("modules", "a module at a multiple of 2 MiB, and three temporary heaps", keys=MODULE_KEYS),
    Case("cpu-4-started", "four processors, which the loader starts", machine={"cpu_count": 4}, words="processors=start"),
]  # fmt: skip


def injected(word, about, expected=READY):
    return Case(f"inject-{word.partition(':')[0]}", about, expected, keys={"inject": word})


FAILURES = [
    injected("newer-minor", "a handoff of a newer minor version, which a kernel must accept"),
    injected("zero-heap", "no temporary heap"),
    injected("hide-screen", "no screen"),
    injected("shrink-screen", "a screen whose lines are longer than its width"),
    injected("occupy-link-address", "the kernel is not at its link address"),
    injected("overlap-map", "a reserved row over half of the largest free row"),
    injected("misalign-map", "a free row that begins inside a page"),
    injected("shuffle-map", "the rows of the map are in the opposite order"),
    injected("repeat-map", "some rows of the map are there twice"),
    injected("high-map", "RAM above 52 bits"),
    injected("clear-attributes", "rows without attributes"),
    injected("stale-key:2", "ExitBootServices fails twice"),
    injected("grow-map:3", "the map grows each time it is read"),
]
DAMAGE = [
    injected("bad-checksum", "the checksum of the handoff is wrong", REFUSED),
    injected("bad-magic", "the magic number is wrong", REFUSED),
    injected("bad-version", "the major version is larger by one", REFUSED),
    injected("bad-size", "`size_bytes` is below 768", REFUSED),
    injected("bad-machine", "the handoff is for another kind of CPU", REFUSED),
]
# A kernel that reads the memory map should find these, too.
DEEP_DAMAGE = [
    injected("bad-root", "`page_table_root` is not the value of CR3", REFUSED),
    injected("bad-array", "the array of regions is outside of the handoff data", REFUSED),
    injected("bad-regions", "two regions overlap", REFUSED),
]
LARGE = [memory("64G"), memory("1T")]

QUICK_NAMES = ["usual", "memory-64M", "memory-4G", "medium-usb", "display-none", "cpu-no-nx", "inject-newer-minor",
               "inject-zero-heap"]  # fmt: skip

# For another loader. The probe checks every promise on each machine, and then makes a mistake on purpose.
HANDLERS = [
    Case(f"handler-{name}", f"the loader reports the fault: {about}", FAULT, words=f"probe={name}")
    for name, about in [
        ("undefined", "an undefined instruction"), ("breakpoint", "a breakpoint"),
        ("stack-overflow", "a stack overflow"), ("page-zero", "a null pointer"),
        ("write-text", "a write to code"), ("execute-data", "a jump into data"),
    ]
] + [Case("handler-return", "the loader reports an entry that returns", RETURNED, words="probe=return")]  # fmt: skip
# The probe stops on a CPU whose levels of page tables it does not expect. So only a check of a loader has these machines.
LOADER_QUICK_NAMES = ["usual", "memory-64M", "cpu-no-nx", "display-none", "handler-page-zero"]

DIMENSIONS = {
    "medium": ["virtio", "ahci", "usb", "iso", "nvme"],
    "memory": ["64M", "512M", "3G", "8G"],
    "cpu": ["max", "qemu64", "qemu64,-nx", "qemu64,-pat,-pge,-mce"],
    "graphics": ["std", "none", "virtio-gpu", "bochs"],
}


def combined():
    """Return machines with every pair of properties."""
    chosen = matrix.machines(DIMENSIONS, lambda _: True)
    return [Case(f"combined-{number}", ", ".join(map(str, options.values())), machine=options)
            for number, options in enumerate(chosen, 1)]  # fmt: skip


def kernel_cases(size):
    """Return the cases for a kernel: "quick", "usual" or "full"."""
    if size == "quick":
        named = {case.name: case for case in MACHINES + FAILURES}
        return [named[name] for name in QUICK_NAMES] + DAMAGE
    cases = MACHINES + FAILURES + DAMAGE
    return cases + DEEP_DAMAGE + LARGE + combined() if size == "full" else cases


def loader_cases(size):
    """Return the cases for another loader, with the probe as its kernel."""
    machines = MACHINES + (LARGE + combined() if size == "full" else [])
    promised = [Case(case.name, case.about, PROMISES, case.machine, case.keys, case.words) for case in machines]
    cases = promised + HANDLERS
    return [case for case in cases if case.name in LOADER_QUICK_NAMES] if size == "quick" else cases
