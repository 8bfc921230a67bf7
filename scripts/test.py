"""Run the groups of tests and sum them up. scripts/test.sh installs missing packages, then calls this. It prints a
line for each group, all failures, and the slowest cases. The last line is `N passed, N failed`. On a terminal a group
shows its progress. In continuous integration (CI=true) a skipped test counts as a failure, since all packages that the
tests need are installed there.
"""

import interrupts  # first of all

import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from argparse import SUPPRESS
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import arguments
import folders
from progress import duration

ROOT = folders.ROOT
REPORTS = folders.build_folder() / "test-reports"
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
# The number of cases of each group in its last run.
COUNTS = REPORTS / "counts.json"
SUM = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)
# The output of running groups: a line for each test program or fuzzer, and pytest's character for each case.
PROGRAM = re.compile(r"^(test_\w+) +(\d+) passed, (\d+) failed \(([\d.]+) s\)$", re.MULTILINE)
FUZZER = re.compile(r"^(fuzz_\w+): (?:passed|FAILED) \(\d+ runs, (\d+) s\)$", re.MULTILINE)
SIGNS = re.compile(r"^([.FEsxX]+)(?: +\[ *\d+%\])?$", re.MULTILINE)
SLOWEST_COUNT = 20
NAME_CHARACTERS = 100
# The interval for updating the line of a running group.
REFRESH_SECONDS = 0.5


@dataclass
class Counts:
    """The numbers of tests of a group by result."""

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


@dataclass(frozen=True)
class Case:
    """A finished test, with its time."""

    seconds: float
    name: str


def finished_cases(output):
    """Return the number of cases with results in a group's output so far."""
    programs = sum(int(passed) + int(failed) for _, passed, failed, _ in PROGRAM.findall(output))
    return programs + len(FUZZER.findall(output)) + sum(len(signs) for signs in SIGNS.findall(output))


class Progress:
    """The line of a running group on a terminal."""

    def __init__(self, name, stream=sys.stdout):
        self.name = name
        self.stream = stream
        self.started = self.shown = time.monotonic()
        self.expected = read_counts().get(name)

    def show(self, output):
        now = time.monotonic()
        if not self.stream.isatty() or now - self.shown < REFRESH_SECONDS:
            return
        self.shown = now
        count = finished_cases(output)
        of = f" of {max(self.expected, count)}" if self.expected else ""
        time_words = f"{now - self.started:.0f} s{self.time_left(count, now - self.started)}"
        self.write(f"{self.name:12} {f'{count}{of} ' if count or of else ''}({time_words})")

    def time_left(self, count, seconds):
        """Return words for the time left, if the last run has shown how many cases there are."""
        if not self.expected or not 0 < count <= self.expected or seconds < 1:
            return ""
        return f", about {duration(seconds / count * (self.expected - count))} left"

    def write(self, text):
        """Replace the text of the line."""
        self.stream.write(f"\r\033[K{text}")
        self.stream.flush()

    def clear(self):
        if self.stream.isatty():
            self.write("")


def read_counts():
    try:
        return json.loads(COUNTS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def note_count(name, count):
    """Store the number for the progress of the next run. A read-only checkout has no such file."""
    try:
        REPORTS.mkdir(parents=True, exist_ok=True)
        COUNTS.write_text(json.dumps({**read_counts(), name: count}), encoding="utf-8")
    except OSError:
        pass


# The progress line of the running group.
progress = None


def run(command):
    """Run a command. Return its exit status and its whole output."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL)  # fmt: skip
    data = b""
    with process:
        try:
            while True:
                if select.select([process.stdout], [], [], REFRESH_SECONDS)[0]:
                    read = os.read(process.stdout.fileno(), 65536)
                    if not read:
                        break
                    data += read
                if progress is not None:
                    progress.show(data.decode("utf-8", errors="replace"))
        except BaseException:
            process.kill()
            raise
    return process.returncode, data.decode("utf-8", errors="replace")


def make(*targets):
    """Return the command for make, with one job for each CPU."""
    return run(["make", "--no-print-directory", "--silent", f"-j{os.cpu_count()}", *targets])


def report(name, counts, seconds, output):
    """Print one line for a group, and its whole output if a test failed."""
    print(f"{name:12} {counts} ({seconds:.0f} s)", flush=True)
    if counts.failed:
        print(output, flush=True)


def build_everything(_=False):
    """The build counts as one test. Without it no other test can run."""
    targets = dict.fromkeys(target for group in GROUPS.values() for target in group.targets)
    status, output = make("build", *targets)
    return Counts(1, 0) if status == 0 else Counts(0, 1), output, []


def build_for(names):
    """Build the files that the chosen groups need, if the group `build` is not chosen. Return (success, output of
    make)."""
    targets = dict.fromkeys(target for name in names for target in GROUPS[name].targets)
    status, output = make(*targets) if targets else (0, "")
    return status == 0, output


def make_group(target):
    """Run a target whose last line is the sum of its tests. Return (counts, its whole output, its cases)."""
    status, output = make(target)
    cases = [Case(float(seconds), name) for name, _, _, seconds in PROGRAM.findall(output)]
    cases += [Case(float(seconds), name) for name, seconds in FUZZER.findall(output)]
    sums = SUM.findall(output)
    if not sums:
        return Counts(0, 1), output, cases
    passed, failed, skipped = (int(count or 0) for count in sums[-1])
    return Counts(passed, failed + (1 if status != 0 and not failed else 0), skipped), output, cases


def pytest_group(folder, *options):
    """Run a folder of Python tests. Return (counts, its whole output, its cases)."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    results = REPORTS / f"{Path(folder).name}.xml"
    results.unlink(missing_ok=True)
    status, output = run(
        [sys.executable, "-u", "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", "--tb=short",
         f"--junitxml={results}", *options, folder]
    )  # fmt: skip
    if not results.exists():
        return Counts(0, 1), output, []
    root = ElementTree.parse(results).getroot()
    total = Counts()
    for suite in root.iter("testsuite"):
        failed = int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        total += Counts(int(suite.get("tests")) - failed - skipped, failed, skipped)
    if status != 0 and not total.failed:
        total.failed += 1
    return total, output, [Case(float(case.get("time")), case_name(case)) for case in root.iter("testcase")]


def check_boundaries(_=False):
    """Run `make check-boundaries`. Each of its checks counts as a test."""
    status, output = make("check-boundaries")
    sums = re.search(r"^check-boundaries: (.*)$", output, re.MULTILINE)
    if sums is None:
        return Counts(0, 1), output, []
    found = [int(count) for count in re.findall(r"\d+", sums.group(1))]
    failed = sum(count > 0 for count in found)
    return Counts(len(found) - failed, failed + (1 if status != 0 and not failed else 0)), output, []


def case_name(case):
    """Return file::name of a case in pytest's report."""
    return f"{case.get('classname').split('.')[-1]}::{case.get('name')}"


def in_parallel(waiting=0):
    """Return pytest's option for a case on each CPU, and for `waiting` cases more: some cases only wait for a clock."""
    return ["-n", str(os.cpu_count() + waiting)]


@dataclass(frozen=True)
class Group:
    """A group of tests: its description, the targets that make must build, and the function run(everything), which
    includes the cases that are marked `full` if `everything` is true."""

    description: str
    targets: tuple
    run: Callable[[bool], tuple]


# The groups that find a mistake fastest come first.
GROUPS = {
    "build": Group("everything that can be built", ("long-programs", "lib-targets"), build_everything),
    "boundaries": Group("CPU code under arch/ only, no circles, short functions", ("boundary-objects",),
                        check_boundaries),
    "unit": Group("the pure files, under ASan and UBSan", ("unit-tests",),
                  lambda _: make_group("test-unit")),
    "threads": Group("the kernel's heap and lock, under TSan", ("thread-tests",),
                     lambda _: make_group("test-threads")),
    "scripts": Group("the scripts", ("build",),
                     lambda _: pytest_group("tests/scripts", *in_parallel(waiting=2))),
    "host": Group("real programs on the heap", ("lib", "lib-targets", "host-programs"),
                  lambda _: pytest_group("tests/host", *in_parallel(waiting=1))),
    "lessons": Group("the lessons on this machine, solved, unsolved and with mistakes", ("lesson-programs",),
                     lambda _: pytest_group("tests/learn", *in_parallel(waiting=1))),
    "documents": Group("documents against the code", (), lambda _: pytest_group("tests/docs", *in_parallel())),
    "fuzz": Group("each fuzzer for some seconds", ("fuzz-programs",),
                  lambda _: make_group("fuzz-short")),
    "simulator": Group("the memory stack over other machines' maps", ("simulator",),
                       lambda _: pytest_group("tests/simulator", *in_parallel())),
    "qemu": Group("loader and kernel in QEMU", ("build", "qemu-programs", "checked-kernels"),
                  lambda everything: pytest_group("tests/qemu", *in_parallel(waiting=1), *["--all"] * everything)),
}  # fmt: skip


def choose_scratch():
    """Let all tests have a folder for temporary files whose name make can read (TMPDIR may have a blank), and a home,
    which gdb and cargo demand."""
    if re.search(r"[^\w/.,+@-]", tempfile.gettempdir()):
        os.environ["TMPDIR"] = "/tmp"
    os.environ.setdefault("HOME", os.environ.get("TMPDIR", "/tmp"))


def parse_arguments():
    parser = arguments.Parser(
        prog="test.sh",
        description="Run the tests; without a group all of them. The last line is `N passed, N failed`.",
        epilog="groups:\n" + "".join(
            f"  {name:10} {group.description}\n" for name, group in GROUPS.items()
        ) + "\nA single test: make build, then $(scripts/find-python.sh) -m pytest tests/scripts -k NAME.",
    )  # fmt: skip
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="only these groups")
    parser.add_argument("--all", action="store_true", help="also the cases that are marked full")
    parser.add_argument("--judge-only", action="store_true", help=SUPPRESS)
    options = parser.parse_args()
    for name in options.groups:
        if name not in GROUPS:
            parser.error(f"no group {name!r}: the groups are {', '.join(GROUPS)}")
    return options


def run_group(name, everything):
    """Run one group, and print its line. Return its counts and its cases."""
    global progress
    progress = Progress(name)
    started = time.monotonic()
    counts, output, cases = GROUPS[name].run(everything)
    progress.clear()
    progress = None
    if not counts.failed and not everything:
        note_count(name, counts.passed + counts.skipped)
    if IN_CI and counts.skipped:
        counts = Counts(counts.passed, counts.failed + counts.skipped, 0)
        output += "\nin continuous integration a skipped test counts as failed\n"
    report(name, counts, time.monotonic() - started, output)
    return counts, [Case(case.seconds, f"{name}: {case.name}") for case in cases]


def run_groups(names, everything=False):
    """Run the groups. Return the counts of each, and the cases of all."""
    total, cases = Counts(), []
    if "build" not in names:
        built, output = build_for(names)
        if not built:
            report("build", Counts(0, 1), 0, output)
            return Counts(0, 1), []
    for name in names:
        counts, found = run_group(name, everything)
        total += counts
        cases += found
        if name == "build" and counts.failed:
            print("no other group was run: each of them needs this build")
            break
    return total, cases


def print_slowest(cases):
    """Print the slowest cases. Cases that run at the same time slow each other down."""
    slowest = sorted(cases, key=lambda case: -case.seconds)[:SLOWEST_COUNT]
    if slowest:
        print(f"the slowest {len(slowest)} of {len(cases)} cases and programs:")
    for case in slowest:
        name = case.name if len(case.name) <= NAME_CHARACTERS else case.name[: NAME_CHARACTERS - 1] + "…"
        print(f"{case.seconds:6.1f} s  {name}")


def main():
    options = parse_arguments()
    if options.judge_only:
        return 0
    arguments.print_anything()
    interrupts.raise_them()
    choose_scratch()
    try:
        chosen = [name for name in GROUPS if name in (options.groups or GROUPS)]
        total, cases = run_groups(chosen, options.all)
    except (KeyboardInterrupt, interrupts.Ended):
        print("test.sh: interrupted", file=sys.stderr)
        return 130
    print_slowest(cases)
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
