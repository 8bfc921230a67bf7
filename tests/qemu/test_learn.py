"""The outputs of QEMU in the chapters of docs/learn. tests/docs/test_learn.py compares everything else in them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [path for path in sorted((ROOT / "docs/learn").glob("*.md"))
            if "<!-- output: ./scripts/run.sh" in path.read_text(encoding="utf-8")]  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_outputs_in_chapter_are_those_of_a_boot(path):
    """learn.py boots again only after a change of the loader, the kernel or the scripts."""
    done = subprocess.run([sys.executable, ROOT / "scripts/learn.py", "--check", path], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
