"""Run every group of tests and sum them up. scripts/test.sh installs what is missing, then calls
this.

One line a group; failures in full; the last line is `N passed, N failed`. In continuous integration
(CI=true) a skipped test counts as a failure: there, everything that a test needs is present.
"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build/test-reports"
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
SUM = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


@dataclass
class Counts:
    """How many tests of a group came out how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def run(command):
    """Run a command; its exit status and all that it printed."""
    process = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return process.returncode, process.stdout


def make(*targets):
    """make, as parallel as the machine is."""
    return run(["make", "--no-print-directory", "--silent", f"-j{os.cpu_count()}", *targets])


def report(name, counts, seconds, output):
    """One line for a group, and everything where something failed."""
    print(f"{name:12} {counts} ({seconds:.0f} s)", flush=True)
    if counts.failed:
        print(output, flush=True)


def build_group(*targets):
    """Building is a test of one: without it there is nothing to run."""
    status, output = make("build", *targets)
    if status == 0:
        status, output = make("build", "UBSAN=1")
    if status == 0:
        status, output = make("build", "KASAN=1")
    return Counts(1, 0) if status == 0 else Counts(0, 1), output


def make_group(target):
    """A target whose last line is a sum of its tests."""
    status, output = make(target)
    sums = SUM.findall(output)
    if not sums:
        return Counts(0, 1), output
    passed, failed, skipped = (int(count or 0) for count in sums[-1])
    return Counts(passed, failed + (1 if status != 0 and not failed else 0), skipped), output


def pytest_group(folder, *options):
    """A folder of Python tests."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    results = REPORTS / f"{Path(folder).name}.xml"
    results.unlink(missing_ok=True)
    status, output = run(
        [sys.executable, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", "--tb=short",
         f"--junitxml={results}", *options, folder]
    )  # fmt: skip
    if not results.exists():
        return Counts(0, 1), output
    suites = ElementTree.parse(results).getroot().iter("testsuite")
    total = Counts()
    for suite in suites:
        failed = int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        total += Counts(int(suite.get("tests")) - failed - skipped, failed, skipped)
    if status != 0 and not total.failed:
        total.failed += 1
    return total, output


def groups():
    """The groups in the order in which a mistake is cheapest to find."""
    yield "build", lambda: build_group("unit-tests", "thread-tests", "fuzz-programs", "simulator", "qemu-programs",
                                      "lib", "lib-targets", "host-programs", "long-programs")
    yield "unit", lambda: make_group("test-unit")
    yield "threads", lambda: make_group("test-threads")
    yield "scripts", lambda: pytest_group("tests/scripts")
    yield "host", lambda: pytest_group("tests/host", "-n", str(os.cpu_count()))
    yield "documents", lambda: pytest_group("tests/docs")
    yield "fuzz", lambda: make_group("fuzz-short")
    yield "simulator", lambda: pytest_group("tests/simulator", "-n", str(os.cpu_count()))
    yield "qemu", lambda: pytest_group("tests/qemu", "-n", str(os.cpu_count()))


def main():
    total = Counts()
    for name, group in groups():
        started = time.monotonic()
        counts, output = group()
        if IN_CI and counts.skipped:
            counts = Counts(counts.passed, counts.failed + counts.skipped, 0)
            output += "\nin continuous integration a skipped test counts as failed\n"
        report(name, counts, time.monotonic() - started, output)
        total += counts
        if name == "build" and counts.failed:
            print("nothing else was run: every other group tests what was to be built here")
            break
    print(total)
    sys.exit(1 if total.failed or not total.passed else 0)


if __name__ == "__main__":
    main()
