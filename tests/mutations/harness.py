"""Make one small mistake after the other in the memory stack, and check that a unit test fails: `make test-mutations`.
The mistakes come from the syntax trees of the files that the unit tests link (operators.py). A run takes a sample of
them, which is the same each time. --seed takes another sample, and --all takes every mutation. A WORD takes the
mutations with this word in their function, operator, file or key.

One line a mutation:

    caught     a test fails, or its program stops
    same       the compiler makes the same code of it: nobody can notice
    reviewed   it survives, and survivors.txt says why that is right
    SURVIVED   no test fails; the line behind it has the key for survivors.txt
    UNREACHED  no test comes to the place
    NOT BUILT  it does not compile: the operator is wrong

The last line is `N passed, N failed`. The whole report is in build/mutations/report.txt.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import arguments  # noqa: E402 (the path is set just above)
import folders  # noqa: E402
from progress import Progress  # noqa: E402
from operators import mutations_of  # noqa: E402
from programs import CPU_FACTOR, CPU_SECONDS, BuildError, Coverage, Plan, call, run_program  # noqa: E402
from reviewed import Reviewed  # noqa: E402
from syntax import Source, read_file  # noqa: E402

BUILD = folders.build_folder()
WORK = BUILD / "mutations"
STEADY = ROOT / "scripts/steady.sh"
SURVIVORS = Path(__file__).with_name("survivors.txt")
# This number takes about a quarter of an hour on two processors.
SAMPLE_COUNT = 400
SHOWN_CHARACTERS = 60
# The targets of make for the programs that must find the mutations.
TARGETS = ("unit-tests", "thread-tests")


def copy_tree(target):
    """Return the current files of the tree."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split("\n")  # fmt: skip
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


class Subject:
    """The production files that get mutations, and data about them."""

    def __init__(self, plan, tree):
        self.plan = plan
        self.compilations = plan.compilations()
        self.tree = tree
        self.files = {}
        self.used = {}

    def source(self, file):
        if file not in self.files:
            self.files[file] = Source((self.tree / file).read_bytes())
        return self.files[file]

    def wants(self, file):
        """Return the sources, and every header of the project that they include."""
        if file is None or file.startswith(("/", "tests/")):
            return False
        return file in self.compilations or file.endswith(".h")

    def read(self, compilation, wants):
        """Return the functions of a file, and store the names that it uses."""
        functions, self.used[compilation] = read_file(
            compilation.without_output(), compilation.source, wants, self.source, self.tree
        )
        return functions

    def mutations(self):
        """Return all mutations, each once. A header's functions are in the syntax tree of each file that includes
        it."""
        found = {}
        for compilation in self.compilations.values():
            for function in self.read(compilation, self.wants):
                place = function.file, function.root.begin
                if place not in found:
                    found[place] = mutations_of(function, self.source(function.file))
        return [mutation for mutations in found.values() for mutation in mutations]

    def uses(self, compilation, mutation):
        """Return whether an object contains the code of a mutation. It does not contain an unused function of a
        header."""
        if compilation.source == mutation.file:
            return True
        if compilation not in self.used:
            self.read(compilation, lambda _: False)
        return (mutation.file, mutation.function) in self.used[compilation]

    def place(self, mutation):
        return self.source(mutation.file).place(mutation.begin)

    def describe(self, mutation):
        """Return the place and the change in one line."""
        source = self.source(mutation.file)
        old, new = (shorten(text) for text in (source.text(mutation.begin, mutation.end), mutation.text))
        change = f"{old} → {new}" if old and new else f"without {old}" if old else f"with {new}"
        return f"{mutation.file}:{source.place(mutation.begin)[0]}: {change}"


def shorten(text):
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


class Bench:
    """A worker's copy of the tree, in which it makes one mutation after the other."""

    def __init__(self, number, subject):
        self.folder = WORK / f"bench-{number}"
        self.tree = self.folder / "tree"
        self.subject = subject
        copy_tree(self.tree)

    def execute(self, run, program):
        """Run a program's tests, with a limit of some times their duration without a mutation."""
        limit = CPU_SECONDS + CPU_FACTOR * run.cpu_seconds
        return run_program([STEADY, program], run.environment(), self.folder / "output", limit, self.tree)

    def compile_all(self, program, mutation, made):
        """Compile the objects of a program that the mutation changes. Return {object: its file}. `made` has those of
        other programs."""
        plan = self.subject.plan
        for path in plan.objects_of(program):
            compilation = plan.objects[path]
            if path in made or not plan.depends(path, mutation.file) or not self.subject.uses(compilation, mutation):
                continue
            made[path] = self.folder / "built" / os.path.relpath(path, plan.build)
            made[path].parent.mkdir(parents=True, exist_ok=True)
            call(compilation.with_target(made[path]), self.tree)
        return made

    def is_same_code(self, mutation):
        """Return whether an optimising compiler makes the same code of all sources with the mutation."""
        path, target = self.tree / mutation.file, self.folder / "plain.o"
        mutated = path.read_bytes()
        users = [known for known in self.subject.compilations.values() if self.subject.uses(known, mutation)]
        made = []
        for data in (mutated, self.subject.source(mutation.file).data):
            path.write_bytes(data)
            for compilation in users:
                call([*compilation.without_output(), "-O2", "-g0", "-w", "-c", compilation.source, "-o", target], self.tree)
                made.append(target.read_bytes())
        path.write_bytes(mutated)
        return made[: len(users)] == made[len(users) :]

    def judge(self, mutation, runs):
        """Return (verdict, words) of the changed tree."""
        made, linked = {}, set()
        place = self.subject.place(mutation)
        # A table is not executed. A test that executes its file may read it.
        reaching = [run for run in runs if run.reaches(mutation.file, None if mutation.is_table else place)]
        for run in reaching or runs[:1]:
            program = self.folder / run.name
            self.compile_all(run.program, mutation, made)
            if not set(made) & set(self.subject.plan.objects_of(run.program)) or not reaching:
                continue
            if program not in linked:
                self.subject.plan.link(run.program, made, program, self.tree)
                linked.add(program)
            failures = self.execute(run, program).failures(run.name)
            if failures:
                more = f" and {len(failures) - 1} more" if len(failures) > 1 else ""
                return "caught", failures[0] + more
        if not linked:
            return "UNREACHED", "no test comes there"
        if self.is_same_code(mutation):
            return "same", ""
        return "SURVIVED", f"{len(reaching)} runs pass"

    def attempt(self, mutation, runs):
        """Return (verdict, words) of a mutation, and restore the copy."""
        path = self.tree / mutation.file
        original = self.subject.source(mutation.file).data
        path.write_bytes(mutation.apply(original))
        try:
            return self.judge(mutation, runs)
        except BuildError as error:
            return "NOT BUILT", str(error).splitlines()[0] if str(error) else "no words of the compiler"
        finally:
            path.write_bytes(original)


def parse_arguments():
    parser = arguments.Parser(prog="harness.py", description=__doc__)
    parser.add_argument("--profdata", default="llvm-profdata", help="llvm-profdata")
    parser.add_argument("--cov", default="llvm-cov", help="llvm-cov")
    parser.add_argument("--seed", default="0", help="another sample")
    parser.add_argument("--count", type=arguments.integer(1, 10**9), default=SAMPLE_COUNT, help="its size")
    parser.add_argument("--all", action="store_true", help="every mutation")
    parser.add_argument("--list", action="store_true", help="name the mutations, and make none")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only mutations that have one of the words")
    return parser.parse_args()


def choose(mutations, options):
    """Return the sample. A mutation is in it or not, independent of the rest of the tree."""
    def rank(mutation):
        return hashlib.sha256(f"{options.seed} {mutation.key}".encode()).digest()

    def has_word(mutation):
        return any(word in f"{mutation.name} {mutation.file} {mutation.key}" for word in options.words)

    found = [mutation for mutation in mutations if not options.words or has_word(mutation)]
    return sorted(found, key=rank)[: None if options.all else options.count]


def in_parallel(benches, work, items):
    """Call work(bench, item) for each item, in any order. Return the results in the order of the items."""
    free = Queue()
    for bench in benches:
        free.put(bench)

    def on_bench(item):
        bench = free.get()
        try:
            return work(bench, item)
        finally:
            free.put(bench)

    with ThreadPoolExecutor(len(benches)) as pool:
        yield from pool.map(on_bench, items)


def prepare_runs(benches, plan, coverage):
    """Return all runs without a mutation, which must pass. The shortest come first, and those without a measurement
    last."""
    found = in_parallel(benches, lambda bench, program: coverage.runs_of(program, [STEADY], bench.folder), plan.programs)
    return sorted((run for runs in found for run in runs), key=lambda run: (run.reached is None, run.cpu_seconds))


class Report:
    """Print the lines of a run on the terminal and into a file, and count them."""

    def __init__(self, path, total):
        self.file = path.open("w", encoding="utf-8")
        self.progress = Progress("test-mutations", total)
        self.rooms = {}

    def say(self, line):
        self.progress.clear()
        print(line, flush=True)
        print(line, file=self.file, flush=True)

    def add(self, mutation, verdict, description, words):
        self.rooms.setdefault(str(Path(mutation.file).parent), Counter())[verdict] += 1
        self.say(f"{verdict:9} {mutation.name}: {description}{f' ({words})' if words else ''}")
        if verdict in ("SURVIVED", "UNREACHED"):
            self.say(f"          {mutation.key}")
        self.progress.done += 1
        if self.progress.stream.isatty():
            self.progress.show()

    def close(self):
        """Print the sum. Return whether no mutation failed."""
        self.say("")
        for room, verdicts in sorted(self.rooms.items()):
            parts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
            self.say(f"{room}: {parts}")
        total = sum(self.rooms.values(), Counter())
        passed = total["caught"] + total["reviewed"] + total["same"]
        self.say(f"{passed} passed, {total.total() - passed} failed")
        self.file.close()
        return passed == total.total()


def main():
    options = parse_arguments()
    arguments.print_anything()
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)
    plan = Plan(call(["make", "-n", "-B", "--no-print-directory", *TARGETS], ROOT), BUILD, WORK / "built")
    plan.copy_built()
    subject = Subject(plan, ROOT)
    mutations = subject.mutations()
    chosen = choose(mutations, options)
    if options.list:
        for mutation in chosen:
            print(f"{mutation.name}: {subject.describe(mutation)}  [{mutation.key}]")
        print(f"{len(chosen)} of {len(mutations)} mutations")
        return 0
    benches = [Bench(number, subject) for number in range(os.cpu_count())]
    try:
        runs = prepare_runs(benches, plan, Coverage(BUILD / "coverage", options.profdata, options.cov, ROOT))
    except BuildError as error:
        sys.exit(f"harness.py: {error}")
    reviewed = Reviewed(SURVIVORS.read_text(encoding="utf-8"), mutations)
    report = Report(WORK / "report.txt", len(chosen))
    report.say(f"{len(chosen)} of {len(mutations)} mutations, seed {options.seed}")
    results = in_parallel(benches, lambda bench, mutation: bench.attempt(mutation, runs), chosen)
    for mutation, (verdict, words) in zip(chosen, results):
        reason = reviewed.reason(mutation) if verdict in ("SURVIVED", "UNREACHED") else None
        report.add(mutation, "reviewed" if reason else verdict, subject.describe(mutation), reason or words)
    for key in reviewed.unknown():
        report.say(f"survivors.txt: no mutation has the key: {key}")
    return 0 if report.close() else 1


if __name__ == "__main__":
    sys.exit(main())
