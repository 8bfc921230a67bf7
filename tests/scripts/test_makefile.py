"""Test the Makefile: rebuilds, warnings, and the build folder."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="make")
def make_runner(tmp_path, monkeypatch):
    """Make an object of the kernel in a temporary build folder."""
    monkeypatch.delenv("WERROR", raising=False)
    monkeypatch.delenv("MAKEFLAGS", raising=False)

    def run(*settings):
        return subprocess.run(
            ["make", "-C", ROOT, "--no-print-directory", f"BUILD={tmp_path}",
             f"{tmp_path}/kernel/shared/crc32.o", *settings],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def was_compiled(done):
    assert done.returncode == 0, done.stderr
    return "CC " in done.stdout


def test_other_flags_rebuild_and_equal_ones_do_not(make):
    assert was_compiled(make())
    assert not was_compiled(make())
    assert was_compiled(make("CLANG=clang -DOTHER='x'"))
    assert not was_compiled(make("CLANG=clang -DOTHER='x'"))
    assert was_compiled(make("WERROR=1"))
    assert was_compiled(make())


def test_warnings_are_errors_only_on_request(make, tmp_path):
    """A newer compiler has more warnings. A user must be able to build with it."""
    (tmp_path / "newer.h").write_text("#warning as a newer compiler has it\n", encoding="utf-8")
    clang = f"CLANG=clang -include {tmp_path}/newer.h"
    plain = make(clang)
    assert plain.returncode == 0 and "warning:" in plain.stderr
    assert make(clang, "WERROR=1").returncode != 0


@pytest.mark.parametrize("name", ["a b", "a'b", 'a"b', "a:b", "a;b", "a%b", "a$b", ".", str(ROOT)])
def test_BUILD_that_make_cannot_take_is_refused(name, monkeypatch):
    monkeypatch.setenv("BUILD", name)
    done = subprocess.run(["make", "-C", ROOT, "--no-print-directory", "-n", "build"],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode != 0 and done.stderr.count("\n") == 1
    assert "name another folder" in done.stderr


def test_BUILD_of_the_environment_is_the_command_line_s(tmp_path, monkeypatch):
    """Nothing is written into the checkout, not even the boot volume."""
    monkeypatch.setenv("BUILD", str(tmp_path / "größe"))
    done = subprocess.run(["make", "-C", ROOT, "--no-print-directory", "-n", "build"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert f"{tmp_path}/größe/esp/kernel.elf" in done.stdout
    assert not re.search(r"(?:-o|mv \S+|-p) (?!/)\S", done.stdout), "a file in the checkout"


def test_up_to_date_build_writes_nothing(make, tmp_path):
    """A user without write access can boot a checkout that is already built."""
    make()
    before = {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}
    make()
    assert before == {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}


def test_two_builds_at_the_same_time_do_not_meet(tmp_path):
    """Each link and copy writes a temporary file and renames it. No target is written under its own name."""
    done = subprocess.run(
        ["make", "-C", ROOT, "--no-print-directory", "-n", "-B", f"BUILD={tmp_path}", "build", "unit-tests",
         "lib", "simulator", "qemu-programs"], capture_output=True, text=True, check=True,
    )  # fmt: skip
    written = re.findall(r"(?:-o |-out:|rcs |>)(\S+)", re.sub(r"\S* -c .*", "", done.stdout))
    written = [name for name in written if name.startswith(str(tmp_path)) and ".flags" not in name]
    assert len(written) > 30
    assert [name for name in written if not re.search(r"\.\$\$(?:\.txt)?$", name)] == []


def test_folder_that_cannot_be_written_is_one_sentence():
    """Not even root can create a folder in /proc."""
    environment = dict(os.environ, BUILD="/proc/handoff")
    done = subprocess.run([ROOT / "scripts/build.sh", "build"], capture_output=True, text=True,
                          check=False, env=environment)  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == ("/proc/handoff cannot be written, and some files in it are not built: "
                           "BUILD=DIR names another folder\n")  # fmt: skip


def test_clean_removes_only_the_default_build_folder(tmp_path):
    (tmp_path / "kept").write_text("", encoding="utf-8")
    done = subprocess.run(["make", "-C", ROOT, "clean", f"BUILD={tmp_path}"], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode != 0 and "by hand" in done.stderr
    assert (tmp_path / "kept").exists()


def test_tests_ask_for_errors():
    assert "export WERROR=1" in (ROOT / "scripts/test.sh").read_text(encoding="utf-8")
