"""Test that every script prints its help, and refuses an unknown word in one sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import test as test_module

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scripts"
# Scripts that are only sourced or imported have no command line.
SHELL = sorted(path for path in FOLDER.glob("*.sh") if path.name not in ("tools.sh", "usage.sh"))
PYTHON = sorted(
    path for path in FOLDER.glob("*.py") if '__name__ == "__main__"' in path.read_text("utf-8")
)
# The simulator's status for a wrong word is 1. print-map.sh passes its words to run.sh.
STATUS = {"simulate.sh": 1}
# Wrong words of scripts whose words are a command of the user, or names of the Makefile.
WRONG = {
    "require.sh": ["a", "b"], "steady.sh": ["no-such-program"], "build.sh": ["no-such-target"],
    "simulate.sh": ["--junk"], "fuzz.sh": ["build/fuzz", "soon", "fuzz_elf"],
}  # fmt: skip


def run(path, *words):
    command = [path] if path.suffix == ".sh" else [sys.executable, path]
    return subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=300)  # fmt: skip


@pytest.mark.parametrize("script", SHELL + PYTHON, ids=lambda path: path.name)
def test_help_is_printed_and_nothing_done(script):
    done = run(script, "--help")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 8 and done.stderr == ""


@pytest.mark.parametrize("script", [path for path in SHELL + PYTHON if path.name != "print-map.sh"],
                         ids=lambda path: path.name)  # fmt: skip
def test_unknown_word_is_refused(script):
    done = run(script, *WRONG.get(script.name, ["junk", "--junk"]))
    assert done.returncode == STATUS.get(script.name, 2), done.stdout + done.stderr
    assert done.stdout == ""
    sentence = done.stderr.splitlines()[-1]
    own_name = {"run.py": "run.sh", "test.py": "test.sh", "simulate.sh": "simulate"}.get(script.name, script.name)
    assert sentence.startswith(f"{own_name}: ")
    assert script.name == "simulate.sh" or done.stderr.count("\n") == 1


@pytest.mark.parametrize("words, sentence", [
    ([], "name a folder"),
    (["no-such-folder", "short", "fuzz_elf"], "is not a folder"),
    (["scripts", "short", "fuzz_elf"], "there is no fuzzer 'fuzz_elf'"),
    (["scripts", "-1", "fuzz_elf"], "is not 'short', and not a number"),
    (["scripts", "0", "fuzz_elf"], "is not 'short', and not a number"),
])  # fmt: skip
def test_fuzz_checks_its_words(words, sentence):
    done = run(FOLDER / "fuzz.sh", *words)
    assert done.returncode == 2 and sentence in done.stderr


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "1 2"])
def test_debug_checks_its_port(port, monkeypatch):
    monkeypatch.setenv("PORT", port)
    done = run(FOLDER / "debug.sh")
    assert done.returncode == 2 and "is not a whole number from 1 to 65535" in done.stderr


@pytest.mark.parametrize("script, words, sentence", [
    ("debug.sh", [""], "unknown word ''"),
    ("find-python.sh", [""], "unknown word ''"),
    ("require.sh", [""], "name one command"),
])  # fmt: skip
def test_empty_word_and_option_of_another_program_are_refused(script, words, sentence):
    done = run(FOLDER / script, *words)
    assert done.returncode == 2 and sentence in done.stderr and done.stdout == ""


def test_debug_lets_gdb_check_its_options(tmp_path, monkeypatch):
    gdb = tmp_path / "gdb"
    gdb.write_text('#!/bin/sh\n[ "$*" = "--version --junk" ] && exit 1\nexit 77\n', encoding="utf-8")
    gdb.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    done = run(FOLDER / "debug.sh", "--junk")
    assert done.returncode == 2 and "gdb refuses its options" in done.stderr and done.stdout == ""


def test_lint_without_the_list_of_files_names_the_command_that_writes_it(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    done = run(tmp_path / "scripts/lint.sh")
    assert done.returncode == 2 and "run make lint" in done.stderr and done.stdout == ""


def test_option_is_no_name_of_a_command():
    done = run(FOLDER / "require.sh", "--junk")
    assert done.returncode == 1 and done.stderr == "--junk is not installed.\n"


def test_print_map_reports_an_error_once(tmp_path):
    done = run(FOLDER / "print-map.sh", "junk")
    assert done.stderr == "run.sh: unknown word 'junk': --help lists the options\n"
    done = run(FOLDER / "print-map.sh", "--log", tmp_path)
    assert done.stderr.splitlines()[0] == f"print-map.sh: {tmp_path} cannot be read"


def test_groups_of_tests_can_be_chosen(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["test.sh", "fuzz", "unit"])
    assert test_module.parse_arguments().groups == ["fuzz", "unit"]
    assert run(FOLDER / "test.sh", "unit", "tests/unit").returncode == 2
    listed = run(FOLDER / "test.sh", "--help").stdout
    assert all(f"\n  {name} " in listed for name in test_module.GROUPS)


def test_only_chosen_groups_are_run_after_what_they_need(monkeypatch, capsys):
    made = []
    monkeypatch.setattr(test_module, "make", lambda *targets: made.append(targets) or (0, "3 passed, 0 failed"))
    assert str(test_module.run_groups(["unit"])) == "3 passed, 0 failed"
    assert made == [("unit-tests",), ("test-unit",)]
    assert capsys.readouterr().out.startswith("unit ")


def test_group_that_cannot_be_built_fails(monkeypatch, capsys):
    monkeypatch.setattr(test_module, "make", lambda *targets: (2, "clang: error"))
    assert test_module.run_groups(["unit"]).failed == 1
    assert "clang: error" in capsys.readouterr().out


def test_all_groups_build_what_each_needs(monkeypatch):
    made = []
    monkeypatch.setattr(test_module, "make", lambda *targets: made.append(targets) or (0, ""))
    assert test_module.build_everything()[0].passed == 1
    needed = {target for group in test_module.GROUPS.values() for target in group.targets}
    assert needed <= set(made[0])
    assert ("build", "UBSAN=1") in made and ("build", "KASAN=1") in made
