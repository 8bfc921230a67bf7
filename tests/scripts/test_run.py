"""Test the refusals of run.sh before QEMU starts: one sentence with cause and remedy, and exit status 2."""

import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import checks
import folders
import machine
import pytest
import run as run_module
import volume

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "scripts/run.py"
BASE = 0xFFFFFFFF80000000


def refuse(*words, environment=None):
    """Return the sentence with which run.py refuses these words."""
    done = subprocess.run(
        [sys.executable, RUN, "--once", *words], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=300, env=dict(os.environ, **(environment or {})),
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == "" and done.stderr.count("\n") == 1, done.stdout + done.stderr
    assert done.stderr.startswith("run.sh: ")
    return done.stderr


@pytest.mark.parametrize("words, sentence", [
    (["junk"], "unknown word 'junk'"),
    (["--mem", "1G"], "unknown word '--mem'"),
    (["--memory"], "--memory needs a value"),
    (["--menu"], "--menu waits for a key"),
    (["--memory", "banana"], "'banana' is not a size"),
    (["--memory", ""], "'' is not a size"),
    (["--memory", "16M"], "'16M' is too little memory: firmware, loader and kernel need 52M"),
    (["--memory", "3T"], "'3T' is too much memory: 2T"),
    (["--memory", "1G", "--memory", "2G"], "--memory is given twice"),
    (["--smp", "0"], "'0' is not a whole number from 1 to 255"),
    (["--smp", "4.5"], "'4.5' is not a whole number"),
    (["--smp", "9" * 30], "is not a whole number"),
    (["--medium", "floppy"], "'floppy' is not one of: virtio, scsi"),
    (["--sector", "1024"], "'1024' is not 512 or 4096"),
    (["--sector", "4096", "--medium", "ahci"], "ahci has no sectors of 4096 bytes"),
    (["--accelerator", "xen"], "'xen' is not one of: kvm, tcg"),
    (["--timeout", "0"], "'0' is not a number of seconds above 0"),
    (["--timeout", "nan"], "'nan' is not a number"),
    (["--timeout", "soon"], "'soon' is not a number"),
    (["--gdb", "99999999"], "'99999999' is not a whole number from 1 to 65535"),
    (["--gdb", "0"], "'0' is not a whole number"),
    (["--kernel", "no-such-file"], "'no-such-file' does not exist"),
    (["--kernel", "~/kernel.elf"], "the ~ is quoted, so write $HOME"),
    (["--kernel", "."], "'.' is not a file"),
    (["--firmware", "/bin/sh"], "has no code in a firmware volume"),
    (["--firmware", ""], "'' is not a file"),
    (["--screenshot", "/"], "'/' is not the name of a file"),
    (["--screenshot", "/no-such-folder/x.png"], "the folder '/no-such-folder' does not exist"),
    (["--screenshot", "x.png", "--display", "no-card"], "there is no screen with --display no-card"),
    (["--screenshot", "/proc/x.png"], "'/proc/x.png' cannot be written"),
    (["--once=1"], "--once takes no value"),
    (["--medium", ""], "'' is not one of: virtio"),
    (["--cpu", ""], "--cpu '' is not a CPU"),
    (["--cpu", "help"], "--cpu 'help' is not a CPU"),
])  # fmt: skip
def test_wrong_value_needs_no_build_to_be_refused(words, sentence):
    assert sentence in refuse("--check-only", *words)


@pytest.mark.parametrize("words, sentence", [
    (["--temp-heap", "banana"], "--temp-heap 'banana': The value is not a number such as"),
    (["--temp-heap", ""], "--temp-heap '': The value is not a number"),
    (["--temp-heap", "17G"], "cannot be larger than 16G"),
    (["--cmdline", "x" * 1010], "--cmdline: The command line is longer than 1023 bytes."),
    (["--cmdline", "a\nb"], "the command line has more than one line"),
    (["--kernel", "README.md"], "--kernel README.md: The file is not an ELF file. Build a static"),
    (["--display", "hercules"], "'hercules' is not a graphics card"),
    (["--display", "curses"], "curses needs the terminal"),
    (["--display", ""], "'' is not a graphics card"),
    (["--display", "vnc"], "needs the number of its display: --display vnc=:1"),
    (["--display", "none,gl=on"], "'none,gl=on' is not a graphics card"),
    (["--cpu", "nehalm"], "unable to find CPU model 'nehalm': did you mean Nehalem?"),
    (["--cpu", "max,foo=1"], "Property 'max-x86_64-cpu.foo' not found"),
    (["--cpu", "qemu32"], "--cpu qemu32 is a 32-bit CPU"),
    (["--cpu", "Nehalem", "--memory", "1T"], "no 1 GiB pages, so the firmware would need minutes"),
    (["--cpu", "max,phys-bits=36", "--memory", "128G"], "does not fit into the 36 address bits"),
])  # fmt: skip
def test_wrong_value_is_refused_before_the_boot(words, sentence):
    if "--kernel" in words:
        words = [words[0], str(ROOT / words[1])]
        sentence = sentence.replace("README.md", words[1])
    assert sentence in refuse(*words)


@pytest.mark.parametrize("offset, number, sentence", [
    (20, 3, "The kernel demands handoff version 3.0; this loader has 2.1."),
    (4, 4, "A note for the loader has a value that is not 8 bytes long."),
], ids=["demand", "malformed"])  # fmt: skip
def test_notes_are_read_before_the_boot(tmp_path, offset, number, sentence):
    kernel = bytearray((folders.volume_folder() / "kernel.elf").read_bytes())
    note = kernel.index(struct.pack("<III8s", 8, 8, 1, b"Handoff"))
    struct.pack_into("<I", kernel, note + offset, number)
    (tmp_path / "kernel.elf").write_bytes(kernel)
    assert sentence in refuse("--kernel", str(tmp_path / "kernel.elf"))


def test_OVMF_that_names_no_file_is_refused_at_once():
    assert refuse("--check-only", environment={"OVMF": "/nonexist.fd"}) == (
        "run.sh: OVMF=/nonexist.fd is not a file\n"
    )


def test_TMPDIR_that_is_no_folder_is_refused():
    sentence = refuse("--check-only", environment={"TMPDIR": "/no-such-folder"})
    assert sentence == "run.sh: TMPDIR=/no-such-folder is not a folder that this user can write\n"


def test_OVMF_that_names_no_file_installs_nothing(tmp_path):
    """run.py reports the mistake. setup.sh installs no firmware, even on a system without firmware."""
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    for variable, check in [("OVMF", "firmware"), ("CONSOLE_FONT", "font")]:
        for name, status in [("", 1), ("/nonexist", 0)]:
            environment = {**os.environ, variable: name, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
            command = ["bash", "-c", f". scripts/tools.sh; tools_present {check}"]
            done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
            assert done.returncode == status


@pytest.mark.parametrize("name, sentence", [
    ("/nonexist.psf", "CONSOLE_FONT=/nonexist.psf is not a file\n"),
    ("~/font.psf", "CONSOLE_FONT=~/font.psf is not a file: the ~ is quoted, so write $HOME instead\n"),
])  # fmt: skip
def test_CONSOLE_FONT_that_names_no_file_is_refused(tmp_path, name, sentence):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/console-font.py", tmp_path / "font.bin"], capture_output=True,
        text=True, check=False, env=dict(os.environ, CONSOLE_FONT=name),
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr == sentence


def test_kvm_is_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr(machine, "kvm_obstacle", lambda: "there is no /dev/kvm here")
    with pytest.raises(machine.MachineError, match="no /dev/kvm here; use --accelerator tcg"):
        checks.check_accelerator("kvm")
    checks.check_accelerator("tcg")
    checks.check_accelerator(None)


def test_port_in_use_is_refused():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with pytest.raises(machine.MachineError, match="in use"):
            checks.check_port(server.getsockname()[1])


def test_host_cpu_without_kvm_is_refused(monkeypatch):
    monkeypatch.setattr(machine, "kvm_obstacle", lambda: "no")
    pc = machine.Machine(firmware=None, image=None, cpu="host,-sse4a")
    with pytest.raises(machine.MachineError, match="use --cpu max"):
        checks.check_cpu(pc)


def test_missing_qemu_is_named(monkeypatch):
    monkeypatch.setattr(checks, "QEMU", "no-such-qemu")
    with pytest.raises(machine.MachineError, match="no-such-qemu is not installed"):
        checks.check_qemu()


@pytest.mark.parametrize("name, graphics", [("none", "std"), ("headless", "std"),
                                            ("no-card", "none"), ("cirrus", "cirrus")])  # fmt: skip
def test_displays(monkeypatch, name, graphics):
    """As for QEMU, `none` means no window. There is still a screen, which can be saved as a picture."""
    monkeypatch.setattr(machine, "window_backend", lambda: "gtk")
    card, window = run_module.choose_display(name)
    assert card == graphics
    assert (window is None) == (name in run_module.NO_WINDOW)


def test_panic_s_screen_stays_for_a_person():
    """No device ends QEMU, and no word on the command line lets the loader return to the firmware."""

    class Options:
        screenshot = None

    assert run_module.ends_by_itself(Options, once=True)
    assert not run_module.ends_by_itself(Options, once=False)
    Options.screenshot = "x.png"
    assert not run_module.ends_by_itself(Options, once=True)


def test_picture_that_cannot_be_saved_is_reported_and_ends_nothing(tmp_path, capsys):
    class Running:
        def picture(self, path):
            path.write_bytes(b"PNG")

    class Options:
        screenshot = tmp_path / "folder" / "x.png"
        display = "none"

    notices = run_module.Notices(Running(), Options, True, tmp_path)
    notices("ready")
    notices.conclude()
    assert capsys.readouterr().err == (
        f"run.sh: no picture in {Options.screenshot}: No such file or directory\n"
    )
    Options.screenshot.parent.mkdir()
    notices("ready")
    notices.conclude()
    assert capsys.readouterr().err == f"run.sh: the screen is in {Options.screenshot}\n"


# --- The loader's checks of a volume ----------------------------------------------------------------


def elf(flags=5, address=BASE):
    """Return a kernel with one segment."""
    header = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 2, 62, 1, address, 64, 0,
                         0, 64, 56, 1, 0, 0, 0)  # fmt: skip
    segment = struct.pack("<IIQQQQQQ", 1, flags, 4096, address, address, 3, 3, 4096)
    return (header + segment).ljust(4096, b"\0") + b"\xf4\xeb\xfd"


@pytest.fixture(name="tree")
def make_tree(tmp_path):
    (tmp_path / "kernel.elf").write_bytes(elf())
    (tmp_path / "handoff.conf").write_text("kernel = \\KERNEL.ELF\n", encoding="utf-8")
    return tmp_path


def test_good_volume_is_accepted_whatever_the_case_of_names(tree):
    volume.check(tree)


@pytest.mark.parametrize("kernel, words", [
    (elf(flags=7), "segment 0 (rwx, 0xffffffff80000000, 3 bytes): A segment is both writable and executable. Give"),
    (elf(address=0x100000), "segment 0 (r-x, 0x100000, 3 bytes): A segment is linked below 0xffffffff80000000. Link"),
    (b"", "The file is shorter than an ELF header."),
    (elf()[:-1], "segment 0 (r-x, 0xffffffff80000000, 3 bytes): A segment reaches beyond the end of the file."),
])  # fmt: skip
def test_kernel_is_checked_in_the_loader_s_words(tree, kernel, words):
    (tree / "kernel.elf").write_bytes(kernel)
    with pytest.raises(volume.VolumeError) as refusal:
        volume.check(tree, {"kernel": "--kernel mine"})
    assert str(refusal.value).startswith(f"--kernel mine: {words}")


def test_kernel_beyond_the_limit_is_not_read(tree):
    os.truncate(tree / "kernel.elf", (256 << 20) + 1)
    with pytest.raises(volume.VolumeError, match="larger than 256 MiB"):
        volume.check(tree)


@pytest.mark.parametrize("text, words", [
    ("kernel = \\other.elf\n", "the kernel .other.elf is not in"),
    ("kernel = ..\\kernel.elf\n", "The path contains '..'."),
    ("kernel\n", "'kernel': The line is not of the form key = value."),
    ("# a\ntemp_heap = 1X\n", "'temp_heap = 1X': The value is not a number"),
    ("cmdline = a\ncmdline = b\n", "given twice"),
])  # fmt: skip
def test_configuration_is_checked_in_the_loader_s_words(tree, text, words):
    (tree / "handoff.conf").write_text(text, encoding="utf-8")
    with pytest.raises(volume.VolumeError) as refusal:
        volume.check(tree)
    assert words.replace(" .other", " \\other") in str(refusal.value)


def test_kernel_that_is_a_folder_is_refused(tree):
    (tree / "kernel.elf").unlink()
    (tree / "kernel.elf").mkdir()
    with pytest.raises(volume.VolumeError, match="is a folder"):
        volume.check(tree)


def test_empty_configuration_is_the_defaults(tree):
    (tree / "handoff.conf").write_text("", encoding="utf-8")
    volume.check(tree)


def test_the_options_change_the_global_lines_and_keep_the_entries(tmp_path, monkeypatch):
    module = tmp_path / "initrd.img"
    module.write_bytes(b"x")
    esp = tmp_path / "esp"
    (esp / "EFI/BOOT").mkdir(parents=True)
    (esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(b"")
    (esp / "kernel.elf").write_bytes(b"")
    config = "timeout = 3\nentry = a\nkernel = \\a.elf\ncmdline = heap=strict\nentry = b\ncmdline = quiet\n"
    (esp / "handoff.conf").write_text(config, encoding="utf-8")
    monkeypatch.setattr(volume, "ESP", esp)
    tree = tmp_path / "tree"
    volume.compose(tree, "measure", ["colour=on"], "4M", has_menu=True)
    volume.add_modules(tree, [module])
    assert (tree / "handoff.conf").read_text(encoding="utf-8").splitlines() == [
        "timeout = menu", "cmdline = colour=on measure", "temp_heap = 4M", "module = \\module-1\\initrd.img",
        "entry = a", "kernel = \\a.elf", "cmdline = colour=on heap=strict", "entry = b", "cmdline = colour=on quiet",
    ]  # fmt: skip


# --- BUILD -------------------------------------------------------------------------------------------


def test_BUILD_names_the_folder_of_everything(monkeypatch, tmp_path):
    monkeypatch.delenv("BUILD", raising=False)
    assert folders.build_folder() == ROOT / "build"
    assert folders.volume_folder() == ROOT / "esp"
    monkeypatch.setenv("BUILD", str(ROOT / "build"))
    assert folders.volume_folder() == ROOT / "esp"
    monkeypatch.setenv("BUILD", str(tmp_path))
    assert folders.build_folder() == tmp_path
    assert folders.volume_folder() == tmp_path / "esp"
    monkeypatch.setenv("BUILD", "")
    assert folders.build_folder() == ROOT / "build"


@pytest.mark.parametrize("environment, once, is_terminal, colour", [
    ({"TERM": "xterm"}, False, True, True), ({"TERM": "xterm", "NO_COLOR": ""}, False, True, True),
    ({"TERM": "xterm", "NO_COLOR": "1"}, False, True, False), ({"TERM": "dumb"}, False, True, False),
    ({}, False, True, False), ({"TERM": "xterm"}, True, True, False), ({"TERM": "xterm"}, False, False, False)])  # fmt: skip
def test_only_a_terminal_gets_colours(monkeypatch, environment, once, is_terminal, colour):
    import run as runner

    monkeypatch.setattr(runner.sys.stdout, "isatty", lambda: is_terminal, raising=False)
    assert runner.shows_colour(environment, once) == colour
