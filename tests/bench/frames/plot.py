"""Draw time to initialise against RAM size, from the JSON of bench_frames, as SVG.

    plot.py RESULTS.json OUT.svg

Both axes are logarithmic: a line that is flat does not grow with RAM.
"""
import json
import math
import pathlib
import sys

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 150, 50, 60
COLOURS = {"handoff": "#0b6e4f", "flat bitmap": "#c05746", "buddy": "#6d6a75"}
UNITS = {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
NS_TICKS = ((1e1, "10 ns"), (1e2, "100 ns"), (1e3, "1 µs"), (1e4, "10 µs"), (1e5, "100 µs"),
            (1e6, "1 ms"), (1e7, "10 ms"), (1e8, "100 ms"))


def size_bytes(text):
    number, unit = text.split()
    return int(number) * UNITS[unit]


def read_lines(path):
    """Allocator → [(RAM in bytes, nanoseconds)], in order of RAM."""
    lines = {}
    for result in json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["results"]:
        if result["test"] == "initialise":
            point = (size_bytes(result["parameter"]), result["ns"])
            lines.setdefault(result["allocator"], []).append(point)
    return {name: sorted(points) for name, points in lines.items()}


def scale(value, low, high, start, end):
    share = (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
    return round(start + share * (end - start), 1)


def draw(lines):
    sizes = sorted({size for points in lines.values() for size, _ in points})
    times = [ns for points in lines.values() for _, ns in points]
    low = 10 ** math.floor(math.log10(min(times)))
    high = 10 ** math.ceil(math.log10(max(times)))

    def x_of(size):
        return scale(size, sizes[0], sizes[-1], LEFT, WIDTH - RIGHT)

    def y_of(ns):
        return scale(ns, low, high, HEIGHT - BOTTOM, TOP)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             f'<text x="{LEFT}" y="24" font-size="15">Frame allocator: time to initialise, '
             'by RAM</text>']
    for ns, text in NS_TICKS:
        if low <= ns <= high:
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y_of(ns)}" y2="{y_of(ns)}" '
                         'stroke="#ddd"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{y_of(ns) + 4}" text-anchor="end">{text}</text>')
    for size in sizes:
        unit = next(name for name in ("TiB", "GiB", "MiB") if size >= UNITS[name])
        parts.append(f'<text x="{x_of(size)}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" '
                     f'font-size="10">{size // UNITS[unit]} {unit}</text>')
    for name, points in lines.items():
        colour = COLOURS[name]
        path = " ".join(f"{x_of(size)},{y_of(ns)}" for size, ns in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(size)}" cy="{y_of(ns)}" r="3" fill="{colour}"/>'
                  for size, ns in points]
        size, ns = points[-1]
        parts.append(f'<text x="{x_of(size) + 10}" y="{y_of(ns) + 4}" fill="{colour}">{name}</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[2]).write_text(draw(read_lines(sys.argv[1])), encoding="utf-8")


if __name__ == "__main__":
    main()
