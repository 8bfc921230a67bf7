"""The library is freestanding, and the document's example does what the document says."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = ROOT / "build/host/libhandoffheap.a"
DOCUMENT = ROOT / "docs/HEAP-LIBRARY.md"
MAY_BE_NEEDED = {"memcpy", "memset", "memmove", "memcmp"}


def symbols(*options):
    output = subprocess.run(["llvm-nm", *options, ARCHIVE], stdout=subprocess.PIPE, text=True,
                            check=True).stdout  # fmt: skip
    return set(re.findall(r"^[\s0-9a-f]*[A-Za-z] (\w+)$", output, re.M))


def test_library_needs_nothing_but_memory_functions():
    defined = symbols("--defined-only")
    assert {"heap_initialise", "heap_policy_fast", "heap_policy_bump"} <= defined
    assert symbols("--undefined-only") - defined <= MAY_BE_NEEDED


def test_example_of_the_document(tmp_path):
    text = DOCUMENT.read_text(encoding="utf-8")
    (code,) = re.findall(r"^```c\n(.*?)^```", text, re.M | re.S)
    (printed,) = re.findall(r"^prints\n\n```\n(.*?)^```", text, re.M | re.S)
    source = tmp_path / "example.c"
    source.write_text(code)
    # The tree itself must not be needed: it is compiled elsewhere, with the library's headers alone.
    subprocess.run(["clang", "-std=c17", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "build/host/include",
                    source, ARCHIVE, "-o", "example"], cwd=tmp_path, check=True)  # fmt: skip
    output = subprocess.run([tmp_path / "example"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert output == printed
