"""Test the completion of words in bash. It must offer the words that a script has, and run no foreign script."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPLETION = ROOT / "scripts/completion.bash"
ASK = """. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_handoff_complete
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words, cwd=ROOT):
    """Return the words that bash offers for the last word."""
    done = subprocess.run(["bash", "-c", ASK, "bash", COMPLETION, *words], cwd=cwd, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def options_of(script):
    helped = subprocess.run([ROOT / "scripts" / script, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", helped, re.M))


@pytest.mark.parametrize("script", ["run.sh", "test.sh", "symbolize.sh"])
def test_every_option_of_a_script_is_offered(script):
    offered = complete(f"./scripts/{script}", "--")
    assert set(offered) == options_of(script) and len(offered) == len(set(offered))


@pytest.mark.parametrize("words, expected", [
    (["scripts/run.sh", "--me"], ["--memory", "--medium", "--menu"]),
    (["scripts/run.sh", "--medium", ""], ["virtio", "scsi", "ahci", "nvme", "usb", "iso"]),
    (["scripts/run.sh", "--once", "--accelerator", "t"], ["tcg"]),
    (["scripts/run.sh", "--kernel", "REA"], ["README.md"]),
    (["scripts/run.sh", "--memory", ""], []),
    (["scripts/test.sh", "un"], ["unit"]),
    (["scripts/test.sh", "--all", "sc"], ["scripts"]),
    (["scripts/setup.sh", ""], ["build", "host", "test", "develop"]),
])  # fmt: skip
def test_words_are_offered(words, expected):
    assert complete(*words) == expected


def test_script_of_another_project_is_not_run(tmp_path):
    (tmp_path / "run.sh").write_text("#!/bin/sh\ntouch ran\necho '  --other'\n", encoding="ascii")
    (tmp_path / "run.sh").chmod(0o755)
    assert complete("./run.sh", "--", cwd=tmp_path) == [] and not (tmp_path / "ran").exists()


def test_every_script_with_a_command_line_is_registered():
    done = subprocess.run(["bash", "-c", f'. "{COMPLETION}"; complete -p'], capture_output=True, text=True, check=True)
    registered = set(re.findall(r"-F _handoff_complete (\S+)", done.stdout))
    assert registered == {path.name for path in (ROOT / "scripts").glob("*.sh")} - {"tools.sh", "usage.sh"}


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing():
    done = subprocess.run(["shellcheck", COMPLETION], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
