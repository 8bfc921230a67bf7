"""Run the unit tests that were built for coverage, and report the lines of the production files that they execute.

For lines without a test, the reason in tests/unit/uncovered.txt is printed.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import arguments

ROOT = Path(__file__).resolve().parent.parent
REASONS = ROOT / "tests/unit/uncovered.txt"


def run_tests(programs):
    """Run each program. Return the files of coverage, and the names of the programs that failed."""
    profiles, failed = [], []
    for program in programs:
        profile = Path(f"{program}.profraw")
        profile.unlink(missing_ok=True)
        with open(f"{program}.log", "wb") as log:
            status = subprocess.run(
                [program], env=dict(os.environ, LLVM_PROFILE_FILE=str(profile)), stdout=log,
                stderr=subprocess.STDOUT, check=False,
            ).returncode  # fmt: skip
        if status != 0:
            failed.append(program)
        if profile.exists():
            profiles.append(profile)
    return profiles, failed


def missed_lines(export):
    """Return {file: number of lines without a test} from the export of llvm-cov, for files with such lines."""
    missed = {}
    for file in export["data"][0]["files"]:
        lines = file["summary"]["lines"]
        if lines["count"] > lines["covered"]:
            name = os.path.relpath(file["filename"], ROOT)
            missed[name] = lines["count"] - lines["covered"]
    return missed


def read_reasons(text):
    """Return {file: reason} of lines `file: reason`. '#' begins a comment."""
    reasons = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(":")
            reasons[name.strip()] = reason.strip()
    return reasons


def explain(missed, reasons):
    """Return a line for each file that has lines without a test: their number, and the reason if it is known."""
    lines = []
    for name, count in sorted(missed.items()):
        reason = reasons.get(name, f"no reason is known: test them, or write a reason into {REASONS.name}")
        lines.append(f"  {name} ({count} {'line' if count == 1 else 'lines'}): {reason}")
    return lines


def parse_arguments():
    parser = arguments.Parser(prog="unit_coverage.py", description=__doc__)
    parser.add_argument("profdata", metavar="PROFDATA", help="llvm-profdata")
    parser.add_argument("cov", metavar="COV", help="llvm-cov")
    parser.add_argument("directory", type=arguments.folder, metavar="DIRECTORY",
                        help="the folder for the report")
    parser.add_argument("programs", nargs="+", type=arguments.readable_file, metavar="PROGRAM",
                        help="the test programs, built by make coverage")
    return parser.parse_args()  # fmt: skip


def main():
    options = parse_arguments()
    profdata, cov, directory, programs = (
        options.profdata, options.cov, options.directory, options.programs
    )  # fmt: skip
    profiles, failed = run_tests(programs)
    merged = Path(directory) / "merged.profdata"
    subprocess.run([profdata, "merge", "-sparse", *profiles, "-o", merged], check=True)
    objects = [word for program in programs for word in ("-object", program)][1:]
    tests = f"^{re.escape(str(ROOT))}/tests/"
    common = [*objects, "-instr-profile", merged, f"-ignore-filename-regex={tests}"]
    subprocess.run([cov, "report", *common, "-show-region-summary=false"], check=True)
    subprocess.run(
        [cov, "show", *common, "-format=html", "-output-dir", Path(directory) / "html"],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    export = subprocess.run(
        [cov, "export", *common, "-summary-only"], stdout=subprocess.PIPE, check=True
    ).stdout
    left = explain(missed_lines(json.loads(export)), read_reasons(REASONS.read_text("utf-8")))
    print("\nLines without a test, with the reasons:", *left, sep="\n")
    print(f"coverage: {directory}/html/index.html shows each line")
    for program in failed:
        print(f"coverage: {Path(program).name} FAILED: see {program}.log", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
