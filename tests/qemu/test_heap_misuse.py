"""Every misuse of kmalloc() in a running kernel, under every policy that can detect it (fault catalogue K4 to
K9). Each has its own panic, with the block, its size and the call site that freed it.
tests/unit/test_heap_policies.c has the same for all sizes and offsets."""

import re

import pytest

from lab import NO_SAMPLES, expect_panic

POLICIES = ["fast", "first-fit", "best-fit", "bump"]
BLOCK_BYTES = 64  # kernel/diagnostics/provoke_heap.c
REPORT = re.compile(
    r"^\[panic\] cause: (?P<kind>[a-z ]+): [^;]+; pointer (?P<pointer>0x\w+)"
    r"(?:, (?:freed )?block (?P<block>0x\w+) of (?P<size>\d+) bytes)?", re.MULTILINE)  # fmt: skip
MISUSES = [
    # case, name, code, kind; the known facts about the block
    ("K4", "heap-double-free", "HEAP_DOUBLE_FREE", "double free", 0),
    ("K4", "heap-double-free-later", "HEAP_DOUBLE_FREE", "double free", 0),
    ("K5", "heap-bad-pointer", "HEAP_BAD_POINTER", "bad pointer", 16),
    ("K5", "heap-unaligned-pointer", "HEAP_BAD_POINTER", "bad pointer", 1),
    ("K6", "heap-early-pointer", "HEAP_BAD_POINTER", "bad pointer", "nothing"),
    ("K7", "heap-foreign-pointer", "HEAP_BAD_POINTER", "bad pointer", "nothing"),
    ("K8", "heap-overrun", "HEAP_OVERRUN", "overrun", 0),
    ("K8", "heap-overrun-8", "HEAP_OVERRUN", "overrun", 0),
    # The overwritten header had the size.
    ("K8", "heap-underrun", "HEAP_OVERRUN", "overrun", "pointer"),
    ("K8", "heap-underrun-8", "HEAP_OVERRUN", "overrun", "pointer"),
    ("K9", "heap-smashed-link", "HEAP_CORRUPT", "corrupt", "pointer"),
    ("K", "heap-free-order", "HEAP_BAD_POINTER", "bad pointer", 0),
]
# A bump heap has no list of free blocks; the others free in any order.
ROWS = [row[1:] + (policy,) for policy in POLICIES for row in MISUSES
        if (policy != "bump" or row[1] != "heap-smashed-link")
        and (policy == "bump" or row[1] != "heap-free-order")]  # fmt: skip


def caller(verdict, role):
    """Return the code address that the panic names in this role."""
    found = re.search(rf"^\[panic\].*\b{role} (0x\w+)", verdict.serial, re.MULTILINE)
    assert found, verdict.serial
    return int(found.group(1), 16)


@pytest.mark.parametrize("name, code, kind, known, policy", ROWS,
                         ids=[f"{row[-1]}-{row[0]}" for row in ROWS])  # fmt: skip
def test_misuse_is_named(lab, name, code, kind, known, policy):
    verdict = expect_panic(lab.case(command_line=f"provoke={name} heap={policy} {NO_SAMPLES}"), code)
    assert f"policy={policy} " in verdict.serial
    report = REPORT.search(verdict.serial)
    assert report and report["kind"] == kind, verdict.serial
    # The caller of kfree() is one of the functions of the backtrace.
    found_by = caller(verdict, "found by")
    assert verdict.has_line(rf"\[panic\] #\d+ {found_by:#x} \w+\+0x"), verdict.serial
    pointer = int(report["pointer"], 16)
    if known == "nothing":
        assert report["block"] is None
    elif known != "pointer":
        assert pointer - int(report["block"], 16) == known
        assert int(report["size"]) == BLOCK_BYTES
        if policy == "best-fit":  # the one that records callers
            assert caller(verdict, "allocated by") >> 63 == 1


# name, words, code, cause, whether it was freed. A layer above the policy makes no difference.
GUARDED = [
    ("heap-large-overrun", NO_SAMPLES, "HEAP_GUARD",
     r"write to 0x\w+: 1 byte behind the block of 131072 bytes", False),
    ("heap-large-underrun", f"{NO_SAMPLES} heap_debug=on", "HEAP_GUARD",
     r"write to 0x\w+: 1 byte before the block of 131072 bytes", False),
    ("heap-large-after-free", f"{NO_SAMPLES} heap_debug=on", "HEAP_GUARD",
     r"write to 0x\w+: 1000 bytes into a freed block of 131072 bytes", True),
    ("heap-large-double-free", f"{NO_SAMPLES} heap=best-fit", "HEAP_DOUBLE_FREE",
     r"double free: the block is already free; pointer (0x\w+), freed block \1 of 131072 bytes", True),
    ("heap-large-beside", f"{NO_SAMPLES} heap=first-fit", "HEAP_OVERRUN",
     r"overrun: the bytes behind the block were overwritten; .*, block 0x\w+ of 131073 bytes", False),
    ("heap-sample-overrun", "heap_sample=1 heap_debug=on", "HEAP_GUARD",
     r"write to 0x\w+: 1 byte behind the block of 64 bytes", False),
    ("heap-sample-after-free", "heap_sample=1", "HEAP_GUARD",
     r"write to 0x\w+: 0 bytes into a freed block of 64 bytes", True),
]  # fmt: skip


@pytest.mark.parametrize("name, words, code, cause, freed", GUARDED, ids=[row[0] for row in GUARDED])
def test_misuse_of_a_guarded_block_is_named(lab, name, words, code, cause, freed):
    verdict = expect_panic(lab.case(command_line=f"provoke={name} {words}"), code)
    assert verdict.has_line(rf"\[panic\] cause: {cause}"), verdict.serial
    function = name.removeprefix("heap-").replace("large", "guarded").replace("-", "_")
    assert verdict.has_line(rf"\[panic\] allocated by 0x\w+ {function}\+0x"), verdict.serial
    assert bool(verdict.has_line(rf"\[panic\] freed by 0x\w+ {function}\+0x")) == freed
