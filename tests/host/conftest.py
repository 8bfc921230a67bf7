"""Build the library and its test programs once, before pytest starts its workers."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# It takes half of the group's time, so it starts first, and the other processors have work until its end.
LONGEST = "test_python[first-fit-100]"
sys.path.insert(0, str(ROOT / "scripts"))


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        subprocess.run(["make", "--no-print-directory", "--silent", "lib", "lib-targets", "host-programs",
                        "detection-program"],
                       cwd=ROOT, check=True)  # fmt: skip


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name != LONGEST)
