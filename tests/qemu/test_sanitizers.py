"""A kernel that checks itself: `make UBSAN=1`. It boots with everything that is on request switched on,
and names undefined behaviour that was planted."""

import pytest

from lab import ROOT, expect_panic, expect_ready

KERNEL = ROOT / "build/ubsan/kernel.elf"
PLANTED = [
    ("undefined-shift", "2147483647 shifted by 40 bits"),
    ("undefined-sum", "2147483647 + 1 does not fit 'int'"),
    ("undefined-index", "index 7 is not in "),
    ("undefined-null", "load of a null pointer as "),
    ("undefined-alignment", "load of a misaligned pointer as "),
    ("undefined-division", "2147483647 / 0 does not fit 'int'"),
]


@pytest.mark.parametrize("policy", ["fast", "best-fit", "first-fit", "bump"])
def test_boots_without_undefined_behaviour(lab, policy):
    words = f"once self-test=interrupts print-map print-heap print-memory measure heap={policy}"
    verdict = expect_ready(lab.case(command_line=words, kernel=KERNEL))
    assert policy == "bump" or verdict.has_line(r"\[interrupts\] operations=\d+ .* check=passed")


@pytest.mark.parametrize("name, words", PLANTED)
def test_planted_undefined_behaviour_is_named(lab, name, words):
    verdict = expect_panic(lab.case(command_line=f"provoke={name}", kernel=KERNEL), "UNDEFINED")
    assert words in verdict.serial
    assert "kernel/sanitizer/undefined_provoke.c:" in verdict.serial


def test_plain_kernel_has_none_of_this(lab):
    verdict = expect_ready(lab.case(command_line="once provoke=undefined-shift"))
    assert verdict.has_line(r'\[provoke\] warning: "undefined-shift" is not a name')
