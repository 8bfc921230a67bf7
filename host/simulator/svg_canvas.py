"""A canvas for pictures as SVG: one file without scripts, fonts or links. Shared by the simulator's picture and by
the pictures of heaps in docs/learn."""

import unicodedata
from xml.sax.saxutils import escape

# The largest width of a character in the fonts of STYLE, in units of the font's size.
EM, EM_BOLD, EM_MONO = 0.57, 0.7, 0.62


def text_width(text, size, em=EM):
    """Return the largest width in pixels. A Chinese or Japanese character is as wide as the font is high."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return (wide + (len(text) - wide) * em) * size


def shortened(text, size, width, em=EM):
    """Return the text, or its beginning and its end. These two identify a file best."""
    if text_width(text, size, em) <= width:
        return text
    kept = len(text)
    while kept > 2 and text_width(text[:kept // 2] + "…" + text[-(kept // 2):], size, em) > width:
        kept -= 2
    return text[:kept // 2] + "…" + text[-(kept // 2):]


def wrapped(words, separator, size, width):
    """Return the words in lines that fit."""
    lines = []
    for word in words:
        if lines and text_width(lines[-1] + separator + word, size) <= width:
            lines[-1] += separator + word
        else:
            lines.append(word)
    return [line + (separator if number < len(lines) else "").rstrip()
            for number, line in enumerate(lines, 1)]  # fmt: skip


class Canvas:
    """Elements from top to bottom. The next one is drawn at `y`."""

    def __init__(self, width, margin, style, definitions="", title=""):
        self.elements = []
        self.width, self.margin, self.style = width, margin, style
        self.definitions, self.title = definitions, title
        self.y = margin

    def text(self, x, y, text, size=12, cls="", anchor="start"):
        self.elements.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" class="{cls}" '
                             f'text-anchor="{anchor}">{escape(text)}</text>')  # fmt: skip

    def rect(self, x, y, width, height, fill="", tooltip="", extra=""):
        title = f"<title>{escape(tooltip)}</title>" if tooltip else ""
        self.elements.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" '
                             f'height="{height:.1f}"' + (f' fill="{fill}"' if fill else "")
                             + f' {extra}>{title}</rect>')  # fmt: skip

    def line(self, x1, y1, x2, y2, colour="#c8ced6", width=1):
        self.elements.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                             f'stroke="{colour}" stroke-width="{width}"/>')  # fmt: skip

    def heading(self, text, remark=""):
        self.y += 36
        self.elements.append(
            f'<text x="{self.margin}" y="{self.y:.1f}"><tspan font-size="17" class="b">{escape(text)}'
            f'</tspan><tspan dx="12" font-size="12" class="dim">{escape(remark)}</tspan></text>')
        self.y += 14

    def document(self, background='fill="#ffffff"'):
        height = self.y + self.margin
        title = f"<title>{escape(self.title)}</title>\n" if self.title else ""
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{height:.0f}" '
                f'viewBox="0 0 {self.width} {height:.0f}">\n{title}<style>{self.style}</style>\n'
                f'<defs>{self.definitions}</defs>\n<rect width="100%" height="100%" {background}/>\n'
                + "\n".join(self.elements) + "\n</svg>\n")  # fmt: skip
