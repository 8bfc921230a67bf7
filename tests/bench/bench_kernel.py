"""Guest instructions of the kernel's memory bring-up, by stage and by RAM size, and of each operation
of frames, pages and every heap policy.

As in bench_boot.py, QEMU counts instructions, so the figures depend only on the code. The figures do
not contain the time for log lines, which depends on the screen.

    bench_kernel.py [--json FILE]

The exit status is 1 if a figure is above its limit.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from bench_boot import KERNEL_PREFIX, counted_boot, phases_of, steps

# The phases from the handoff to the first use of the heap.
BRING_UP = ["handoff", "early heap", "cpu", "frames", "paging", "page audit", "reclaim", "heap"]
MEMORY_SIZES = ["64M", "512M", "1T"]
REFERENCE = "512M"
BRING_UP_LIMIT = 1_000_000
LARGEST_RATIO = 2.0
# The first words of an operation's name, and its limit in instructions. A refused run looks at one bound of
# the whole tree. More instructions mean that it looks at words.
FRAME_LIMITS = {"frame allocate": 40, "frame free": 40, "frame run, refused": 400}
# The columns, and the words on the command line for each. A column with a check beside a column without it
# shows the cost of the check.
HEAPS = {
    **{name: f"heap={name}" for name in ("fast", "best-fit", "first-fit", "bump")},
    # These two show the cost of blocks between guard pages (kernel/mm/heap/include/handoff/guarded.h), with the default policy.
    "no guard": "heap_guard=off heap_sample=0",
    "all guarded": "heap_sample=1",
}
SHIFT = 4
LOG_SHARE = re.compile(r"^\[measure\] log_ticks=(\d+) phase=(.*)$", re.MULTILINE)
EACH = re.compile(r'^\[measure\] ticks_each=([\d.]+) what="(.*)"$', re.MULTILINE)


def stages(log):
    """Return {stage: instructions} of the kernel, without the log's share."""
    found = {name.removeprefix(KERNEL_PREFIX).strip(): count for name, count in phases_of(log, SHIFT)
             if name.startswith(KERNEL_PREFIX)}  # fmt: skip
    for ticks, name in LOG_SHARE.findall(log):
        stage = name.removeprefix(KERNEL_PREFIX).strip()
        if stage in found:
            found[stage] -= int(ticks) >> SHIFT
    return found


def operations(log):
    return {what: float(ticks) / (1 << SHIFT) for ticks, what in EACH.findall(log)}


def missed_frame_limits(figures):
    """Return a sentence for each operation of frames that is above its limit, or has no limit."""
    missed = []
    for what, figure in figures.items():
        limits = [limit for start, limit in FRAME_LIMITS.items() if what.startswith(start)]
        if what.startswith("frame") and not limits:
            missed.append(f"{what} has no limit")
        missed += [f"{what} takes more than {limit}" for limit in limits if figure > limit]
    return missed


def show(title, rows, columns, decimals):
    """`rows` is {name: {column: figure}}."""
    print(f"\n{title}\n\n{'':48}" + "".join(f"{column:>14}" for column in columns))
    for name, figures in rows.items():
        cells = [f"{figures[c]:14,.{decimals}f}" if c in figures else f"{'-':>14}" for c in columns]
        print(f"  {name:46}" + "".join(cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    options = parser.parse_args()

    logs = {size: counted_boot(size, SHIFT, ["measure"])
            for size in steps("bench-kernel: sizes of memory", MEMORY_SIZES)}  # fmt: skip
    by_stage = {stage: {size: stages(logs[size])[stage] for size in MEMORY_SIZES} for stage in BRING_UP}
    total = {size: sum(figures[size] for figures in by_stage.values()) for size in MEMORY_SIZES}
    after = {stage: {size: stages(logs[size])[stage] for size in MEMORY_SIZES}
             for stage in ("self-test", "retire")}  # fmt: skip
    show("guest instructions of the memory bring-up, without the log",
         {**by_stage, "in all": total, **{f"(after that) {k}": v for k, v in after.items()}},
         MEMORY_SIZES, 0)  # fmt: skip

    by_heap = {}
    for heap, words in steps("bench-kernel: heaps", HEAPS.items()):
        log = counted_boot(REFERENCE, SHIFT, ["measure", *words.split()])
        for what, figure in operations(log).items():
            if what.startswith(("kmalloc", "kfree", "krealloc")):
                by_heap.setdefault(what, {})[heap] = figure
    show("guest instructions of an operation, with lock and loop", by_heap, HEAPS, 1)
    others = {what: {REFERENCE: figure} for what, figure in operations(logs[REFERENCE]).items()
              if what not in by_heap}  # fmt: skip
    show("guest instructions of an operation, with the loop", others, [REFERENCE], 1)

    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"bring_up": by_stage, "bring_up_total": total,
                                            "heap": by_heap, "other": others}, indent=1) + "\n",
                                encoding="utf-8")  # fmt: skip

    ratio = total["1T"] / total[REFERENCE]
    print(f"\n1T takes {ratio:.2f} times the instructions that {REFERENCE} takes")
    missed = []
    if total[REFERENCE] >= BRING_UP_LIMIT:
        missed.append(f"the bring-up takes {BRING_UP_LIMIT:,} or more instructions")
    if ratio > LARGEST_RATIO:
        missed.append(f"1T takes more than {LARGEST_RATIO} times as many instructions")
    missed += missed_frame_limits({what: figures[REFERENCE] for what, figures in others.items()})
    if missed:
        sys.exit("bench-kernel: " + "; ".join(missed))


if __name__ == "__main__":
    main()
