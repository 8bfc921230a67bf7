"""Run workloads whose sizes and lifetimes are not ours on every allocator (heap/mix.h).

    bench_mixes.py PROGRAM [--quick] [--json FILE]

The tables: the columns that fast loses; times as ratios, with the harness's own time subtracted; the share of 16 MiB
that is put to use; the largest number of instructions of any one operation, and the mean, by callgrind. --quick counts
the first operations of each workload only, and repeats the times less often.
"""

import argparse
import json
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import callgrind
import report

# They search lists, or write to whole blocks.
SLOW = ("first-fit", "best-fit", "fast+debug", "best-fit+debug")
LARGEST_LIMIT = 1500
PEER_RATIO = 0.9
MIMALLOC_RATIO = 1.2
CHECKING_RATIO = 0.6
# All instructions since the last dump.
TOTALS = re.compile(r"^totals: (\d+)$", re.MULTILINE)


def run(program, *words):
    return report.lines_of(f"bench-heap-mixes: {words[0]}", [program, *words], callgrind.ENVIRONMENT)


def table(lines):
    """Return {allocator: {mix: figure}} of lines."""
    figures = {}
    for line in lines:
        allocator, mix, figure = line.split()
        figures.setdefault(allocator, {})[mix] = float(figure)
    return figures


def each_operation(text):
    """Return the instructions of each operation: callgrind writes its counts after each one. The last count is that
    of the program's end."""
    return [int(match) for match in TOTALS.findall(text)][:-1]


def count(program, allocator, mix, operations):
    """Return the largest number of instructions of an operation, and the mean. None: it fails under valgrind."""
    text = callgrind.run([program, "--once", allocator, mix, operations], "timed_one", "--combine-dumps=yes",
                         "--dump-line=no", "--dump-after=timed_one")  # fmt: skip
    row = each_operation(text or "")
    return (max(row), sum(row) / len(row)) if row else None


def count_all(program, allocators, names, operations):
    """Return {allocator: {mix: (the largest number of instructions, the mean)}}, without the harness."""
    jobs = [(allocator, mix) for allocator in allocators for mix in names]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(lambda job: count(program, *job, operations), jobs)
        counts = dict(zip(jobs, list(report.steps("bench-heap-mixes: counts of instructions", rows, len(jobs)))))
    callgrind.print_failures(counts)
    figures = {}
    for (allocator, mix), row in counts.items():
        if row is not None and allocator != report.HARNESS:
            figures.setdefault(allocator, {})[mix] = tuple(
                round(figure - base, 1) for figure, base in zip(row, counts[report.HARNESS, mix]))  # fmt: skip
    return figures


def verdicts(ratios, freestanding, checking):
    """Return a sentence for each limit that fast misses. `ratios` is {mix: {allocator: time / time of fast}}."""
    missed = []
    for mix, row in ratios.items():
        for names, limit, kind in ((freestanding, PEER_RATIO, "freestanding"), (checking, CHECKING_RATIO, "checking")):
            name = min((name for name in names if name in row), key=row.get, default=None)
            if name is not None and 1 / row[name] > limit:
                missed.append(f"{mix}: {1 / row[name]:.2f} of {name}; at most {limit} of the best {kind} allocator")
    others = [row["mimalloc"] for row in ratios.values() if "mimalloc" in row]
    if others and 1 / report.geometric_mean(others) > MIMALLOC_RATIO:
        missed.append(f"on average: {1 / report.geometric_mean(others):.2f} of mimalloc; at most {MIMALLOC_RATIO}")
    return missed


def print_ratios(ratios):
    allocators = list(dict.fromkeys(name for row in ratios.values() for name in row))
    rows = {name: {mix: row[name] for mix, row in ratios.items() if name in row} for name in allocators}
    for row in rows.values():
        row["mean"] = report.geometric_mean(row.values())
    report.print_columns("time divided by the time of fast, harness subtracted; the last column is the geometric mean",
                         rows, [*ratios, "mean"], {}, 2)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()

    described = {name: (float(share), int(most)) for name, share, most in map(str.split, run(options.program, "--list"))}
    times = table(run(options.program, "--time", "7" if options.quick else "20"))
    fills = table(run(options.program, "--fill"))
    ratios = report.ratios(times, list(described))
    freestanding = [name for name in fills if name not in report.OURS and "+" not in name and name != "fast-unchecked"]
    checking = [name for name in times if name.endswith(("-checks", "-secure")) or name == "scudo"]

    report.print_lost(ratios, {}, (*report.OURS, "fast-unchecked"))
    print("\nlimits that fast misses:\n")
    for sentence in verdicts(ratios, freestanding, checking):
        print(f"  {sentence}")
    print("\nthe workloads: share of requests above 1 KiB, largest number of live bytes\n")
    for name, (share, most) in described.items():
        print(f"  {name:20} {100 * share:4.0f} %  {most / 2**20:5.1f} MiB")
    print_ratios(ratios)
    report.print_columns("ns per operation, with the harness", times, list(described), {}, 2)
    report.print_columns("live requested bytes, per cent of 16 MiB, at the first failure", fills, list(described), {}, 2)
    counts = {}
    if shutil.which("valgrind") is None:
        print("\ninstruction counts are left out: valgrind is not installed")
    else:
        names = [name for name in times if name not in SLOW]
        counts = count_all(options.program, names, list(described), 3000 if options.quick else 40000)
        for index, title in enumerate((f"instructions of the worst single operation; the limit for fast is {LARGEST_LIMIT}",
                                       "instructions of an operation, on average")):  # fmt: skip
            report.print_columns(f"{title} (harness subtracted)",
                                 {name: {mix: figure[index] for mix, figure in row.items()}
                                  for name, row in counts.items()}, list(described), {}, 0)  # fmt: skip
    if options.json:
        Path(options.json).write_text(json.dumps({
            "mixes": described, "ns": times, "ratios": ratios, "fill": fills, "instructions": counts,
            "lost": report.lost(ratios, (*report.OURS, "fast-unchecked")), "variants": [name for name in times if "+" in name or name == "fast-unchecked"],
        }, indent=2) + "\n", encoding="utf-8")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
