"""Set the paths and build the program for the tests of the simulator."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(FOLDER), str(ROOT / "host/simulator")]


def pytest_configure(config):
    """Build once, before pytest starts its workers: two builds at the same time would spoil each other."""
    if not hasattr(config, "workerinput"):
        subprocess.run(["make", "--no-print-directory", "--silent", "simulator"], cwd=ROOT, check=True)
