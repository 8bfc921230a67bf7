"""The picture for a terminal."""

import textwrap

from picture import (
    KINDS, headline, load_figures, page_counts, pieces_of, ram_bytes, totals_of,
)  # fmt: skip
from units import doublings, percent_text, size_text

RIBBON_COLUMNS = 76
BAR_COLUMNS = 20
# A table with a sentence in each line needs this number of columns. On a narrower terminal it has no sentences.
SENTENCE_COLUMNS = 132
# The columns of a piece for each doubling of its size. A page has one column.
COLUMNS_PER_DOUBLING = 0.45


def paint(text, code, colour):
    return f"\033[30;{code}m{text}\033[0m" if colour and code != 49 else text


def ribbon(pieces, colour):
    """Return the address space from left to right, in lines. Each line begins with its first address."""
    lines, line, used, first = [], "", 0, 0
    for piece in pieces:
        _, _, letter, code = KINDS[piece.kind]
        width = max(1, round(piece.weight * COLUMNS_PER_DOUBLING))
        if used + width > RIBBON_COLUMNS:
            lines.append((first, line))
            line, used, first = "", 0, piece.start
        line += paint(letter * width, code, colour)
        used += width
    lines.append((first, line))
    return [f"  {first:#15x} {line}" for first, line in lines]


def legend(pieces, colour):
    lines = []
    for kind, (size, count) in totals_of(pieces).items():
        what, _, letter, code = KINDS[kind]
        pieces_text = f"in {count} pieces" if count > 1 else "in one piece"
        lines.append(f"  {paint(letter, code, colour)} {kind:16}{size_text(size):>10} "
                     f"{pieces_text:15} {what}")  # fmt: skip
    return lines


def bar(size_bytes, largest):
    """Return a bar of blocks in eighths. Its length is the logarithm of the size."""
    if not size_bytes:
        return ""
    share = (1 + doublings(size_bytes)) / (1 + doublings(largest))
    eighths = max(1, round(share * BAR_COLUMNS * 8))
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def owners(report, columns):
    total = report["total_frames"] * 4096
    lines = [f"  {'':16}{'at entry':>10} {'now':>10} {'share':>10}"]
    for owner in report["ownership"]:
        entry, now = owner["entry_frames"] * 4096, owner["now_frames"] * 4096
        fate = owner["fate"] if columns >= SENTENCE_COLUMNS else ""
        lines.append(f"  {owner['name']:16}{size_text(entry) if entry else '-':>10} "
                     f"{size_text(now) if now else '-':>10} {percent_text(now, total):>10} "
                     f"{bar(now, total):{BAR_COLUMNS}} {fate}".rstrip())  # fmt: skip
    lines.append(f"  {'all RAM':16}{size_text(total):>10} {size_text(total):>10}")
    return lines


def load(report, columns):
    text = ", ".join(load_figures(report))
    return textwrap.wrap(text, min(columns, SENTENCE_COLUMNS) - 2, initial_indent="  ",
                         subsequent_indent="  ")  # fmt: skip


def column_width(texts, least=0):
    return max([least, *map(len, texts)])


def areas(address_space):
    """Return the table of mappings, from the simulator's report or from a kernel's own lines."""
    names = column_width([area["name"] for area in address_space], 12)
    permissions = column_width([area["permissions"] for area in address_space], 4)
    return [f"  {area['name']:{names}} {area['start']:#018x} {size_text(area['mapped_bytes']):>10} "
            f"{area['permissions']:{permissions}} {page_counts(area)}".rstrip()
            for area in address_space]  # fmt: skip


def draw(report, colour, columns=SENTENCE_COLUMNS):
    """Return the lines of the picture, for a terminal with this number of columns."""
    pieces = pieces_of(report["regions"])
    lines = []
    if pieces:
        lines += ["Physical memory, by address (one more letter for every two doublings of the size)",
                  *ribbon(pieces, colour), "", *legend(pieces, colour), ""]  # fmt: skip
    if report["outcome"] == "ready":
        lines += ["Owners of the RAM (the bars are logarithmic)", *owners(report, columns), ""]
        lines += ["Mappings of the kernel", *areas(report["address_space"]), ""]
        lines += [f"Load {report['load']['name']}", *load(report, columns), ""]
    lines.append(f"{report['map']['source']}: {size_text(ram_bytes(report))} of RAM; "
                 f"{headline(report)}.".replace("..", "."))  # fmt: skip
    if report["outcome"] == "ready":
        lines.append(f"{report['proofs']} invariants checked, "
                     f"{size_text(report['resident_bytes'])} of host memory for the simulated RAM, "
                     f"{report['took_ns'] / 1e9:.2f} s.")  # fmt: skip
    return lines
