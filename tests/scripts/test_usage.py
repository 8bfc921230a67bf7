"""Test that every script prints its help, and refuses an unknown word in one sentence."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    own_name = {"run.py": "run.sh", "conformance.py": "conformance.sh", "test.py": "test.sh", "simulate.sh": "simulate",
                "post_mortem.py": "post-mortem.sh", "symbolize.py": "symbolize.sh"}.get(script.name, script.name)  # fmt: skip
    assert sentence.startswith(f"{own_name}: ")
    assert script.name == "simulate.sh" or done.stderr.count("\n") == 1


@pytest.mark.parametrize("words, sentence", [
    ([], "name a folder"),
    (["no-such-folder", "short", "fuzz_elf"], "is not a folder"),
    (["scripts", "short", "fuzz_elf"], "there is no fuzzer 'fuzz_elf'"),
    (["scripts", "-1", "fuzz_elf"], "is not 'short', not 'keep', and not a number"),
    (["scripts", "0", "fuzz_elf"], "is not 'short', not 'keep', and not a number"),
    (["scripts", "runs=0", "fuzz_elf"], "is not 'short', not 'keep', and not a number"),
])  # fmt: skip
def test_fuzz_checks_its_words(words, sentence):
    done = run(FOLDER / "fuzz.sh", *words)
    assert done.returncode == 2 and sentence in done.stderr


def test_fuzzers_run_side_by_side_and_failures_are_shown_in_full(tmp_path):
    """Each waits for the next one to begin, so far as there is a processor for it."""
    count = min(os.cpu_count(), 2)
    for name, status in (("fuzz_good", 0), ("fuzz_bad", 1)):
        (tmp_path / name).write_text(
            f'#!/bin/sh\n: >"$0.begun"\nfor _ in $(seq 100); do\n'
            f'[ $(ls {tmp_path}/*.begun | wc -l) -ge {count} ] && echo "words of {name}" '
            f'&& echo "stat::number_of_executed_units: 20" && exit {status}\nsleep 0.1\ndone\nexit 9\n', encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    done = run(FOLDER / "fuzz.sh", tmp_path, "short", "fuzz_good", "fuzz_bad")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[-1] == "1 passed, 1 failed"
    assert re.fullmatch(r"fuzz_bad: FAILED \(20 runs, \d+ s\)\nfuzz_good: passed \(20 runs, \d+ s\)",
                        "\n".join(sorted(lines[:2])))  # fmt: skip
    assert "words of fuzz_bad" in lines and "words of fuzz_good" not in lines


@pytest.mark.parametrize("mode, limit", [("short", "-runs=20000"), ("7", "-max_total_time=7"), ("runs=30", "-runs=30")])
def test_fuzzer_starts_from_the_kept_inputs(tmp_path, mode, limit):
    """tests/fuzz/kept/elf.tar.gz, which make fuzz-keep has written, and tests/fuzz/seeds/elf."""
    fuzzer = tmp_path / "fuzz_elf"
    fuzzer.write_text('#!/bin/sh\necho "$@" >"$0.words"\n', encoding="utf-8")
    fuzzer.chmod(0o755)
    assert run(FOLDER / "fuzz.sh", tmp_path, mode, "fuzz_elf").returncode == 0
    words = (tmp_path / "fuzz_elf.words").read_text(encoding="utf-8").split()
    assert limit in words and words[-2:] == ["tests/fuzz/seeds/elf", str(tmp_path / "kept/elf")]
    assert len(list((tmp_path / "kept/elf").iterdir())) > 20


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
