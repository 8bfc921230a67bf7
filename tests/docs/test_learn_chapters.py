"""The chapters of docs/learn are complete, and each leads to the next one."""

import re
from pathlib import Path

import pytest

LEARN = Path(__file__).resolve().parents[2] / "docs/learn"
CHAPTERS = [
    "01-what-firmware-leaves.md", "02-the-handoff.md", "03-what-a-heap-is.md", "04-the-bump-heap.md",
    "05-alignment.md", "06-out-of-memory.md", "07-why-free-is-hard.md", "08-statistics.md", "09-frames.md",
    "10-page-tables.md", "11-policies.md", "12-bugs-on-purpose.md",
]  # fmt: skip
OTHERS = ["README.md", "checklist.md", "teachers.md", "words.md"]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", CHAPTERS + OTHERS)
def test_chapter_is_there(name):
    assert (LEARN / name).is_file()


def test_there_is_no_other_chapter():
    assert {path.name for path in LEARN.glob("*.md")} == set(CHAPTERS + OTHERS)


@pytest.mark.parametrize("name, following", zip(CHAPTERS, [*CHAPTERS[1:], "checklist.md"]))
def test_chapter_ends_with_a_link_to_the_next_one(name, following):
    last = (LEARN / name).read_text(encoding="utf-8").rstrip().split("\n\n")[-1]
    assert following in LINK.findall(last), last


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapter_says_what_the_reader_knows_now(name):
    text = (LEARN / name).read_text(encoding="utf-8")
    assert "## What you know now" in text
    assert f"({name})" in (LEARN / "README.md").read_text(encoding="utf-8")
