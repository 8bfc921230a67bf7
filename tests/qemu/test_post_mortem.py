"""The boot record: the words of the next boot about the last one (catalogue I6, I7, I8).

A machine is reset while it runs: the RAM keeps the record that the kernel wrote. A reset costs a start of the firmware.
So other cases put a record into the RAM, or into the EFI variable, before the unmodified loader starts: one of their
own, or the pages of a machine that has failed.
"""

import re
import struct
import time
import zlib
from contextlib import contextmanager

import pytest

from lab import BUILD, CASE_IMAGE_MIB, TIMEOUT_SECONDS, expect_ready, random_places
from test_probe import PROBE

import post_mortem

FIRST_PLACE, SECOND_PLACE = 0x1FE000, 0x7FE000
SLOT_BYTES = 4096
LOADER, ENTRY, KERNEL, READY, PANIC, ENDED = range(1, 7)
IDLE = r"^handoff> "
PANIC_END = r"^\[panic\] halted"


def record(stage=PANIC, code=0x1E, log="[heap] size=1\n", report="[panic] cause: made up\n", sequence=7, version=1):
    """The bytes of a slot, as docs/HANDOFF.md has them."""
    text = (log + report).encode("latin-1")
    head = struct.pack("<8sHHI", b"BOOTREC\0", version, 0, 64 + len(text))
    tail = struct.pack("<III", sequence, code, len(log))
    rest = bytes(28)
    checksum = zlib.crc32(head + bytes(4) + tail + bytes(4) + rest + text)
    word = stage | (~stage & 0xFFFF) << 16
    return (head + struct.pack("<I", checksum) + tail + struct.pack("<I", word) + rest + text).ljust(SLOT_BYTES, b"\0")


def case_with(lab, slots, plan=(), **settings):
    return expect_ready(lab.case(changes={"record.bin": slots, **settings.pop("changes", {})},
                                 plan=[f"record {FIRST_PLACE}", *plan], **settings))


@contextmanager
def resettable(lab, command_line="", machine=None, changes=None, plan=(), **settings):
    """A machine that a reset does not end, with the loader as the firmware starts it."""
    disk = lab.disk(changes, command_line=command_line, words=["unattended"], plan=plan, size_mib=CASE_IMAGE_MIB,
                    **settings)  # fmt: skip
    with lab.restore(disk, go=False, machine=machine) as running:
        running.command("set-action", {"reboot": "reset"})
        running.send(b"g")
        yield running


def reset(running):
    """Reset the machine, and forget its output so far."""
    running.command("stop")
    resets = running.monitor.events.count("RESET")
    running.command("system_reset")
    while running.monitor.events.count("RESET") == resets:
        assert running.pump(0.2)
    running.take_serial()
    running.raw = b""
    running.start_without_tpm()


def await_record(running):
    """Wait until the pages hold a report, and return their bytes. The kernel and the loader print the last line of a
    report first, and write the record then. On a busy host a reset between the two would lose it."""
    pages, deadline = running.scratch / "pages", time.monotonic() + TIMEOUT_SECONDS
    while True:
        running.command("pmemsave", {"val": FIRST_PLACE, "size": 2 * SLOT_BYTES, "filename": str(pages)})
        data = pages.read_bytes()
        pages.unlink()
        try:
            if post_mortem.read(data).report:
                return data
        except post_mortem.NoRecord:
            pass  # it is written at this moment
        assert running.pump(0.05) and time.monotonic() < deadline, running.serial


def await_line(running, pattern):
    assert running.wait_for(pattern, TIMEOUT_SECONDS), running.serial
    return running.serial


def halt(lab, last_line, **settings):
    """Boot to a failure that halts the machine. Return its output and the pages with its record."""
    with resettable(lab, **settings) as running:
        return await_line(running, last_line), await_record(running)


# --- Resets of a running machine ------------------------------------------------------------------------------------


def test_next_boot_shows_the_panic(lab):
    """Cause, registers, backtrace and the last log lines: on the serial port, and in the log that is handed over."""
    with resettable(lab, "provoke=assertion") as running:
        first = await_line(running, PANIC_END)
        assert "the last boot" not in first
        await_record(running)
        reset(running)
        second = await_line(running, PANIC_END)
    assert re.search(r"^the last boot ended in a panic, code 0x23", second, re.MULTILINE), second
    report = re.search(r"^\[panic\] code=0x23.*?(?=^\[panic\] halted)", first, re.MULTILINE | re.DOTALL).group(0)
    for line in report.rstrip().split("\n"):
        assert f"\n  | {line}\n" in second, line
        assert f"\n[loader]   | {line}\n" in second, line
    assert "registers" in report or "rip" in report, report
    assert re.search(r"^  \| \[ready\] action=idle$", second, re.MULTILINE), "the last lines of the log"
    assert second.index("the last boot ended") < second.index("[handoff]")


@pytest.mark.full
def test_next_boot_shows_what_ubsan_found(lab):
    """The kernel of `make UBSAN=1` calls panic() from the sanitizer's handlers."""
    with resettable(lab, "provoke=undefined-shift", kernel=BUILD / "ubsan/kernel.elf") as running:
        first = await_line(running, PANIC_END)
        cause = re.search(r"^\[panic\] cause: .*$", first, re.MULTILINE).group(0)
        assert "2147483647 shifted by 40 bits is undefined for 'int32_t'" in cause, first
        assert " at kernel/diagnostics/sanitizer/undefined_provoke.c:" in cause, first
        await_record(running)
        reset(running)
        second = await_line(running, PANIC_END)
    assert re.search(r"^the last boot ended in a panic, code 0x2f", second, re.MULTILINE), second
    assert f"\n  | {cause}\n" in second and f"\n[loader]   | {cause}\n" in second, second
    assert re.search(r"^  \| \[panic\] code=0x2f name=\"undefined behaviour\"", second, re.MULTILINE), second


def test_unfinished_boot_is_named_and_a_wished_end_is_not(lab):
    with resettable(lab) as running:
        await_line(running, IDLE)
        reset(running)
        serial = await_line(running, IDLE)
        assert re.search(r"^\[loader\] warning: the last boot did not end\. At the reset: the kernel was ready\.$",
                         serial, re.MULTILINE), serial
        running.raw = b""
        running.send(b"reboot\r")
        serial = await_line(running, IDLE)
        assert "action=restart" in serial and "the last boot" not in serial, serial


def test_panic_before_the_heap_and_nested_panic_leave_a_record(lab):
    """A fault while the report is printed: the record holds the part of it that was printed."""
    _, pages = halt(lab, r"while printing a panic", command_line="provoke=nested-fault")
    verdict = case_with(lab, pages)
    assert verdict.has_line(r"  \| \[panic\] code=.*while printing a panic"), verdict.serial


def with_failure(failure):
    return {"changes": {"handoff.conf": f"cmdline = unattended\ninject = {failure}\n".encode()}}


# The machine that halts; its last line; the words of the next boot; a line of the record.
HALTS = {
    "stale-key": (with_failure("stale-key:20"), r"remedy: Switch the machine off",
                  "the loader's error HL-16", "HL-16: The firmware does not end"),
    "bad-jump": (with_failure("bad-jump"), r"^  r13 .*r15 ",
                 "a panic, code 0x2b", "[loader] fault: #PF page fault, before the kernel's handlers"),
    "entry-returns": ({"command_line": "probe=return", "kernel": PROBE}, r"it has no caller to return to",
                      "a panic, code 0x2c", "[loader] kernel entry returned"),
}  # fmt: skip


@pytest.mark.parametrize("failure", HALTS)
def test_next_boot_names_the_error_of_the_loader(lab, failure):
    """These ends come after the exit, where the firmware cannot keep them. The pages have the whole report."""
    settings, last_line, end, line = HALTS[failure]
    first, pages = halt(lab, last_line, **settings)
    serial = case_with(lab, pages).serial
    assert "the last boot" not in first and f"the last boot ended in {end}. Its record:" in serial, serial
    assert f"\n  | {line}" in serial and "\n  | Handoff loader " in serial, serial
    shown = post_mortem.describe(post_mortem.read(pages))
    assert shown.startswith(f"The boot ended in {end}.") and line in shown, shown


def test_next_boot_names_a_fault_in_the_firmware(lab):
    _, pages = halt(lab, r"Report it with the lines above", plan=["map-jumps"])
    serial = case_with(lab, pages).serial
    assert "the last boot ended in the loader's error HL-27. Its record:" in serial, serial
    assert "\n  | [loader] fault: #PF page fault, in a call of the firmware" in serial, "registers and the cause"


@pytest.mark.full
def test_I8_reset_at_a_random_moment_leaves_a_good_record(lab):
    """Loader and kernel write at unknown moments. No reset leaves a record that the next boot refuses."""
    random = random_places()
    with resettable(lab, "provoke=assertion") as running:
        for _ in range(12):
            await_line(running, r"^Handoff loader")
            deadline = time.monotonic() + random.uniform(0, 0.6)
            while time.monotonic() < deadline:
                running.pump(0.01)
            assert "is ignored" not in running.serial, running.serial
            reset(running)
        assert "is ignored" not in await_line(running, PANIC_END)


# --- Records in the RAM ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage, words", [
    (LOADER, "the loader ran, and had not entered the kernel"),
    (ENTRY, "the loader had entered the kernel, which did not report"),
    (KERNEL, "the kernel ran, and was not ready"),
])  # fmt: skip
def test_last_stage_of_an_unfinished_boot(lab, stage, words):
    verdict = case_with(lab, record(stage, 0, "", ""))
    assert verdict.has_line(rf"warning: the last boot did not end\. At the reset: {words}\.$"), verdict.serial


def test_ended_boot_says_nothing(lab):
    assert "the last boot" not in case_with(lab, record(ENDED)).serial
    assert "the last boot" not in expect_ready(lab.case()).serial


def test_newest_record_counts(lab):
    verdict = case_with(lab, record(sequence=0) + record(LOADER, 0, "", "", sequence=0xFFFFFFFF))
    assert "the last boot ended in a panic" in verdict.serial
    verdict = case_with(lab, record(sequence=4) + record(LOADER, 0, "", "", sequence=5))
    assert "the last boot did not end" in verdict.serial and "panic" not in verdict.serial


def test_hostile_text_is_made_printable(lab):
    verdict = case_with(lab, record(report="[panic] \x1b[2J\x07 \xff HL-99: x\n\n[ready]\n", log=""))
    assert verdict.has_line(r"  \| \[panic\] \?\[2J\? \? HL-99: x$"), verdict.serial
    assert verdict.has_line(r"  \| \[ready\]$")


DAMAGES = {
    "bit-of-text": (lambda data: data[:70] + bytes([data[70] ^ 1]) + data[71:], "its checksum is wrong"),
    "version": (lambda data: record(version=2), "another version wrote it"),
    "size": (lambda data: data[:12] + b"\xff" * 4 + data[16:], "its size is impossible"),
    "stage": (lambda data: data[:32] + b"\x05\0\0\0" + data[36:], "its stage is unknown"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_I6_damaged_record_is_ignored(lab, damage):
    change, words = DAMAGES[damage]
    verdict = case_with(lab, change(record()))
    assert verdict.has_line(rf"\[loader\] warning: a boot record is ignored: {words}$"), verdict.serial
    assert "the last boot" not in verdict.serial


def test_I8_half_written_record_leaves_the_old_one(lab):
    """A reset between the first and the last store of a record: its magic number is missing."""
    half = bytes(8) + record(sequence=8)[8:]
    verdict = case_with(lab, record(KERNEL, 0, "", "") + half)
    assert "the last boot did not end. At the reset: the kernel ran" in verdict.serial
    assert "is ignored" not in verdict.serial


def test_firmware_uses_the_first_place(lab):
    verdict = expect_ready(lab.case(plan=[f"occupy {FIRST_PLACE}"], command_line="print-regions"))
    assert verdict.has_line(rf"\[region\] base={SECOND_PLACE:#x} size=8192 type=boot-record "), verdict.serial


def test_firmware_uses_both_places(lab):
    verdict = expect_ready(lab.case(plan=[f"occupy {FIRST_PLACE}", f"occupy-too {SECOND_PLACE + 4096}"],
                                    command_line="print-regions"))
    assert verdict.has_line(r"\[loader\] warning: no boot record: the firmware uses the pages at 1fe000 and 7fe000$")
    assert "type=boot-record" not in verdict.serial


# --- The EFI variable -----------------------------------------------------------------------------------------------

WRITES = r"conductor: the loader writes a variable of (\d+) bytes, attributes (\d+)$"
VARIABLE = ["watch-variables", "variable"]


def test_variable_is_never_touched_without_the_word(lab):
    verdict = case_with(lab, record(), plan=["watch-variables"])
    assert not verdict.has_line(WRITES) and "EFI variable" not in verdict.serial


@pytest.mark.parametrize("settings", [
    {"command_line": "post_mortem=nvram"},
    {"changes": {"handoff.conf": b"post_mortem = nvram\ncmdline = debug-exit=0xf4 once unattended\n"}},
], ids=["word", "key"])  # fmt: skip
def test_I6_missing_variable_is_written_once(lab, settings):
    verdict = case_with(lab, record(), plan=["watch-variables"], **settings)
    assert verdict.has_line(WRITES).groups() == (str(SLOT_BYTES), "7"), verdict.serial
    assert verdict.has_line(r"\[loader\] warning: post_mortem=nvram: the EFI variable holds no record$")
    assert verdict.has_line(r"\[loader\] the record of the last boot is in the EFI variable, too$")


def test_equal_variable_is_not_written_again(lab):
    """The sequence number of the record in the RAM does not count."""
    verdict = case_with(lab, record(sequence=99), plan=VARIABLE, command_line="post_mortem=nvram",
                        changes={"variable.bin": record(sequence=0)})
    assert not verdict.has_line(WRITES), verdict.serial
    assert "the last boot ended in a panic" in verdict.serial


def test_variable_without_a_record_in_the_RAM(lab):
    verdict = expect_ready(lab.case(plan=VARIABLE, command_line="post_mortem=nvram",
                                    changes={"variable.bin": record(sequence=0)}))
    assert verdict.has_line(r"\[loader\] the EFI variable holds a record of an earlier boot$"), verdict.serial
    assert not verdict.has_line(WRITES)


@pytest.mark.parametrize("content, words", [
    (record(version=9), "another version wrote it"),
    (record()[:2000] + bytes(10), "its checksum is wrong"),
    (bytes(64), None),
    (record() + bytes(100), "its size is impossible"),
], ids=["version", "cut", "zeros", "too-large"])  # fmt: skip
def test_I6_bad_variable_is_ignored_and_replaced(lab, content, words):
    if words == "its checksum is wrong":
        content = record(report="x" * 2500)[:2000] + bytes(SLOT_BYTES - 2000)
    verdict = case_with(lab, record(), plan=VARIABLE, command_line="post_mortem=nvram",
                        changes={"variable.bin": content})
    line = f"the EFI variable is ignored: {words}" if words else "the EFI variable holds no record"
    assert verdict.has_line(rf"\[loader\] warning: post_mortem=nvram: {line}$"), verdict.serial
    assert verdict.has_line(WRITES)


def stored_records(running):
    """The records in the firmware's variable store, which is a file beside the machine."""
    for path in running.scratch.iterdir():
        if path.is_file():
            data = path.read_bytes()
            for found in re.finditer(rb"BOOTREC\0", data):
                yield post_mortem.read(data[found.start() : found.start() + SLOT_BYTES])


def test_variable_store_holds_the_panic_for_the_script(lab):
    """From the RAM into the flash of the firmware, to the program that Linux runs. The kernel's own panic is later: a
    kernel in a panic writes no variable."""
    with resettable(lab, "provoke=assertion post_mortem=nvram", changes={"record.bin": record()},
                    plan=[f"record {FIRST_PLACE}"]) as running:  # fmt: skip
        await_line(running, PANIC_END)
        await_record(running)
        [found] = stored_records(running)
    text = post_mortem.describe(found)
    assert "ended in a panic, code 0x1e" in text and "[panic] cause: made up" in text, text


def test_I7_variable_is_not_written_with_little_space(lab):
    needed = 5120 + SLOT_BYTES + 256
    for space, is_written in ((needed - 1, False), (needed, True)):
        verdict = case_with(lab, record(), plan=["watch-variables", f"variable-space {space}"],
                            command_line="post_mortem=nvram")
        assert bool(verdict.has_line(WRITES)) == is_written, verdict.serial
        warning = verdict.has_line(r"\[loader\] warning: post_mortem=nvram: not written: less than 5120 bytes of "
                                   "variable space would remain$")
        assert bool(warning) != is_written, verdict.serial


def test_I7_refused_write_is_a_warning(lab):
    verdict = case_with(lab, record(), plan=["watch-variables", "no-variables"], command_line="post_mortem=nvram")
    assert verdict.has_line(r"\[loader\] warning: post_mortem=nvram: not written: write protected$"), verdict.serial


def test_wrong_value_of_the_word_is_named(lab):
    verdict = expect_ready(lab.case(command_line="post_mortem=flash"))
    assert verdict.has_line(r"\[loader\] warning: post_mortem= is ignored: the value must be nvram or ram$")
