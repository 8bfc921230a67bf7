"""The serial port of loader and kernel: handoff.conf, the firmware's console, SPCR, COM1 (catalogue W6).

tests/unit/test_serial_16550.c has more ports that take no byte, or few.
"""

import contextlib
import os
import re
import time

import pytest

from lab import BUILD, TIMEOUT_SECONDS, WORDS, expect_ready, expect_stop
from screen import read_screen

READY = "[ready]"
HANDED_OVER = "[handoff] version="


def configuration(serial, *words):
    line = f"serial = {serial}\n" if serial else ""
    return {"handoff.conf": f"{line}cmdline = {' '.join([*WORDS, *words])}\n".encode()}


class TwoPorts:
    """Boots machines with COM1, which the test reads as usual, and COM2, which writes a file."""

    def __init__(self, lab):
        self.lab = lab
        self.file = lab.scratch / "com2.txt"
        self.machine = {"extra": ["-chardev", f"file,id=com2,path={self.file}",
                                  "-device", "isa-serial,index=1,chardev=com2"]}  # fmt: skip

    def boot(self, changes, plan=()):
        """Return the verdict and the text on COM2."""
        verdict = self.lab.case(changes, plan=plan, machine=self.machine)
        return verdict, self.file.read_text(encoding="ascii", errors="replace")


@pytest.fixture(scope="module")
def ports(lab):
    return TwoPorts(lab)


def expect_on_com2_only(verdict, com2):
    assert READY in com2 and HANDED_OVER in com2, com2
    assert READY not in verdict.serial and HANDED_OVER not in verdict.serial, verdict.serial


def test_the_default_is_the_first_port(ports):
    verdict, com2 = ports.boot(configuration(None))
    expect_ready(verdict)
    assert HANDED_OVER not in com2


@pytest.mark.parametrize("name", ["COM2", "0x2f8"])
def test_handoff_conf_names_the_port(ports, name):
    verdict, com2 = ports.boot(configuration(name))
    expect_on_com2_only(verdict, com2)
    assert "[loader] serial port 2f8 (handoff.conf)" in com2


def test_the_port_of_the_firmware_s_console(ports):
    """It has precedence over SPCR."""
    verdict, com2 = ports.boot(configuration(None), plan=["console-on-serial 2", "spcr-port 1016"])
    expect_on_com2_only(verdict, com2)
    assert "[loader] serial port 2f8 (firmware's console)" in com2


def test_the_port_of_spcr(ports):
    verdict, com2 = ports.boot(configuration(None), plan=["console-on-serial 0", "spcr-port 760"])
    expect_on_com2_only(verdict, com2)
    assert "[loader] serial port 2f8 (SPCR)" in com2


def test_no_serial_port(ports):
    """Only the firmware's own console writes to the ports."""
    verdict, com2 = ports.boot(configuration("off"))
    assert "no serial port (handoff.conf)" in verdict.serial
    assert HANDED_OVER not in com2
    assert HANDED_OVER not in verdict.serial and READY not in verdict.serial
    assert "QEMU" not in verdict.sentence, verdict.sentence


def test_a_port_that_does_not_answer(lab):
    """The log says so, and the boot goes on."""
    verdict = lab.case(configuration("COM4"))
    assert "warning: no serial port answers at port 2e8" in verdict.serial
    assert HANDED_OVER not in verdict.serial


def test_an_error_reaches_the_port(ports):
    verdict, com2 = ports.boot({**configuration("COM2"), "kernel.elf": None})
    expect_stop(verdict, 4)
    assert "HL-04:" in com2 and "remedy:" in com2


def test_an_error_is_shown_once_on_each_port(ports):
    """The firmware's console writes to both ports."""
    for serial in ("COM1", "COM2"):
        verdict, com2 = ports.boot({**configuration(serial), "kernel.elf": None})
        assert expect_stop(verdict, 4).serial.count("HL-04:") == 1
        assert com2.count("HL-04:") == 1


def test_an_error_reaches_a_port_that_is_not_the_firmware_s_console(ports):
    plan = ["console-on-serial 1", "no-console"]
    verdict, com2 = ports.boot({**configuration("COM2"), "kernel.elf": None}, plan=plan)
    assert verdict.serial.count("HL-04:") == 0
    assert com2.count("HL-04:") == 1


def test_a_fault_before_the_kernel_has_handlers_reaches_the_port(ports):
    """The probe executes an instruction that does not exist. The loader reports it on the port that it chose."""
    from test_probe import PROBE

    changes = {**configuration("COM2", "probe=undefined"), "kernel.elf": PROBE.read_bytes()}
    _, com2 = ports.boot(changes)
    assert "[loader] fault:" in com2, com2


@pytest.mark.parametrize("value", ["", "COM5", "on", "0x60"])
def test_a_value_that_is_no_port_is_an_error(lab, value):
    """A key is held down, so the loader does not wait."""
    verdict = expect_stop(lab.case(configuration(value or " ")), 3)
    assert "The serial port is not COM1, COM2, COM3, COM4, off," in verdict.serial


@contextlib.contextmanager
def full_pipe(path):
    """A pipe from which nobody reads. QEMU's port takes no byte while the pipe is full."""
    for end in ("in", "out"):
        os.mkfifo(f"{path}.{end}")
    writer = os.open(f"{path}.out", os.O_RDWR | os.O_NONBLOCK)
    try:
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x")
        yield writer
    finally:
        os.close(writer)


def test_W6_a_port_that_takes_no_byte_does_not_stop_the_boot(lab):
    """The firmware does not know COM4. The screen shows the whole boot."""
    path = lab.scratch / "com4"
    machine = {"extra": ["-chardev", f"pipe,id=com4,path={path}",
                         "-device", "isa-serial,iobase=0x2e8,irq=3,chardev=com4"]}  # fmt: skip
    with full_pipe(path) as pipe:
        disk = lab.case_disk(machine, {"handoff.conf": b"serial = COM4\ncmdline = unattended overview=off\n"})
        with lab.restore(disk, machine=machine) as running:
            deadline = time.monotonic() + TIMEOUT_SECONDS
            text = ""
            while READY not in text:
                assert time.monotonic() < deadline, text
                running.pump(0.1)
                running.screenshot(running.scratch / "screen.ppm")
                text = read_screen(running.scratch / "screen.ppm", BUILD / "font.bin")
        assert set(os.read(pipe, 1 << 20)) == {ord("x")}, "the port took a byte"
    assert "serial port 2e8 (handoff.conf)" in running.serial


def test_colours_are_on_the_serial_port_only(lab):
    """One boot: a warning of the loader, stages, a warning and a panic of the kernel have colours; `dump` has none."""
    words = 'colour=on paging=9 nonsense run="dump; panic divide"'
    disk = lab.case_disk(None, command_line=words, words=[], plan=())
    with lab.restore(disk) as running:
        assert running.wait_for(r"^\[panic\] halted.*\n", TIMEOUT_SECONDS), running.serial
        raw, serial = running.raw.decode(errors="replace"), running.serial
    assert re.search(r"\x1b\[33m(\x1b\[\d+m)*warning: paging= is ignored", raw), "the firmware's console has colours, too"
    assert "\x1b[36m[frames]\x1b[0m total=" in raw
    assert "\x1b[36m[command-line]\x1b[33m warning: " in raw
    assert "\x1b[1;31m[panic] halted" in raw and raw.rstrip().endswith("\x1b[0m")
    dump = raw.partition("# Handoff dump")[2].partition("# End of the dump.")[0]
    assert dump.count("[region]") > 20 and "[frames] total=" in dump and "\x1b" not in dump
    assert "\x1b" not in serial
