"""scripts/run.py from end to end, as run.sh calls it."""

import subprocess
import sys

from lab import ROOT, TIMEOUT_SECONDS


def test_picture_of_a_panic_from_a_stick_with_large_sectors(tmp_path):
    """4096-byte sectors, FAT32, no window; the screen is saved where a panic would end QEMU."""
    picture = tmp_path / "screen é.png"
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/run.py", "--once", "--medium", "usb", "--sector", "4096",
         "--display", "none", "--screenshot", picture, "--cmdline", "provoke=heap-double-free",
         "--timeout", str(TIMEOUT_SECONDS)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "run.sh: FAILED: the kernel stopped with" in done.stderr, done.stderr
    assert f"the screen is in {picture}" in done.stderr
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG") and data[-8:-4] == b"IEND" and len(data) > 4000
