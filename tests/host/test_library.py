"""The library is freestanding and portable, and the example of the document prints the stated result."""

import re
import subprocess
from pathlib import Path

import pytest

import folders

ROOT = Path(__file__).resolve().parents[2]
HOST = folders.build_folder() / "host"
ARCHIVE = HOST / "libhandoffheap.a"
DOCUMENT = ROOT / "docs/HEAP-LIBRARY.md"
TARGETS = ["aarch64-none-elf", "riscv64-none-elf", "powerpc64-none-elf"]
MAY_BE_NEEDED = {"memcpy", "memset", "memmove", "memcmp"}


def symbols(archive, *options):
    output = subprocess.run(["llvm-nm", *options, archive], stdout=subprocess.PIPE, text=True,
                            check=True).stdout  # fmt: skip
    return set(re.findall(r"^[\s0-9a-f]*[A-Za-z] (\w+)$", output, re.M))


@pytest.mark.parametrize("archive", [ARCHIVE, *(HOST / "targets" / f"{target}.a" for target in TARGETS)],
                         ids=lambda path: path.stem)  # fmt: skip
def test_library_needs_nothing_but_memory_functions(archive):
    defined = symbols(archive, "--defined-only")
    assert {"heap_initialise", "heap_policy_fast", "heap_policy_bump"} <= defined
    assert symbols(archive, "--undefined-only") - defined <= MAY_BE_NEEDED


@pytest.mark.parametrize("target", ["i386-none-elf", "arm-none-eabi"])
def test_32_bit_targets_are_refused_in_words(target):
    compiled = subprocess.run(["clang", f"--target={target}", "-std=c17", "-ffreestanding", "-fsyntax-only", "-I.",
                               "kernel/mm/heap/heap.c"], cwd=ROOT, capture_output=True, text=True, check=False)  # fmt: skip
    assert compiled.returncode != 0
    assert "the heap is for 64-bit targets" in compiled.stderr


def test_example_of_the_document(tmp_path):
    text = DOCUMENT.read_text(encoding="utf-8")
    (code,) = re.findall(r"^```c\n(.*?)^```", text, re.M | re.S)
    (printed,) = re.findall(r"^prints\n\n```\n(.*?)^```", text, re.M | re.S)
    source = tmp_path / "example.c"
    source.write_text(code)
    # Compile in another folder, with only the library's headers: the source tree must not be needed.
    subprocess.run(["clang", "-std=c17", "-Wall", "-Wextra", "-Werror", "-I", HOST / "include",
                    source, ARCHIVE, "-o", "example"], cwd=tmp_path, check=True)  # fmt: skip
    output = subprocess.run([tmp_path / "example"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert output == printed
