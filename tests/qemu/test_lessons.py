"""Each lesson in the kernel, on the untouched rest of the temporary heap: unsolved, solved, with mistakes, and with every
fault that a reader's code can cause. The words are those of tests/learn/, which runs the same answers on the host."""

import re
import sys

import pytest

from lab import ROOT, expect_ready

sys.path.insert(0, str(ROOT / "tests/learn"))

from answers import EXERCISES, FAULTS, MISTAKES, SOLUTIONS, answers_in, expect_solved, expect_wrong  # noqa: E402

# The kernel learns of these in ways of its own: from two handlers, two exceptions, and its timer.
FAULTS_OF_THE_KERNEL = ("before-start", "recursion", "large-array", "divide", "no-address", "endless-loop")
SOLUTION = answers_in(SOLUTIONS)[0]


def boot_lesson(lab, answer, **settings):
    """Boot to the end: whatever the answer does, the kernel gets ready. Return the lesson's lines and the verdict."""
    verdict = expect_ready(lab.case(kernel=answer.results / "kernel.elf", command_line=f"lesson={answer.number}",
                                    **settings))  # fmt: skip
    return re.findall(r"^\[lesson\] (.*?)\r?$", verdict.serial, re.MULTILINE), verdict


def name_of(answer):
    return answer.name


@pytest.mark.parametrize("answer", answers_in(EXERCISES), ids=name_of)
def test_an_exercise_is_unsolved_at_first(lab, answer):
    if answer.is_edited():
        pytest.skip(f"{answer.path.name} was edited: it need not be unsolved")
    expect_wrong(answer, boot_lesson(lab, answer)[0])


@pytest.mark.parametrize("answer", answers_in(SOLUTIONS), ids=name_of)
def test_a_solution_solves_its_lesson(lab, answer):
    expect_solved(answer, boot_lesson(lab, answer)[0])


@pytest.mark.parametrize("answer", answers_in(MISTAKES), ids=name_of)
def test_a_mistake_is_explained(lab, answer):
    expect_wrong(answer, boot_lesson(lab, answer)[0])


@pytest.mark.parametrize("answer", [
    pytest.param(answer, id=answer.name,
                 marks=[] if answer.path.parent.name in FAULTS_OF_THE_KERNEL else pytest.mark.full)
    for answer in answers_in(FAULTS)
])  # fmt: skip
def test_a_fault_is_explained_and_the_boot_goes_on(lab, answer):
    lines, verdict = boot_lesson(lab, answer)
    expect_wrong(answer, lines)
    assert "[panic]" not in verdict.serial


def memory_of(lines):
    size, source = re.fullmatch(r"base=0x[0-9a-f]+ size=(\d+) source=(\w+)", lines[0]).groups()
    return int(size), source


def test_the_memory_is_the_untouched_rest_of_the_temporary_heap(lab):
    """And afterwards it becomes free as always."""
    lines, verdict = boot_lesson(lab, SOLUTION)
    size_bytes, source = memory_of(lines)
    returned = int(verdict.has_line(r"\[early-heap\] retired .* returned=(\d+)").group(1))
    assert source == "handoff" and size_bytes == returned * 4096 < 1 << 20


def test_without_a_temporary_heap_the_memory_is_the_fallback_region_s(lab):
    lines, _ = boot_lesson(lab, SOLUTION, temp_heap="40K")
    expect_solved(SOLUTION, lines)
    assert memory_of(lines)[1] == "fallback"


def test_too_little_memory_is_a_warning(lab):
    lines, _ = boot_lesson(lab, SOLUTION, temp_heap="72K")
    assert len(lines) == 1 and re.match(r"warning: the early heap left \d+ bytes, .* temp_heap=1M", lines[0])


@pytest.mark.parametrize("value", ["lesson=99", "lesson=four", "lesson"])
def test_an_unknown_lesson_is_a_warning(lab, value):
    verdict = expect_ready(lab.case(kernel=SOLUTION.results / "kernel.elf", command_line=value))
    assert verdict.has_line(r"\[lesson\] warning: there is no such lesson: write lesson=N")
    assert "verdict=" not in verdict.serial


def test_the_ordinary_kernel_names_the_remedy(lab):
    verdict = expect_ready(lab.case(command_line="lesson=4"))
    assert verdict.has_line(r"\[lesson\] warning: this kernel has no lessons: make lesson N=4 builds one that has them")


def test_the_monitor_runs_a_lesson(lab):
    """On frames that are free, and twice: the first run gives its memory back."""
    answer = next(answer for answer in answers_in(SOLUTIONS) if answer.number == 4)
    verdict = expect_ready(lab.case(kernel=answer.results / "kernel.elf",
                                    command_line='run="lesson 4; lesson 4; heap check; frames"'))  # fmt: skip
    assert len(re.findall(r"^\[lesson\] lesson=4 verdict=solved", verdict.serial, re.MULTILINE)) == 2
    assert " source=frames" in verdict.serial and "all records: sound" in verdict.serial
