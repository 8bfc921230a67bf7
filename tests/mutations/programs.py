"""The test programs that may find a mutation: their sources, the production code that they execute, and a new build
with a mutation. The code has no names of programs or files. The commands come from make. The programs of `make
coverage` measure the executed code.
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
# In the environment, the group of tests that a program runs.
FILTER = "HEAP_TESTS"
# A program with a mutation may loop, sleep or print for ever.
CPU_FACTOR, CPU_SECONDS, WALL_SECONDS = 4, 5, 600
OUTPUT_LIMIT_KIB = 64 * 1024
# The programs under TSan are not built for coverage.
UNMEASURED_CPU_SECONDS = 20


class BuildError(Exception):
    """A compiler or linker failed. The text has its message."""


def call(command, folder):
    done = subprocess.run([str(word) for word in command], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)  # fmt: skip
    if done.returncode != 0:
        raise BuildError(done.stdout.strip())
    return done.stdout


@dataclass(frozen=True)
class Outcome:
    """The end of a program: its output, its exit status (None: it did not end), and its CPU time in seconds."""

    output: str
    status: int
    cpu_seconds: float

    def failures(self, program):
        """Return the names of the failed tests."""
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

    program: str
    group: str = ""
    cpu_seconds: float = 0.0
    reached: dict = None  # {file: (places, counts)}; None if it was not measured

    @property
    def name(self):
        return Path(self.program).name

    def environment(self, **more):
        environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", **more)
        if self.group:
            environment[FILTER] = f"{self.group}: *"
        return environment

    def reaches(self, file, place):
        """Return whether the tests executed a line and column; for None, any line of the file. Without a measurement
        the result is True."""
        if self.reached is None:
            return True
        if file not in self.reached:
            return False
        places, counts = self.reached[file]
        if place is None:
            return any(counts)
        at = bisect_right(places, place) - 1
        return at >= 0 and counts[at] > 0


@dataclass(frozen=True)
class Compilation:
    """The command with which make compiles an object."""

    source: str
    words: tuple

    def with_target(self, target):
        """Return the command with another target."""
        words = list(self.words)
        words[words.index("-o") + 1] = str(target)
        return [*words, "-w"]

    def without_output(self):
        """Return the options that matter for the syntax: no sanitizers, no files to write."""
        target = self.words.index("-o")
        words = self.words[:target] + self.words[target + 2 :]
        return [word for word in words if "sanitize" not in word and word not in ("-c", "-MMD", "-MP", self.source)]


class Plan:
    """The commands of make for the programs, as `-n -B` prints them, and a copy of the built files that does not
    change."""

    def __init__(self, text, build, copy):
        self.build = build
        self.copy = copy
        self.objects, self.archives, self.programs = {}, {}, {}
        for line in text.replace("\\\n", " ").splitlines():
            self.take(line)
        self.headers = {}

    def take(self, line):
        if line.split(" ")[0] in ("printf", "mkdir", "rm") or " -o " not in line and " rcs " not in line:
            return
        words = shlex.split(line)
        sources = [word for word in words if word.endswith(".c")]
        if "-c" in words and len(sources) == 1:
            self.objects[words[words.index("-o") + 1]] = Compilation(sources[0], tuple(words))
        elif "&&" in words and words[words.index("&&") + 1 :][:1] == ["mv"]:
            command = words[: words.index("&&")]
            if "rcs" in command:
                self.archives[words[-1]] = command
            else:
                self.programs[words[-1]] = command

    def copied(self, path):
        return self.copy / os.path.relpath(path, self.build)

    def copy_built(self):
        for folder in sorted({Path(os.path.relpath(path, self.build)).parts[0] for path in self.objects}):
            shutil.copytree(self.build / folder, self.copy / folder)
        self.headers = {path: read_dependencies(self.copied(path).with_suffix(".d")) for path in self.objects}

    def compilations(self):
        """Return {source: its compile command} of the production files."""
        found = {}
        for compilation in self.objects.values():
            if not compilation.source.startswith("tests/"):
                found.setdefault(compilation.source, compilation)
        return found

    def members(self, archive):
        return [word for word in self.archives[archive] if word in self.objects]

    def depends(self, path, file):
        """Return whether an object must be compiled again if a file changes."""
        return self.objects[path].source == file or file in self.headers[path]

    def objects_of(self, program):
        """Return all objects from which a program may be linked."""
        words = self.programs[program]
        archived = [path for word in words if word in self.archives for path in self.members(word)]
        return [word for word in words if word in self.objects] + archived

    def link(self, program, changed, target, folder):
        """Link a program, and replace some objects by other files: {object: its file}."""
        words = []
        for word in self.programs[program]:
            if word in self.objects:
                word = changed.get(word, self.copied(word))
            elif word in self.archives:
                word = self.archive(word, changed, target.parent, folder)
            words.append(word)
        words[words.index("-o") + 1] = target
        call([*words, "-fuse-ld=lld"], folder)

    def archive(self, archive, changed, target, folder):
        """Return the archive with some members replaced."""
        members = [changed[path] for path in self.members(archive) if path in changed]
        if not members:
            return self.copied(archive)
        copy = target / Path(archive).name
        shutil.copyfile(self.copied(archive), copy)
        call([self.archives[archive][0], "r", copy, *members], folder)
        return copy


def read_dependencies(path):
    """Return the headers in a dependency file of clang."""
    if not path.exists():
        return frozenset()
    words = path.read_text(encoding="utf-8").replace("\\\n", " ").split()
    return frozenset(os.path.normpath(word) for word in words if word.endswith(".h"))


class Coverage:
    """Run the programs that are built for coverage, and measure the production code that they execute."""

    def __init__(self, folder, profdata, cov, root):
        self.folder = folder
        self.profdata = profdata
        self.cov = cov
        self.root = root

    def execute(self, run, command, scratch):
        """Run a program's tests. Store their time, and the code that they execute."""
        program = self.folder / run.name
        profile, merged = scratch / "profile.raw", scratch / "profile.data"
        profile.unlink(missing_ok=True)
        environment = run.environment(LLVM_PROFILE_FILE=str(profile))
        outcome = run_program([*command, program], environment, scratch / "output", WALL_SECONDS, self.root)
        failures = outcome.failures(run.name)
        if failures:
            raise BuildError(f"without any mutation {', '.join(failures)} fails already")
        call([self.profdata, "merge", "-sparse", profile, "-o", merged], self.root)
        export = call([self.cov, "export", "-skip-functions", "-skip-expansions", "-instr-profile", merged, program],
                      self.root)  # fmt: skip
        run.cpu_seconds = outcome.cpu_seconds
        run.reached = {os.path.relpath(file["filename"], self.root): read_segments(file["segments"])
                       for file in json.loads(export)["data"][0]["files"]}  # fmt: skip
        return outcome

    def runs_of(self, program, command, scratch):
        """Return the runs of a program: one for each group of its tests if it can run a group, else one for all."""
        whole = Run(program)
        if not (self.folder / whole.name).exists():
            return [Run(program, cpu_seconds=UNMEASURED_CPU_SECONDS)]
        names = RESULT.findall(self.execute(whole, command, scratch).output)
        groups = groups_of(names)
        if len(groups) < 2:
            return [whole]
        runs = [Run(program, groups[0])]
        if len(RESULT.findall(self.execute(runs[0], command, scratch).output)) == len(names):
            return [whole]
        for group in groups[1:]:
            runs.append(Run(program, group))
            self.execute(runs[-1], command, scratch)
        return runs


def groups_of(names):
    """Return the groups of a program's tests, from the names of its results: `group: test`."""
    found = [GROUP.match(name) for name in names]
    return list(dict.fromkeys(match.group(1) for match in found if match))


def read_segments(segments):
    """Return (places, counts). A count is valid from its place up to the next one."""
    places = [(line, column) for line, column, *_ in segments]
    counts = [count if has_count else 0 for _, _, count, has_count, *_ in segments]
    return places, counts
