"""Build the library and its test programs once, before pytest starts its workers."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# It takes as long as half of the group, so it starts first.
LONGEST = "test_python[first-fit-100]"
sys.path.insert(0, str(ROOT / "scripts"))


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        subprocess.run(["make", "--no-print-directory", "--silent", "lib", "lib-targets", "host-programs",
                        "detection-program"],
                       cwd=ROOT, check=True)  # fmt: skip


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name != LONGEST)
