"""Run the simulator in tests."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
PROGRAM = Path(os.environ.get("BUILD") or ROOT / "build").absolute() / "simulator/simulate"
MAPS = ROOT / "tests/data/memory-maps"
TIMEOUT_SECONDS = 300

READY, NO_INPUT, DOES_NOT_BOOT, BROKEN = 0, 1, 2, 3


@dataclass
class Result:
    """The result of a run."""

    status: int
    output: str
    errors: str
    report: dict = field(default_factory=dict)

    def lines(self, stage):
        """Return the `key=value` lines of a stage, without warnings."""
        start = f"[{stage}] "
        return [line[len(start):] for line in self.output.splitlines()
                if line.startswith(start) and not line.startswith(start + "warning")]  # fmt: skip


def run_program(text, *options, report_path=None):
    """Run only the C program, with the map on standard input."""
    arguments = [str(ROOT / "scripts/steady.sh"), str(PROGRAM), *options]
    if report_path:
        arguments += ["--report", str(report_path)]
    process = subprocess.run(
        [*arguments, "-"], input=text if isinstance(text, bytes) else text.encode(), cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    result = Result(process.returncode, process.stdout.decode(), process.stderr.decode())
    if report_path and Path(report_path).exists():
        result.report = json.loads(Path(report_path).read_text(encoding="utf-8"))
    return result


def simulate(*options):
    """Run the simulator as a user does, but without building it."""
    process = subprocess.run(
        [sys.executable, str(ROOT / "host/simulator/simulate.py"), *map(str, options)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    return Result(process.returncode, process.stdout, process.stderr)


def simulate_json(*options):
    """Run the simulator with --json."""
    result = simulate(*options, "--json")
    result.report = json.loads(result.output or "{}")
    return result


def rows_of(text):
    """Return [(type, base, pages, attributes)] as the program has read them. Fail if it has not read them."""
    result = run_program(text, "--print-map")
    assert result.status == READY, result.errors
    rows = [line.split() for line in result.output.splitlines() if not line.startswith("#")]
    return [(int(row[0]), int(row[1], 16), int(row[2]), int(row[3], 16)) for row in rows]
