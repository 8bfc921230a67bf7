"""Run the unit test programs (cmocka) and count their tests.

It prints a line for each program, and the whole output of a program that failed. The last line is the sum.
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import arguments

STEADY = Path(__file__).with_name("steady.sh")
TIMEOUT_SECONDS = 300
PASSED = re.compile(r"^ok \d+", re.MULTILINE)
FAILED = re.compile(r"^not ok \d+", re.MULTILINE)
PLAN = re.compile(r"^1\.\.(\d+)", re.MULTILINE)
SKIPPED = re.compile(r"^ok \d+.*# SKIP", re.MULTILINE | re.IGNORECASE)


class Result:
    """The report of one program."""

    def __init__(self, program, output, status, seconds):
        self.program = program
        self.output = output
        self.seconds = seconds
        self.skipped = len(SKIPPED.findall(output))
        self.passed = len(PASSED.findall(output)) - self.skipped
        self.failed = len(FAILED.findall(output))
        # A program that died has not reported all tests of its plan. The missing ones count as failed.
        planned = sum(int(count) for count in PLAN.findall(output))
        unreported = max(planned - self.passed - self.failed - self.skipped, 0)
        self.failed += unreported
        if status != 0 and self.failed == 0 or planned == 0:
            self.failed += 1


def run(program):
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    started = time.monotonic()
    try:
        process = subprocess.run(
            [STEADY, program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=TIMEOUT_SECONDS, check=False,
        )  # fmt: skip
        output, status = process.stdout, process.returncode
    except subprocess.TimeoutExpired as error:
        output, status = (error.stdout or b"") + b"\nthe program did not end within the time limit\n", 1
    text = output.decode("utf-8", errors="replace")
    return Result(program, text, status, time.monotonic() - started)


def parse_arguments():
    parser = arguments.Parser(prog="unit_tests.py", description=__doc__)
    parser.add_argument("programs", nargs="+", type=arguments.readable_file, metavar="PROGRAM",
                        help="the test programs, as make test-unit passes them")
    return parser.parse_args().programs  # fmt: skip


def main():
    programs = parse_arguments()
    totals = [0, 0, 0]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(run, programs):
            counts = (result.passed, result.failed, result.skipped)
            totals = [total + count for total, count in zip(totals, counts)]
            name = Path(result.program).name
            print(f"{name:32} {result.passed} passed, {result.failed} failed "
                  f"({result.seconds:.1f} s)", flush=True)  # fmt: skip
            if result.failed:
                print(result.output, flush=True)
    passed, failed, skipped = totals
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
