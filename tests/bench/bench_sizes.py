"""Print the instructions of one allocation and one free, by the size of the block and by allocator.

    bench_sizes.py PROGRAM [--json FILE]

PROGRAM is bench_sizes (heap/bench_sizes.c). callgrind counts, so the figures depend only on the code. The calls
through a pointer and the benchmark's own instructions are subtracted: they are the row "(harness)" of the program.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import callgrind
import report
from report import HARNESS

MODES = {"steady": "the same size again and again", "turn": "sizes in random turn"}
# The limit for the fast policy, by the largest size for which it holds.
LIMITS = ((1024, 82), (16 << 10, 150), (64 << 10, 250))
# They search lists, or fill blocks byte by byte.
SLOW = ("first-fit", "best-fit", "fast+debug", "best-fit+debug")


def pairs(figures):
    """Return {mode: {size: instructions of a pair}} of the functions' figures."""
    result = {mode: {} for mode in MODES}
    for name, (cost, calls) in figures.items():
        kind, size = name.rsplit("_", 1)
        if kind == "steady":
            result["steady"][int(size)] = cost / (calls / 2)
        else:
            result["turn"][int(size)] = result["turn"].get(int(size), 0) + cost / calls
    return {mode: dict(sorted(row.items())) for mode, row in result.items()}


def without_harness(rows):
    """Subtract the harness's row from each other row of {allocator: {mode: {size: figure}}}."""
    own = rows[HARNESS]
    return {name: {mode: {size: round(figure - own[mode][size], 1) for size, figure in row.items()}
                   for mode, row in modes.items()}
            for name, modes in rows.items() if name != HARNESS}  # fmt: skip


def measure(program):
    names = subprocess.run([program, "--list"], stdout=subprocess.PIPE, text=True, check=True,
                           env=callgrind.ENVIRONMENT).stdout.splitlines()  # fmt: skip
    names = [name for name in names if name not in SLOW]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(lambda name: callgrind.count([program, name]), names)
        figures = dict(zip(names, list(report.steps("bench-heap-sizes: allocators", rows, len(names)))))
    for name in [name for name, row in figures.items() if row is None]:
        print(f"{name} is left out: it fails under valgrind")
    return without_harness({name: pairs(row) for name, row in figures.items() if row is not None})


def ratios(rows):
    """Return {column: {allocator: its instructions / those of fast}}."""
    return {f"{mode}, {size} B": {name: round(modes[mode][size] / rows["fast"][mode][size], 3)
                                  for name, modes in rows.items()}
            for mode in MODES for size in rows["fast"][mode]}  # fmt: skip


def limit_of(size):
    return next(limit for most, limit in LIMITS if size <= most)


def print_table(mode, rows):
    sizes = list(next(iter(rows.values()))[mode])
    print(f"\ninstructions of one allocation and one free, {MODES[mode]}; 1,300 live blocks around\n")
    print(f"{'bytes':18}" + "".join(f"{size:>7}" for size in sizes))
    for name, modes in rows.items():
        print(f"{name:18}" + "".join(f"{modes[mode][size]:7.0f}" for size in sizes))
    if mode == "steady":
        print(f"{'limit for fast':18}" + "".join(f"{limit_of(size):7}" for size in sizes))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--json")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("the table of sizes is left out: valgrind is not installed")
        return 0
    rows = measure(options.program)
    for mode in MODES:
        print_table(mode, rows)
    report.print_lost(ratios(rows), {}, (*report.OURS, "fast-unchecked"))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
