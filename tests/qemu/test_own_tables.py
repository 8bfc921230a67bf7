"""Kernels that load their own page tables before they have an IDT. While the loader's image stays mapped
in the upper half, the loader's handlers name every fault (docs/HANDOFF.md, "Faults before the kernel has its own
handlers"; catalogue L8)."""

import time

import pytest

from lab import BUILD, CASE_IMAGE_MIB, PANIC, TIMEOUT_SECONDS, boot
from machines import MODERN
from screen import read_screen
from test_probe import PROBE, boot_probe, expect_kept, figures

FAULTS = [
    ("page-zero", r"#PF[^\0]*  cr2:    in page 0: a null pointer"),
    ("undefined", "#UD"),
    ("breakpoint", "#BP"),
    ("stack-overflow", r"#(?:DF|PF)[^\0]* below the kernel's first stack: it overflowed"),
    ("write-text", r"#PF[^\0]*  code:   0x3: write in kernel mode, the page is there, but not writable"),
    ("execute-data", r"#PF[^\0]*  code:   0x11: instruction fetch "),
]


def own_root(verdict):
    """Return CR3 at the time of the fault."""
    return int(verdict.has_line(r"  rsp .*  cr3 ([0-9a-f]{16})$").group(1), 16)


@pytest.mark.parametrize("name, report", FAULTS, ids=[name for name, _ in FAULTS])
def test_L8_loader_names_the_fault(lab, name, report):
    verdict = boot_probe(lab, f"probe={name} probe-tables=upper-half")
    kept = expect_kept(verdict)
    assert "own-tables" in kept
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(rf"\[loader\] fault: {report}"), verdict.serial
    assert verdict.has_line(r"  rip ffffffff812[0-9a-f]{5} "), "the place is in the probe"
    loaders = boot_probe(lab, f"probe={name}") if name == "undefined" else None
    assert loaders is None or own_root(loaders) != own_root(verdict), "the kernel's CR3 is reported"


def test_L8_loader_names_an_entry_that_returns(lab):
    verdict = boot_probe(lab, "probe=return probe-tables=upper-half")
    expect_kept(verdict)
    assert verdict.code == PANIC["KERNEL_RETURNED"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"\[loader\] kernel entry returned"), verdict.serial


def test_L8_with_five_levels(lab):
    verdict = boot_probe(lab, "probe=page-zero probe-tables=upper-half paging=5",
                         machine=MODERN, only=MODERN)  # fmt: skip
    expect_kept(verdict)
    assert int(figures(verdict)["flags"], 0) & 4, "five levels"
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"\[loader\] fault: #PF[^\0]*  cr2:    in page 0"), verdict.serial


def test_L8_report_is_on_the_screen(lab):
    """The framebuffer need not be mapped in the kernel's tables: the report runs on the loader's."""
    disk = lab.disk(plan=(), size_mib=CASE_IMAGE_MIB, words=["once", "unattended"], kernel=PROBE,
                    command_line="probe=undefined probe-tables=upper-half")  # fmt: skip
    with lab.restore(disk) as running:
        picture = running.scratch / "screen.ppm"
        deadline = time.monotonic() + TIMEOUT_SECONDS
        text = ""
        while "  r13 " not in text:  # QEMU redraws later
            assert time.monotonic() < deadline, text
            running.pump(0.1)
            running.screenshot(picture)
            text = read_screen(picture, BUILD / "font.bin")
    assert "[loader] fault: #UD invalid opcode, before the kernel's handlers" in text


def test_tables_without_the_loader_reset_the_machine(lab):
    """The loader cannot prevent the reset, as the document says; the watcher of the machine can report it."""
    verdict = boot_probe(lab, "probe=undefined probe-tables=without-loader")
    expect_kept(verdict)
    assert verdict.code is None and "[loader] fault" not in verdict.serial
    assert "the machine reset itself" in verdict.sentence
    assert verdict.advice == boot.ADVICE_KERNEL_RESET
