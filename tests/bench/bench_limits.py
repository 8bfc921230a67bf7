"""Print the cost of the fast policy's worst operation, by the limit of the heap.

    bench_limits.py PROGRAM [--json FILE]

The figures are instructions, counted one by one (tests/unit/support/steps.h). They do not depend on the machine. A row
is a pattern of heap/bench_limits.c. With constant time, the figures of a row do not grow.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

UNITS = ((1 << 20, "TiB"), (1 << 10, "GiB"), (1, "MiB"))


def measure(program):
    """Return {pattern: {limit in MiB: (worst, mean), or None if the policy refuses the limit}}."""
    output = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = {}
    for line in output.splitlines():
        pattern, limit, *figures = line.split()
        rows.setdefault(pattern, {})[int(limit)] = None if figures == ["refused"] else tuple(map(float, figures))
    return rows


def name_of(limit_mib):
    """The policy's maximum, 64 GiB less 1 MiB, is called 64 GiB. The same holds for similar limits."""
    size, unit = next((size, unit) for size, unit in UNITS if limit_mib + 1 >= size)
    return f"{(limit_mib + 1) // size if limit_mib + 1 >= 1024 else limit_mib} {unit}"


def print_table(title, rows, index):
    limits = list(next(iter(rows.values())))
    print(f"\n{title}\n")
    print(f"{'limit':12}" + "".join(f"{name_of(limit):>10}" for limit in limits))
    for pattern, row in rows.items():
        cells = ["refused" if row[limit] is None else f"{row[limit][index]:.0f}" for limit in limits]
        print(f"{pattern:12}" + "".join(f"{cell:>10}" for cell in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = measure(options.program)
    print_table("instructions of the worst single operation", rows, 0)
    print_table("instructions of an operation, on average", rows, 1)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
