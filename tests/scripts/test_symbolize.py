"""Test scripts/symbolize.sh with the kernel of the build: clean addresses, typed reports, and other builds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)

KERNEL = folders.build_folder() / "kernel.debug.elf"
NULL_WRITE = re.compile(r"^(0x[0-9a-f]+) write_at kernel/diagnostics/provoke\.c:\d+\n"
                        r"    inlined into null_write\+0x4 kernel/diagnostics/provoke\.c:\d+$", re.MULTILINE)  # fmt: skip


def symbolize(*words, text=""):
    return subprocess.run([ROOT / "scripts/symbolize.sh", *words], input=text, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def functions():
    """The addresses of the kernel's functions by name, in order."""
    listed = subprocess.run(["llvm-nm", "--numeric-sort", KERNEL], capture_output=True, text=True, check=True).stdout
    return {name: int(address, 16) for address, kind, name in map(str.split, listed.splitlines()) if kind in "tT"}


def build_id():
    notes = subprocess.run(["llvm-readelf", "--notes", KERNEL], capture_output=True, text=True, check=True).stdout
    return re.search(r"Build ID: ([0-9a-f]{16})$", notes, re.MULTILINE).group(1)


def test_address_with_an_inlined_function(functions):
    done = symbolize(f"{functions['null_write'] + 4:#x}")
    assert done.returncode == 0 and NULL_WRITE.search(done.stdout), done.stdout + done.stderr


def test_addresses_behind_calls(functions):
    """The last instruction of this function is a call. So the address behind it lies in the next function."""
    names = list(functions)
    behind = f"{functions[names[names.index('early_panic') + 1]]:#x}"
    for words, text in ((["--callers", behind], ""), ([], f"#0 {behind}\n"), ([], f"freed by {behind}\n")):
        done = symbolize(*words, text=text)
        assert done.stdout.startswith(f"{behind} early_panic+0x"), done.stdout + done.stderr
    assert "early_panic" not in symbolize(behind).stdout


def mistyped(address):
    """What a person may type for it."""
    digits = f"{address:x}"
    letters = digits[8:].replace("0", "O").replace("1", "l").replace("5", "S")
    return [f"0x{digits}", f"OxFFFFFFFF{letters}", f"0x{digits[4:]}", f"0xffff{digits}", f"{digits.upper()}"]


def test_typed_addresses(functions):
    address = functions["null_write"] + 4
    for word in mistyped(address):
        done = symbolize(text=f"Where  {word}  what I cannot read\n")
        found = NULL_WRITE.search(done.stdout)
        assert found and int(found.group(1), 16) == address, f"{word}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("place", ["null_write+0x4", "nul_write+Ox4", "null write+0x4 null_write+0x4"])
def test_function_counts_more_than_a_wrong_address(functions, place):
    wrong = functions["boot_ready"] + 8
    done = symbolize(text=f"[panic] at {wrong:#x} {place} kernel/x.c:1\n")
    assert ("null_write" in done.stdout) == (" " not in place), done.stdout


def test_registers_and_the_log_are_no_places(functions):
    code = f"{functions['kfree']:016x}"
    done = symbolize(text=f"[map] from=0x{code}\n[panic] rax {code}  rbx {code}  cr2 {code}\n[panic] rip {code}  r8  {code}\n")
    assert done.stdout.count("kfree") == 1, done.stdout


def test_other_build_is_said(functions):
    report = f"[panic] at {functions['kfree']:#x} kfree+0x0\n[panic] version=1 build="
    same = symbolize(text=report + build_id() + "\n")
    assert same.returncode == 0 and same.stderr == ""
    typed = symbolize(text=report + build_id().upper().replace("0", "O").replace("1", "l") + "\n")
    assert typed.returncode == 0 and typed.stderr == ""
    other = symbolize(text=report + "0123456789abcdef\n")
    assert other.returncode == 1 and "kfree+0x0" in other.stdout
    assert "is of build 0123456789abcdef" in other.stderr and build_id() in other.stderr


@pytest.mark.parametrize("words, text, sentence", [
    (["0x1000"], "", "0x1000 is no address of this kernel's code"),
    (["kfree"], "", "kfree is no address of this kernel's code"),
    ([], "nothing here\n", "there is no address of this kernel's code in the text"),
    (["--kernel", "missing.elf", "1"], "", "missing.elf is no file"),
    (["--kernel", str(KERNEL.with_name("kernel.elf")), "1"], "", "kernel.elf has no symbols"),
], ids=["foreign", "word", "no-address", "no-file", "no-symbols"])  # fmt: skip
def test_refusals(words, text, sentence):
    done = symbolize(*words, text=text)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("symbolize.sh: ") and sentence in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("slide", [0x1000, 0x1E3A5000])
def test_slide_of_a_pie_is_subtracted(functions, slide):
    """From the report, also with letters that look like digits, or as an option."""
    address = f"{functions['null_write'] + 4 + slide:#x}"
    typed = f"{slide:#x}".replace("0", "O").replace("1", "l")
    for words, text in (([], f"build={build_id()} slide={slide:#x}\nat {address} x\n"),
                        ([], f"slide = {typed}\nat {address} x\n"), (["--slide", f"{slide:x}", address], "")):  # fmt: skip
        done = symbolize(*words, text=text)
        assert done.returncode == 0, done.stderr
        assert NULL_WRITE.search(done.stdout).group(1) == address
