"""What the Makefile rebuilds, and what it makes of warnings."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="make")
def make_runner(tmp_path, monkeypatch):
    """Make one object of the kernel in a build folder of its own."""
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
    """A newer compiler warns of more; that must not keep anyone from booting."""
    (tmp_path / "newer.h").write_text("#warning as a newer compiler has it\n", encoding="utf-8")
    clang = f"CLANG=clang -include {tmp_path}/newer.h"
    plain = make(clang)
    assert plain.returncode == 0 and "warning:" in plain.stderr
    assert make(clang, "WERROR=1").returncode != 0


def test_tests_ask_for_errors():
    assert "export WERROR=1" in (ROOT / "scripts/test.sh").read_text(encoding="utf-8")
