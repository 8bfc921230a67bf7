"""The mutations that may survive: survivors.txt has a line for each, `FUNCTION OPERATOR SHAPE: the reason`.

A function that is renamed, or a statement that moves into another function, keeps the operator and the shape. So an
entry whose function no longer has the mutation stands for the one mutation of the tree that has both, if there is
only one.
"""

from collections import defaultdict


def parse(text):
    """Return {key: reason} of the lines. '#' begins a comment."""
    entries = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, reason = line.partition(": ")
            entries[key.strip()] = reason.strip()
    return entries


def without_function(key):
    return key.partition(" ")[2]


class Reviewed:
    """The reasons for the existing mutations."""

    def __init__(self, text, mutations):
        self.entries = parse(text)
        keys = {mutation.key for mutation in mutations}
        self.homeless = {key for key in self.entries if key not in keys}
        homes = defaultdict(set)
        for key in keys - set(self.entries):
            homes[without_function(key)].add(key)
        self.moved = {}
        for key in sorted(self.homeless):
            found = homes[without_function(key)]
            if len(found) == 1:
                self.moved.setdefault(next(iter(found)), key)

    def reason(self, mutation):
        """Return the reason why a mutation may survive, or None."""
        return self.entries.get(mutation.key) or self.entries.get(self.moved.get(mutation.key))

    def unknown(self):
        """Return the keys without a mutation."""
        return sorted(self.homeless - set(self.moved.values()))
