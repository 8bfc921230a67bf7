"""The answers to the lessons that the tests run, and the words that a lesson has to say about each.

tests/learn/test_lessons.py runs them on this machine, tests/qemu/test_lessons.py in the kernel. The lists contain the
files that are there.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)

EXERCISES = ROOT / "docs/learn/exercises"
SOLUTIONS = ROOT / "docs/learn/solutions"
MISTAKES = ROOT / "tests/learn/mistakes"
FAULTS = ROOT / "tests/learn/faults"
UNSOLVED = ROOT / "tests/learn/unsolved"
VERDICT = re.compile(r"lesson=(\d+) verdict=(\w+) steps=\d+")


@dataclass(frozen=True)
class Answer:
    """A file with an answer."""

    path: Path

    @property
    def number(self):
        return int(self.path.stem.removeprefix("lesson_"))

    @property
    def name(self):
        return f"{self.path.parent.name}-{self.number:02d}"

    @property
    def results(self):
        """Return the folder with the kernel and the program of the file's folder."""
        name = self.path.parent.relative_to(ROOT).as_posix()
        name = name.removeprefix("docs/learn/").removeprefix("tests/learn/").replace("/", "-")
        return folders.build_folder() / "lessons" / name

    @property
    def words(self):
        """Return a part of the line "wrong: …" that the lesson has to print."""
        if self.path.is_relative_to(EXERCISES):
            return (UNSOLVED / f"{self.path.stem}.txt").read_text(encoding="utf-8").strip()
        first = self.path.read_text(encoding="utf-8").split("\n", 1)[0]
        return re.fullmatch(r"/\* wrong: (.+) \*/", first).group(1)

    def is_edited(self):
        """Return whether somebody has changed the file since the last commit."""
        process = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", str(self.path)], cwd=ROOT,
                                 stderr=subprocess.DEVNULL, check=False)  # fmt: skip
        return process.returncode == 1


def answers_in(folder):
    return [Answer(path) for path in sorted(folder.rglob("lesson_*.c"))]


def expect_solved(answer, lines):
    assert verdict_of(lines) == (answer.number, "solved"), "\n".join(lines)
    assert not [line for line in lines if line.startswith(("wrong:", "hint:", "  note:"))], "\n".join(lines)


def expect_wrong(answer, lines):
    """The lesson is not solved, it says why in the line that is expected, and then only hints."""
    assert verdict_of(lines) == (answer.number, "unsolved"), "\n".join(lines)
    wrong = [line for line in lines if line.startswith("wrong: ")]
    assert len(wrong) == 1 and answer.words in wrong[0], "\n".join([answer.words, *lines])


def verdict_of(lines):
    """Return the number and the verdict in the last line."""
    match = VERDICT.fullmatch(lines[-1]) if lines else None
    assert match, "\n".join(["no verdict", *lines])
    return int(match.group(1)), match.group(2)
