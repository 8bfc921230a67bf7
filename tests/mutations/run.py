"""Break the heap, the frames and a few parts beside them on purpose, one mistake after the other, and see that a test
notices: `make test-mutations`.

    run.py [WORD...]        the mutations whose names contain one of the words; all without any

Works on a copy of the tree in build/mutations. One line a mutation: `caught` and the tests that failed, SURVIVED, or
NO MATCH where the text to be replaced is not there once (the source has changed: change the list, too). A program that
no longer compiles proves nothing and counts as a mistake of the list. A table of the results is in
build/mutations/table.md.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mutations import MUTATIONS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)

BUILD = folders.build_folder()
COPY = BUILD / "mutations/tree"
TABLE = BUILD / "mutations/table.md"
STEADY = ROOT / "scripts/steady.sh"
POLICIES = ("bump", "first-fit", "best-fit", "fast")
# A heap that was broken may walk in circles.
TIMEOUT_SECONDS = 200
FAILED = re.compile(r"^not ok \d+ - (?:[\w+-]+: )?(\w+)", re.MULTILINE)
SANITIZER = re.compile(r"^SUMMARY: (.*)|runtime error: (.*)", re.MULTILINE)


def copy_tree():
    """The files of the tree as they are now, and what was built of them, with their times, so that make goes on from
    there."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split("\n")  # fmt: skip
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, COPY / name)
    for name in ("unit", "unit.flags", "tsan", "tsan.flags"):
        built = BUILD / name
        target = COPY / "build" / name
        target.parent.mkdir(exist_ok=True)
        if built.is_dir():
            shutil.copytree(built, target)
        elif built.exists():
            shutil.copy2(built, target)


def make(*targets):
    """Whether make could; its output."""
    done = subprocess.run(["make", "--no-print-directory", "--silent", "BUILD=build", f"-j{os.cpu_count()}", *targets], cwd=COPY,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip
    return done.returncode == 0, done.stdout


def failures(program, policy):
    """What fails in a program, as a list of names; empty if nothing does. One policy's tests alone, if it is one."""
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    if policy in POLICIES:
        environment["HEAP_TESTS"] = f"{policy}: *"
    try:
        done = subprocess.run([STEADY, COPY / "build" / program], env=environment, stdout=subprocess.PIPE, cwd=COPY,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS, check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        return [f"{Path(program).name} does not end"]
    output = done.stdout.decode("utf-8", errors="replace")
    found = list(dict.fromkeys(FAILED.findall(output)))
    if done.returncode != 0 and not found:
        report = SANITIZER.search(output)
        why = next(filter(None, report.groups())) if report else f"status {done.returncode}"
        found = [f"{Path(program).name} stops: {why.split(' in ')[0].split(' /')[0]}"]
    return found


def mutated_file(mutation):
    """The one file that has the text once, or None."""
    paths = [path for path in sorted(COPY.glob(mutation.file)) if mutation.old in path.read_text(encoding="utf-8")]
    if len(paths) != 1 or paths[0].read_text(encoding="utf-8").count(mutation.old) != 1:
        return None
    return paths[0]


def try_mutation(mutation):
    """(verdict, details) of one mutation; the copy is as before."""
    path = mutated_file(mutation)
    if path is None:
        return "NO MATCH", [f"{mutation.file} has not exactly once: {mutation.old.splitlines()[0]}"]
    original = path.read_text(encoding="utf-8")
    path.write_text(original.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        for program in mutation.programs:
            built, output = make(f"build/{program}")
            if not built:
                return "NOT BUILT", output.splitlines()[:3]
            found = failures(program, mutation.name.split(":")[0])
            if found:
                return "caught", found
        return "SURVIVED", [f"{' '.join(mutation.programs)} pass"]
    finally:
        path.write_text(original, encoding="utf-8")


def main():
    words = sys.argv[1:]
    chosen = [m for m in MUTATIONS if not words or any(word in m.name for word in words)]
    copy_tree()
    built, output = make(*{f"build/{program}" for mutation in chosen for program in mutation.programs})
    if not built:
        sys.exit(f"the tree does not build without any mutation:\n{output}")
    for program in sorted({program for mutation in chosen for program in mutation.programs}):
        found = failures(program, "")
        if found:
            sys.exit(f"without any mutation {', '.join(found)} fails already")
    caught = 0
    rows = ["| mutation | where | caught by |", "|---|---|---|"]
    for mutation in chosen:
        verdict, details = try_mutation(mutation)
        caught += verdict == "caught"
        more = f" and {len(details) - 2} more" if len(details) > 2 else ""
        print(f"{verdict:9} {mutation.name}: {', '.join(details[:2])}{more}", flush=True)
        tests = ", ".join(f"`{detail}`" if re.fullmatch(r"\w+", detail) else detail for detail in details[:2])
        rows.append(f"| {mutation.name} | `{Path(mutation.file).name}` | {tests}{more} |")
    TABLE.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{caught} passed, {len(chosen) - caught} failed")
    sys.exit(caught != len(chosen))


if __name__ == "__main__":
    main()
