"""Draw the times of other allocators beside the fast policy, from the JSON of the benchmarks, as SVG.

    plot_heap.py HEAP.json [MIXES.json] [TRACES.json] OUT.svg

A row is a workload, a mix of bench_mixes.py, or a replayed program. A mark is an allocator. The line at 1 is `fast`. The axis is
logarithmic, so half the time and twice the time are equally far from the line.
"""

import json
import pathlib
import sys

from svg import Drawing, log_scale

WIDTH, LEFT, RIGHT, ROW = 820, 170, 30, 44
LOW, HIGH = 0.125, 16
LEGEND_COLUMNS = 6
# The word before a title, by a key of the file.
KINDS = {"programs": "replayed: ", "mixes": "mix: "}
TICKS = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16]
OURS = ("fast", "bump", "first-fit", "best-fit")
# These take their memory from an operating system. The others are for kernels, like ours.
HOSTED = ("glibc", "mimalloc", "jemalloc", "scudo", "snmalloc", "rpmalloc", "hardened")


def name_of_tick(tick):
    return {0.125: "⅛", 0.25: "¼", 0.5: "½", 1: "1"}.get(tick, f"{tick}×")


def legend(drawing, names):
    for i, name in enumerate(names):
        x, y = 22 + i % LEGEND_COLUMNS * 130, 70 + i // LEGEND_COLUMNS * 20
        drawing.dot(x, y - 4, i, "circle" if name.startswith(HOSTED) else "square")
        drawing.text(x + 10, y, name)


def draw(rows, hidden):
    """Draw `rows`, which is {title: {allocator: time divided by the time of fast}}, without `hidden` allocators."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row if name not in hidden))
    top = 84 + 20 * ((len(names) - 1) // LEGEND_COLUMNS)
    height = top + ROW * len(rows) + 40
    drawing = Drawing(WIDTH, height)
    x_of = log_scale(LOW, HIGH, LEFT, WIDTH - RIGHT)
    drawing.text(16, 26, "Time per operation beside the fast policy (the line at 1)", size=15)
    drawing.text(16, 44, "left of the line is faster, right of it is slower; squares are allocators for kernels, "
                 "circles need an operating system", size=11)  # fmt: skip
    legend(drawing, names)
    for tick in TICKS:
        drawing.line(x_of(tick), top, x_of(tick), height - 36, "axis" if tick == 1 else "grid",
                     2 if tick == 1 else 1)  # fmt: skip
        drawing.text(x_of(tick), height - 18, name_of_tick(tick), anchor="middle")
    for index, (title, row) in enumerate(rows.items()):
        middle = top + ROW * index + ROW / 2
        drawing.line(16, middle + ROW / 2, WIDTH - RIGHT, middle + ROW / 2)
        drawing.text(16, middle + 4, title)
        for i, name in enumerate(names):
            if name in row:
                # Each mark is a step lower, so that equal figures do not hide one another.
                y = middle + (i - (len(names) - 1) / 2) * (ROW - 12) / max(len(names) - 1, 1)
                shape = "circle" if name.startswith(HOSTED) else "square"
                drawing.dot(x_of(min(max(row[name], LOW), HIGH)), y, i,
                            "arrow" if row[name] > HIGH else shape)  # fmt: skip
    return drawing


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    rows, hidden = {}, set(OURS)
    for path in sys.argv[1:-1]:
        results = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        kind = next((kind for key, kind in KINDS.items() if key in results), "")
        rows.update({kind + title: row for title, row in results["ratios"].items()})
        hidden.update(results.get("variants", ()))
    draw(rows, hidden).save(sys.argv[-1])


if __name__ == "__main__":
    main()
