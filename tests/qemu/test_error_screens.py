"""The report of each of the loader's errors is on the screen, with its remedy: for a PC without a serial port.

Until the exit of boot services the loader writes to the firmware's console, whose font the test learns first. After it
the loader draws by itself, with the font of the project.
"""

import re
from pathlib import Path

import pytest

from lab import BUILD, CASE_IMAGE_MIB, TIMEOUT_SECONDS, enrolled
from screen import expect_report, read_screen
from test_kernel_notes import VERSION, note_with, with_notes
from test_media import changed_kernel
from test_pie import changed_pie

ROOT = Path(__file__).resolve().parents[2]
KIB = 1024
# Errors that no machine here can have: the loader computes its tables right (17), and no confidential guest runs in
# QEMU's emulator (26).
IMPOSSIBLE = {17, 26}
# test_machines.py has it: it needs another machine.
ELSEWHERE = {19}


def config(text):
    return {"handoff.conf": text}


def visitor():
    return {"visitor.efi": (BUILD / "qemu/VISITOR.EFI").read_bytes()}


INJECTION = config(b"inject = zero-heap\n")
# The changes of the volume and the plan that cause each error, while the firmware's console works. A function reads the
# probe, which may not be built when pytest collects the tests.
CAUSES = {
    1: ({}, ["no-loaded-image"]),
    2: ({}, ["no-file-system"]),
    3: (config(b"kernel\n"), []),
    4: ({"kernel.elf": None}, []),
    5: ({}, ["open-fails 4"]),
    6: ({"kernel.elf": "directory"}, []),
    7: ({"kernel.elf": b""}, []),
    8: (config(b"#" * 65 * KIB), []),
    9: ({}, ["read-at-most 4096", "read-ends-at 3"]),
    10: ({}, ["read-at-most 4096", "read-fails-at 3"]),
    11: ({"kernel.elf": bytes(64 * KIB)}, []),
    12: (config(b"inject = fail-pages:5\n"), []),
    13: ({}, ["overlap-image 2"]),
    14: ({}, ["image-elsewhere"]),
    15: ({}, ["descriptor-size 0"]),
    18: ({}, ["loader-data-uncached"]),
    20: (config(b"cmdline = unattended\nentry = a\nkernel =\n"), []),
    22: ({**config(b"cmdline = unattended\n"), "handoff/entries/a+1.conf": b"title = counted\n"}, ["rename-fails"]),
    23: (config(b"efi = /kernel.elf\n"), []),
    24: (lambda: {"kernel.elf": note_with(4, 4)}, []),
    25: (lambda: {"kernel.elf": with_notes({VERSION: 3})}, []),
    27: ({}, ["volume-nowhere"]),
    28: (config(b"inject = stale\n"), []),
    29: (lambda: {**INJECTION, **enrolled(INJECTION)}, ["secure-boot 1"]),
    30: (config(b"serial = COM3\n"), ["graphics-over-loader"]),
    31: (lambda: {"kernel.elf": changed_kernel(0.5)}, []),
    32: (lambda: {**config(b"efi = /visitor.efi\ncmdline = fail\n"), **visitor()}, []),
    33: (lambda: {"kernel.elf": changed_pie(".rela.dyn")}, []),
    34: (lambda: {"kernel.elf": changed_pie(".symtab"), **config(b"symbols = on\n")}, []),
    35: (config(b"module = kernel.elf\nmodule_align = 2M\n"), ["leave-pages 700"]),
    38: (lambda: enrolled({"handoff.conf": b""}), ["secure-boot 1"]),
    39: (config(b"kernel_sha256 = " + b"0" * 64 + b"\n"), []),
    40: (config(b"tpm = demand\n"), []),
}
# Those after which the loader cannot return.
CAUSES_AFTER_EXIT = {16: ["stale-fake 1000000"]}


@pytest.mark.parametrize("number", CAUSES)
def test_error_is_on_the_screen(lab, console, number):
    changes, plan = CAUSES[number]
    disk = lab.case_disk(None, changes() if callable(changes) else changes, ["hold", "key-after 0", *plan])
    with lab.restore(disk) as running:
        assert running.wait_for("^conductor: holding", TIMEOUT_SECONDS), running.serial
        expect_report(running, number, console.read)


@pytest.mark.parametrize("number", CAUSES_AFTER_EXIT)
def test_error_after_the_exit_is_on_the_screen(lab, number):
    disk = lab.disk(words=["unattended"], plan=CAUSES_AFTER_EXIT[number], size_mib=CASE_IMAGE_MIB)
    with lab.restore(disk) as running:
        assert running.wait_for(r"^ *remedy: .*\n", TIMEOUT_SECONDS), running.serial
        expect_report(running, number, lambda picture: read_screen(picture, BUILD / "font.bin"))


def test_every_error_has_its_screen():
    header = (ROOT / "bootloader/pure/error.h").read_text(encoding="utf-8")
    numbers = {int(number) for number in re.findall(r"LOADER_ERROR_\w+ = (\d+)", header)}
    assert numbers == {*CAUSES, *CAUSES_AFTER_EXIT, *ELSEWHERE, *IMPOSSIBLE}
