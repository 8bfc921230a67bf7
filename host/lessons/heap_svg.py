"""The states of a heap that a lesson draws, as one SVG: a bar for each step, below each other, in the same scale.

A state is an object of `--pictures FILE` of the lesson's program (host/lessons/pictures.h). The picture is readable on
light and on dark pages. It has its own background, because a page and the system may have different schemes.
"""

import math
from dataclasses import dataclass

from heap_words import CANARY, FREE, GAP, HEADER, POISON, UNNAMED, words_of
from svg_canvas import EM_BOLD, EM_MONO, Canvas, shortened, text_width

WIDTH, MARGIN = 860, 24
BAR = WIDTH - 2 * MARGIN
BAR_HEIGHT = 42
CAPTION = 24  # the height of the words above a bar
LEVEL = 16  # the height of a line of marks below a bar
BETWEEN = 14
TAIL = 132  # the free rest of the heap, which is not drawn to scale
NARROWEST = 11  # a narrower piece is hard to see

# Fill of the blocks by their letter: light pages, dark pages. Letters that follow each other differ much.
BLOCKS = [("#a6cdf0", "#2d6596"), ("#b8dfa6", "#3d7540"), ("#f7cb8c", "#8a5722"), ("#d8c0ec", "#6a4d92"),
          ("#f5b8b6", "#97464f"), ("#a3dcd5", "#25706a"), ("#ebe095", "#6e6320"), ("#d3cdc1", "#655f55")]  # fmt: skip
# class: (property, light, dark)
COLOURS = {
    "page": ("fill", "#ffffff", "#161b22"), "edge": ("stroke", "#d8dee4", "#30363d"),
    "free": ("fill", "#f1f4f7", "#222a33"), "header": ("fill", "#5d6773", "#8f9aa6"),
    "bar": ("stroke", "#8a95a1", "#76828e"), "piece": ("stroke", "#ffffff", "#161b22"),
    "stripe": ("stroke", "#9aa5b1", "#6a7683"), "stem": ("stroke", "#c2410c", "#ffa657"),
    "tip": ("fill", "#c2410c", "#ffa657"), "quietstem": ("stroke", "#66717e", "#9aa5b1"),
    "quiettip": ("fill", "#66717e", "#9aa5b1"), "canary": ("fill", "#e8590c", "#f08c4b"),
    "unnamed": ("fill", "#dfe4ea", "#3a4450"),
    **{f"b{number}": ("fill", *pair) for number, pair in enumerate(BLOCKS)},
}  # fmt: skip
TEXTS = {"": ("#1d2733", "#e6edf3"), ".dim": ("#5c6773", "#9aa5b1"), ".mark": ("#b23a0a", "#ffa657"),
         ".inv": ("#ffffff", "#161b22")}  # fmt: skip
PATTERNS = "".join([
    '<pattern id="gap" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">',
    '<rect width="6" height="6" class="page"/>',
    '<line x1="0" y1="0" x2="0" y2="6" class="stripe" stroke-width="2.4"/></pattern>',
    '<pattern id="poison" width="7" height="7" patternUnits="userSpaceOnUse">',
    '<rect width="7" height="7" class="page"/><circle cx="2" cy="2" r="1.3" class="quiettip"/>',
    '<circle cx="5.5" cy="5.5" r="1.3" class="quiettip"/></pattern>'])  # fmt: skip
CLASSES = {FREE: "free", GAP: "g", HEADER: "header", CANARY: "canary", POISON: "p", UNNAMED: "unnamed"}


def rules(column):
    """Return the CSS of one scheme: 0 light, 1 dark."""
    shapes = "".join(f".{name}{{{value[0]}:{value[1 + column]}}}" for name, value in COLOURS.items())
    return shapes + "".join(f"text{name}{{fill:{pair[column]}}}" for name, pair in TEXTS.items())


STYLE = "\n".join([
    "", "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}",
    ".mono{font-family:ui-monospace,'SFMono-Regular','DejaVu Sans Mono',monospace}",
    ".b{font-weight:600}.g{fill:url(#gap)}.p{fill:url(#poison)}.none{fill:none}",
    rules(0), f"@media(prefers-color-scheme:dark){{{rules(1)}}}", ""])  # fmt: skip


def offsets_of(state):
    """Return all offsets where something begins or ends or that a mark names."""
    used = [piece for piece in all_pieces(state) if piece["sign"] != FREE]
    return {piece[end] for piece in used for end in ("start_bytes", "end_bytes")} | {
        mark["offset_bytes"] for mark in state["marks"]
    }


class Scale:
    """Where an offset is drawn. All states of a picture have the same scale.

    Bytes have the same width everywhere if each piece is then wide enough. Otherwise the width of a piece grows with
    the logarithm of its size.
    """

    def __init__(self, states):
        self.words = words_of(states[0]["lesson"])
        self.size_bytes = max(state["size_bytes"] for state in states)
        ends = sorted({0, *(offset for state in states for offset in offsets_of(state))})
        shown = max(ends[-1], min(64, self.size_bytes))
        self.has_tail = self.size_bytes > shown * 5 // 4
        self.shown = shown if self.has_tail else self.size_bytes
        self.ends = sorted({*ends, self.shown})
        self.places = self.linear()
        widths = [right - left for left, right in zip(self.places, self.places[1:])]
        self.is_linear = min(widths, default=BAR) >= NARROWEST
        if not self.is_linear:
            self.places = self.logarithmic()

    @property
    def length(self):
        return BAR - TAIL if self.has_tail else BAR

    def linear(self):
        return [MARGIN + end / self.shown * self.length for end in self.ends]

    def logarithmic(self):
        sizes = [right - left for left, right in zip(self.ends, self.ends[1:])]
        narrowest = min(40, 0.6 * self.length / len(sizes))
        doublings = [math.log2(size / min(sizes)) for size in sizes]
        per_doubling = (self.length - narrowest * len(sizes)) / max(sum(doublings), 1)
        places = [MARGIN]
        for count in doublings:
            places.append(places[-1] + narrowest + count * per_doubling)
        return places

    def x(self, offset):
        """Return the place of an offset. One behind the shown end is the heap's end."""
        if offset > self.shown:
            return MARGIN + BAR
        for index in range(len(self.ends) - 1):
            left, right = self.ends[index], self.ends[index + 1]
            if left <= offset <= right:
                share = (offset - left) / (right - left)
                return self.places[index] + share * (self.places[index + 1] - self.places[index])
        return MARGIN


def class_of(sign):
    if sign.isalpha():
        return f"b{(ord(sign.lower()) - ord('a')) % len(BLOCKS)}"
    return CLASSES.get(sign, "unnamed")


def all_pieces(state):
    """Return the pieces by address, with a free piece wherever there is no other. Where pieces overlap, the first one is
    seen, as in the bar of characters."""
    listed = [*(piece for piece in state["pieces"] if piece["sign"] != FREE),
              *(piece for piece in state["pieces"] if piece["sign"] == FREE),
              {"start_bytes": 0, "end_bytes": state["size_bytes"], "sign": FREE}]  # fmt: skip
    ends = sorted({piece[end] for piece in listed for end in ("start_bytes", "end_bytes")})
    pieces, previous = [], None
    for start, end in zip(ends, ends[1:]):
        seen = next(piece for piece in listed if piece["start_bytes"] <= start and end <= piece["end_bytes"])
        if seen is previous:
            pieces[-1]["end_bytes"] = end
        else:
            pieces.append({"start_bytes": start, "end_bytes": end, "sign": seen["sign"]})
        previous = seen
    return pieces


def draw_piece(canvas, scale, piece):
    start, end, sign = piece["start_bytes"], piece["end_bytes"], piece["sign"]
    left, right = scale.x(start), scale.x(end)
    tooltip = f"{scale.words.name(sign)}: {scale.words.span(start, end)}"
    canvas.rect(left, canvas.y, right - left, BAR_HEIGHT, "", tooltip,
                f'class="{class_of(sign)} piece" stroke-width="1.5"')  # fmt: skip
    if sign in (GAP, CANARY, POISON):
        return
    is_torn = scale.has_tail and end > scale.shown
    middle = (left + (right - TAIL * 0.4 if is_torn else right)) / 2
    room = (middle - left) * 2 - 6
    size = scale.words.size(end - start)
    cls = "inv" if sign == HEADER else "dim" if sign == FREE else ""
    if sign == FREE:
        words = next((text for text in (f"{size} free", size) if text_width(text, 11) <= room), "")
        words = "free" if is_torn else words
        if words:
            canvas.text(middle, canvas.y + 26, words, 11, cls, "middle")
        return
    has_size = text_width(size, 11) <= room
    if text_width(sign, 15, EM_BOLD) <= room + 4 and sign != HEADER:
        canvas.text(middle, canvas.y + (20 if has_size else 27), sign, 15, f"{cls} b", "middle")
    if has_size:
        canvas.text(middle, canvas.y + (26 if sign == HEADER else 35), size, 11, cls, "middle")


def draw_tear(canvas):
    """Draw two slanted lines: here a part of the heap is left out."""
    x, top, bottom = MARGIN + BAR - TAIL * 0.4, canvas.y - 3, canvas.y + BAR_HEIGHT + 3
    canvas.elements.append(f'<path d="M{x:.1f} {bottom}L{x + 10:.1f} {top}h8L{x + 8:.1f} {bottom}z" class="page"/>')
    for left in (x, x + 8):
        canvas.elements.append(f'<path d="M{left:.1f} {bottom}L{left + 10:.1f} {top}" class="bar none"/>')


def draw_bar(canvas, scale, state):
    for piece in all_pieces(state):
        draw_piece(canvas, scale, piece)
    canvas.rect(MARGIN, canvas.y, scale.x(state["size_bytes"]) - MARGIN, BAR_HEIGHT, "", "", 'class="bar none"')
    if scale.has_tail:
        draw_tear(canvas)


class Lines:
    """The lines of labels below a bar. A label goes into the first line where it has room."""

    def __init__(self):
        self.taken = []

    def level(self, left, right):
        for number, spans in enumerate(self.taken):
            if all(right < begin or left > end for begin, end in spans):
                spans.append((left, right))
                return number
        self.taken.append([(left, right)])
        return len(self.taken) - 1

    def has_room(self, left, right):
        """Return whether the first line has room, and take it."""
        if not self.taken:
            self.taken.append([])
        if any(right >= begin and left <= end for begin, end in self.taken[0]):
            return False
        self.taken[0].append((left, right))
        return True


@dataclass(frozen=True)
class Arrow:
    """An arrow that points at the bar from below. Its words are at its right side; at its left near the border."""

    x: float
    words: str
    is_quiet: bool
    is_left: bool
    level: int

    def draw(self, canvas):
        top, bottom = canvas.y + 2, canvas.y + 13 + self.level * LEVEL
        quiet = "quiet" if self.is_quiet else ""
        canvas.elements.append(f'<path d="M{self.x:.1f} {top + 5}V{bottom}" class="{quiet}stem" stroke-width="1.6"/>'
                               f'<path d="M{self.x:.1f} {top}l-4.5 7h9z" class="{quiet}tip"/>')  # fmt: skip
        canvas.text(self.x + (-8 if self.is_left else 8), bottom, self.words, 12, "mono dim" if quiet else "mono mark",
                    "end" if self.is_left else "start")  # fmt: skip


def arrow(lines, x, words, is_quiet=False):
    """Return an arrow in the first line that has room for its words."""
    width = text_width(words, 12, EM_MONO) + 10
    is_left = x + width > WIDTH - MARGIN + 4
    level = lines.level(*((x - width, x + 5) if is_left else (x - 5, x + width)))
    for number in range(level):
        lines.taken[number].append((x - 3, x + 3))
    return Arrow(x, words, is_quiet, is_left, level)


def draw_labels(canvas, scale, state, has_ends):
    """Draw the marks of a state, the heap's ends where its size is new, and the offsets that have room."""
    lines, words = Lines(), scale.words
    arrows = [arrow(lines, scale.x(mark["offset_bytes"]), f"{mark['name']} = {words.offset(mark['offset_bytes'])}")
              for mark in sorted(state["marks"], key=lambda one: one["offset_bytes"])]  # fmt: skip
    marked = {mark["offset_bytes"] for mark in state["marks"]}
    if has_ends:
        size_bytes = state["size_bytes"]
        arrows.append(arrow(lines, scale.x(size_bytes), words.end.format(size_bytes // words.unit_bytes), True))
        arrows.append(arrow(lines, MARGIN, words.start, True))
        marked |= {0, state["size_bytes"]}
    for one in reversed(arrows):  # so that a mark's arrow is above that of the heap's end at the same place
        one.draw(canvas)
    draw_offsets(canvas, scale, sorted(offsets_of(state) - marked), lines)
    canvas.y += LEVEL * max(len(lines.taken), 1)


def draw_offsets(canvas, scale, offsets, lines):
    for offset in offsets:
        x, words = scale.x(offset), scale.words.offset(offset)
        half = text_width(words, 10, EM_MONO) / 2 + 3
        if MARGIN - 4 < x - half and x + half < WIDTH - MARGIN + 4 and lines.has_room(x - half, x + half):
            canvas.elements.append(f'<path d="M{x:.1f} {canvas.y}v4" class="bar"/>')
            canvas.text(x, canvas.y + 13, words, 10, "dim mono", "middle")


def draw_state(canvas, scale, state, has_ends):
    step = f"step {state['step']}"
    canvas.text(MARGIN, canvas.y + 13, step, 12, "dim")
    indent = text_width(step, 12) + 10
    canvas.text(MARGIN + indent, canvas.y + 13, shortened(state["call"], 13, BAR - indent, EM_MONO), 13, "mono b")
    canvas.y += CAPTION
    draw_bar(canvas, scale, state)
    canvas.y += BAR_HEIGHT
    draw_labels(canvas, scale, state, has_ends)


def has_units(scale, states):
    """Return whether a size in the picture has a unit."""
    return any(not scale.words.size(piece["end_bytes"] - piece["start_bytes"]).isdigit()
               for state in states for piece in state["pieces"])  # fmt: skip


def draw_legend(canvas, scale, states):
    """Explain each kind of piece that is in the picture."""
    signs = {piece["sign"] for state in states for piece in all_pieces(state)}
    letter = min((sign for sign in signs if sign.isalpha()), key=str.swapcase, default="")
    size = "its size" if has_units(scale, states) else f"its size in {scale.words.unit}s"
    entries = [(class_of(letter), f"{scale.words.block}, and {size}")] if letter else []
    entries += [(class_of(sign), scale.words.name(sign)) for sign in CLASSES if sign in signs]
    if scale.has_tail:
        entries.append(("", "// more free memory than is drawn"))
    if not scale.is_linear:
        entries.append(("", "not to scale"))
    canvas.elements.append(f'<path d="M{MARGIN} {canvas.y}H{WIDTH - MARGIN}" class="edge"/>')
    canvas.y += 22
    x = MARGIN
    for cls, words in entries:
        width = text_width(words, 12, 0.52) + (24 if cls else 0)
        if x + width > WIDTH - MARGIN:
            x, canvas.y = MARGIN, canvas.y + 20
        if cls:
            canvas.rect(x, canvas.y - 11, 16, 13, "", "", f'class="{cls} bar" rx="2"')
        canvas.text(x + (22 if cls else 0), canvas.y, words, 12, "dim")
        x += width + 16


def draw(states):
    """Return the text of the SVG of these states of one lesson."""
    first, last = states[0], states[-1]
    steps = f"step {first['step']}" if len(states) == 1 else f"steps {first['step']} to {last['step']}"
    scale = Scale(states)
    canvas = Canvas(WIDTH, MARGIN, STYLE, PATTERNS, f"{scale.words.title} {first['lesson']} after {steps}")
    canvas.y -= 6
    size_bytes = None
    for state in states:
        canvas.y += BETWEEN if size_bytes else 0
        draw_state(canvas, scale, state, state["size_bytes"] != size_bytes)
        size_bytes = state["size_bytes"]
    canvas.y += BETWEEN
    draw_legend(canvas, scale, states)
    canvas.y -= 6
    return canvas.document('class="page edge" rx="8"')
