"""Build the library and its test programs once, before pytest starts its workers."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        subprocess.run(["make", "--no-print-directory", "--silent", "lib", "lib-targets", "host-programs",
                        "detection-program"],
                       cwd=ROOT, check=True)  # fmt: skip
