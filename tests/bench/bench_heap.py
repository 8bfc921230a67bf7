"""Run the heap benchmark, compare its figures with the limits, and write them as tables and as JSON.

    bench_heap.py PROGRAM [--repeats N] [--json FILE] [--no-callgrind]

The limit for the fast policy is 0.9 of the time of the best freestanding allocator. HEAP_BENCH_PEERS names
shared libraries with such allocators (see heap/allocator.h), which are then measured. Without them, the limit
comes from a record of this benchmark. The record is scaled by the present times of the allocators that are
here, or of mimalloc.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import callgrind
import report
from report import HARNESS, OURS, geometric_mean, net

# The times of one run on one machine, ns per operation. RECORD_HARNESS is the time of the benchmark itself.
# rlsf and talc were measured on another machine, beside the other four. Their times are scaled by those four.
RECORD_WORKLOADS = ["bulk-64", "churn", "kernel-mix", "allocate", "free-lifo", "free-fifo",
                    "free-random"]  # fmt: skip
RECORD_HARNESS = [1.7, 1.7, 1.7, 1.9, 1.6, 1.6, 1.6]
RECORD = {
    "tlsf": [15.9, 23.5, 17.5, 16.9, 20.6, 15.3, 36.4],
    "rlsf": [13.8, 15.6, 14.2, 11.8, 7.7, 7.8, 18.5],
    "o1heap": [9.6, 11.4, 12.6, 11.9, 8.9, 9.3, 24.5],
    "zephyr": [7.9, 22.8, 20.0, 8.3, 7.1, 7.9, 26.9],
    "dlmalloc": [7.5, 33.5, 20.9, 5.9, 4.4, 9.8, 41.1],
    "talc": [15.9, 15.7, 13.9, 12.0, 6.1, 6.3, 14.9],
}
RECORD_MIMALLOC = [3.0, 4.0, 4.7, 7.6, 3.5, 3.4, 4.3]
PEER_RATIO = 0.9
# The minimum in per cent: of a region, and for the largest block of an empty megabyte.
MEMORY_BARS = {
    "use-16-1024": 96.7, "use-kernel": 97.0, "use-64": 98.0, "use-24": 75.0,
    "use-empty-1M": 99.99,
}  # fmt: skip
WORST_BARS = {"p99.9": 100.0, "max": 350.0}
SLOW = ("first-fit", "best-fit")
TITLES = {
    "bulk-64": "64 B ×1000", "churn": "churn", "kernel-mix": "kernel mix", "allocate": "allocate",
    "free-lifo": "free LIFO", "free-fifo": "free FIFO", "free-random": "free random",
    "reallocate": "re-allocate", "p99.9": "p99.9", "max": "max", "use-16-1024": "16–1024 B",
    "use-kernel": "kernel mix", "use-64": "64 B", "use-24": "24 B", "use-empty-1M": "empty 1 MiB",
}  # fmt: skip
SPEED = [*RECORD_WORKLOADS, "reallocate"]
# All instructions that callgrind has counted.
SUMMARY = re.compile(r"^summary: (\d+)$", re.MULTILINE)


def measure(program, repeats):
    """Return {allocator: {workload: figure}} in the order of the program's output, {allocator: the reason why
    it is left out}, and {variant: the allocator of which it is a variant}."""
    command = [program, "--repeats", str(repeats)]
    figures, absent, variants = {}, {}, {}
    for line in report.lines_of("bench-heap: figures", command, callgrind.ENVIRONMENT):
        allocator, kind, rest = line.split(" ", 2)
        if kind == "-":
            absent[allocator] = rest
        elif kind == "variant-of":
            variants[allocator] = rest
        else:
            figures.setdefault(allocator, {})[kind] = float(rest)
    return figures, absent, variants


def instructions(program, figures, variants):
    """Return instructions per operation, by callgrind, without those of the harness and of the start."""
    if shutil.which("valgrind") is None:
        print("instruction counts are left out: valgrind is not installed")
        return {}
    jobs = [(allocator, workload) for allocator, row in figures.items() for workload in SPEED
            if workload in row and allocator not in SLOW and variants.get(allocator) not in SLOW]  # fmt: skip
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(lambda job: count(program, *job), jobs)
        results = dict(zip(jobs, list(report.steps("bench-heap: counts of instructions", rows, len(jobs)))))
    callgrind.print_failures(results)
    counts = {}
    for (allocator, workload), figure in results.items():
        if figure is not None:
            own = 0 if allocator == HARNESS else results[HARNESS, workload]
            counts.setdefault(allocator, {})[workload] = round(figure - own, 1)
    return counts


def count(program, allocator, workload):
    """Return the instructions of an operation, or None if the allocator fails under valgrind. Only the work itself
    differs between two numbers of repeats."""
    totals = []
    for repeats in (1, 2):
        text = callgrind.run([program, "--repeats", repeats, "--only", allocator, "--workload", workload], "timed_*")
        if text is None:
            return None
        totals.append(int(SUMMARY.search(text).group(1)))
    output = subprocess.run([program, "--operations", workload], stdout=subprocess.PIPE, text=True,
                            check=True).stdout  # fmt: skip
    return (totals[1] - totals[0]) / int(output)


def bars(figures, variants):
    """Return the limits for `fast` on this machine: {workload: (limit, source)}."""
    result = {}
    # A freestanding allocator uses one region, of which the benchmark measures the used part.
    here = [name for name, row in figures.items()
            if "use-64" in row and name not in (*OURS, HARNESS) and name not in variants]  # fmt: skip
    for i, workload in enumerate(RECORD_WORKLOADS):
        record = {name: row[i] - RECORD_HARNESS[i] for name, row in RECORD.items()}
        known = {name: record[name] for name in here if name in record}
        if not known and "mimalloc" in figures:
            known = {"mimalloc": RECORD_MIMALLOC[i] - RECORD_HARNESS[i]}
        candidates = [(figures[name][workload], f"{name}, measured") for name in here]
        if known:
            scale = geometric_mean([net(figures, name, workload) / known[name] for name in known])
            candidates += [(figures[HARNESS][workload] + scale * record[name], f"{name}, derived")
                           for name in record if name not in here]  # fmt: skip
        if candidates:
            best, whose = min(candidates)
            result[workload] = (PEER_RATIO * best, whose)
    return result


def print_table(title, figures, workloads, bar, decimals, least_is_best=True):
    """Rows are allocators and columns are workloads. The last rows have the limits and the results."""
    shown = [w for w in workloads if any(w in row for row in figures.values())]
    print(f"\n{title}\n")
    print(f"{'':18}" + "".join(f"{TITLES[w]:>14}" for w in shown))
    for allocator, row in figures.items():
        cells = [f"{row[w]:14.{decimals}f}" if w in row else f"{'-':>14}" for w in shown]
        print(f"{allocator:18}" + "".join(cells))
    if not bar:
        return
    print(f"{'limit for fast':18}" + "".join(f"{bar[w]:14.{decimals}f}" if w in bar else f"{'-':>14}"
                                           for w in shown))  # fmt: skip
    verdicts = []
    for w in shown:
        fast = figures["fast"].get(w)
        if w not in bar or fast is None:
            verdicts.append("-")
        else:
            reached = fast <= bar[w] if least_is_best else fast >= bar[w]
            verdicts.append("reached" if reached else f"missed ×{fast / bar[w]:.3f}")
    print(f"{'':18}" + "".join(f"{verdict:>14}" for verdict in verdicts))


def print_ratios(rows):
    """Print a table of allocators by workloads, with the mean of all."""
    print("\ntime divided by the time of fast, harness subtracted; the last column is the geometric mean\n")
    print(f"{'':18}" + "".join(f"{TITLES[w]:>14}" for w in rows) + f"{'mean':>14}")
    for name in dict.fromkeys(name for row in rows.values() for name in row):
        values = [row.get(name) for row in rows.values()]
        cells = "".join(f"{'-':>14}" if value is None else f"{value:14.2f}" for value in values)
        mean = f"{'-':>14}" if None in values else f"{geometric_mean(values):14.2f}"
        print(f"{name:18}{cells}{mean}")


def print_price(figures, variants):
    """Print the cost of each check: a variant's time beside the time of the allocator without it."""
    if not variants:
        return
    workloads = [*SPEED, *MEMORY_BARS]
    print("\nprice of safety: time with the check divided by time without it, harness subtracted; "
          "then the lost part of the region, per cent\n")  # fmt: skip
    print(f"{'':18}" + "".join(f"{TITLES[w]:>14}" for w in workloads))
    for name, base in variants.items():
        # A variant without checks is what its base is compared with.
        if name.endswith("-unchecked"):
            name, base = base, name
        cells = []
        for w in workloads:
            if w not in figures.get(name, {}) or w not in figures.get(base, {}):
                cells.append("-")
            elif w in SPEED:
                cells.append(f"{net(figures, name, w) / net(figures, base, w):.2f}")
            else:
                cells.append(f"{figures[base][w] - figures[name][w]:.2f}")
        print(f"{name:18}" + "".join(f"{cell:>14}" for cell in cells) + f"   ({base})")


def print_left_out(absent):
    print("\nleft out (-):")
    for name, reason in absent.items():
        print(f"  {name}: {reason}")
    print("  bump: it refuses workloads in which another block than the newest is freed")
    print("  first-fit, best-fit: no instruction counts, because they search lists")
    print("  glibc, mimalloc, jemalloc: no per cent of a region, because they have no region (make bench-traces "
          "measures their memory)")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json")
    parser.add_argument("--no-callgrind", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few repeats, and no instruction counts")
    options = parser.parse_args()
    if options.quick:
        options.repeats, options.no_callgrind = 7, True

    figures, absent, variants = measure(options.program, options.repeats)
    speed_bars = bars(figures, variants)
    print_table("ns per operation", figures, SPEED, {w: bar for w, (bar, _) in speed_bars.items()}, 2)
    for workload, (bar, whose) in speed_bars.items():
        print(f"  {TITLES[workload]:12} {bar:6.2f} ns is {PEER_RATIO} of the best freestanding allocator ({whose})")
    in_ratio = report.ratios(figures, SPEED)
    report.print_lost(in_ratio, TITLES, (*OURS, *variants))
    print_ratios(in_ratio)
    print_table("worst single operation in churn, ns (with the timer's resolution)", figures,
                list(WORST_BARS), WORST_BARS, 0)  # fmt: skip
    with_region = {name: row for name, row in figures.items() if "use-64" in row}
    print_table("live requested bytes, per cent of the region, at the first failure",
                with_region, list(MEMORY_BARS), MEMORY_BARS, 2, least_is_best=False)  # fmt: skip
    counts = {}
    if not options.no_callgrind:
        counts = instructions(options.program, figures, variants)
        print_table("instructions per operation (callgrind), harness subtracted", counts, SPEED,
                    {}, 1)  # fmt: skip
    print_price(figures, variants)
    print_left_out(absent)
    if options.json:
        Path(options.json).write_text(json.dumps({
            "figures": figures, "instructions": counts, "left_out": absent, "variants": variants,
            "ratios": {TITLES[w]: row for w, row in in_ratio.items()},
            "bars": {w: {"ns": bar, "from": whose} for w, (bar, whose) in speed_bars.items()},
        }, indent=2) + "\n", encoding="utf-8")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
