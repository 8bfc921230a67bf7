"""scripts/test.py: the groups that run, their build, and the output during the run and at the end."""

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
import test as test_module
from test import Case, Counts

ROOT = Path(__file__).resolve().parents[2]
TEST_SH = ROOT / "scripts/test.sh"


@pytest.fixture(autouse=True)
def reports(tmp_path, monkeypatch):
    """Separate reports, since these tests run inside of a run of test.py."""
    monkeypatch.setattr(test_module, "REPORTS", tmp_path)
    monkeypatch.setattr(test_module, "COUNTS", tmp_path / "counts.json")
    return tmp_path


def run(*words):
    return subprocess.run([TEST_SH, *words], cwd=ROOT, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=300)  # fmt: skip


def test_groups_of_tests_can_be_chosen(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["test.sh", "fuzz", "unit"])
    options = test_module.parse_arguments()
    assert options.groups == ["fuzz", "unit"] and not options.all
    monkeypatch.setattr(sys, "argv", ["test.sh", "--all"])
    assert test_module.parse_arguments().all
    assert run("unit", "tests/unit").returncode == 2
    listed = run("--help").stdout
    assert all(f"\n  {name} " in listed for name in test_module.GROUPS)


@pytest.mark.parametrize("name, is_kept", [("plain-1.2", True), ("two words", False), ("a$b", False)])
def test_tests_get_a_scratch_folder_whose_name_make_can_read(tmp_path, monkeypatch, name, is_kept):
    (tmp_path / name).mkdir()
    monkeypatch.setattr(test_module.tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / name))
    monkeypatch.delenv("HOME", raising=False)
    test_module.choose_scratch()
    assert os.environ["HOME"] == os.environ["TMPDIR"]
    assert os.environ["TMPDIR"] == (str(tmp_path / name) if is_kept else "/tmp")


def test_only_chosen_groups_are_run_after_their_build(monkeypatch, capsys):
    made = []
    monkeypatch.setattr(test_module, "make", lambda *targets: made.append(targets) or (0, "3 passed, 0 failed"))
    assert str(test_module.run_groups(["unit"])[0]) == "3 passed, 0 failed"
    assert made == [("unit-tests",), ("test-unit",)]
    assert capsys.readouterr().out.startswith("unit ")


def test_group_that_cannot_be_built_fails(monkeypatch, capsys):
    monkeypatch.setattr(test_module, "make", lambda *targets: (2, "clang: error"))
    assert test_module.run_groups(["unit"])[0].failed == 1
    assert "clang: error" in capsys.readouterr().out


def test_all_groups_build_the_targets_that_they_need(monkeypatch):
    made = []
    monkeypatch.setattr(test_module, "make", lambda *targets: made.append(targets) or (0, ""))
    assert test_module.build_everything()[0].passed == 1
    needed = {target for group in test_module.GROUPS.values() for target in group.targets}
    assert needed <= set(made[0])
    assert {"build", "checked-kernels"} <= set(made[0])


@pytest.mark.parametrize("everything", [False, True])
def test_all_takes_the_cases_that_are_left_out_else(monkeypatch, everything):
    asked = []
    monkeypatch.setattr(test_module, "make", lambda *targets: (0, "1 passed, 0 failed"))
    monkeypatch.setattr(test_module, "pytest_group", lambda *words: asked.append(words) or (Counts(1), "", []))
    test_module.run_groups(["qemu"], everything)
    assert ("--all" in asked[0]) == everything


UNIT = "test_a                           3 passed, 1 failed (0.5 s)\ntest_b      2 passed, 0 failed (12.0 s)\n"
FUZZ = "fuzz_a: passed (20000 runs, 3 s)\nfuzz_b: FAILED (7 runs, 1 s)\n"


@pytest.mark.parametrize("output, cases", [
    (UNIT + "5 passed, 1 failed\n", [Case(0.5, "test_a"), Case(12.0, "test_b")]),
    (FUZZ + "1 passed, 1 failed\n", [Case(3.0, "fuzz_a"), Case(1.0, "fuzz_b")]),
])  # fmt: skip
def test_programs_have_times(monkeypatch, output, cases):
    monkeypatch.setattr(test_module, "make", lambda *targets: (1, output))
    assert test_module.make_group("test-unit")[2] == cases


@pytest.mark.parametrize("output, count", [
    ("", 0), (UNIT, 6), (FUZZ, 2), ("..F.s [ 40%]\n...", 8), ("bringing up nodes...\n", 0), ("hello\n.E\n", 2),
])  # fmt: skip
def test_finished_cases_are_counted(output, count):
    assert test_module.finished_cases(output) == count


def test_cases_of_python_tests_have_times(tmp_path):
    (tmp_path / "test_it.py").write_text("import pytest\n@pytest.mark.parametrize('a', [1, 2])\n"
                                         "def test_x(a):\n    assert a == 1\n", encoding="utf-8")  # fmt: skip
    counts, output, cases = test_module.pytest_group(str(tmp_path))
    assert str(counts) == "1 passed, 1 failed" and "assert 2 == 1" in output
    assert [case.name for case in cases] == ["test_it::test_x[1]", "test_it::test_x[2]"]


def test_slowest_come_before_the_last_line(monkeypatch, capsys):
    cases = [Case(number / 10, f"test_{number}") for number in range(100)]
    monkeypatch.setattr(test_module, "make", lambda *targets: (0, ""))
    group = test_module.Group("", (), lambda _: (Counts(100), "", cases))
    monkeypatch.setattr(test_module, "GROUPS", {"unit": group})
    monkeypatch.setattr(sys, "argv", ["test.sh"])
    monkeypatch.setattr(test_module.interrupts, "raise_them", lambda: None)
    assert test_module.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "100 passed, 0 failed"
    assert lines[-22] == "the slowest 20 of 100 cases and programs:"
    assert lines[-21] == "   9.9 s  unit: test_99" and lines[-2] == "   8.0 s  unit: test_80"


def on_terminal(show):
    """Return the text that is written to a terminal."""
    ours, theirs = pty.openpty()
    written = b""
    with open(theirs, "w", encoding="utf-8") as stream:
        show(stream)
        # On a busy computer the text may arrive in several parts.
        while select.select([ours], [], [], 0.2)[0]:
            written += os.read(ours, 65536)
    os.close(ours)
    return re.sub(r"\x1b\[K", "", written.decode())


def test_progress_is_shown_on_a_terminal(monkeypatch):
    monkeypatch.setattr(test_module, "REFRESH_SECONDS", 0)
    test_module.note_count("unit", 8)

    def show(stream):
        shown = test_module.Progress("unit", stream)
        shown.show("..")
        shown.clear()

    assert re.fullmatch(r"\runit         2 of 8 \(\d+ s\)\r", on_terminal(show))


def test_time_left_follows_from_the_last_run():
    test_module.note_count("unit", 8)
    shown = test_module.Progress("unit", sys.stdout)
    assert shown.time_left(2, 10) == ", about 30 s left"
    assert shown.time_left(0, 10) == shown.time_left(9, 10) == shown.time_left(2, 0.5) == ""


def test_progress_is_not_shown_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(test_module, "REFRESH_SECONDS", 0)
    with (tmp_path / "log").open("w+", encoding="utf-8") as stream:
        shown = test_module.Progress("unit", stream)
        shown.show("..")
        shown.clear()
        assert stream.tell() == 0


def test_output_arrives_while_a_command_runs(monkeypatch):
    seen = []
    monkeypatch.setattr(test_module, "REFRESH_SECONDS", 0.01)
    monkeypatch.setattr(test_module, "progress", type("Watch", (), {"show": staticmethod(seen.append)}))
    assert test_module.run(["sh", "-c", "echo a; sleep 0.2; echo b; exit 3"]) == (3, "a\nb\n")
    assert "a\n" in seen and seen[-1] == "a\nb\n"


@pytest.mark.parametrize("line, status, expected", [
    ("check-boundaries: compile 0, words 0, circles 0, lengths 0", 0, "4 passed, 0 failed"),
    ("check-boundaries: compile 0, words 3, circles 1, lengths 0", 1, "2 passed, 2 failed"),
    ("check-boundaries: compile 0, words 0, circles 0, lengths 0", 2, "4 passed, 1 failed"),
    ("no such tool", 1, "0 passed, 1 failed"),
])  # fmt: skip
def test_each_check_of_boundaries_counts(monkeypatch, line, status, expected):
    monkeypatch.setattr(test_module, "make", lambda *_: (status, f"a finding\n{line}\n"))
    assert str(test_module.check_boundaries()[0]) == expected
