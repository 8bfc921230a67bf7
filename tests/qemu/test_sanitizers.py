"""Kernels that check themselves: `make UBSAN=1` and `make KASAN=1`. They boot with every optional word of the command
line, and name the undefined behaviour and the wrong accesses of the provocations."""

import pytest

from lab import BUILD, expect_panic, expect_ready

UBSAN = BUILD / "ubsan/kernel.elf"
KASAN = BUILD / "kasan/kernel.elf"
UNDEFINED = [
    ("undefined-shift", "2147483647 shifted by 40 bits is undefined for 'int32_t'"),
    ("undefined-sum", "2147483647 + 1 does not fit 'int'"),
    ("undefined-index", "index 7 is not in "),
    ("undefined-null", "load of a null pointer as "),
    ("undefined-alignment", "load of a misaligned pointer as "),
    ("undefined-division", "2147483647 / 0 does not fit 'int'"),
    ("undefined-bool", "2 is not a value of "),
    ("undefined-pointer", "the pointer 0xffffffffffffffff plus an offset wraps to 0x6"),
    ("undefined-difference", "-2147483648 - 1 does not fit 'int'"),
    ("undefined-product", "2147483647 * 2 does not fit 'int'"),
    ("undefined-negation", "-(-2147483648) does not fit 'int32_t'"),
    ("undefined-quotient", "-2147483648 / -1 does not fit 'int'"),
    ("undefined-object", "load of an object that is too small as "),
    ("undefined-unreachable", "unreachable code was reached"),
    ("undefined-array", "an array of -2147483648 elements"),
    ("undefined-argument", "a null pointer for an argument that must not be null"),
    ("undefined-result", "a null pointer from a function that must not return null"),
    ("undefined-count", "a count of leading or trailing zeros of the value 0"),
    ("undefined-assumption", "0x7 is not aligned, but the code promises an alignment of 16"),
]
BAD_ACCESSES = [
    ("access-read-behind", r"read of 1 bytes at \w+, by \w+: byte 1 behind a block"),
    ("access-write-behind", r"write of 1 bytes at \w+, by \w+: byte 1 behind a block"),
    ("access-write-before", r"write of 1 bytes at \w+, by \w+: (no block is there|byte|in a block)"),
    ("access-read-freed", r"read of 1 bytes at \w+, by \w+: in a block that was freed"),
    ("access-copy-behind", r"write of 32 bytes at \w+, by \w+: byte 1 behind a block"),
]


@pytest.mark.parametrize("kernel, policy, debug", [
    (UBSAN, "fast", True), (UBSAN, "best-fit", True), (KASAN, "fast", False),
    pytest.param(KASAN, "first-fit", True, marks=pytest.mark.full), (KASAN, "bump", True),
], ids=lambda value: value.parent.name if hasattr(value, "parent") else str(value))  # fmt: skip
def test_boots_without_a_finding(lab, kernel, policy, debug):
    """With heap_debug=on, every policy names the holder of a leak."""
    words = f"once self-test=interrupts print-heap print-leaks heap={policy}"
    words += " print-map print-memory measure" if policy == "fast" else ""  # equal under every policy
    words += " heap_debug=on provoke=heap-leak" if debug else ""
    verdict = expect_ready(lab.case(command_line=words, kernel=kernel))
    assert policy == "bump" or verdict.has_line(r"\[interrupts\] operations=\d+ .* check=passed")
    if debug:
        assert verdict.has_line(r"\[leak\] blocks=3 bytes=\d+ caller=0xf\w+ function=leak_block\+0x")
    assert verdict.has_line(rf"\[leak\] sites={int(debug)} others_blocks=0 others_bytes=0$")


@pytest.mark.parametrize("name, words", UNDEFINED)
def test_planted_undefined_behaviour_is_named(lab, name, words):
    verdict = expect_panic(lab.case(command_line=f"provoke={name}", kernel=UBSAN), "UNDEFINED")
    assert words in verdict.serial
    assert "kernel/diagnostics/sanitizer/undefined_provoke.c:" in verdict.serial


@pytest.mark.parametrize("name, words", BAD_ACCESSES)
def test_planted_bad_access_is_named(lab, name, words):
    verdict = expect_panic(lab.case(command_line=f"provoke={name}", kernel=KASAN), "BAD_ACCESS")
    assert verdict.has_line(r"\[panic\] cause: " + words)
    assert verdict.has_line(rf"\[panic\] accessed by 0x\w+ {name.split('-')[1]}_\w+\+0x"), verdict.serial


def test_plain_kernel_has_none_of_this(lab):
    verdict = expect_ready(lab.case(command_line="once provoke=undefined-shift"))
    assert verdict.has_line(r'\[provoke\] warning: "undefined-shift" is not a name')
