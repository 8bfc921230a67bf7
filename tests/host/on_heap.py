"""Run a program on the preload library."""

import os
import re
import struct
import subprocess
from pathlib import Path

import folders

ROOT = Path(__file__).resolve().parents[2]
BUILD = folders.build_folder() / "host"
LIBRARY = BUILD / "libheap_preload.so"
TIMEOUT_SECONDS = 300


def run(command, policy="fast", status=0, **options):
    """Run a command on the heap. Return its standard output and its standard error with the heap's messages."""
    ours = {"LD_PRELOAD": str(LIBRARY), "HANDOFF_HEAP": policy, "HANDOFF_HEAP_STATS": "1"}
    environment = os.environ | ours | options.pop("environment", {})
    process = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, timeout=TIMEOUT_SECONDS, check=False, **options)  # fmt: skip
    assert process.returncode == status, process.stdout[-2000:] + process.stderr[-2000:]
    return process.stdout, process.stderr


def assert_sound(said, policy):
    """Check that the program allocated, and that the heap's complete check passed at exit."""
    lines = re.findall(r"heap: policy=(\S+) .* allocations=(\d+) .* failures=\d+ check=(\w+)", said)
    assert lines, said[-2000:]
    assert all(found == policy and check == "passed" for found, _, check in lines)
    assert max(int(count) for _, count, _ in lines) > 100


def replay(path):
    """Return the number of records of each operation in a trace. Check that the records are consistent."""
    live = set()
    counts = {1: 0, 2: 0, 3: 0}
    for operation, block, size_bytes in struct.iter_unpack("=IIQ", path.read_bytes()):
        counts[operation] += 1
        if operation == 1:
            assert block not in live
            live.add(block)
        else:
            assert block in live
            if operation == 2:
                live.remove(block)
                assert size_bytes == 0
    return counts
