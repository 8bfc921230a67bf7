"""Find the listings of docs/learn in the files of the tree: a definition of C by its name, or lines by their text."""

import re
import textwrap
from dataclasses import dataclass

KINDS = ("struct", "union", "enum", "macro", "function", "typedef", "variable")
TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)+'"
    r"|^[ \t]*#(?:\\\n|/\*.*?\*/|[^\n])*", re.S | re.M)  # fmt: skip
ATTRIBUTE = re.compile(r"\b(?:__attribute__|__asm__|_Alignas)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
TAGGED = re.compile(r"\s*(?:typedef\s+|static\s+|extern\s+|const\s+)*(struct|union|enum)\s+(\w+)\s*\{")


class ListingError(Exception):
    """A listing that is not in the file, or is not unique. The message is one sentence."""


@dataclass(frozen=True)
class Definition:
    """A definition or a declaration at the top level of a file: source[start:end]."""

    kind: str
    name: str
    is_definition: bool
    start: int
    end: int


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def masked(source):
    """Return the source with blanks for comments, literals and preprocessor lines. Every position stays the same."""
    return TOKEN.sub(lambda found: blank(found.group()), source)


def without_groups(text):
    """Return a declaration without `__attribute__((…))`, and without everything between braces or brackets."""
    text = ATTRIBUTE.sub(" ", text)
    while True:
        shorter = re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]", " ", text)
        if shorter == text:
            return text
        text = shorter


def described(text):
    """Return (kind, name, whether it is a definition) of each name that a piece of code at the top level defines."""
    body = "{" in text
    head = TAGGED.match(ATTRIBUTE.sub(" ", text))
    found = [(head.group(1), head.group(2), True)] if head else []
    flat = without_groups(text).strip()
    if flat.startswith("typedef"):
        name = re.search(r"\(\s*\*\s*(\w+)\s*\)|(\w+)\s*(?:\([^()]*\)\s*)?;?$", flat)
        return found + ([("typedef", name.group(1) or name.group(2), True)] if name else [])
    function = re.match(r"[\w\s*]*?\b(\w+)\s*\(", flat)
    if function and "=" not in flat.split("(")[0] and not re.match(r"[\w\s*]*\(\s*\*", flat):
        if function.group(1) not in ("_Static_assert", "static_assert"):
            return found + [("function", function.group(1), body)]
        return found
    pointer = re.match(r"[\w\s*]*\(\s*\*\s*(?:const\s+)?(\w+)", flat)
    plain = re.match(r"(?:[\w*]+[\s*]+)+?\*?(\w+)\s*(?:=|;|,|$)", flat)
    variable = pointer or plain
    if variable and (variable.group(1) not in ("struct", "union", "enum")):
        forward = re.fullmatch(r"(?:struct|union|enum)\s+(\w+)\s*;?", flat)
        if forward:
            return found or [("struct", forward.group(1), False)]
        return found + [("variable", variable.group(1), not flat.startswith("extern"))]
    return found


def pieces(code):
    """Yield (start, end) of each declaration at the top level of masked code."""
    start, depth, opened = None, 0, None
    for position, sign in enumerate(code):
        if start is None and not sign.isspace():
            start = position
        if sign in "({[":
            if sign == "{" and depth == 0:
                opened = position
                if re.fullmatch(r"\s*extern\s*", code[start:position]):
                    start = opened = None  # extern "C" {
                    continue
            depth += 1
        elif sign in ")}]":
            if depth == 0:
                start = None  # the end of extern "C"
                continue
            depth -= 1
            if sign == "}" and depth == 0 and is_function(code[start:opened]):
                yield start, position + 1
                start = None
        elif sign == ";" and depth == 0 and start is not None:
            if position > start:
                yield start, position + 1
            start = None


def is_function(head):
    """Return whether the code before a brace is the head of a function, and not that of a table or a struct."""
    return "=" not in head and without_groups(head).rstrip().endswith(")")


def with_comment(source, start):
    """Return where the comment directly above a definition begins; without one, the definition's line."""
    start = source.rfind("\n", 0, start) + 1
    above = source[:start]
    block = re.search(r"(?:^|\n)([ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n)\Z", above, re.S)
    if block:
        return block.start(1)
    lines = re.search(r"(?:^|\n)((?:[ \t]*//[^\n]*\n)+)\Z", above)
    return lines.start(1) if lines else start


def definitions(source):
    """Return all definitions and declarations at the top level of a C file."""
    code = masked(source)
    found = [Definition(*what, start, end) for start, end in pieces(code) for what in described(code[start:end])]
    for line in TOKEN.finditer(source):
        macro = re.match(r"[ \t]*#[ \t]*define[ \t]+(\w+)", line.group())
        if macro:
            found.append(Definition("macro", macro.group(1), True, line.start(), line.end()))
    return found


def line_of(source, position):
    return source.count("\n", 0, position) + 1


def definition(source, name, kind=None):
    """Return the text of the one definition of this name, with its comment. Without a definition, the declaration."""
    found = [one for one in definitions(source) if one.name == name and kind in (None, one.kind)]
    found = [one for one in found if one.is_definition] or found
    if not found:
        raise ListingError(f"nothing has the name {name!r}" + (f" as {kind}" if kind else ""))
    if len(found) > 1:
        places = ", ".join(f"line {line_of(source, one.start)} ({one.kind})" for one in found)
        raise ListingError(f"more than one definition has the name {name!r}: {places}")
    start, end = with_comment(source, found[0].start), found[0].end
    return source[start:end if source[end:end + 1] == "\n" else max(source.find("\n", end), end)].rstrip()


def lines(source, first, last):
    """Return the lines from the one that contains the first text to the next one that contains the last text."""
    rows = source.splitlines()
    begin = [number for number, row in enumerate(rows) if first in row]
    if not begin:
        raise ListingError(f"no line contains {first!r}")
    if len(begin) > 1:
        places = ", ".join(str(number + 1) for number in begin)
        raise ListingError(f"more than one line contains {first!r}: lines {places}")
    end = [number for number, row in enumerate(rows) if number >= begin[0] and last in row]
    if not end:
        raise ListingError(f"no line from line {begin[0] + 1} on contains {last!r}")
    return textwrap.dedent("\n".join(rows[begin[0]:end[0] + 1]))


def listing(source, words):
    """Return the listing that the words of a marker name, after the name of the file."""
    if not words:
        return source.strip("\n")
    if words[0] == "lines":
        if len(words) != 3:
            raise ListingError('`lines` needs two texts: lines "first text" "last text"')
        return lines(source, words[1], words[2])
    texts, kind = [], None
    for word in words:
        if word in KINDS and kind is None:
            kind = word
        else:
            texts.append(definition(source, word, kind))
            kind = None
    if kind:
        raise ListingError(f"`{kind}` needs a name")
    return "\n\n".join(texts)
