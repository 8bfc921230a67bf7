"""Compare docs/ERRORS.md with the loader's table of errors and with the texts of its warnings."""

import re
import subprocess
import sys

import pytest

from test_documents import ROOT, enumeration, read

sys.path.insert(0, str(ROOT / "scripts"))

import error_page  # noqa: E402 (the path is set just above)
import folders  # noqa: E402


@pytest.fixture(scope="module")
def errors():
    """Return {number: (cause, remedy)}: the loader's own code prints them."""
    program = folders.build_folder() / "check_boot/check_boot"
    subprocess.run(["make", "-s", str(program)], cwd=ROOT, check=True)
    return error_page.read_errors(program)


def page():
    return error_page.read_page(read("docs/ERRORS.md"))


def test_every_number_has_its_sentences(errors):
    numbers = enumeration("bootloader/pure/error.h", "LOADER_ERROR_").values()
    assert sorted(errors) == sorted(f"HL-{number:02d}" for number in numbers)
    assert len(set(numbers)) == len(numbers), "no number has two meanings"


def test_every_error_is_in_the_document(errors):
    sections, _ = page()
    assert list(sections) == sorted(errors), "run make errors, and write the meanings"
    for number, parts in sections.items():
        assert (parts["Cause"], parts["Remedy"]) == errors[number], f"{number}: run make errors"
        assert set(parts) == {"Cause", *error_page.PARTS}
        assert error_page.TODO not in parts.values(), f"{number}: write the text"
        assert re.search(r"\b[A-Z]{1,2}\d+\b", parts["Catalogue"]), number


def test_every_warning_of_the_loader_is_in_the_document():
    texts = error_page.read_warnings()
    assert error_page.count_warnings() == len(texts), "a warning has no constant text, or stands twice"
    _, meanings = page()
    assert list(meanings) == texts, "run make errors, and write the meanings"
    assert error_page.TODO not in meanings.values()


def test_a_new_error_and_a_new_warning_are_noticed(errors):
    """The script adds a section for them, without losing a word that was written by hand."""
    text = read("docs/ERRORS.md")
    new = error_page.write_page(text, {**errors, "HL-99": ("A cause.", "A remedy.")},
                                [*error_page.read_warnings(), "a new warning of … words"])  # fmt: skip
    sections, meanings = error_page.read_page(new)
    assert sections.pop("HL-99")["Meaning"] == error_page.TODO
    assert meanings.pop("a new warning of … words") == error_page.TODO
    assert (sections, meanings) == page()
    assert error_page.write_page(text, errors, error_page.read_warnings()) == text
