"""Compare docs/ERRORS.md with the loader's table of errors and with the texts of its warnings."""

import re
import subprocess
import sys

import pytest

from test_documents import ROOT, enumeration, read, section, table_rows

sys.path.insert(0, str(ROOT / "scripts"))

import error_page  # noqa: E402 (the path is set just above)
import folders  # noqa: E402


@pytest.fixture(scope="module", name="program")
def build_program():
    """Return the program that prints texts of the loader: its own code."""
    program = folders.build_folder() / "check_boot/check_boot"
    subprocess.run(["make", "-s", str(program)], cwd=ROOT, check=True)
    return program


@pytest.fixture(scope="module")
def errors(program):
    """Return {number: (cause, remedy)}."""
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


def test_every_rule_for_a_kernel_s_file_is_in_the_document(program, errors):
    printed = subprocess.run([program, "rules"], capture_output=True, text=True, check=True).stdout
    rules = [line.split("\t") for line in printed.splitlines()]
    general = errors["HL-11"][1]
    expected = [[sentence, "–" if remedy == general else remedy] for sentence, remedy in rules]
    assert table_rows(section(read("docs/ERRORS.md"), "Rules for a kernel's file")) == expected
