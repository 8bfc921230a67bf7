"""The first kernels of docs/examples: make new-kernel writes them to a new folder, and they boot."""

import os
import re
import subprocess

import pytest

from lab import ROOT

OK = 0x10


def new_kernel(folder, language):
    """Return a new project. Its path has a blank."""
    project = folder / "my kernel"
    subprocess.run(["make", "-s", "-C", ROOT, "new-kernel", f"DIR={project}", f"LANG={language}"], check=True,
                   env=environment())  # fmt: skip
    return project


def environment():
    """Return the environment of a user's shell, without the settings of a make that runs the tests."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def make(project, *words):
    return subprocess.run(["make", "-C", project, *words], env=environment(), capture_output=True, text=True,
                          check=False, timeout=300)  # fmt: skip


def break_kernel(source):
    """Write to the null pointer behind the ready line."""
    text = source.read_text(encoding="utf-8")
    assert "allocate(100)" in text
    source.write_text(text.replace("(uint64_t)allocate(100)", "*(volatile uint8_t *)16 = 1"), encoding="utf-8")


def expect_words(serial):
    lines = [r"conformance: ready", r"Hello from a kernel\.", r"Free memory: KiB \d{6}", r"First heap: KiB 1024",
             r"A block of 100 bytes: 0xffff8000[0-9a-f]{8}", r"conformance: end passed"]  # fmt: skip
    assert re.search("^" + "\n".join(lines) + "$", serial.replace("\r", ""), re.M), serial


@pytest.mark.parametrize("language, settings", [("c", ["CC=gcc"]), ("rust", [])])
def test_first_kernel_boots(lab, tmp_path, language, settings):
    project = new_kernel(tmp_path, language)
    built = make(project, *settings)
    assert built.returncode == 0 and "warning" not in built.stderr, built.stderr
    verdict = lab.case(kernel=project / "kernel.elf")
    assert verdict.code == OK, f"{verdict.sentence}\n{verdict.serial}"
    expect_words(verdict.serial)


def make_pie(project, language):
    """Change a project as docs/YOUR-KERNEL.md says ("A random address")."""
    document = (ROOT / "docs/YOUR-KERNEL.md").read_text(encoding="utf-8").partition("\n## A random address\n")[2]
    files = {"c": "Makefile", "rust": ".cargo/config.toml"}
    rows = re.findall(r"^\| `([\w./]+)` \(\w+\) \| `([^`]+)` \| (?:`([^`]+)`)? ?\|$", document, re.M)
    changes = [(before, after) for file, before, after in rows if file == files[language]]
    lines = re.findall(r"^    (\S.*?) +/\* (.*?) \*/$", document.partition("```text\n")[2], re.M)[:5]
    assert len(changes) >= 2 and len(lines) == 5
    change(project / files[language], changes)
    segment, first, relocations, dynamic, got = (line for line, _ in lines)
    change(project / "kernel.ld", [
        ("    notes PT_NOTE", f"    {segment}\n    notes PT_NOTE"), (". = 0xffffffff80000000;", first),
        (" } :constants\n    . = ALIGN", f" }} :constants\n    {relocations}\n    . = ALIGN"),
        ("    .data :", f"    {dynamic}\n    .data :"), ("    .bss :", f"    {got}\n    .bss :")])  # fmt: skip


def change(path, changes):
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("language, settings", [("c", ["CC=gcc"]), ("rust", [])])
def test_first_kernel_as_pie_boots_at_a_random_address(lab, tmp_path, language, settings):
    project = new_kernel(tmp_path, language)
    make_pie(project, language)
    built = make(project, *settings)
    assert built.returncode == 0 and "warning" not in built.stderr, built.stderr
    verdict = lab.case(kernel=project / "kernel.elf")
    assert verdict.code == OK, f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"kernel at ffffffff\w+: slide ffffffff\w+, \d+ relocations"), verdict.serial
    expect_words(verdict.serial)


def test_first_kernel_runs_by_its_own_makefile(tmp_path):
    """With clang, and without any script of this project."""
    project = new_kernel(tmp_path, "c")
    done = make(project, "run")
    assert done.returncode == 0 and "The kernel ended well." in done.stdout, done.stdout + done.stderr
    expect_words(done.stdout)
    break_kernel(project / "kernel.c")
    broken = make(project, "run")
    assert broken.returncode != 0 and "[loader] fault: #PF" in broken.stdout, broken.stdout
    assert "QEMU ended with the status 87." in broken.stdout, broken.stdout
    (project / "loader/BOOTX64.EFI").unlink()
    missing = make(project, "run")
    assert missing.returncode != 0 and "BOOTX64.EFI is not in: loader" in missing.stdout, missing.stdout


@pytest.mark.parametrize("language", ["c", "rust"])
def test_H4_first_kernel_refuses_a_damaged_handoff(lab, tmp_path, language):
    project = new_kernel(tmp_path, language)
    assert make(project).returncode == 0
    config = {"handoff.conf": b"kernel = \\kernel.elf\ninject = bad-checksum\n",
              "kernel.elf": (project / "kernel.elf").read_bytes()}  # fmt: skip
    verdict = lab.case(config)
    assert verdict.code == OK + 1, f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"conformance: refused \d .*checksum|conformance: refused 1 the handoff is damaged")
