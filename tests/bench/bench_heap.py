"""Run the heap benchmark, judge its figures, and write them for people and machines.

    bench_heap.py PROGRAM [--repeats N] [--json FILE] [--svg FILE] [--no-callgrind]

The freestanding peers are not on every machine. What must be reached is therefore derived: their
figures and those of glibc and mimalloc were once measured side by side (docs/DESIGN.md), and the
best peer's is scaled by what glibc or mimalloc take here and now. Peers that are here, through
HEAP_BENCH_PEERS, are measured and shown beside that.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Best freestanding peer, mimalloc and the harness, ns per operation, on the machine of the record.
RECORD = {
    "bulk-64": ("Zephyr", 4.2, 3.3, 2.1),
    "churn": ("o1heap", 15.3, 10.3, 5.7),
    "kernel-mix": ("o1heap", 12.6, 12.0, 5.8),
    "allocate": ("dlmalloc", 6.8, 6.8, 2.0),
    "free-lifo": ("dlmalloc", 5.3, 5.1, 1.6),
    "free-fifo": ("talc", 6.3, 4.0, 1.6),
    "free-random": ("talc", 14.5, 6.1, 1.6),
}
PEER_RATIO = 0.9
# Of a region; and for the largest block of an empty megabyte. Per cent, at least.
MEMORY_BARS = {
    "use-16-1024": 96.7, "use-kernel": 97.0, "use-64": 98.0, "use-24": 75.0,
    "use-empty-1M": 99.99,
}  # fmt: skip
WORST_BARS = {"p99.9": 100.0, "max": 350.0}
OURS = ("fast", "bump", "first-fit", "best-fit")
HARNESS = "(harness)"
SLOW = ("first-fit", "best-fit")
# jemalloc wants room for thread-local variables that a library loaded at run time only gets so.
ENVIRONMENT = dict(os.environ, GLIBC_TUNABLES="glibc.rtld.optional_static_tls=8192")
TITLES = {
    "bulk-64": "64 B ×1000", "churn": "churn", "kernel-mix": "kernel mix", "allocate": "allocate",
    "free-lifo": "free LIFO", "free-fifo": "free FIFO", "free-random": "free random",
    "reallocate": "re-allocate", "p99.9": "p99.9", "max": "max", "use-16-1024": "16–1024 B",
    "use-kernel": "kernel mix", "use-64": "64 B", "use-24": "24 B", "use-empty-1M": "empty 1 MiB",
}  # fmt: skip
SPEED = [*RECORD, "reallocate"]


def measure(program, repeats):
    """{allocator: {workload: figure}}, in the order of the program's output."""
    command = [program, "--repeats", str(repeats)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                            env=ENVIRONMENT).stdout  # fmt: skip
    figures = {}
    for line in output.splitlines():
        allocator, workload, figure = line.rsplit(" ", 2)
        figures.setdefault(allocator, {})[workload] = float(figure)
    return figures


def instructions(program, figures):
    """Instructions an operation by callgrind, the harness's own and the start-up's taken off."""
    if shutil.which("valgrind") is None:
        print("instruction counts left out: valgrind is not installed")
        return {}
    counts = {}
    for allocator in figures:
        for workload in SPEED if allocator not in SLOW else ():
            if workload in figures[allocator]:
                total, operations = count(program, allocator, workload)
                counts.setdefault(allocator, {})[workload] = total / operations
    for allocator, row in counts.items():
        if allocator != HARNESS:
            for workload in row:
                row[workload] = round(row[workload] - counts[HARNESS][workload], 1)
    return counts


def count(program, allocator, workload):
    """Between two numbers of repeats only the work itself differs."""
    totals = []
    for repeats in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "callgrind"
            subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                 "--toggle-collect=timed_*", program, "--repeats", str(repeats),
                 "--only", allocator, "--workload", workload],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, env=ENVIRONMENT,
            )  # fmt: skip
            text = out.read_text(encoding="utf-8")
            totals.append(int(next(line for line in text.splitlines()
                                   if line.startswith("summary:")).split()[1]))  # fmt: skip
    output = subprocess.run([program, "--operations", workload], stdout=subprocess.PIPE, text=True,
                            check=True).stdout  # fmt: skip
    return totals[1] - totals[0], int(output)


def bars(figures):
    """What `fast` must reach here: {workload: (bar, whose)}."""
    result = {}
    harness = figures[HARNESS]
    for workload, (peer, peer_ns, mimalloc_ns, harness_ns) in RECORD.items():
        measured = [(row[workload], name) for name, row in figures.items()
                    if name not in (*OURS, HARNESS, "glibc", "mimalloc", "jemalloc")
                    and workload in row]  # fmt: skip
        if "mimalloc" in figures:
            net = figures["mimalloc"][workload] - harness[workload]
            scale = net / (mimalloc_ns - harness_ns)
            bar = harness[workload] + scale * (PEER_RATIO * peer_ns - harness_ns)
            result[workload] = (bar, f"{peer}, derived")
        if measured and (workload not in result or PEER_RATIO * min(measured)[0] < result[workload][0]):
            result[workload] = (PEER_RATIO * min(measured)[0], f"{min(measured)[1]}, measured")
    return result


def print_table(title, figures, workloads, bar, decimals, least_is_best=True):
    """Rows are allocators, columns workloads; the last rows say what must be reached, and if it is."""
    shown = [w for w in workloads if any(w in row for row in figures.values())]
    print(f"\n{title}\n")
    print(f"{'':18}" + "".join(f"{TITLES[w]:>14}" for w in shown))
    for allocator, row in figures.items():
        cells = [f"{row[w]:14.{decimals}f}" if w in row else f"{'-':>14}" for w in shown]
        print(f"{allocator:18}" + "".join(cells))
    if not bar:
        return
    print(f"{'bar for fast':18}" + "".join(f"{bar[w]:14.{decimals}f}" if w in bar else f"{'-':>14}"
                                           for w in shown))  # fmt: skip
    verdicts = []
    for w in shown:
        fast = figures["fast"].get(w)
        if w not in bar or fast is None:
            verdicts.append("-")
        else:
            reached = fast <= bar[w] if least_is_best else fast >= bar[w]
            verdicts.append("reached" if reached else f"missed ×{fast / bar[w]:.2f}")
    print(f"{'':18}" + "".join(f"{verdict:>14}" for verdict in verdicts))


COLOURS = ["#0b6e4f", "#b5651d", "#4464ad", "#888888", "#a23b72", "#d1a000", "#557a46", "#222222"]


def draw(figures, path):
    """Bars by workload, as SVG, on a common scale of nanoseconds, cut where one would dwarf all."""
    names = [name for name in figures if name not in (HARNESS, "bump", "first-fit", "best-fit")]
    limit = 1.15 * max(figures[name].get(w, 0) for name in names for w in RECORD)
    width, row, left, top = 900, 15, 130, 34
    height = top + len(SPEED) * (len(names) * row + 16) + 10
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="12">',
             '<rect width="100%" height="100%" fill="white"/>',
             '<text x="10" y="20" font-size="15">ns per operation (less is better)</text>']  # fmt: skip
    y = top
    for workload in SPEED:
        parts.append(f'<text x="10" y="{y + len(names) * row / 2 + 4:.0f}">{TITLES[workload]}</text>')
        for i, name in enumerate(names):
            value = figures[name].get(workload)
            if value is not None:
                length = min(value, limit) / limit * (width - left - 170)
                parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{row - 3}" '
                             f'fill="{COLOURS[i % len(COLOURS)]}"/>')  # fmt: skip
                parts.append(f'<text x="{left + length + 5:.1f}" y="{y + row - 5}">'
                             f'{name} {value:.1f}</text>')  # fmt: skip
            y += row
        y += 16
    Path(path).write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json")
    parser.add_argument("--svg")
    parser.add_argument("--no-callgrind", action="store_true")
    options = parser.parse_args()

    figures = measure(options.program, options.repeats)
    speed_bars = bars(figures)
    print_table("ns per operation", figures, SPEED, {w: bar for w, (bar, _) in speed_bars.items()}, 2)
    for workload, (bar, whose) in speed_bars.items():
        print(f"  {TITLES[workload]:12} {bar:6.2f} ns is {PEER_RATIO} of the best freestanding peer ({whose})")
    print_table("worst single operation in churn, ns (the timer's resolution included)", figures,
                list(WORST_BARS), WORST_BARS, 0)  # fmt: skip
    with_region = {name: row for name, row in figures.items() if "use-64" in row}
    print_table("live bytes as they were asked for, per cent of the region, at the first failure",
                with_region, list(MEMORY_BARS), MEMORY_BARS, 2, least_is_best=False)  # fmt: skip
    counts = {}
    if not options.no_callgrind:
        counts = instructions(options.program, figures)
        print_table("instructions per operation (callgrind), the harness's taken off", counts, SPEED,
                    {}, 1)  # fmt: skip
    if options.json:
        Path(options.json).write_text(json.dumps({
            "figures": figures, "instructions": counts,
            "bars": {w: {"ns": bar, "from": whose} for w, (bar, whose) in speed_bars.items()},
        }, indent=2) + "\n", encoding="utf-8")  # fmt: skip
    if options.svg:
        draw(figures, options.svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
