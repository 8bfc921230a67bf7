"""Misuse each allocator, each time in a process of its own, and print what it detects.

    bench_misuse.py PROGRAM [--quick] [--json FILE]

The outcomes:

    report     there is a message
    abort      the process ends itself, without a message
    crash      the process ends by an invalid access, or does not end
    nothing    the process ends as if the program were correct

A cell has the outcomes in per cent of the trials. Only a report or an abort is a detection. A crash is luck.
"""

import argparse
import collections
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from callgrind import ENVIRONMENT
from report import steps

TIMEOUT_SECONDS = 20
OUTCOMES = ("report", "abort", "crash", "nothing")
# The instruction that compilers make of __builtin_trap() causes one of the last two.
ENDED_ITSELF = (signal.SIGABRT, signal.SIGILL, signal.SIGTRAP)
# mimalloc prints its messages only with this.
SETTINGS = dict(ENVIRONMENT, MIMALLOC_SHOW_ERRORS="1")


def outcome(status, message):
    """Return the outcome of a process with this exit status and this text on stderr."""
    if message.strip():
        return "report"
    if status == 0:
        return "nothing"
    return "abort" if status > 0 or -status in ENDED_ITSELF else "crash"


def attempt(program, allocator, misuse, seed):
    try:
        process = subprocess.run([program, allocator, str(seed), misuse], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, env=SETTINGS, timeout=TIMEOUT_SECONDS, check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        return "crash"
    return outcome(process.returncode, process.stderr.decode(errors="replace"))


def measure(program, trials, only=None):
    """Return {misuse: {allocator: {outcome: per cent}}}."""
    lines = subprocess.run([program, "--list"], stdout=subprocess.PIPE, text=True, check=True, env=ENVIRONMENT).stdout
    names = {"allocator": [], "misuse": []}
    for line in lines.splitlines():
        kind, name = line.split(" ", 1)
        names[kind].append(name)
    allocators = [name for name in names["allocator"] if only is None or name in only]
    jobs = [(misuse, allocator, seed) for misuse in names["misuse"] for allocator in allocators
            for seed in range(1, trials + 1)]  # fmt: skip
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(steps("bench-heap-misuse: trials",
                              pool.map(lambda job: attempt(program, job[1], job[0], job[2]), jobs), len(jobs)))  # fmt: skip
    counts = collections.Counter((misuse, allocator, what) for (misuse, allocator, _), what in zip(jobs, outcomes))
    return {misuse: {allocator: {what: round(100 * counts[misuse, allocator, what] / trials)
                                 for what in OUTCOMES if counts[misuse, allocator, what]}
                     for allocator in allocators}
            for misuse in names["misuse"]}  # fmt: skip


def cell(outcomes):
    """Return "report", or the outcomes with their shares."""
    if len(outcomes) == 1:
        return next(iter(outcomes))
    return ", ".join(f"{what} {share}" for what, share in outcomes.items())


def print_table(rows):
    """A Markdown table: rows are allocators, so that another one does not make the table wider."""
    print("\noutcomes of misuses, in per cent of the trials if they differ\n")
    print("| |" + "|".join(f" {misuse} " for misuse in rows) + "|")
    print("|---" * (len(rows) + 1) + "|")
    for allocator in next(iter(rows.values())):
        print(f"| {allocator} |" + "|".join(f" {cell(row[allocator])} " for row in rows.values()) + "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = measure(options.program, 8 if options.quick else 50)
    print_table(rows)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
