"""Sizes as people read them, and lengths that grow with the logarithm of a size."""

import math

PAGE = 4096
UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
FACTORS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def size_text(size_bytes):
    """Return a size with at most three digits: 4 KiB, 1.44 MiB, 568 MiB, 12 TiB."""
    value, unit = float(size_bytes), 0
    while value >= 1024 and unit + 1 < len(UNITS):
        value, unit = value / 1024, unit + 1
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {UNITS[unit]}"


def parse_size(text):
    """Return the bytes of 64M, 3G, 12T. Raise ValueError for any other text."""
    factor = FACTORS.get(text[-1:].upper(), 1)
    digits = text[:-1] if factor > 1 else text
    if not digits.isascii() or not digits.isdigit():
        raise ValueError(f"{text} is not a size: write a number, with K, M, G or T after it")
    return int(digits) * factor


def doublings(size_bytes):
    """Return how often a page must be doubled to get this size: 0 for a page, 18 for 1 GiB."""
    return math.log2(max(size_bytes, PAGE) / PAGE)


def percent_text(part, whole):
    """Return the percentage. A part is never shown as 100 %, and only zero is shown as 0 %."""
    if not whole or not part:
        return "0 %"
    percent = 100 * part / whole
    if percent < 0.01:
        return "< 0.01 %"
    if part < whole and percent > 99.99:
        return "> 99.99 %"
    return f"{percent:.2f} %" if percent < 10 or percent > 99 else f"{percent:.1f} %"
