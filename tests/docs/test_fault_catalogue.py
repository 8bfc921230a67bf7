"""Check that every case of the fault catalogue has a test with its number in the name (docs/TESTING.md)."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
# The number of cases in each group.
CASES = {"B": 14, "CF": 9, "CM": 8, "E": 23, "ES": 11, "F": 13, "FW": 17, "G": 8, "H": 16, "I": 8, "K": 19, "L": 8, "M": 21, "N": 7,
         "P": 14, "T": 5, "W": 6, "X": 12}  # fmt: skip
# Cases without a test yet.
OPEN = set()
# A test's name, or the first column of a table of cases in tests/qemu.
NAMED = re.compile(r'(?:\bvoid |\bdef )test_((?:[A-Z]{1,2}\d+_)+)|\("((?:[A-Z]{1,2}\d+_?)+)", "')


def cases_with_a_test():
    found = set()
    for path in [*TESTS.glob("unit/*.c"), *TESTS.glob("*/test_*.py")]:
        for names in NAMED.findall(path.read_text(encoding="utf-8")):
            for group, number in re.findall(r"([A-Z]{1,2})(\d+)", "".join(names)):
                found.add(f"{group}{int(number)}")
    return found


@pytest.mark.parametrize("group", CASES)
def test_every_case_has_a_test(group):
    wanted = {f"{group}{number}" for number in range(1, CASES[group] + 1)} - OPEN
    assert wanted <= cases_with_a_test(), sorted(wanted - cases_with_a_test())


def test_no_test_names_a_case_that_does_not_exist():
    known = {f"{group}{number}" for group, last in CASES.items() for number in range(1, last + 1)}
    strangers = {case for case in cases_with_a_test() if re.sub(r"\d", "", case) in CASES} - known
    assert not strangers


def test_open_case_has_no_test():
    assert not OPEN & cases_with_a_test(), "strike it from OPEN"
