"""The picture as SVG: one file without scripts, fonts or links. Every piece has a tooltip."""

from picture import (
    DARK, KINDS, headline, load_figures, owner_colour, page_counts, pieces_of, ram_bytes, totals_of,
)  # fmt: skip
from svg_canvas import EM, EM_BOLD, Canvas, shortened, text_width, wrapped
from units import doublings, percent_text, size_text

WIDTH = 1240
MARGIN = 30
LABEL = 132  # the first address of each line, left of the ribbon
RIBBON = WIDTH - 2 * MARGIN - LABEL
BLOCK_HEIGHT = 40
LINE_HEIGHT = 66
PIXELS_PER_DOUBLING = 6.2
NARROWEST = 7
STYLE = """
text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1d2733}
.mono{font-family:ui-monospace,'SFMono-Regular','DejaVu Sans Mono',monospace}
.dim{fill:#66717e}.light{fill:#ffffff}.b{font-weight:600}
"""
NOTHING = "".join([
    '<pattern id="nothing" width="7" height="7" patternUnits="userSpaceOnUse" ',
    'patternTransform="rotate(45)"><rect width="7" height="7" fill="#f7f8fa"/>',
    '<line x1="0" y1="0" x2="0" y2="7" stroke="#d3d8de" stroke-width="2"/></pattern>'])  # fmt: skip
BORDER = 4  # between a label and the border of its block


def fill_of(kind):
    return "url(#nothing)" if kind == "nothing" else KINDS[kind][1]


def short_address(address):
    """Return 0x1_0000_0000, in groups of four digits, which are easier to read."""
    digits = f"{address:x}"
    groups = []
    while digits:
        groups.insert(0, digits[-4:])
        digits = digits[:-4]
    return "0x" + "_".join(groups)


def draw_title(canvas, report):
    good = report["outcome"] == "ready"
    canvas.y += 12
    width = WIDTH - 2 * MARGIN
    canvas.text(MARGIN, canvas.y, shortened(report["map"]["source"], 22, width, EM_BOLD), 22, "b")
    canvas.y += 26
    colour = "#2e8b57" if good else "#c9302c"
    canvas.rect(MARGIN, canvas.y - 11, 12, 12, colour, extra='rx="6"')
    for line in wrapped(headline(report).split(" "), " ", 14 * EM_BOLD / EM, width - 20):
        canvas.text(MARGIN + 20, canvas.y, line, 14, "b")
        canvas.y += 22
    rows = len(report["map"]["rows"])
    canvas.text(MARGIN, canvas.y,
                f"{size_text(ram_bytes(report))} of RAM, {len(report['regions'])} regions from "
                f"{rows} rows ({report['map']['form']})", 13, "dim")  # fmt: skip


def draw_to_scale(canvas, pieces):
    """Draw the same addresses without a logarithm. This shows the largest parts of the machine."""
    top = pieces[-1].end
    canvas.heading("To scale", f"0 to {size_text(top)}; ranges that are too narrow to see are drawn below")
    width = WIDTH - 2 * MARGIN
    canvas.rect(MARGIN, canvas.y, width, 22, "url(#nothing)")
    for piece in pieces:
        if piece.kind != "nothing":
            canvas.rect(MARGIN + piece.start / top * width, canvas.y, piece.size / top * width, 22,
                        fill_of(piece.kind), piece.describe())  # fmt: skip
    canvas.rect(MARGIN, canvas.y, width, 22, "none", extra='stroke="#9aa4af"')
    step = 1 << max(12, (top // 4).bit_length() - 1)
    step *= 2 if top // step > 12 else 1
    for tick in range(0, top + 1, step):
        x = MARGIN + tick / top * width
        canvas.line(x, canvas.y + 22, x, canvas.y + 27, "#9aa4af")
        anchor = "start" if tick == 0 else "end" if x > WIDTH - MARGIN - 30 else "middle"
        canvas.text(x, canvas.y + 39, size_text(tick) if tick else "0", 11, "dim mono", anchor)
    canvas.y += 44


def block_width(piece):
    return NARROWEST + PIXELS_PER_DOUBLING * (piece.weight - 1)


def wrap(pieces):
    """Return the pieces of each line of the ribbon. Each line is stretched to the full width."""
    lines, line, used = [], [], 0
    for piece in pieces:
        if used + block_width(piece) > RIBBON and line:
            lines.append((line, RIBBON / used))
            line, used = [], 0
        line.append(piece)
        used += block_width(piece)
    stretch = RIBBON / used if used > 0.75 * RIBBON else 1
    lines.append((line, stretch))
    return lines


def draw_block(canvas, piece, x, width):
    text_class = "light" if piece.kind in DARK else ""
    canvas.rect(x, canvas.y, width, BLOCK_HEIGHT, fill_of(piece.kind), piece.describe(),
                'stroke="#ffffff" stroke-width="1"' if piece.kind != "nothing" else
                'stroke="#d3d8de" stroke-width="0.5"')  # fmt: skip
    middle = x + width / 2
    size = size_text(piece.size)
    room = width - 2 * BORDER
    if text_width(size, 11, EM_BOLD) <= room:
        has_name = text_width(piece.kind, 10) <= room and piece.kind != "nothing"
        canvas.text(middle, canvas.y + (17 if has_name else 24), size, 11, text_class + " b",
                    "middle")  # fmt: skip
        if has_name:
            canvas.text(middle, canvas.y + 31, piece.kind, 10, text_class, "middle")


def draw_ribbon(canvas, pieces):
    canvas.heading("Physical memory, by address",
                   "left to right, line by line; with every doubling of its size, a block gets "
                   "longer by the same length")  # fmt: skip
    for line, stretch in wrap(pieces):
        x = MARGIN + LABEL
        canvas.text(x - 8, canvas.y + 25, short_address(line[0].start), 11, "mono", "end")
        free_from = x
        for piece in line:
            width = block_width(piece) * stretch
            draw_block(canvas, piece, x, width)
            address = short_address(piece.start)
            fits = free_from <= x < WIDTH - MARGIN - 5.6 * len(address)
            if piece is not line[0] and fits and width > 24:
                canvas.line(x, canvas.y + BLOCK_HEIGHT, x, canvas.y + BLOCK_HEIGHT + 4, "#9aa4af")
                canvas.text(x, canvas.y + BLOCK_HEIGHT + 14, address, 9, "mono dim")
                free_from = x + 5.6 * len(address) + 8
            x += width
        canvas.y += LINE_HEIGHT
    canvas.y += 12


def draw_legend(canvas, pieces):
    column, columns = 0, 3
    step = (WIDTH - 2 * MARGIN) / columns
    for kind, (size, count) in totals_of(pieces).items():
        x = MARGIN + column * step
        canvas.rect(x, canvas.y - 10, 14, 14, fill_of(kind), extra='stroke="#9aa4af" rx="2"')
        canvas.text(x + 20, canvas.y + 1, kind, 12, "b")
        canvas.text(x + 134, canvas.y + 1, f"{size_text(size)}, {count} ×", 12)
        canvas.text(x + 248, canvas.y + 1, KINDS[kind][0], 11, "dim")
        column = (column + 1) % columns
        canvas.y += 20 if column == 0 else 0
    canvas.y += 8 if column else -12


def log_length(size_bytes, total_bytes, length):
    if not size_bytes:
        return 0
    return (1 + doublings(size_bytes)) / (1 + doublings(total_bytes)) * length


def draw_axis(canvas, x, length, total_bytes, height):
    """Draw lines at a page, a MiB, a GiB, …"""
    marks = [4096, 1 << 16, 1 << 20, 1 << 24, 1 << 30, 1 << 34, 1 << 40, 1 << 44]
    for mark in [mark for mark in marks if mark <= total_bytes]:
        at = x + log_length(mark, total_bytes, length)
        canvas.line(at, canvas.y, at, canvas.y + height, "#e3e7ec")
        canvas.text(at, canvas.y - 4, size_text(mark), 10, "dim", "middle")


def draw_ownership(canvas, report):
    total = report["total_frames"] * 4096
    canvas.heading("Owners of the RAM",
                   "upper bar: at the kernel's first instruction; lower bar: now; both are "
                   "logarithmic")  # fmt: skip
    canvas.y += 14
    bars, length, row = MARGIN + 122, 390, 30
    draw_axis(canvas, bars, length, total, row * len(report["ownership"]))
    columns = bars + length + 16
    canvas.text(columns + 70, canvas.y - 4, "at entry", 11, "dim", "end")
    canvas.text(columns + 150, canvas.y - 4, "now", 11, "dim", "end")
    for owner in report["ownership"]:
        entry, now = owner["entry_frames"] * 4096, owner["now_frames"] * 4096
        colour = owner_colour(owner["name"])
        texts = (f"{count} frame{'' if count == 1 else 's'}" for count in (owner["entry_frames"], owner["now_frames"]))
        tooltip = "{} ({})\nat entry: {}\nnow: {}\n{}".format(owner["name"], owner["state"], *texts, owner["fate"])  # fmt: skip
        canvas.text(bars - 10, canvas.y + 18, owner["name"], 12, "b", "end")
        if entry:
            canvas.rect(bars, canvas.y + 4, log_length(entry, total, length), 8, colour, tooltip,
                        f'fill-opacity="0.45" stroke="{colour}"')  # fmt: skip
        if now:
            canvas.rect(bars, canvas.y + 14, log_length(now, total, length), 10, colour, tooltip)
        canvas.text(columns + 70, canvas.y + 18, size_text(entry) if entry else "–", 12, "", "end")
        canvas.text(columns + 150, canvas.y + 18, size_text(now) if now else "–", 12, "b", "end")
        canvas.text(columns + 222, canvas.y + 18, percent_text(now, total), 11, "dim", "end")
        canvas.text(columns + 234, canvas.y + 18, owner["fate"], 11.5)
        canvas.line(MARGIN, canvas.y + row, WIDTH - MARGIN, canvas.y + row, "#eef1f4")
        canvas.y += row
    canvas.text(bars - 10, canvas.y + 18, "all RAM", 12, "b", "end")
    canvas.text(columns + 70, canvas.y + 18, size_text(total), 12, "", "end")
    canvas.text(columns + 150, canvas.y + 18, size_text(total), 12, "b", "end")
    canvas.text(columns + 234, canvas.y + 18, "each frame has exactly one owner", 11.5, "dim")
    canvas.y += 20


def draw_address_space(canvas, report):
    canvas.heading("Mappings of the kernel", "one line for each area, lowest address first")
    canvas.y += 4
    for area in report["address_space"]:
        canvas.y += 19
        canvas.text(MARGIN, canvas.y, area["name"], 12, "b")
        canvas.text(MARGIN + 110, canvas.y, short_address(area["start"]), 12, "mono")
        canvas.text(MARGIN + 390, canvas.y, size_text(area["mapped_bytes"]), 12, "", "end")
        canvas.text(MARGIN + 420, canvas.y, area["permissions"], 12, "mono")
        canvas.text(MARGIN + 600, canvas.y, page_counts(area), 12)
    canvas.y += 8


def draw_figures(canvas, report):
    heap, early = report["heap"], report["early_heap"]
    canvas.heading("Heaps and load")
    canvas.y += 4
    indent = 160
    for name, texts in [
        ("early heap", [f"from the {early['source']}: {size_text(early['size_bytes'])}",
                        f"at most {size_text(early['peak_bytes'])} used",
                        f"{size_text(early['used_bytes'])} kept"]),
        ("heap", [f"{heap['policy']}: {size_text(heap['mapped_bytes'])} mapped of "
                  f"{size_text(heap['limit_bytes'])}",
                  f"at most {size_text(heap['peak_used_bytes'])} used",
                  f"{heap['allocations']} allocations", f"{heap['failures']} refused"]),
        (f"load {report['load']['name']}", load_figures(report)),
        ("checks", [f"{report['proofs']} invariants checked",
                   f"{size_text(report['resident_bytes'])} of host memory for the simulated RAM",
                   f"{report['took_ns'] / 1e9:.2f} s"]),
    ]:  # fmt: skip
        canvas.text(MARGIN, canvas.y + 19, name, 12, "b")
        for line in wrapped(texts, ", ", 12, WIDTH - 2 * MARGIN - indent):
            canvas.y += 19
            canvas.text(MARGIN + indent, canvas.y, line, 12)


def draw(report):
    """Return the text of the SVG file."""
    canvas = Canvas(WIDTH, MARGIN, STYLE, NOTHING)
    draw_title(canvas, report)
    pieces = pieces_of(report["regions"])
    if pieces:
        draw_to_scale(canvas, pieces)
        draw_ribbon(canvas, pieces)
        draw_legend(canvas, pieces)
    if report["outcome"] == "ready":
        draw_ownership(canvas, report)
        draw_address_space(canvas, report)
        draw_figures(canvas, report)
    return canvas.document()
