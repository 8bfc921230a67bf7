"""Screens (catalogue group G): which one the kernel gets, in which mode, and where its pixels are.

The faults of outputs come from the conductor (conductor/graphics.c). Its extra output has its pixels in memory. The
probe writes to the first and the last pixel of every output, and checks how each page of them is mapped.
"""

import re
import subprocess
import sys
import time

import pytest
import report_text
import symbolize

from gdb_stub import RDI, GdbStub
from lab import BUILD, CASE_IMAGE_MIB, NO_SAMPLES, ROOT, TIMEOUT_SECONDS, expect_ready, expect_stop, volume
from machines import DISC
from screen import read_ppm, read_screen
from test_hostile_handoff import offsets
from test_kernel_notes import NEEDS, SCREEN, with_notes
from test_machines import wait_for_text
from test_probe import PROBE, boot_probe, expect_complete

KERNEL = volume.ESP / "kernel.elf"
# A second card, whose screen the test can see, too.
TWO_CARDS = {"extra": ["-device", "secondary-vga,id=second"]}
OLD_SIZE = (1280, 800)
FULL = pytest.mark.full


def settings(*keys, words="debug-exit=0xf4 once unattended"):
    """A handoff.conf with these lines."""
    return {"handoff.conf": "\n".join([f"cmdline = {words}", *keys, ""]).encode("ascii")}


def boot_with(lab, plan, *keys, machine=None):
    """Boot the probe with keys in handoff.conf. Return the verdict and the figures of the first framebuffer."""
    verdict = boot_probe(lab, plan=plan, machine=machine, changes=settings(*keys))
    return verdict, {key: int(value, 0) for key, value in expect_complete(verdict).items()
                     if key in ("width_pixels", "height_pixels", "pitch_bytes", "framebuffer_base", "framebuffer_count")}  # fmt: skip


def size_of(seen):
    return seen["width_pixels"], seen["height_pixels"]


def bases(verdict):
    """The address of each output that the loader lists, by number."""
    lines = [line.split() for line in verdict.serial.splitlines() if line.startswith("output ") and " at " in line]
    return {int(words[1].rstrip(":")): int(words[4].rstrip(","), 16) for words in lines}


# --- G1: several outputs -----------------------------------------------------------------------------


@pytest.mark.parametrize("plan, keys, first", [
    pytest.param(["console-is 1"], [], 1, id="first", marks=FULL),
    pytest.param(["console-is 2"], [], 2, id="second"),
    pytest.param(["console-is 0"], [], 1, id="none", marks=FULL),
    pytest.param(["console-is 2"], ["output = 1"], 1, id="output-1"),
    pytest.param(["console-is 1"], ["output = 2"], 2, id="output-2", marks=FULL),
])  # fmt: skip
def test_G1_the_consoles_output_comes_first(lab, plan, keys, first):
    """Both are handed over, mapped, and usable. `output` in handoff.conf decides before the console does."""
    verdict, seen = boot_with(lab, plan, *keys, machine=TWO_CARDS)
    assert seen["framebuffer_count"] == 2
    assert seen["framebuffer_base"] == bases(verdict)[first]
    assert "warning: output" not in verdict.serial


def test_G1_the_kernel_writes_on_the_consoles_screen(lab, tmp_path):
    """The text is read back from the second card's own screen."""
    disk = lab.case_disk(TWO_CARDS, settings(words="debug-exit=0xf4 overview=off"), plan=["console-is 2"])
    with lab.restore(disk, machine=TWO_CARDS) as running:
        assert running.wait_for(r"^\[ready\]", TIMEOUT_SECONDS), running.serial
        picture = tmp_path / "screen.ppm"
        running.screenshot = lambda path: running.command("screendump", {"filename": str(path), "device": "second"})
        wait_for_text(running, r"^\[ready\] action=idle", picture)
        running.command("screendump", {"filename": str(picture)})
        assert "[ready]" not in read_screen(picture, BUILD / "font.bin"), "the first card is left alone"


def test_G1_an_output_that_is_not_there_is_a_warning(lab):
    verdict, seen = boot_with(lab, ["console-is 2"], "output = 9", machine=TWO_CARDS)
    assert "warning: output = 9 is not a usable screen: the console's is used" in verdict.serial
    assert seen["framebuffer_base"] == bases(verdict)[2]


def test_G1_a_console_without_a_framebuffer_is_passed_over(lab):
    """The first output with a linear framebuffer is the fallback."""
    _, seen = boot_with(lab, ["extra-output 3"])
    assert size_of(seen) == OLD_SIZE and seen["framebuffer_count"] == 1


# --- G2 and G3: what the firmware states -------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [0, pytest.param(4096, marks=FULL)])
def test_G2_a_size_that_is_too_small_is_a_warning(lab, size_bytes):
    verdict, seen = boot_with(lab, [f"graphics-size {size_bytes}"])
    assert size_of(seen) == OLD_SIZE, "the probe has written to the last pixel, too"
    assert f"warning: output 1 has only {size_bytes} bytes, says the firmware: {1280 * 800 * 4} are used" in verdict.serial


@pytest.mark.parametrize("fault", ["graphics-no-mode", "graphics-no-info", "graphics-not-started"])
def test_G3_a_mode_that_is_not_started_is_started(lab, fault):
    verdict, seen = boot_with(lab, [fault])
    assert verdict.has_line(r"conductor: SetMode\(\d+\)$")
    assert verdict.has_line(r"warning: output 1 had no mode: mode \d+ is started"), verdict.serial
    assert size_of(seen)[0] >= 640


@pytest.mark.parametrize("fault", ["graphics-no-mode", pytest.param("graphics-no-info", marks=FULL)])
def test_G3_a_mode_that_cannot_be_started_leaves_the_serial_line(lab, fault):
    verdict, seen = boot_with(lab, [fault, "set-mode-never"])
    assert "warning: output 1 has no mode, and none can be started (device error): not used" in verdict.serial
    assert "no linear framebuffer: the kernel has only the serial line" in verdict.serial
    assert seen["framebuffer_count"] == 0


# --- G4, G5 and G7: another resolution ---------------------------------------------------------------


def boot_on_screen(lab, picture, plan, *keys):
    """Boot the kernel. Return its serial text, and the size of the screen on which its text stands."""
    with lab.restore(lab.case_disk(None, settings(*keys, words="debug-exit=0xf4 overview=off"), plan=plan)) as running:
        assert running.wait_for(r"^\[ready\]", TIMEOUT_SECONDS), running.serial
        wait_for_text(running, r"^\[ready\] action=idle", picture)
        return running.serial, read_ppm(picture)[:2]


@pytest.mark.parametrize("fault", ["set-mode-fails", pytest.param("set-mode-never", marks=FULL)])
def test_G4_the_old_mode_comes_back(lab, tmp_path, fault):
    """With the first fault the card is in the new mode when SetMode() fails."""
    serial, size = boot_on_screen(lab, tmp_path / "screen.ppm", [fault], "resolution = 800x600")
    assert "cannot be set (device error): the old mode stays" in serial
    assert serial.count("conductor: SetMode(") == 2, "there and back"
    assert size == OLD_SIZE


def test_G5_the_pitch_is_read_after_the_mode_is_set(lab):
    _, seen = boot_with(lab, ["extra-output 1"], "resolution = 800x600")
    assert size_of(seen) == (800, 600) and seen["pitch_bytes"] == 832 * 4


@pytest.mark.parametrize("wanted, got", [("1024x768", (1024, 768)), ("801x601", (800, 600)), ("keep", OLD_SIZE)])
def test_G7_resolution(lab, tmp_path, wanted, got):
    """The text is read back from the screen, which has the new size."""
    serial, size = boot_on_screen(lab, tmp_path / "screen.ppm", [], f"resolution = {wanted}")
    nearest = f"warning: output 1 has no mode of {wanted}: the nearest is 800x600"
    assert (nearest in serial) == (wanted == "801x601")
    assert serial.count("conductor: SetMode(") == (0 if wanted == "keep" else 1)
    assert size == got


@pytest.mark.parametrize("number, size", [(1, (800, 600)), pytest.param(2, (1024, 768), marks=FULL), (9, (640, 480))])
def test_G7_native_resolution(lab, number, size):
    """It is in the EDID of the screen. If that is damaged, the mode stays."""
    verdict, seen = boot_with(lab, ["extra-output 1", f"extra-edid {number}"], "resolution = native")
    assert size_of(seen) == size
    assert ("does not state its size (EDID)" in verdict.serial) == (number == 9)


def test_an_error_is_shown_in_the_old_mode(lab):
    """The firmware's console cannot be read in a mode that it did not set."""
    plan = ["fail-pages 10", "watch-console"]
    verdict = expect_stop(lab.case(settings("resolution = 800x600"), plan=plan), 12)
    modes = [line for line in verdict.serial.splitlines() if "SetMode(" in line]
    assert len(modes) == 2 and modes[0] != modes[1], verdict.serial
    assert verdict.serial.rindex("SetMode(") < verdict.serial.index("HL-12")


# --- G6: where the pixels are ------------------------------------------------------------------------


@pytest.mark.parametrize("plan, machine", [("extra-output 1", None), ("extra-output 2", DISC)],
                         ids=["reserved-row", "above-4-GiB"])  # fmt: skip
def test_G6_pixels_in_reserved_ram_are_mapped(lab, plan, machine):
    verdict, seen = boot_with(lab, [plan], machine=machine)
    assert verdict.has_line(rf"conductor: extra output at {seen['framebuffer_base']:x}$")
    assert (seen["framebuffer_base"] >= 1 << 32) == (machine is DISC)
    assert seen["framebuffer_count"] == 2


@pytest.mark.parametrize("base", [
    pytest.param(0, marks=FULL),
    pytest.param(0x80000800, id="inside-a-page", marks=FULL),
    pytest.param(1 << 46, id="beyond-the-direct-map", marks=FULL),
    pytest.param((1 << 64) - 4096, id="wraps"),
])  # fmt: skip
def test_G6_pixels_at_an_impossible_address_are_a_warning(lab, base):
    """The boot goes on without the screen. Address 0 means that the output has no linear framebuffer."""
    verdict, seen = boot_with(lab, [f"graphics-at {base}"])
    warning = f"warning: output 1 is not handed over: its pixels cannot be at {base:x}\n"
    assert (warning in verdict.serial.replace("\r", "")) == (base != 0), verdict.serial
    assert seen["framebuffer_count"] == 0


# --- M13: pixels over memory in use -------------------------------------------------------------------

DROPPED = r"warning: the framebuffer at ([0-9a-f]+) is dropped: its pixels would overwrite memory in use \((\S+) at "


@pytest.mark.parametrize("place, owners", [
    (4, "runtime-data"), (5, "loader|kernel-image|temp-heap|stack"), (6, "stack")
])  # fmt: skip
def test_M13_a_second_screen_over_memory_in_use_is_left_out(lab, place, owners):
    """The first screen stays. One of the blocks below the other screen is named."""
    verdict, seen = boot_with(lab, [f"extra-output {place}", "console-is 1"])
    base = verdict.has_line(r"conductor: extra output at ([0-9a-f]+)$").group(1)
    places, names = map(set, zip(*re.findall(DROPPED, verdict.serial)))
    assert places == {base} and len(names) == 1 and re.fullmatch(owners, *names), verdict.serial
    assert size_of(seen) == OLD_SIZE and seen["framebuffer_count"] == 1
    assert seen["framebuffer_base"] != int(base, 16)


def test_M13_the_next_screen_takes_the_place_of_the_first(lab):
    """The console's own screen lies over the loader. The kernel gets the other one."""
    verdict, seen = boot_with(lab, ["extra-output 5"])
    assert re.search(DROPPED, verdict.serial), verdict.serial
    assert size_of(seen) == OLD_SIZE and seen["framebuffer_count"] == 1


@pytest.mark.parametrize("keys", [[], ["resolution = 800x600"]], ids=["keep", "800x600"])
def test_M13_the_only_screen_over_memory_in_use_leaves_the_serial_line(lab, keys):
    verdict, seen = boot_with(lab, ["graphics-over-loader"], *keys)
    assert re.search(DROPPED, verdict.serial), verdict.serial
    assert seen["framebuffer_count"] == 0


@pytest.mark.parametrize("plan, steps", [
    (["extra-moves-at 3"], ["exit", "faults"]),
    (["extra-moves-at 4", "stale-real 1"], ["exit", "again", "faults"]),
], ids=["last-map", "map-after-the-exit-failed"])  # fmt: skip
def test_M13_the_marks_move_to_the_next_screen(lab, tmp_path, plan, steps):
    """The console's screen is good until the firmware says otherwise in a later map. A mark that was written before
    is on the old screen."""
    changes = {"handoff.conf": f"cmdline = unattended\ninject = hang:{len(steps)}\n".encode()}
    disk = lab.case_disk(None, changes, ["extra-output 1", *plan])
    with lab.restore(disk) as running:
        assert running.wait_for(rf"^\[loader\] progress: {steps[-1]}", TIMEOUT_SECONDS), running.serial
        text = wait_for_text(running, rf"{steps[-1]}$", tmp_path / "screen.ppm")
    last = text.splitlines()[-1].split()
    assert last == (steps if len(steps) == 2 else steps[1:]), text


@pytest.mark.parametrize("serial", ["off", "0x3e8"])
def test_M13_a_kernel_that_could_show_nothing_is_not_started(lab, serial):
    """The firmware's console still shows the error."""
    plan = ["graphics-over-loader", "watch-console"]
    verdict = expect_stop(lab.case(settings(f"serial = {serial}"), plan=plan), 30)
    assert re.search(DROPPED, verdict.serial), verdict.serial


def test_M13_a_kernel_that_demands_a_screen_is_not_started(lab):
    """Its note counts after the screen was dropped, too."""
    verdict = lab.case({"kernel.elf": with_notes({NEEDS: SCREEN})}, plan=["graphics-over-loader"])
    expect_stop(verdict, 25)
    assert "a screen; the machine has no linear framebuffer" in verdict.serial


# --- G8: the last pixels -----------------------------------------------------------------------------


def symbols(program):
    """The addresses of a program's functions, as it was linked."""
    listed = subprocess.run(["llvm-nm", program], capture_output=True, text=True, check=True).stdout
    return {words[-1]: int(words[0], 16) for words in map(str.split, listed.splitlines()) if len(words) == 3}


def text_of(program):
    """The first section of a PE file, which has the code: its offset in the image, and its bytes."""
    data = program.read_bytes()
    headers = int.from_bytes(data[0x3C:0x40], "little")
    section = headers + 24 + int.from_bytes(data[headers + 20 : headers + 22], "little")
    offset, size_bytes, place = (
        int.from_bytes(data[section + at : section + at + 4], "little") for at in (12, 16, 20))
    return offset, data[place : place + size_bytes]


def kernel_functions(_stub):
    linked = symbols(BUILD / "kernel.debug.elf")
    return linked["framebuffer_text_write"], linked["arch_flush_pixels"]


def loader_functions(stub):
    """The loader without symbols has the same code in other places. So it is searched for the first instructions of
    the one function, and for the only SFENCE."""
    link_base, code_bytes = 0x140000000, 18
    offset, code = text_of(BUILD / "BOOTX64.debug.efi")
    at = symbols(BUILD / "BOOTX64.debug.efi")["framebuffer_text_write"] - link_base - offset
    first = code[at : at + code_bytes]
    offset, code = text_of(BUILD / "BOOTX64.EFI")
    assert code.count(first) == code.count(SFENCE) == 1
    base = stub.read(stub.register(RDI) + offsets("handoff")["loader_physical_base"], 8)
    return tuple(int.from_bytes(base, "little") + offset + code.index(wanted) for wanted in (first, SFENCE))


SFENCE = bytes([0x0F, 0xAE, 0xF8])


@pytest.mark.parametrize("find, kernel, words, end, texts", [
    (kernel_functions, KERNEL, "provoke=divide", "Press r to restart", 3),
    (loader_functions, PROBE, "probe=undefined", "  r15", 1),
], ids=["kernel", "loader"])  # fmt: skip
def test_G8_each_text_on_the_screen_is_flushed(lab, find, kernel, words, end, texts):
    """QEMU has no write-combining buffers. So the test follows the machine: each text is followed by SFENCE. The
    loader writes its report as one text."""
    entry = int.from_bytes(kernel.read_bytes()[24:32], "little")
    disk = lab.disk(plan=[], size_mib=CASE_IMAGE_MIB, words=["unattended"], command_line=words, kernel=kernel)
    with lab.restore(disk, go=False) as running, GdbStub(running) as stub:
        stub.run_to(entry, lambda: running.send(b"g"))
        write, flush = find(stub)
        for _ in range(texts):
            assert stub.run_to_any([write, flush]) == write
            assert SFENCE in stub.read(flush, 16)
            assert stub.run_to_any([write, flush]) == flush
        stub.leave()
        assert running.wait_for(end, TIMEOUT_SECONDS), running.serial


# --- Quiet -------------------------------------------------------------------------------------------

SHOWN = "conductor: the loader shows"


def test_quiet_shows_nothing(lab):
    """The firmware's picture stays until the kernel draws. The lines are in the handed-over log."""
    quiet = boot_probe(lab, "quiet", plan=["watch-console"])
    expect_complete(quiet)
    assert SHOWN not in quiet.serial
    loud = boot_probe(lab, plan=["watch-console"])
    assert SHOWN in loud.serial
    verdict = expect_ready(lab.case(plan=["watch-console"], command_line="quiet"))
    assert SHOWN not in verdict.serial and verdict.has_line(r"\[loader\] Handoff loader "), verdict.serial
    assert "unknown" not in verdict.serial


def test_quiet_ends_with_an_error(lab):
    """The lines before the error are shown, too."""
    verdict = expect_stop(lab.case({"kernel.elf": None}, plan=["watch-console"], command_line="quiet"), 4)
    assert verdict.serial.count(SHOWN) == 1
    assert verdict.serial.index(SHOWN) < verdict.serial.index("Handoff loader ") < verdict.serial.index("HL-04")


def test_quiet_leaves_the_picture(lab, tmp_path):
    """Neither loader nor kernel changes a pixel. A panic shows its screen."""
    before, after = tmp_path / "before.ppm", tmp_path / "after.ppm"
    disk = lab.case_disk(None, settings(words="quiet"))
    with lab.restore(disk, go=False) as running:
        running.screenshot(before)
        running.send(b"g")
        assert running.wait_for(r"^\[ready\]", TIMEOUT_SECONDS), running.serial
        running.pump(1)
        running.screenshot(after)
    assert before.read_bytes() == after.read_bytes()
    with lab.restore(lab.case_disk(None, settings(words="quiet provoke=divide"))) as running:
        text = wait_for_text(running, PANIC_SCREEN, after)
        expect_screen_of_panic(text, running.serial)
        expect_code_of_panic(running, after)


# --- Panics ------------------------------------------------------------------------------------------

# The last row, with the margin of the screen before it. The log has it, too, while the report is printed.
PANIC_SCREEN = r"^ halted; nothing was written"
PREFIX = re.compile(r"^\[panic\] (?:cause: |remedy: |raised at |at |bytes )?(.*)$", re.MULTILINE)
CODE_AND_NAME = re.compile(r'code=(0x\w+) name="(.*)"')


def squeezed(text):
    """The words of a text. Long lines are in several rows of the screen."""
    return " ".join(text.split())


def without_code(screen):
    """The text of a screen without the QR code, whose rows begin with light cells that are no letters."""
    return re.sub("\ufffd.*", "", screen)


def report_on(serial):
    """Split the serial port's text into the log before the panic, and the report."""
    log, report = serial.replace("\r", "").split("\n[panic] code=", 1)
    return log, "[panic] code=" + report


def expect_screen_of_panic(screen, serial):
    """Each line of the report is on the screen, and so is the last line of the log before it. The screen says how many
    lines of the backtrace it leaves out."""
    log, report = report_on(serial)
    screen = without_code(screen)
    lines = PREFIX.findall(report)
    assert CODE_AND_NAME.match(lines[0]) and len(lines) > 12, serial
    wanted = [log.rstrip().split("\n")[-1], *lines[1:]]
    missing = [line for line in wanted if squeezed(line) not in squeezed(screen)]
    left_out = re.search(r"^ \.\.\. and (\d+) more lines on the serial port$", screen, re.MULTILINE)
    assert all(line.startswith("#") for line in missing), f"{missing} is not in:\n{screen}"
    assert len(missing) == (int(left_out.group(1)) if left_out else 0), screen


def read_code(running, picture):
    """Return the text of the QR code on the screen, as zbarimg reads it. The kernel draws it last."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        running.screenshot(picture)
        done = subprocess.run(["zbarimg", "--quiet", "--nodbus", "--raw", "-Sdisable", "-Sqrcode.enable", picture],
                              capture_output=True, text=True, check=False)  # fmt: skip
        if done.stdout:
            return done.stdout
        assert time.monotonic() < deadline, done.stderr
        running.pump(0.2)


def expect_code_of_panic(running, picture):
    """The QR code has the report of the serial port."""
    text = read_code(running, picture)
    assert report_text.decode(text) == report_on(running.serial)[1]
    return text


def test_panic_on_a_screen_of_800x600(lab, tmp_path):
    """The serial port and the screen say the same. A report with three callers fits on the smallest usual screen."""
    picture = tmp_path / "screen.ppm"
    words = f"heap_debug=on {NO_SAMPLES} provoke=heap-double-free"
    with lab.restore(lab.case_disk(None, settings("resolution = 800x600", words=words))) as running:
        text = wait_for_text(running, PANIC_SCREEN, picture)
        expect_screen_of_panic(text, running.serial)
        code = expect_code_of_panic(running, picture)
    done = subprocess.run([symbolize.__file__.replace(".py", ".sh")], input=code, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0 and " double_free+0x" in done.stdout, done.stdout + done.stderr
    width, height, pixels = read_ppm(picture)
    assert (width, height) == (800, 600)
    corner = pixels[-3:]
    assert corner[0] > 0x60 > max(corner[1:]), "the paper is red"
    assert re.search(r"^ Where +kernel/mm/kmalloc.c:\d+ in kmalloc_fault$", text, re.MULTILINE), text


UNDEFINED_INSTRUCTION = b"\x0f\x0b"


def kernel_with_fault_in(function, path):
    """Return the kernel's file, in which a function begins with an undefined instruction."""
    kernel = symbolize.Kernel(BUILD / "kernel.debug.elf")
    data = bytearray(KERNEL.read_bytes())
    text_offset = 0x1000  # of the first segment, which begins at the base of the image
    at = text_offset + kernel.functions[function] - symbolize.IMAGE_BASE
    data[at : at + len(UNDEFINED_INSTRUCTION)] = UNDEFINED_INSTRUCTION
    path.write_bytes(data)
    subprocess.run([sys.executable, ROOT / "scripts/kernel-checksum.py", path], check=True)
    return path.read_bytes()


def test_fault_in_the_encoder_costs_no_line(lab, tmp_path):
    """The text is complete before the QR code is made. The log writes the fault over it, so it is drawn again."""
    picture = tmp_path / "screen.ppm"
    changes = {**settings(words="provoke=divide"), "kernel.elf": kernel_with_fault_in("qr_code_encode", tmp_path / "kernel.elf")}
    with lab.restore(lab.case_disk(None, changes)) as running:
        assert running.wait_for(r"^\[panic\] code=0x29 .*#UD", TIMEOUT_SECONDS), running.serial
        text = wait_for_text(running, PANIC_SCREEN, picture)
        report = running.serial.split("[panic] code=0x29")[0]
        deadline, earlier = time.monotonic() + TIMEOUT_SECONDS, ""
        while ("code=0x29" in text or text != earlier) and time.monotonic() < deadline:
            earlier = text  # the kernel may still be drawing
            running.pump(0.5)
            text = wait_for_text(running, PANIC_SCREEN, picture)
    expect_screen_of_panic(text, report)
    below_title = text[text.index("What happened") :]
    assert "code=0x29" not in text and "\ufffd" not in below_title, text
