"""Test which words make new-kernel refuses, before it builds anything. tests/qemu/test_examples.py boots its kernels."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def refuse(*settings, **environment):
    """Return the sentence of a call that is refused."""
    done = subprocess.run(["make", "-C", ROOT, "--no-print-directory", "new-kernel", *settings], text=True, check=False,
                          capture_output=True, env={**os.environ, "LANG": "C", **environment})  # fmt: skip
    sentence = done.stderr.splitlines()[0]
    assert done.returncode != 0 and sentence.startswith("new-kernel.sh: ") and not done.stdout
    return sentence


@pytest.mark.parametrize("settings, words", [
    ([], "name a folder and a language"),
    (["LANG=c"], "name a folder and a language"),
    (["DIR=x", "LANG=go"], "unknown language 'go'"),
    (["DIR=x", "LANG=it's"], "unknown language 'it's'"),
    (["DIR=-x", "LANG=c"], "unknown option '-x'"),
    (["DIR=x", "LANG=c"], "x is in the checkout"),
    ([f"DIR={ROOT}/docs/../first", "LANG=c"], "is in the checkout"),
    ([f"DIR={ROOT}/README.md", "LANG=c"], "README.md is not a folder"),
])  # fmt: skip
def test_wrong_settings_are_refused(settings, words):
    assert words in refuse(*settings)
    assert not (ROOT / "x").exists() and not (ROOT / "first").exists()


def test_user_without_a_home_gets_the_same_sentences():
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run([ROOT / "scripts/new-kernel.sh", f"{ROOT}/x", "c"], capture_output=True, text=True, check=False,
                          env=environment)  # fmt: skip
    assert done.returncode == 2 and done.stderr.startswith("new-kernel.sh: ") and "is in the checkout" in done.stderr


def test_folder_with_files_stays_as_it_is(tmp_path):
    (tmp_path / "mine").write_text("text", encoding="utf-8")
    assert "is not empty" in refuse(f"DIR={tmp_path}", "LANG=rust")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_locale_of_the_user_is_no_language(tmp_path):
    """LANG is also the variable of the locale."""
    assert "name a language" in refuse(f"DIR={tmp_path}/new", LANG="rust")


@pytest.mark.parametrize("language", ["c", "rust"])
def test_path_of_a_release_with_a_blank_is_refused(language):
    done = subprocess.run(["make", "-C", ROOT / f"docs/examples/kernel-{language}", "-n", "HANDOFF=/a b"], text=True,
                          check=False, capture_output=True)  # fmt: skip
    assert done.returncode == 2 and "HANDOFF=/a b has a blank" in done.stderr
