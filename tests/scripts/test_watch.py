"""Test how boot.py watches a boot, at each state. A small program replaces QEMU and prints the output."""

import sys
from pathlib import Path

import boot
import machine
import pytest
from firmware import Firmware

FAKE = Path(__file__).with_name("fake_qemu.py")
READY = "[handoff] version=1.0\n[ready] action=idle\n"
PANIC = '[panic] code=0x1e name="heap double free"\n[panic] cause: block at 0x10\n[panic] halted\n'
REFUSAL = (
    "Handoff loader\n\nHL-11: The kernel file cannot be loaded.\n"
    "  what:   \\kernel.elf: Two segments share a page.\n  remedy: Build it anew.\n"
)
FAULT = "[loader] fault: #PF page fault, error code 0x0,\nbefore the kernel had handlers\n  r13 0000\n"
SHELL = "UEFI Interactive Shell\nShell> "


@pytest.fixture(name="watch")
def make_watch(tmp_path, monkeypatch):
    """Run a boot that prints `serial`, in parts that | separates. Return (verdict, noticed states)."""
    program = tmp_path / "qemu"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(machine, "QEMU", str(program))
    code = tmp_path / "code.fd"
    code.write_bytes(b"code")

    def run(serial, end="stay", timeout=5, stay_at_end=False, picture=None, **options):
        monkeypatch.setenv("FAKE_SERIAL", serial)
        monkeypatch.setenv("FAKE_END", end)
        pc = machine.Machine(Firmware(code, None), code, accelerator="tcg", stay_at_end=stay_at_end)
        states = []
        with boot.Boot(pc) as running:

            def notice(state):
                states.append(state)
                if picture is not None:
                    running.picture(picture)

            verdict = running.watch(timeout, notice, **options)
        return verdict, states

    return run


def test_refusal_ends_the_machine_at_once(watch):
    verdict, states = watch(REFUSAL.replace("  what", "|  what"), refusal_ends=True, timeout=None)
    assert states == ["refusal"]
    assert verdict.sentence.endswith("HL-11: The kernel file cannot be loaded. "
                                     "\\kernel.elf: Two segments share a page.")  # fmt: skip
    assert verdict.advice == "Build it anew."


def test_boot_goes_on_after_a_refusal_by_default(watch):
    """The conductor of the QEMU tests checks the memory after the loader has returned."""
    verdict, states = watch(REFUSAL + "|conductor: pages=0\n", end="253")
    assert "conductor: pages=0" in verdict.serial and verdict.code == 0x7E
    assert states in ([], ["refusal"])


def test_boot_goes_on_after_a_fault_that_the_loader_refuses(watch):
    """The conductor ends the machine, on a busy host seconds later."""
    verdict, states = watch(FAULT + REFUSAL + "|" * 40 + "conductor: pages=0\n", end="253", timeout=60)
    assert "conductor: pages=0" in verdict.serial and verdict.code == 0x7E
    assert states == ["refusal"]


@pytest.mark.parametrize("serial, state, words", [
    (PANIC, "panic", "block at 0x10"),
    (FAULT, "fault", "[loader] fault: #PF page fault, error code 0x0,"),
    (SHELL, "dead end", "found nothing to boot"),
    ("conformance: end failed no heap\n", "kernel end", "was stopped after kernel end"),
])  # fmt: skip
def test_halted_machine_is_ended(watch, serial, state, words):
    verdict, states = watch(serial, timeout=60)
    assert states == [state] and not verdict.success
    assert "nobody ended it" not in verdict.serial
    assert words in verdict.sentence


def test_panic_gets_the_stated_time_to_end_the_machine(watch):
    """The kernel draws its QR code behind the last line, and a busy host may need seconds for this."""
    late = PANIC + "|" * 40  # two seconds
    verdict, _ = watch(late, end="61", timeout=60, panic_seconds=30)
    assert verdict.code == 0x1E and verdict.sentence.startswith("the kernel stopped with ")
    assert watch(late, end="61", timeout=60, panic_seconds=0.2)[0].code is None


def test_panic_behind_ready_is_no_ready(watch):
    verdict, states = watch(READY + "|" + PANIC, timeout=60)
    assert states == ["panic"] and not verdict.success


def test_machine_without_a_timeout_stays_until_it_is_left(watch):
    """A person looks at the machine, so a panic does not end it."""
    verdict, states = watch(READY + "|" * 12 + PANIC + "|" * 30, end="0", timeout=None)
    assert states in (["ready", "panic"], ["panic"])  # the second on a host that is very busy
    assert "block at 0x10" in verdict.sentence


def test_picture_is_taken_where_the_machine_stays_at_its_end(watch, tmp_path):
    picture = tmp_path / "screen.png"
    verdict, states = watch(READY, end="off", stay_at_end=True, picture=picture)
    assert verdict.success and states[-1] == "end"
    assert picture.read_text(encoding="utf-8") == "png"


def test_time_that_runs_out_is_named(watch):
    verdict, states = watch("BdsDxe: loading\n", timeout=1)
    assert states == ["late"]
    assert verdict.sentence == "the time ran out after 1 s; the last line was: BdsDxe: loading"
    assert "--timeout" in verdict.advice


def test_first_reason_of_an_end_counts():
    """boot.py leaves a machine that stays at its end. QEMU reports this as a second end."""
    monitor = boot.Monitor(None)
    for reason in ("guest-shutdown", "host-qmp-quit"):
        monitor._take({"event": "SHUTDOWN", "data": {"reason": reason}})
    assert monitor.shutdown_reason == "guest-shutdown"


def test_no_qemu_is_left_behind(watch):
    verdict, _ = watch("", timeout=0.5)
    assert "nothing was printed" in verdict.sentence
    assert "--firmware" in verdict.advice
