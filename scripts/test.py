"""Run the groups of tests and sum them up. scripts/test.sh installs what is missing, then calls this.

One line a group; failures in full; the last line is `N passed, N failed`. In continuous integration
(CI=true) a skipped test counts as a failure: there, everything that a test needs is present.
"""

import interrupts  # first of all

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from argparse import SUPPRESS
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import arguments
import folders

ROOT = folders.ROOT
REPORTS = folders.build_folder() / "test-reports"
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


def build_everything():
    """Building is a test of one: without it there is nothing to run."""
    targets = dict.fromkeys(target for group in GROUPS.values() for target in group.targets)
    status, output = make("build", *targets)
    for checked in ("UBSAN=1", "KASAN=1"):
        if status == 0:
            status, output = make("build", checked)
    return Counts(1, 0) if status == 0 else Counts(0, 1), output


def build_for(names):
    """What the chosen groups run, where the group `build` is not among them. (Whether it is there,
    and make's words.)"""
    targets = dict.fromkeys(target for name in names for target in GROUPS[name].targets)
    status, output = make(*targets) if targets else (0, "")
    if status == 0 and any(GROUPS[name].checked_kernels for name in names):
        for checked in ("UBSAN=1", "KASAN=1"):
            status, output = make("build", checked) if status == 0 else (status, output)
    return status == 0, output


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


def in_parallel():
    return ["-n", str(os.cpu_count())]


@dataclass(frozen=True)
class Group:
    """Some tests: what they are, what make has to build for them, and how they run."""

    description: str
    targets: tuple
    run: Callable[[], tuple]
    checked_kernels: bool = False  # whether they boot those of UBSAN=1 and KASAN=1


# In the order in which a mistake is cheapest to find.
GROUPS = {
    "build": Group("everything that can be built", ("long-programs", "lib-targets"), build_everything),
    "unit": Group("the pure files, under ASan and UBSan", ("unit-tests",),
                  lambda: make_group("test-unit")),
    "threads": Group("the kernel's heap and lock, under TSan", ("thread-tests",),
                     lambda: make_group("test-threads")),
    "scripts": Group("the scripts", ("build",), lambda: pytest_group("tests/scripts", *in_parallel())),
    "host": Group("real programs on the heap", ("lib", "lib-targets", "host-programs"),
                  lambda: pytest_group("tests/host", *in_parallel())),
    "documents": Group("documents against the code", (), lambda: pytest_group("tests/docs")),
    "fuzz": Group("each fuzzer for some seconds", ("fuzz-programs",),
                  lambda: make_group("fuzz-short")),
    "simulator": Group("the memory stack over other machines' maps", ("simulator",),
                       lambda: pytest_group("tests/simulator", *in_parallel())),
    "qemu": Group("loader and kernel in QEMU", ("build", "qemu-programs"),
                  lambda: pytest_group("tests/qemu", *in_parallel()), checked_kernels=True),
}  # fmt: skip


def parse_arguments():
    parser = arguments.Parser(
        prog="test.sh",
        description="Run the tests; without a group all of them. The last line is `N passed, N failed`.",
        epilog="groups:\n" + "".join(
            f"  {name:10} {group.description}\n" for name, group in GROUPS.items()
        ) + "\nA single test: make build, then $(scripts/find-python.sh) -m pytest tests/scripts -k NAME.",
    )  # fmt: skip
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="only these groups")
    parser.add_argument("--judge-only", action="store_true", help=SUPPRESS)
    options = parser.parse_args()
    for name in options.groups:
        if name not in GROUPS:
            parser.error(f"no group {name!r}: the groups are {', '.join(GROUPS)}")
    return options


def run_group(name):
    """One group, reported; its counts."""
    started = time.monotonic()
    counts, output = GROUPS[name].run()
    if IN_CI and counts.skipped:
        counts = Counts(counts.passed, counts.failed + counts.skipped, 0)
        output += "\nin continuous integration a skipped test counts as failed\n"
    report(name, counts, time.monotonic() - started, output)
    return counts


def run_groups(names):
    total = Counts()
    if "build" not in names:
        built, output = build_for(names)
        if not built:
            report("build", Counts(0, 1), 0, output)
            return Counts(0, 1)
    for name in names:
        counts = run_group(name)
        total += counts
        if name == "build" and counts.failed:
            print("nothing else was run: every other group tests what was to be built here")
            break
    return total


def main():
    options = parse_arguments()
    if options.judge_only:
        return 0
    interrupts.raise_them()
    try:
        total = run_groups([name for name in GROUPS if name in (options.groups or GROUPS)])
    except (KeyboardInterrupt, interrupts.Ended):
        print("test.sh: interrupted", file=sys.stderr)
        return 130
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
