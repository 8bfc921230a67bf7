"""Other boot programs start the loader (catalogue CM5, CM6), and the loader starts other EFI applications. It counts the
tries of entries (CM8), and writes EFI variables of the Boot Loader Interface (CM7)."""

import re
import subprocess
from pathlib import Path

import pytest

from lab import (
    BUILD,
    CODE_RETURNED,
    LOADER,
    ROOT,
    TIMEOUT_SECONDS,
    WORDS,
    enrolled,
    expect_ready,
    volume,
)
from test_menu import LIST, Terminal, start
from write_log import LoggingMachine, read_log, states

# A command line with which no boot ends: a test sees at once that the load options were not used.
UNUSED = {"words": [], "command_line": "print-regions"}
OPTIONS = " ".join(WORDS)
FROM_OPTIONS = r"\[loader\] command line: from the load options$"
FROM_FILE = r"\[loader\] command line: from handoff.conf$"
SYSTEMD_BOOT = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
GRUB = Path("/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi")
VERSION = re.escape((ROOT / "VERSION").read_text(encoding="ascii").strip())
ASIDE = "EFI/other/HANDOFF.EFI"


def wide(text):
    return text.encode("utf-16-le")


def boot(lab, options, *plan, **settings):
    return lab.case({"options.bin": options}, plan=["load-options", *plan], **settings)


@pytest.mark.parametrize(
    "options, plan",
    [
        (wide(OPTIONS + "\0"), []),
        (OPTIONS.encode("ascii"), []),
        (wide(f'"fs0:\\my files\\BOOTX64.EFI" {OPTIONS}\0'), ["shell"]),
        (wide(f"bootx64 {OPTIONS}\0"), ["shell"]),
    ],
    ids=["UCS-2", "ASCII", "CM6-path", "CM6-shell"],
)
def test_options_are_the_command_line(lab, options, plan):
    verdict = expect_ready(boot(lab, options, *plan, **UNUSED))
    assert verdict.has_line(FROM_OPTIONS), verdict.serial
    assert "print-regions" not in verdict.serial and "[command-line] warning" not in verdict.serial, verdict.serial


@pytest.mark.parametrize(
    "options, plan, reason",
    [
        (b"WINDOWS\0\1\0\0\0\x88\0\0\0", [], "they are not printable ASCII text"),
        (b"w" * 1024, [], "they are longer than 1023 bytes"),
    ],
    ids=["CM5-binary", "long"],
)
def test_options_that_are_ignored(lab, options, plan, reason):
    verdict = expect_ready(boot(lab, options, *plan))
    assert verdict.has_line(rf"\[loader\] warning: the load options are ignored: {reason}$"), verdict.serial
    assert verdict.has_line(FROM_FILE), verdict.serial


def test_I3_options_are_ignored_while_secure_boot_is_on(lab):
    settings = config(f"cmdline = {OPTIONS}")
    changes = {**settings, **enrolled({**settings, "kernel.elf": (volume.ESP / "kernel.elf").read_bytes()})}
    changes["options.bin"] = wide("print-regions\0")
    verdict = expect_ready(lab.case(changes, plan=["load-options", "secure-boot 1"]))
    assert verdict.has_line(r"\[loader\] warning: the load options are ignored: Secure Boot is on$"), verdict.serial
    assert "print-regions" not in verdict.serial and verdict.has_line(FROM_FILE), verdict.serial


def test_CM6_only_the_program_name(lab):
    verdict = expect_ready(boot(lab, wide("BOOTX64.EFI\0"), "shell"))
    assert verdict.has_line(FROM_FILE), verdict.serial
    assert "are ignored" not in verdict.serial, verdict.serial


def started_by(program, **files):
    """Return the changes of a volume on which another boot program starts the loader."""
    loader = (volume.ESP / LOADER).read_bytes()
    return {LOADER: program, ASIDE: loader, **files}


@pytest.mark.skipif(not SYSTEMD_BOOT.exists(), reason="systemd-boot is not installed")
def test_systemd_boot_gives_options(lab):
    files = {
        "loader/loader.conf": b"timeout 0\n",
        "loader/entries/handoff.conf": f"title Handoff\nefi /{ASIDE}\noptions {OPTIONS}\n".encode("ascii"),
    }
    verdict = expect_ready(lab.case(started_by(SYSTEMD_BOOT.read_bytes(), **files), **UNUSED))
    assert verdict.has_line(FROM_OPTIONS), verdict.serial


@pytest.mark.skipif(not GRUB.exists(), reason="GRUB is not installed")
def test_grub_gives_options(lab):
    files = {"EFI/debian/grub.cfg": f"chainloader /{ASIDE} {OPTIONS}\nboot\n".encode("ascii")}
    verdict = expect_ready(lab.case(started_by(GRUB.read_bytes(), **files), **UNUSED))
    assert verdict.has_line(FROM_OPTIONS), verdict.serial


@pytest.mark.full
def test_CM6_uefi_shell_gives_options(lab):
    """The shell of OVMF, which runs if nothing else starts."""
    script = f"fs0:\n\\{ASIDE} {OPTIONS}\n".replace("/", "\\").encode("ascii")
    verdict = expect_ready(lab.cold({**started_by(None), "startup.nsh": script}, **UNUSED))
    assert verdict.has_line(FROM_OPTIONS), verdict.serial


# --- Entries ---


def config(*lines):
    return {"handoff.conf": "".join(f"{line}\n" for line in lines).encode("ascii")}


def visitor():
    return {"visitor.efi": (BUILD / "qemu/VISITOR.EFI").read_bytes()}


def entry_file(name, *lines):
    return {f"handoff/entries/{name}": "".join(f"{line}\n" for line in lines).encode("ascii")}


def interface(verdict):
    """Return what the loader wrote, as {name: (attributes, text)}."""
    lines = [line.split(" ", 4) for line in verdict.serial.splitlines() if line.startswith("conductor: interface: ")]
    return {name: (int(attributes), text[0] if text else "") for _, _, name, attributes, *text in lines}


def test_an_efi_application_gets_its_options_and_the_interface(lab):
    """The choice for one boot starts it. It reads the variables. Nobody can choose again, so the loader ends."""
    changes = {
        **config("cmdline = unattended", "entry = ours", "entry = visit", "efi = /visitor.efi", "cmdline = hello world"),
        **visitor(),
        "choices.txt": b"LoaderEntryOneShot=visit\nLoaderEntryDefault=ours\n",
    }
    verdict = lab.case(changes, plan=["choices"])
    assert verdict.code == CODE_RETURNED, f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line("conductor: the loader returned 0$"), verdict.serial
    assert verdict.has_line("conductor: pages=0 blocks=0 "), verdict.serial
    assert verdict.has_line(r'visitor: options "hello world\|", volume yes$'), verdict.serial
    for line in (
        rf"LoaderInfo 6 Handoff {VERSION}\|",
        r"LoaderFeatures 6 \x1c\|\|\|",
        r"LoaderDevicePartUUID 6 48414e44-4f46-4600-8000-000000000002\|",
        r"LoaderEntries 6 ours\|visit\|",
        r"LoaderEntrySelected 6 visit\|",
        r"LoaderTimeInitUSec 6 \d+\|",
        r"LoaderTimeExecUSec 6 \d+\|",
        r"LoaderEntryDefault 7 ours\|",
    ):
        assert verdict.has_line(f"visitor: {line}$"), f"{line}\n{verdict.serial}"
    assert "visitor: LoaderEntryOneShot" not in verdict.serial, verdict.serial


def test_CM8_what_cannot_start_is_named_and_the_next_entry_starts(lab):
    changes = {
        **config(f"cmdline = {OPTIONS}", "default = spent", "entry = refused", "efi = \\kernel.elf",
                 "entry = fails", "efi = \\visitor.efi", "cmdline = fail"),
        **visitor(),
        **entry_file("a+3.conf", "title = counted"),
        **entry_file("b.conf", "title = good"),
        **entry_file("spent+0-3.conf", "title = no tries left"),
    }  # fmt: skip
    verdict = expect_ready(lab.case(changes, plan=["rename-fails", "watch-interface"]))
    for entry, error in (
        ("refused", r"HL-23: .* \\kernel.elf\. .*"),
        ("fails", r"HL-32: .* \\visitor.efi\. .*"),
        ("a", r"HL-22: .* \\handoff\\entries\\a\+3.conf to a\+2-1.conf\. .*"),
    ):
        assert verdict.has_line(rf"\[loader\] warning: entry {entry}: {error}$"), verdict.serial
    assert verdict.has_line(r"\[loader\] warning: default names the entry spent, which has no tries left$"), verdict.serial
    assert interface(verdict)["LoaderEntrySelected"] == (6, "b|"), verdict.serial
    assert interface(verdict)["LoaderEntries"] == (6, "refused|fails|a|b|spent|"), verdict.serial
    assert verdict.has_line(r"\[loader\] command line: from the entry$"), verdict.serial


def test_CM7_variables_that_cannot_be_written_are_one_warning(lab):
    """The choices of an operating system still count."""
    changes = {
        **config(f"cmdline = {OPTIONS}", "remember_last = on", "entry = a", "kernel = \\absent", "entry = b"),
        "choices.txt": b"LoaderEntryOneShot=not an ID\nLoaderEntryDefault=b\n",
    }
    verdict = expect_ready(lab.case(changes, plan=["choices", "no-interface"]))
    assert verdict.has_line(r"\[loader\] entry b$"), verdict.serial
    for line in (
        "LoaderInfo is not written: write protected",
        "LoaderEntryOneShot is ignored: it names no entry",
        "LoaderEntryOneShot is not written: write protected",
        "LoaderEntryLastBooted is not written: write protected",
    ):
        assert verdict.has_line(rf"\[loader\] warning: the EFI variable {line}$"), verdict.serial
    assert verdict.serial.count("[loader] warning: ") == 4, verdict.serial


def test_a_boot_without_entries_writes_no_variables(lab):
    verdict = expect_ready(lab.case(plan=["watch-interface"]))
    assert interface(verdict) == {}, verdict.serial


def folder_of(disk):
    """Return the names in the folder of entries, as another system reads them."""
    listed = subprocess.run(["mdir", "-b", "-i", f"{disk}@@1M", "::/handoff/entries"], capture_output=True, text=True,
                            check=True)  # fmt: skip
    return [Path(line.removeprefix("::")).name for line in listed.stdout.split()]


def test_boot_counting_and_power_cuts(lab, monkeypatch):
    """QEMU logs each write. After each of their sectors the power could fail: the name is the old or the new one."""
    changes = {**config(f"cmdline = {OPTIONS}"), **entry_file("new+3-0.conf"), **entry_file("old.conf")}
    disk = lab.case_disk(None, changes, ["watch-interface"])
    before, log = disk.read_bytes(), disk.with_suffix(".log")
    log.touch()
    lab.snapshot(None)
    monkeypatch.setattr(
        lab, "machine", lambda image, **options: LoggingMachine(lab.firmware, image, log=log, **options)
    )
    with lab.restore(disk) as running:
        verdict = expect_ready(running.watch(TIMEOUT_SECONDS))
    assert verdict.has_line(r"\[loader\] new: tries left: 2$"), verdict.serial
    assert interface(verdict)["LoaderBootCountPath"] == (6, "\\handoff\\entries\\new+2-1.conf|"), verdict.serial
    assert sorted(folder_of(disk)) == ["new+2-1.conf", "old.conf"]

    found = set()
    state = disk.with_suffix(".cut")
    for content in states(before, read_log(log)):
        state.write_bytes(content)
        names = folder_of(state)
        names.remove("old.conf")
        found.add(tuple(names))
    assert found == {("new+3-0.conf",), ("new+2-1.conf",)}


def test_an_entry_without_tries_comes_last(lab):
    changes = {
        **config(f"cmdline = {OPTIONS}"),
        **entry_file("a+0-3.conf", "kernel = \\absent"),
        **entry_file("b+1-2.conf"),
    }
    verdict = expect_ready(lab.case(changes, plan=["watch-interface"]))
    assert interface(verdict)["LoaderEntrySelected"] == (6, "b|"), verdict.serial
    assert verdict.has_line(r"\[loader\] b: tries left: 0$"), verdict.serial


MENU = config("timeout = menu", "entry = visit", "title = Visitor", "efi = /visitor.efi", "entry = b")


def test_the_menu_comes_back_after_an_application_and_asks_for_setup(lab):
    """An entry, and then an application by its path. The firmware does not know the second one."""
    with start(lab, {**MENU, **visitor()}, ["no-terminal", "no-keyboard", "watch-interface"]) as running:
        terminal = Terminal(running)
        terminal.expect(rf"^{LIST} \(1 of 2\)$")
        terminal.type(b"\r", r"^Visitor has ended\.$", absent="It starts")
        running.send(b"pkernel.elf\r")
        terminal.expect(r"^HL-23: The firmware does not load the EFI application\. \\kernel\.elf\. ")
        running.send(b"pvisitor.efi\r")
        assert running.wait_for(r'^visitor: options "", volume yes', TIMEOUT_SECONDS), running.serial
        terminal.expect(rf"^{LIST} \(1 of 2\)$", absent="HL-23")
        running.send(b"s")
        verdict = running.watch(TIMEOUT_SECONDS)
        assert running.monitor.shutdown_reason == "guest-reset", verdict.sentence
    assert "conductor: interface: OsIndications 7 " in verdict.serial, verdict.serial


@pytest.mark.parametrize("key, reason", [(b"r", "guest-reset"), (b"o", "guest-shutdown")])
def test_the_menu_resets_and_switches_off(lab, key, reason):
    with start(lab, MENU, ["no-terminal", "no-keyboard"]) as running:
        Terminal(running).expect(rf"^{LIST} \(1 of 2\)$")
        running.send(key)
        running.watch(TIMEOUT_SECONDS)
        assert running.monitor.shutdown_reason == reason
