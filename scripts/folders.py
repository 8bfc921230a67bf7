"""Name the folders of the project and of the build.

BUILD=DIR in the environment names another folder than build/, as it does for make. Then the boot volume is DIR/esp,
and nothing is written into the checkout.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build_folder():
    """Return the folder of all built files."""
    return Path(os.path.abspath(os.environ.get("BUILD") or ROOT / "build"))


def volume_folder():
    """Return the folder with the files of the boot volume."""
    build = build_folder()
    return ROOT / "esp" if build == ROOT / "build" else build / "esp"
