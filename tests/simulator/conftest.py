"""Paths and the program for the tests of the simulator."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path.insert(0, str(FOLDER))


@pytest.fixture(scope="session", autouse=True)
def built_program():
    """scripts/test.py has built it already; alone, this does."""
    subprocess.run(["make", "--no-print-directory", "--silent", "simulator"], cwd=ROOT, check=True)
