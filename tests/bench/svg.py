"""A drawing that the plots of the benchmarks share: an SVG that is readable on a light and on a dark page.

The colours are classes. A browser that prefers dark uses the second colour of each pair.
"""

import math
import pathlib
from xml.sax.saxutils import escape

# (light, dark). People who do not see red and green can also tell them apart (after Okabe and Ito).
SERIES = [
    ("#0b6e4f", "#3fc79a"), ("#c05746", "#f0907f"), ("#3a5fb0", "#8fb0ff"), ("#8a6d00", "#e6c84a"),
    ("#8b3a8b", "#dd96dd"), ("#00798c", "#5cc9db"), ("#6d6a75", "#b9b6c2"), ("#7a4b1e", "#d9a675"),
    ("#44661a", "#a8d06a"), ("#b0356b", "#ff8fbf"),
]  # fmt: skip
PLAIN = {"card": ("#ffffff", "#161b22"), "ink": ("#1f2328", "#e6edf3"), "grid": ("#d8dee4", "#3a424c")}


def styles(shade):
    """Return the style rules. `shade` is 0 for light and 1 for dark."""
    rules = [f".card{{fill:{PLAIN['card'][shade]}}}", f".ink{{fill:{PLAIN['ink'][shade]}}}",
             f".grid{{stroke:{PLAIN['grid'][shade]}}}", f".axis{{stroke:{PLAIN['ink'][shade]}}}"]  # fmt: skip
    for i, colours in enumerate(SERIES):
        rules.append(f".f{i}{{fill:{colours[shade]}}}.s{i}{{stroke:{colours[shade]}}}"
                     f".h{i}{{fill:{PLAIN['card'][shade]};stroke:{colours[shade]};stroke-width:2}}")  # fmt: skip
    return "".join(rules)


class Drawing:
    def __init__(self, width, height):
        self.width, self.height = width, height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="sans-serif" font-size="12">',
            f"<style>{styles(0)}@media (prefers-color-scheme:dark){{{styles(1)}}}</style>",
            f'<rect class="card" width="{width}" height="{height}" rx="6"/>',
        ]

    def text(self, x, y, words, kind="ink", size=12, anchor="start"):
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
                          f'text-anchor="{anchor}">{escape(words)}</text>')  # fmt: skip

    def line(self, x1, y1, x2, y2, kind="grid", width=1):
        self.parts.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke-width="{width}"/>')  # fmt: skip

    def path(self, points, series):
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline class="s{series}" points="{joined}" fill="none" stroke-width="2"/>')

    def dot(self, x, y, series, shape="circle"):
        """Draw a circle, a square, or the head of an arrow that points to the right. After the last colour, the marks
        are hollow, and the colours begin again."""
        kind = f"{'f' if series < len(SERIES) else 'h'}{series % len(SERIES)}"
        ends = {"square": [(-4, -4), (4, -4), (4, 4), (-4, 4)], "arrow": [(-4, -5), (5, 0), (-4, 5)]}
        if shape == "circle":
            self.parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
        else:
            joined = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in ends[shape])
            self.parts.append(f'<polygon class="{kind}" points="{joined}"/>')

    def save(self, path):
        pathlib.Path(path).write_text("\n".join([*self.parts, "</svg>"]) + "\n", encoding="utf-8")


def log_scale(low, high, start, end):
    """Return a function from values to places on a logarithmic axis."""
    def place(value):
        share = (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
        return start + share * (end - start)
    return place
