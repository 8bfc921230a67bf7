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


def test_headers_are_public_and_compile_without_others(tmp_path):
    """Each public header compiles without other headers, from the library's folder and from the tree's folder. No
    other header is installed."""
    tree = ROOT / "kernel/mm/heap/include/handoff"
    names = sorted(path.name for path in tree.iterdir())
    assert sorted(str(path.relative_to(HOST / "include")) for path in (HOST / "include").rglob("*.h")) == [
        f"handoff/{name}" for name in names]  # fmt: skip
    for folder in (HOST / "include", tree.parent):
        for name in names:
            source = tmp_path / "alone.c"
            source.write_text(f"#include <handoff/{name}>\n")
            subprocess.run(["clang", "-std=c17", "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                            "-I", folder, source], cwd=tmp_path, check=True)  # fmt: skip


USER_OF_ONE_POLICY = """
#include <handoff/heap_%(policy)s.h>
static _Alignas(16) unsigned char memory[65536];
static struct heap_%(policy)s_storage storage;
static void fault(void *context, const struct heap_fault *found) { (void)context; (void)found; }
int main(void)
{
    struct heap *heap;
    const struct heap_configuration configuration = {
        .policy = &heap_policy_%(policy)s, .storage = &storage, .storage_bytes = sizeof storage, .base = memory,
        .initial_bytes = sizeof memory, .limit_bytes = sizeof memory, .fault = fault};
    if (heap_initialise(&configuration, &heap) != HEAP_OK)
        return 1;
    heap_free(heap, heap_allocate(heap, 100, HEAP_CALLER), HEAP_CALLER);
    return heap_check(heap) != 0;
}
"""
POLICIES = ["bump", "first_fit", "best_fit", "fast"]


@pytest.mark.parametrize("policy", POLICIES)
def test_user_of_one_policy_links_no_other(policy, tmp_path):
    source = tmp_path / "user.c"
    source.write_text(USER_OF_ONE_POLICY % {"policy": policy})
    subprocess.run(["clang", "-std=c17", "-Wall", "-Wextra", "-Werror", "-I", HOST / "include", source, ARCHIVE,
                    "-o", "user"], cwd=tmp_path, check=True)  # fmt: skip
    subprocess.run([tmp_path / "user"], check=True)
    linked = symbols(tmp_path / "user", "--defined-only")
    others = [name for name in POLICIES if name != policy]
    assert f"heap_policy_{policy}" in linked
    assert not [name for name in linked if re.match(rf"(heap_policy_|_?)({'|'.join(others)}|heap_debug|guarded)_?", name)]


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
