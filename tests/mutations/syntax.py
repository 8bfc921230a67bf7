"""The functions of a C file as syntax trees, from clang's own `-ast-dump=json`.

A node has the range of its bytes in the file, so that a mutation can replace them. A node from a macro's body has no
bytes. The whole use of a macro has the bytes of the use.
"""

import json
import os
import subprocess
from bisect import bisect_right


class SyntaxTreeError(Exception):
    """A file could not be read. The text has the compiler's message."""


class Node:
    """A part of a function. `begin` and `end` are offsets in the file's bytes, or None in a macro's body."""

    __slots__ = ("kind", "data", "children", "parent", "begin", "end")

    def __init__(self, data, begin, end, parent):
        self.kind = data.get("kind", "")  # clang writes an empty node for a missing part of a statement
        self.data = data
        self.begin = begin
        self.end = end
        self.parent = parent
        self.children = []

    @property
    def type(self):
        """Return the type without typedef and qualifiers."""
        described = self.data.get("type", {})
        name = described.get("desugaredQualType", described.get("qualType", ""))
        return name.removeprefix("const ").removeprefix("volatile ")

    def walk(self):
        """Yield the node and all nodes below it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()

    def ancestors(self):
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


class Function:
    """A function with a body, or a variable at file scope with its value."""

    def __init__(self, name, file, root, records):
        self.name = name
        self.file = file
        self.root = root
        self.records = records

    @property
    def is_table(self):
        """Return whether it is a variable."""
        return self.root.parent.kind == "VarDecl"


class Source:
    """A file's bytes, and the lines of its offsets."""

    def __init__(self, data):
        self.data = data
        self.starts = [0]
        for at, byte in enumerate(data):
            if byte == 0x0A:
                self.starts.append(at + 1)

    def text(self, begin, end):
        return self.data[begin:end].decode("utf-8")

    def place(self, offset):
        """Return line and column, both counted from 1."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def end_of_use(self, offset):
        """Return the end of the use of a macro that begins at an offset: behind its name, or behind its arguments."""
        data, at = self.data, offset
        while at < len(data) and (data[at : at + 1].isalnum() or data[at] == 0x5F):
            at += 1
        if data[at : at + 1] != b"(":
            return at
        depth = 0
        while at < len(data):
            if data[at : at + 1] in (b'"', b"'"):
                at = self.end_of_quote(at)
                continue
            depth += {b"(": 1, b")": -1}.get(data[at : at + 1], 0)
            at += 1
            if depth == 0:
                break
        return at

    def end_of_quote(self, offset):
        quote, at = self.data[offset], offset + 1
        while at < len(self.data) and self.data[at] != quote:
            at += 2 if self.data[at] == 0x5C else 1
        return at + 1


class Place:
    """A location: a file and an offset there, the length of the token, and whether a macro is used there."""

    def __init__(self, file, offset, length, is_macro, is_argument):
        self.file = file
        self.offset = offset
        self.length = length
        self.is_macro = is_macro
        self.is_argument = is_argument


NOWHERE = Place(None, 0, 0, False, False)


class Reader:
    """clang names the file of a location only if it differs from the file of the location before. So the whole dump is
    read in its order, and the functions of the wanted files are kept."""

    def __init__(self, wants, read_source):
        self.wants = wants
        self.read_source = read_source
        self.file = None
        self.records = {}
        self.functions = []
        self.used = set()

    def place(self, location):
        """Return a location from its JSON."""
        if "expansionLoc" in location:
            self.bare_place(location["spellingLoc"])
            place = self.bare_place(location["expansionLoc"])
            place.is_macro = True
            place.is_argument = location["expansionLoc"].get("isMacroArgExpansion", False)
            return place
        return self.bare_place(location) if "offset" in location else NOWHERE

    def bare_place(self, location):
        if "file" in location:
            self.file = os.path.normpath(location["file"])
        return Place(self.file, location.get("offset", 0), location.get("tokLen", 0), False, False)

    def read(self, data, parent=None, is_kept=False):
        """Read a declaration, statement or expression. Return its node if it is kept."""
        own = self.place(data["loc"]) if "loc" in data else NOWHERE
        begin = end = NOWHERE
        if "range" in data:
            begin, end = self.place(data["range"]["begin"]), self.place(data["range"]["end"])
        is_subject = not is_kept and self.is_subject(data, own)
        node = Node(data, *self.extent(begin, end, parent), parent) if is_kept or is_subject else None
        for inner in self.parts(data):
            child = self.read(inner, node, is_kept or is_subject)
            if node is not None:
                node.children.append(child)
            if is_subject and self.is_body(data, child):
                self.functions.append(Function(data["name"], own.file, child, self.records))
        if data.get("kind") == "RecordDecl":
            self.note_fields(data)
        if data.get("isUsed") and data["kind"] in ("FunctionDecl", "VarDecl"):
            self.used.add((own.file, data["name"]))
        return node

    def is_subject(self, data, place):
        return data.get("kind") in ("FunctionDecl", "VarDecl") and self.wants(place.file)

    @staticmethod
    def parts(data):
        return [inner for value in data.values() if isinstance(value, list)
                for inner in value if isinstance(inner, dict)]  # fmt: skip

    @staticmethod
    def is_body(data, child):
        """Return whether a part of a declaration is a function's body or a variable's value."""
        if data["kind"] == "FunctionDecl":
            return child.kind == "CompoundStmt"
        return "init" in data and not child.kind.endswith("Attr")

    def note_fields(self, data):
        fields = [inner for inner in data.get("inner", []) if inner.get("kind") == "FieldDecl" and "name" in inner]
        for field in fields:
            self.records[field["id"]] = [(other["name"], other["type"]["qualType"]) for other in fields]

    def extent(self, begin, end, parent):
        """Return (begin, end) of a node's bytes, or (None, None)."""
        if NOWHERE in (begin, end) or begin.file != end.file or begin.is_argument or end.is_argument:
            return None, None
        source = self.read_source(begin.file)
        if begin.is_macro and end.is_macro and begin.offset == end.offset and self.is_in_use(parent, begin.offset):
            return None, None
        stop = source.end_of_use(end.offset) if end.is_macro else end.offset + end.length
        return begin.offset, stop

    def is_in_use(self, parent, offset):
        """Return whether the parent belongs to the same use of a macro. Then the child is a part of the macro's
        body."""
        if parent is None or parent.begin is None:
            return parent is not None
        start = self.place_of(parent)
        return start is not None and start == offset

    @staticmethod
    def place_of(node):
        """Return the offset of the use of a macro if it is exactly this node, or None."""
        limits = node.data["range"]
        if "expansionLoc" not in limits["begin"] or "expansionLoc" not in limits["end"]:
            return None
        offsets = {limits[side]["expansionLoc"]["offset"] for side in ("begin", "end")}
        return offsets.pop() if len(offsets) == 1 else None


def read_file(command, path, wants, read_source, folder=None):
    """Return the functions that a file and its headers define, if wants(file) is true, and the set of (file, name) of
    all names that the file uses. `command` compiles a file."""
    done = subprocess.run([*command, "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json", path], cwd=folder,
                          capture_output=True, check=False)  # fmt: skip
    if done.returncode != 0:
        raise SyntaxTreeError(f"{path}: {done.stderr.decode('utf-8', 'replace').strip()}")
    reader = Reader(wants, read_source)
    reader.read(json.loads(done.stdout))
    return reader.functions, reader.used
