"""Each lesson on this machine, under the sanitizers: unsolved, solved, and with mistakes. And the commands of a reader."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from answers import EXERCISES, FAULTS, MISTAKES, ROOT, SOLUTIONS, UNSOLVED, answers_in, expect_solved, expect_wrong
import folders  # answers.py sets its path

TIMEOUT_SECONDS = 300


def run_program(answer, *options):
    """Run the lesson of an answer. Return the lines and the exit status."""
    command = [ROOT / "scripts/steady.sh", answer.results / "lesson", str(answer.number), *options]
    process = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert process.stderr == "", process.stderr
    return process.stdout.splitlines(), process.returncode


def run_lesson(*words, environment=None):
    """Run scripts/lesson.py on this machine, as `make lesson-host` does."""
    return subprocess.run(
        [sys.executable, ROOT / "scripts/lesson.py", "--host", *words], capture_output=True, text=True,
        timeout=TIMEOUT_SECONDS, env={**os.environ, **(environment or {})}, check=False,
    )  # fmt: skip


def name_of(answer):
    return answer.name


@pytest.mark.parametrize("answer", answers_in(EXERCISES), ids=name_of)
def test_an_exercise_is_unsolved_at_first(answer):
    if answer.is_edited():
        pytest.skip(f"{answer.path.name} was edited: it need not be unsolved")
    lines, status = run_program(answer)
    expect_wrong(answer, lines)
    assert status == 1


@pytest.mark.parametrize("answer", answers_in(SOLUTIONS), ids=name_of)
def test_a_solution_solves_its_lesson(answer):
    lines, status = run_program(answer)
    expect_solved(answer, lines)
    assert status == 0


@pytest.mark.parametrize("answer", answers_in(MISTAKES) + answers_in(FAULTS), ids=name_of)
def test_a_mistake_is_explained(answer):
    lines, status = run_program(answer)
    expect_wrong(answer, lines)
    assert status == 1


def test_each_lesson_is_complete():
    """Each lesson has an exercise, a solution, three mistakes, and the words for the unsolved exercise."""
    names = [answer.path.name for answer in answers_in(SOLUTIONS)]
    assert names
    for folder in (EXERCISES, MISTAKES / "1", MISTAKES / "2", MISTAKES / "3"):
        assert sorted(path.name for path in folder.glob("lesson_*.c")) == names, folder
    assert sorted(path.stem + ".c" for path in UNSOLVED.glob("*.txt")) == names


@pytest.mark.parametrize("answer", answers_in(SOLUTIONS), ids=name_of)
def test_pictures_are_of_the_states_that_the_lesson_draws(answer, tmp_path):
    file = tmp_path / "pictures.json"
    lines, _ = run_program(answer, "--pictures", str(file))
    pictures = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    bars = ("heap_start |", "frame 0 |")  # of a heap, and of the frames of lesson 9
    assert len(pictures) == sum(bar in line for line in lines for bar in bars)
    for picture in pictures:
        assert picture["lesson"] == answer.number and picture["call"]
        for piece in picture["pieces"]:
            assert 0 <= piece["start_bytes"] < piece["end_bytes"] <= picture["size_bytes"]
            assert len(piece["sign"]) == 1
        assert all(mark["offset_bytes"] <= picture["size_bytes"] for mark in picture["marks"])


# --- The commands -------------------------------------------------------------------------------------
@pytest.mark.parametrize("words, sentence", [
    ([], "N is missing"),
    (["four"], "N=four is not a number"),
    (["-4"], "N=-4 is not a number"),
    (["0"], "there is no lesson 0"),
    (["99"], "there is no lesson 99"),
    (["4", "--folder", "no/such"], "FOLDER=no/such is not a folder"),
    (["4", "--folder", "a b"], "FOLDER=a b has blanks"),
])  # fmt: skip
def test_wrong_words_are_refused_in_one_sentence(words, sentence):
    process = run_lesson(*words)
    assert process.returncode == 2 and process.stdout == ""
    assert process.stderr.count("\n") == 1 and sentence in process.stderr


@pytest.fixture(scope="module")
def build_here(tmp_path_factory):
    """An environment in which the commands of a reader build into a folder of their own. It begins with the objects of
    the build folder, because each worker has such a folder, and compiling them again takes seconds."""
    folder = tmp_path_factory.mktemp("build")
    built = folders.build_folder()
    for source in [*built.glob("lessons-host.flags"), *built.glob("lessons/host/**/*.o")]:
        target = folder / source.relative_to(built)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return {"BUILD": str(folder), "MAKEFLAGS": ""}


def folder_with(tmp_path, number, text):
    (tmp_path / f"lesson_{number:02d}.c").write_text(text, encoding="utf-8")
    return str(tmp_path)


def test_an_answer_that_does_not_compile_is_named(tmp_path, build_here):
    process = run_lesson("4", "--folder", folder_with(tmp_path, 4, "int x = ;\n"), environment=build_here)
    assert process.returncode == 1
    assert f"{tmp_path}/lesson_04.c:1:9: error:" in process.stdout
    assert process.stdout.endswith("does not compile: correct what the compiler says above, then run this again\n")
    assert "make" not in process.stdout + process.stderr


def test_a_missing_function_is_named(tmp_path, build_here):
    text = (SOLUTIONS / "lesson_04.c").read_text(encoding="utf-8").replace(
        "const struct lesson_04 lesson_04", "extern uint8_t help(void);\nconst struct lesson_04 lesson_04")
    text = text.replace("return block;", "return block + help();")
    process = run_lesson("4", "--folder", folder_with(
        tmp_path, 4, text.replace("static void begin", "uint8_t help(void);\nstatic void begin", 1)),
        environment=build_here)  # fmt: skip
    assert process.returncode == 1
    assert "the answers use help, which no file of the lesson has" in process.stdout


def test_another_answer_that_does_not_compile_is_no_obstacle(tmp_path, build_here):
    others = [answer.number for answer in answers_in(SOLUTIONS) if answer.number != 4]
    if not others:
        pytest.skip("there is only one lesson")
    shutil.copy(SOLUTIONS / "lesson_04.c", tmp_path)
    folder = folder_with(tmp_path, others[0], "int x = ;\n")
    process = run_lesson("4", "--folder", folder, environment=build_here)
    assert process.returncode == 0, process.stdout
    assert run_lesson(str(others[0]), "--folder", folder, environment=build_here).returncode == 1


def test_an_exit_is_no_solution(tmp_path, build_here):
    text = (SOLUTIONS / "lesson_04.c").read_text(encoding="utf-8").replace(
        "static void begin", "_Noreturn void exit(int status);\nstatic void begin", 1)
    text = text.replace("    uint8_t *block", "    exit(0);\n    uint8_t *block")
    process = run_lesson("4", "--folder", folder_with(tmp_path, 4, text), environment=build_here)
    assert process.returncode == 1 and "wrong: your code ended the program" in process.stdout


def test_a_finding_of_the_sanitizers_is_said_in_words(tmp_path, build_here):
    text = (SOLUTIONS / "lesson_04.c").read_text(encoding="utf-8").replace(
        "    uint8_t *block",
        "    volatile uint8_t few[4] = {0};\n    volatile unsigned at = 4;\n"
        "    uint8_t *volatile nothing = NULL;\n    nothing += 4;\n"
        "    few[0] = nothing != NULL;\n    few[at] = 1;\n    uint8_t *block", 1)
    process = run_lesson("4", "--folder", folder_with(tmp_path, 4, text), environment=build_here)
    assert process.returncode == 1
    assert "  note: " in process.stdout and "null pointer" in process.stdout
    assert "wrong: your code wrote 1 bytes outside of a variable" in process.stdout
    assert "(stack-buffer-overflow), during allocate(" in process.stdout
    assert process.stdout.splitlines()[-1].startswith("lesson=4 verdict=unsolved ")
    assert process.stderr == ""
