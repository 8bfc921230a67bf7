"""Draw time to initialise against RAM size, from the JSON of bench_frames, as SVG.

    plot_frames.py RESULTS.json OUT.svg

Both axes are logarithmic. A flat line means that the time does not grow with RAM.
"""

import json
import math
import pathlib
import sys

from svg import Drawing, log_scale

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 150, 50, 60
SERIES = {"handoff": 0, "flat bitmap": 1, "buddy": 6}
UNITS = {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
NS_TICKS = ((1e1, "10 ns"), (1e2, "100 ns"), (1e3, "1 µs"), (1e4, "10 µs"), (1e5, "100 µs"),
            (1e6, "1 ms"), (1e7, "10 ms"), (1e8, "100 ms"))  # fmt: skip


def size_bytes(text):
    number, unit = text.split()
    return int(number) * UNITS[unit]


def read_lines(path):
    """Return allocator → [(RAM in bytes, nanoseconds)], in order of RAM."""
    lines = {}
    for result in json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["results"]:
        if result["test"] == "initialise":
            point = (size_bytes(result["parameter"]), result["ns"])
            lines.setdefault(result["allocator"], []).append(point)
    return {name: sorted(points) for name, points in lines.items()}


def draw(lines):
    sizes = sorted({size for points in lines.values() for size, _ in points})
    times = [ns for points in lines.values() for _, ns in points]
    low = 10 ** math.floor(math.log10(min(times)))
    high = 10 ** math.ceil(math.log10(max(times)))
    x_of = log_scale(sizes[0], sizes[-1], LEFT, WIDTH - RIGHT)
    y_of = log_scale(low, high, HEIGHT - BOTTOM, TOP)

    drawing = Drawing(WIDTH, HEIGHT)
    drawing.text(LEFT, 24, "Frame allocator: time to initialise, by RAM", size=15)
    for ns, words in NS_TICKS:
        if low <= ns <= high:
            drawing.line(LEFT, y_of(ns), WIDTH - RIGHT, y_of(ns))
            drawing.text(LEFT - 8, y_of(ns) + 4, words, anchor="end")
    for size in sizes:
        unit = next(name for name in ("TiB", "GiB", "MiB") if size >= UNITS[name])
        drawing.text(x_of(size), HEIGHT - BOTTOM + 20, f"{size // UNITS[unit]} {unit}", size=10,
                     anchor="middle")  # fmt: skip
    for name, points in lines.items():
        places = [(x_of(size), y_of(ns)) for size, ns in points]
        drawing.path(places, SERIES[name])
        for x, y in places:
            drawing.dot(x, y, SERIES[name])
        drawing.text(places[-1][0] + 10, places[-1][1] + 4, name, kind=f"f{SERIES[name]}")
    return drawing


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    draw(read_lines(sys.argv[1])).save(sys.argv[2])


if __name__ == "__main__":
    main()
