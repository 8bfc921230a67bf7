"""Read the text of a panic's QR code: the report that kernel/screen/report_text.h has packed."""

import itertools
import re
import zlib

PREFIX = re.compile(r"HANDOFF-PANIC-(\w*):?")
VERSION = "1"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
# A report has at most 4 KiB. A text that expands to more is not a kernel's.
LIMIT_BYTES = 65536
# What the kernel writes last. Without it, the code had no room for the last lines.
LAST_LINE = "[panic] halted"
# How many places are tried for blanks that a program has dropped.
ATTEMPTS = 2000


class ReportTextError(Exception):
    """The text cannot be read. The message has the reason. `readable` is the report up to there."""

    def __init__(self, message, readable=""):
        super().__init__(message)
        self.readable = readable


def contains(text):
    return PREFIX.search(text) is not None


def damaged():
    return ReportTextError("the QR code's text is damaged: characters are missing or wrong, perhaps blanks; "
                           "copy it again")  # fmt: skip


def decode_base45(text):
    """Return the bytes of the characters, without a last incomplete group."""
    result = bytearray()
    for start in range(0, len(text) - 1, 3):
        group = text[start : start + 3]
        value = sum(ALPHABET.index(character) * 45**place for place, character in enumerate(group))
        size = len(group) - 1
        if value < 256**size:
            result += value.to_bytes(size, "big")
        elif size == 2:
            raise damaged()
    return bytes(result)


def expand(stream):
    """Return the report in a zlib stream."""
    reader = zlib.decompressobj()
    try:
        report = reader.decompress(stream, LIMIT_BYTES).decode("ascii", "replace")
    except zlib.error as error:
        raise damaged() from error
    if len(report) >= LIMIT_BYTES:
        raise ReportTextError("the QR code's text holds more than a report can have: it is not of this kernel")
    if not reader.eof:
        raise ReportTextError("the QR code's text ends too early: copy all of it", report)
    return report


def variants(characters):
    """Yield what the text can have been. Programs break lines, also at a blank. They drop one of two blanks side by
    side. A group never ends with a blank, so neither does the text."""
    stripped = re.sub(r"[\r\n\t]+", "", characters).strip(" ")
    yield stripped
    yield re.sub(r"[\r\n\t]+", " ", characters).strip(" ")
    blanks = [match.start() for match in re.finditer(" ", stripped)]
    places = itertools.chain(itertools.combinations(blanks, 1), itertools.combinations(blanks, 2))
    for chosen in itertools.islice(places, ATTEMPTS):
        yield "".join("  " if index in chosen else character for index, character in enumerate(stripped))


def decode(text):
    """Return the report in a text that contains the text of a QR code. A text that ends too early may end with a part of
    a group: the error is about the whole groups."""
    prefix = PREFIX.search(text)
    if prefix.group(1) != VERSION:
        raise ReportTextError(f"the QR code's text has version {prefix.group(1)!r}, and this script reads version "
                              f"{VERSION}: use the script of the kernel's own version")  # fmt: skip
    characters = re.sub("[\"'`]", "", text[prefix.end() :])
    foreign = re.search(rf"[^{re.escape(ALPHABET)}\r\n\t]", characters)
    if foreign is not None:
        raise ReportTextError(f"the QR code's text has the character {foreign.group()!r}, which it cannot have: copy "
                              "it again, without other text behind it")  # fmt: skip
    for variant in variants(characters):
        try:
            return expand(decode_base45(variant))
        except ReportTextError:
            pass
    whole_groups = next(variants(characters))
    whole_groups = whole_groups[: len(whole_groups) // 3 * 3]
    return expand(decode_base45(whole_groups))
