"""Other boot programs start the loader (catalogue CM5, CM6): their options become the command line."""

from pathlib import Path

import pytest

from lab import LOADER, WORDS, expect_ready, volume

# A command line with which no boot ends: a test sees at once that the load options were not used.
UNUSED = {"words": [], "command_line": "print-regions"}
OPTIONS = " ".join(WORDS)
FROM_OPTIONS = r"\[loader\] command line: from load options$"
FROM_FILE = r"\[loader\] command line: from handoff.conf$"
SYSTEMD_BOOT = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
GRUB = Path("/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi")
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
        (wide("print-regions\0"), ["secure-boot 1"], "Secure Boot is on"),
    ],
    ids=["CM5-binary", "long", "I3-secure-boot"],
)
def test_options_that_are_ignored(lab, options, plan, reason):
    verdict = expect_ready(boot(lab, options, *plan))
    assert verdict.has_line(rf"\[loader\] warning: the load options are ignored: {reason}$"), verdict.serial
    assert verdict.has_line(FROM_FILE), verdict.serial


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
