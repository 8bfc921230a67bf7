"""Where the project lies, and what was built from it.

BUILD=DIR in the environment names another folder than build/, as it does for make; the volume to boot
is then DIR/esp, and nothing is written into the checkout.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build_folder():
    """The folder of everything that is built."""
    return Path(os.path.abspath(os.environ.get("BUILD") or ROOT / "build"))


def volume_folder():
    """The folder of what the loader's volume holds."""
    build = build_folder()
    return ROOT / "esp" if build == ROOT / "build" else build / "esp"
