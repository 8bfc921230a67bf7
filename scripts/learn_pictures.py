"""Draw the pictures of docs/learn: states of a heap in real runs of a lesson.

A marker names the lesson and its steps: `lesson 4 step 5`, `lesson 4 steps 2 to 6`, `lesson 4 steps 2 4 6`. The
solution runs. `FOLDER=DIR` behind the lesson's number names other answers.
"""

import json
import re
import sys
from dataclasses import dataclass

import learn_outputs
from learn_outputs import ROOT, OutputError

sys.path[:0] = [str(ROOT / "host/lessons"), str(ROOT / "host/simulator")]
import heap_svg  # noqa: E402

MARKER = re.compile(r"lesson ([1-9]\d?)(?: FOLDER=(\S+))? (?:step (\d+)|steps (\d+) to (\d+)|steps ((?:\d+ )+\d+))")


@dataclass(frozen=True)
class Picture:
    """The picture that a marker names."""

    lesson: int
    folder: str
    steps: tuple
    name: str

    def command(self):
        return ["make", "lesson", f"N={self.lesson}", f"FOLDER={self.folder}" if self.folder else "SOLUTION=1"]

    def draw(self):
        """Return the text of the SVG."""
        last = {}
        for line in learn_outputs.states_of_lesson(self.command()).splitlines():
            state = json.loads(line)
            last[state["step"]] = state
        missing = [step for step in self.steps if step not in last]
        if missing:
            raise OutputError(f"lesson {self.lesson} draws no heap in step {missing[0]}")
        return heap_svg.draw([last[step] for step in self.steps])


def picture_of(text):
    """Return the picture of a marker's text."""
    found = MARKER.fullmatch(text)
    if not found:
        raise OutputError(f"{text!r} names no picture: write lesson N step S, or lesson N steps S to S")
    lesson, folder, step, first, last, listed = found.groups()
    if step:
        steps, words = (int(step),), f"step-{int(step)}"
    elif listed:
        steps = tuple(map(int, listed.split()))
        words = "steps-" + "-".join(map(str, steps))
    else:
        steps, words = tuple(range(int(first), int(last) + 1)), f"steps-{int(first)}-to-{int(last)}"
    if not steps or list(steps) != sorted(set(steps)):
        raise OutputError(f"{text!r}: the steps are not in order")
    short = (folder or "").removeprefix("tests/learn/").removeprefix("docs/learn/")
    place = re.sub(r"\W+", "-", f"-{short}") if short else ""
    return Picture(int(lesson), folder or "", steps, f"lesson-{int(lesson):02}{place}-{words}.svg")
