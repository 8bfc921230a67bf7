"""The table of tools and the scripts that read it."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "scripts/tools.txt"
SHELL_SCRIPTS = sorted([*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci/run"])


def rows():
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split()


def test_every_row_has_a_package_for_each_manager():
    for row in rows():
        assert len(row) == 6, row
        assert row[0] in ("build", "test"), row


def test_setup_is_silent_when_nothing_is_missing():
    done = subprocess.run(
        [ROOT / "scripts/setup.sh", "test"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_doctor_names_every_tool():
    done = subprocess.run(
        [ROOT / "scripts/doctor.sh"], capture_output=True, text=True, check=False
    )
    for row in rows():
        assert row[1].split(":")[-1] in done.stdout
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_are_clean(script):
    done = subprocess.run(
        ["shellcheck", "-x", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_help_lists_the_daily_targets():
    done = subprocess.run(
        ["make", "-C", ROOT, "--no-print-directory", "help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    listed = {line.split()[0] for line in done.stdout.splitlines() if line}
    daily = "build run test test-unit test-qemu image iso usb debug doctor format lint clean"
    assert set(daily.split()) | {"compile_commands.json"} <= listed
    assert all(len(line.split(None, 1)) == 2 for line in done.stdout.splitlines())
