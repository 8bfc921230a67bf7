"""The test programs that may notice a mutation: what they are built from, what of the production files they reach,
and how one is built anew with a mutation in it.

Nothing here knows a program or a file by its name. Objects and their headers are those that make has built; what a
program reaches is measured, by the programs that `make coverage` runs.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

FAILED = re.compile(r"^not ok \d+ - (?:[\w+-]+: )?(\w+)", re.MULTILINE)
RESULT = re.compile(r"^(?:not )?ok \d+ - (.*)$", re.MULTILINE)
GROUP = re.compile(r"^([\w+-]+): ")
SANITIZER = re.compile(r"^SUMMARY: (.*)|runtime error: (.*)", re.MULTILINE)
# A program runs a group of its tests if this names it.
FILTER = "HEAP_TESTS"
# A program that was broken may walk in circles, or sleep, or print for ever.
CPU_FACTOR, CPU_SECONDS, WALL_SECONDS = 4, 5, 600
OUTPUT_LIMIT_KIB = 64 * 1024


class BuildError(Exception):
    """A compiler or linker refused, with its words."""


def call(command, folder):
    done = subprocess.run([str(word) for word in command], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)  # fmt: skip
    if done.returncode != 0:
        raise BuildError(done.stdout.strip())
    return done.stdout


@dataclass(frozen=True)
class Outcome:
    """How a program ended: its output, its exit status (None: it did not end), and the CPU's seconds."""

    output: str
    status: int
    cpu_seconds: float

    def failures(self, program):
        """What failed, as a list of names; empty if nothing did."""
        found = list(dict.fromkeys(FAILED.findall(self.output)))
        if self.status == 0 or found:
            return found
        report = SANITIZER.search(self.output)
        if self.status is None:
            return [f"{program} does not end"]
        why = next(filter(None, report.groups())) if report else f"status {self.status}"
        return [f"{program} stops: {why.split(' in ')[0].split(' /')[0]}"]


def run_program(command, environment, output, cpu_limit_seconds, folder):
    """Run a program within limits. Its output goes to a file, so that it cannot fill the memory."""
    limits = 'ulimit -t "$1" -f "$2" -c 0; shift 2; exec "$@"'
    words = ["bash", "-c", limits, "bash", int(cpu_limit_seconds) + 1, OUTPUT_LIMIT_KIB, *command]
    with open(output, "wb") as file:
        process = subprocess.Popen([str(word) for word in words], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=file, stderr=subprocess.STDOUT, cwd=folder)  # fmt: skip
        timer = threading.Timer(WALL_SECONDS, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    text = Path(output).read_text(encoding="utf-8", errors="replace")
    ended = process.returncode not in (-24, -9, 128 + 24)  # SIGXCPU, SIGKILL
    return Outcome(text, process.returncode if ended else None, usage.ru_utime + usage.ru_stime)


@dataclass
class Run:
    """A program, or one group of its tests."""

    build: "Build"
    program: str
    group: str = ""
    cpu_seconds: float = 0.0
    reached: dict = None  # {file: (places, counts)}; None where it was not measured

    @property
    def name(self):
        return f"{self.program} {self.group}".strip()

    def environment(self, **more):
        environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", **more)
        if self.group:
            environment[FILTER] = f"{self.group}: *"
        return environment

    def reaches(self, file, place):
        """Whether the tests came to a line and column; for None, anywhere into the file."""
        if self.reached is None:
            return bool(self.build.dependents(file, self.program))
        if file not in self.reached:
            return False
        places, counts = self.reached[file]
        if place is None:
            return any(counts)
        at = bisect_right(places, place) - 1
        return at >= 0 and counts[at] > 0


class Build:
    """A folder of objects that make has built with the same flags, and the programs linked from them."""

    def __init__(self, folder, name, libraries, tests, archived=()):
        self.name = name
        self.archived = frozenset(archived)
        self.folder = folder / name
        self.compiler = shlex.split((folder / f"{name}.flags").read_text(encoding="utf-8"))
        sanitizers = [word for word in self.compiler if "sanitize" in word]
        self.linker = [self.compiler[0], *sanitizers, "-fuse-ld=lld"]
        self.libraries = libraries
        self.tests = tests
        self.archive = [self.folder / "libpure.a"] if archived else []
        self.objects = {str(path.relative_to(self.folder / "obj").with_suffix(".c")): path
                        for path in sorted((self.folder / "obj").rglob("*.o"))}  # fmt: skip
        self.headers = {source: read_dependencies(path.with_suffix(".d")) for source, path in self.objects.items()}

    def programs(self):
        return [Path(source).stem for source in self.objects if re.fullmatch(rf"{self.tests}/test_\w+\.c", source)]

    def sources_of(self, program):
        """The files whose objects the linker is given by name; the others are in the archive."""
        if not self.archived:
            return list(self.objects)
        support = f"{self.tests}/support/"
        return [f"{self.tests}/{program}.c", *(source for source in self.objects if source.startswith(support))]

    def dependents(self, file, program):
        """The sources of a program that have to be compiled anew if a file changes."""
        sources = [source for source in self.objects if source in self.archived or source in self.sources_of(program)]
        return [source for source in sources if source == file or file in self.headers[source]]

    def compile(self, source, target, folder, *more):
        target.parent.mkdir(parents=True, exist_ok=True)
        call([*self.compiler, *more, "-c", source, "-o", target], folder)

    def link(self, program, changed, target, folder):
        """The program with other objects in place of some: {source: object}."""
        own = self.sources_of(program)
        objects = [changed.get(source, self.objects[source]) for source in own]
        objects += [path for source, path in changed.items() if source in self.archived]
        call([*self.linker, *objects, *self.archive, *self.libraries, "-o", target], folder)


def read_dependencies(path):
    """The headers in a dependency file of clang's."""
    if not path.exists():
        return frozenset()
    words = path.read_text(encoding="utf-8").replace("\\\n", " ").split()
    return frozenset(os.path.normpath(word) for word in words if word.endswith(".h"))


def copy_build(source, target, name):
    """Keep what make has built as it is now, whatever is built beside."""
    shutil.copytree(source / name, target / name)
    shutil.copy2(source / f"{name}.flags", target / f"{name}.flags")


class Coverage:
    """Runs the programs that are built for coverage, and measures what they reach of the production files."""

    def __init__(self, folder, profdata, cov, root):
        self.folder = folder
        self.profdata = profdata
        self.cov = cov
        self.root = root

    def execute(self, run, command, scratch):
        """Run a program's tests; note their time, and what they reach."""
        program = self.folder / run.program
        profile, merged = scratch / "profile.raw", scratch / "profile.data"
        profile.unlink(missing_ok=True)
        environment = run.environment(LLVM_PROFILE_FILE=str(profile))
        outcome = run_program([*command, program], environment, scratch / "output", WALL_SECONDS, self.root)
        if outcome.failures(run.program):
            raise BuildError(f"without any mutation {', '.join(outcome.failures(run.program))} fails already")
        call([self.profdata, "merge", "-sparse", profile, "-o", merged], self.root)
        export = call([self.cov, "export", "-skip-functions", "-skip-expansions", "-instr-profile", merged, program],
                      self.root)  # fmt: skip
        run.cpu_seconds = outcome.cpu_seconds
        run.reached = {os.path.relpath(file["filename"], self.root): read_segments(file["segments"])
                       for file in json.loads(export)["data"][0]["files"]}  # fmt: skip
        return outcome

    def runs_of(self, build, program, command, scratch):
        """The runs of a program: one for each group of its tests where it takes the name of one, or one for all."""
        whole = Run(build, program)
        names = RESULT.findall(self.execute(whole, command, scratch).output)
        groups = groups_of(names)
        if len(groups) < 2:
            return [whole]
        runs = [Run(build, program, groups[0])]
        if len(RESULT.findall(self.execute(runs[0], command, scratch).output)) == len(names):
            return [whole]
        for group in groups[1:]:
            runs.append(Run(build, program, group))
            self.execute(runs[-1], command, scratch)
        return runs


def groups_of(names):
    """The groups of a program's tests, from the names of its results: `group: test`."""
    found = [GROUP.match(name) for name in names]
    return list(dict.fromkeys(match.group(1) for match in found if match))


def read_segments(segments):
    """(places, counts): a count holds from its place up to the next one."""
    places = [(line, column) for line, column, *_ in segments]
    counts = [count if has_count else 0 for _, _, count, has_count, *_ in segments]
    return places, counts
