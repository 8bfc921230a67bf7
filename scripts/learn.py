"""Fill the listings and outputs of docs/learn from the tree, and draw its pictures, so that no text goes stale.

A chapter has a marker above each of them, which is a comment of Markdown in one line:

    <!-- listing: FILE [NAME…] -->               C definitions with their comments; without a name the whole file
    <!-- listing: FILE lines "FIRST" "LAST" -->  the lines from the first text to the last one
    <!-- output: make lesson N=4 [SOLUTION=1] [from "TEXT"] [to "TEXT"] [grep "TEXT"] -->
    <!-- output: ./scripts/run.sh --once … [from "TEXT"] [to "TEXT"] [grep "TEXT"] [keys "KEY…"] -->
    <!-- picture: lesson 4 step 5 -->            or: lesson 4 steps 2 to 6

Below a listing or an output stands a fenced block. Below a picture stands its image link.
"""

import interrupts  # first of all

import difflib
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import arguments
import learn_commands
import learn_listings
import learn_outputs
import learn_pictures

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs/learn"
MARKER = re.compile(r"<!--\s*(listing|output|picture)\b:?\s*(.*?)\s*-->\s*$")
IMAGE = re.compile(r"!\[(.*)\]\((.*)\)")
NEARLY_MARKER = re.compile(r"<!--\s*(?:listing|output|picture)s?\b", re.IGNORECASE)


def shown(path):
    """Return how a path is called in messages."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


@dataclass(frozen=True)
class Problem:
    """A sentence about a line of a chapter. `difference` shows lines of the text and of the tree."""

    path: Path
    line: int
    sentence: str
    difference: str = ""

    def __str__(self):
        return f"{shown(self.path)}:{self.line}: {self.sentence}" + (f"\n{self.difference}" if self.difference else "")


class MarkerError(Exception):
    """A marker that is wrong. The message is one sentence."""


def words_of(text):
    try:
        return shlex.split(text)
    except ValueError as error:
        raise MarkerError(f"the marker is not complete: {error}") from error


def tree_file(name):
    """Return the contents of a file of the tree that a marker names."""
    path = (ROOT / name).resolve()
    if not path.is_relative_to(ROOT):
        raise MarkerError(f"{name} is not in the tree")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MarkerError(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}") from error


def block_below(rows, number):
    """Return (first row, end row) of the contents of the fenced block below the marker in rows[number]."""
    begin = number + 1
    while begin < len(rows) and not rows[begin].strip():
        begin += 1
    if begin == len(rows) or not re.match(r"```\w*$", rows[begin].rstrip()):
        raise MarkerError("no fenced block follows the marker")
    for end in range(begin + 1, len(rows)):
        if rows[end].rstrip() == "```":
            return begin + 1, end
    raise MarkerError("the fenced block below the marker does not end")


def content(kind, words):
    """Return the text that belongs into the block of a marker."""
    if not words:
        raise MarkerError(f"the marker of the {kind} names nothing")
    if kind == "listing":
        source = tree_file(words[0])
        try:
            return learn_listings.listing(source, words[1:])
        except learn_listings.ListingError as error:
            raise MarkerError(f"{words[0]}: {error}") from error
    try:
        return learn_outputs.output_of(words)
    except learn_outputs.OutputError as error:
        raise MarkerError(f"{shlex.join(words)}: {error}") from error


def is_equal(kind, words, old, new, is_check):
    if old == new or kind == "listing":
        return old == new
    command, _ = learn_outputs.split(words)
    return (learn_outputs.equal if is_check else learn_outputs.unchanged)(command, old, new)


def difference(old, new):
    return "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), "in the text", "in the tree", n=1,
                                          lineterm=""))  # fmt: skip


class Chapter:
    """A document with markers, and its problems."""

    def __init__(self, path, options):
        self.path, self.options = path, options
        self.rows = path.read_text(encoding="utf-8").splitlines()
        self.problems, self.remarks, self.pictures = [], [], []

    def complain(self, row, sentence, shown=""):
        self.problems.append(Problem(self.path, row + 1, sentence, shown))

    def fill(self):
        """Fill or compare the block below each marker."""
        number, fenced = 0, False
        while number < len(self.rows):
            row = self.rows[number]
            marker = MARKER.match(row)
            if row.startswith("```"):
                fenced = not fenced
            elif not fenced and marker:
                number = self.fill_one(number, *marker.groups())
            elif not fenced and NEARLY_MARKER.search(row):
                self.complain(number, "this looks like a marker, but it has another form: see scripts/learn.py")
            number += 1

    def fill_one(self, number, kind, text):
        """Return the last row that belongs to the marker."""
        try:
            words = words_of(text)
            if kind == "picture":
                return self.draw_one(number, text)
            begin, end = block_below(self.rows, number)
        except (MarkerError, learn_outputs.OutputError) as error:
            self.complain(number, str(error))
            return number
        if kind == "output" and self.options.fast and learn_outputs.is_boot(words):
            return end
        try:
            new = content(kind, words)
        except MarkerError as error:
            self.complain(number, str(error))
            return end
        if any(row.startswith("```") for row in new.splitlines()):
            self.complain(number, f"the {kind} has a line that ends the fenced block")
            return end
        old = "\n".join(self.rows[begin:end])
        if is_equal(kind, words, old, new, self.options.check):
            return end
        if self.options.check and kind == "output" and learn_outputs.is_of_edited_exercise(words):
            self.remarks.append(f"{shlex.join(words)}: not compared, because the exercise was edited")
            return end
        if self.options.check:
            self.complain(number, f"the {kind} differs from the tree: run make learn", difference(old, new))
            return end
        self.rows[begin:end] = new.splitlines()
        return begin + len(new.splitlines())

    def draw_one(self, number, text):
        """Draw or compare the picture of a marker. Return the row of its image link."""
        picture = learn_pictures.picture_of(text)
        below = number + 1
        while below < len(self.rows) and not self.rows[below].strip():
            below += 1
        link = IMAGE.fullmatch(self.rows[below].strip()) if below < len(self.rows) else None
        if not link:
            raise MarkerError(f"no image link follows the marker: write ![what it shows](pictures/{picture.name})")
        if not link.group(1).strip():
            self.complain(below, "the picture has no words between the brackets, for readers who do not see it")
        path = self.path.parent / "pictures" / picture.name
        self.pictures.append(path)
        drawn = picture.draw()
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        wanted = f"![{link.group(1)}](pictures/{picture.name})"
        if not self.options.check:
            self.rows[below] = wanted
            if old != drawn:
                path.parent.mkdir(exist_ok=True)
                path.write_text(drawn, encoding="utf-8")
        elif self.rows[below].strip() != wanted:
            self.complain(below, f"the link is not to pictures/{picture.name}: run make learn")
        elif old != drawn:
            self.complain(number, f"{picture.name} is not the picture of this marker: run make learn")
        return below

    def check_commands(self):
        for line, command in learn_commands.commands("\n".join(self.rows)):
            for sentence in learn_commands.complaints(command):
                self.complain(line - 1, sentence)

    def write(self):
        """Write the chapter if it changed. Return whether it did."""
        text = "\n".join(self.rows) + "\n"
        if text == self.path.read_text(encoding="utf-8"):
            return False
        self.path.write_text(text, encoding="utf-8")
        return True


def unused_pictures(chapters):
    """Return a problem for each picture that no chapter shows."""
    wanted = {path for chapter in chapters for path in chapter.pictures}
    return [Problem(path, 1, "no chapter shows this picture: remove it")
            for path in sorted((FOLDER / "pictures").glob("*.svg")) if path not in wanted]  # fmt: skip


def parse_arguments():
    parser = arguments.Parser(
        prog="learn.py",
        description="Fill the listings and outputs of docs/learn from the tree, and draw its pictures.",
        epilog="Exit status: 0 all is right; 1 something is wrong, or differs with --check; 2 wrong options.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", type=arguments.readable_file, help="only these chapters")
    parser.add_argument("--check", action="store_true", help="change nothing: compare, and print each difference")
    parser.add_argument("--fast", action="store_true", help="leave out the outputs that need QEMU")
    return parser.parse_args()


def main():
    options = parse_arguments()
    arguments.print_anything()
    interrupts.raise_them()
    paths = [path.resolve() for path in options.files] or sorted(FOLDER.glob("*.md"))
    chapters = [Chapter(path, options) for path in paths]
    try:
        for chapter in chapters:
            chapter.fill()
            if not options.check and chapter.write():
                print(f"{shown(chapter.path)}: written")
            chapter.check_commands()
    except (KeyboardInterrupt, interrupts.Ended):
        print("learn.py: interrupted", file=sys.stderr)
        return 130
    problems = [problem for chapter in chapters for problem in chapter.problems]
    if not options.files:
        problems += unused_pictures(chapters)
    for line in [remark for chapter in chapters for remark in chapter.remarks] + problems:
        print(line)
    print(f"{len(paths)} chapters, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
