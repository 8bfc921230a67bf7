"""The arithmetic, the tables and the progress that the benchmarks share."""

import math
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from progress import steps  # noqa: E402 (the path is set just above)

HARNESS = "(harness)"
OURS = ("fast", "bump", "first-fit", "best-fit")
# Below this, a difference from the harness is noise.
LEAST_NET_NS = 0.1


def lines_of(title, command, environment=None):
    """Run a benchmark, and return the lines of its output. A terminal shows their number meanwhile."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        lines = [line.rstrip("\n") for line in steps(title, child.stdout)]
    if child.returncode != 0:
        raise subprocess.CalledProcessError(child.returncode, command)
    return lines


def net(figures, name, column):
    """Return the time without the harness's own time."""
    return max(figures[name][column] - figures[HARNESS][column], LEAST_NET_NS)


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def ratios(figures, columns, base="fast"):
    """Return {column: {allocator: its time divided by the time of `base`}}, without the harness's time."""
    return {c: {name: round(net(figures, name, c) / net(figures, base, c), 3)
                for name, row in figures.items() if name != HARNESS and c in row}
            for c in columns}  # fmt: skip


def lost(rows, left_out=OURS):
    """Return [(column, allocator, ratio)] of each figure below 1 in {column: {allocator: ratio}}, the lowest first."""
    return sorted(((column, name, ratio) for column, row in rows.items() for name, ratio in row.items()
                   if ratio < 1 and name not in left_out), key=lambda entry: entry[2])  # fmt: skip


def print_lost(rows, titles, left_out=OURS):
    """Print the columns in which another allocator is better than `fast`, the worst column first."""
    by_column = {}
    for column, name, ratio in lost(rows, left_out):
        by_column.setdefault(column, []).append(f"{name} {ratio:.2f}")
    print("\ncolumns that fast loses: the figure of the other allocator divided by that of fast\n")
    for column, others in by_column.items():
        print(f"  {titles.get(column, column):18}" + ", ".join(others))
    won = [titles.get(column, column) for column in rows if column not in by_column]
    print(f"  (all others are won: {', '.join(won) or 'there are no others'})")


def print_columns(title, figures, columns, titles, decimals):
    """Print {allocator: {column: figure}}: a row is an allocator."""
    shown = [c for c in columns if any(c in row for row in figures.values())]
    print(f"\n{title}\n\n{'':20}" + "".join(f"{titles.get(c, c):>18}" for c in shown))
    for name, row in figures.items():
        cells = [f"{row[c]:18.{decimals}f}" if c in row else f"{'-':>18}" for c in shown]
        print(f"{name:20}" + "".join(cells))
