"""Read the English of the project: the sentences of its documents, comments and messages, one by one, with the place
where each stands.

    language.py [FILE...]      print what is wrong with the sentences of these files, or of all

Two things are found: a sentence of more than LIMIT words, and a word or a phrase of MARKS, for which docs/GLOSSARY.md
has a plainer one. test_language.py calls it.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A reader who learned English at school loses the thread of a longer one.
LIMIT = 30
# The first is what stands in the text; the second is what to write.
MARKS = [(re.compile(pattern, re.IGNORECASE), advice) for pattern, advice in [
    (r"\balone\b", "only, by itself"),
    (r"\btell(?:s|ing)? of\b", "describe, say that"),
    (r"\b(?:is|are|was|were) none\b", "there is no …"),
    (r"\bso many\b.*\b(?:from|on)\b", "the number of …"),
    (r"\b(?:find|finds|say|says|know|knows|name|names|tell|tells) (?:who|what)\b", "name the thing: the caller, the cause, …"),
    (r"(?:^|[:;(] ?|\b(?:of|for|to|by|with|and|but|from|in) )what (?:may|must|cannot|can|is|was|has|needs|does|it|the|they|comes|goes|runs)\b", "name the thing"),
    (r"(?:^|[:;(] ?|\b(?:of|for|to|by|with|and|from) )who (?:may|must|asks?|waits?|holds?|wants?|needs?|calls?)\b", "the caller, the user, …"),
    (r"\bwhoever\b", "the caller, the user, …"),
    (r"\b(?:nobody|somebody)'s\b", "another program's, unowned"),
    (r"\bjudg(?:e|es|ed|ing|ement|ements)\b", "validate, check"),
    (r"\bsettl(?:e|es|ed|ing)\b", "flush, finish, decide"),
    (r"\bcondemn(?:s|ed|ing)?\b", "quarantine, refuse"),
    (r"\b(?:leave|leaves|left|leaving) (?:a|the|its|no) note\b", "write a tombstone"),
    (r"\bproof of\b(?=.*\bproof of\b)", "check"),
]]
ABBREVIATIONS = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|Vol|No|Fig|ch|sec|St)\.$")
FOLDERS = ("bootloader", "kernel", "shared", "host", "include", "scripts", "tests", "docs", "esp")
# What was true of an old version stays as it was written; data of tests is foreign.
LEFT_OUT = re.compile(r"^(?:docs/versions/|CHANGELOG\.md$|tests/data/|tests/.*/maps/|tests/docs/(?:test_)?language\.py$|docs/GLOSSARY\.md$)")


@dataclass(frozen=True)
class Sentence:
    """One sentence, and the line in which the text that holds it begins."""

    path: str
    line: int
    text: str

    @property
    def word_count(self):
        return len(re.findall(r"[A-Za-z0-9_][\w'’./-]*", self.text))


def files():
    """The names of all files with English of ours."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.splitlines()  # fmt: skip
    return [name for name in listed
            if not LEFT_OUT.match(name) and (ROOT / name).is_file()
            and (name.split("/")[0] in FOLDERS or "/" not in name)
            and (Path(name).suffix in (".c", ".h", ".S", ".md", ".py", ".sh", ".ld")
                 or Path(name).name == "Makefile")]  # fmt: skip


# --- Texts: (line, text) of each piece of prose in a file ----------------------------------------------


def markdown_texts(source):
    """Paragraphs, list items, table cells, headings."""
    texts, begin, lines, fenced = [], 0, [], False

    def finish():
        if lines:
            texts.append((begin, " ".join(lines)))
        lines.clear()

    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("```"):
            finish()
            fenced = not fenced
        elif fenced:
            continue
        elif line.startswith("|"):
            finish()
            texts += [(number, cell.strip()) for cell in line.strip("|").split("|")]
        elif not line.strip() or line.startswith("#"):
            finish()
            if line.startswith("#"):
                texts.append((number, line.lstrip("# ")))
        else:
            if re.match(r"\s*(?:[-*]|\d+\.) ", line):
                finish()
                line = re.sub(r"^\s*(?:[-*]|\d+\.) ", "", line)
            if not lines:
                begin = number
            lines.append(line.strip())
    finish()
    return texts


def prose(lines, begin):
    """Paragraphs of a comment's lines. A line with a drawing or with columns ends a paragraph."""
    texts, first, held = [], begin, []

    def finish():
        if held:
            texts.append((first, " ".join(held)))
        held.clear()

    for number, line in enumerate(lines, begin):
        text = line.strip()
        drawing = re.search(r"[|+<>=_~^-]{3}|\S {3,}\S|[│─┌└┐┘►▼]|^\|", text)
        item = re.match(r"(?:[-*•]|\d+[.)]|\([a-z]\)) ", text)
        column = re.match(r"(?:\S+(?: \S+){0,3}?) {2,}(\S.*)", text)
        if not text or item or column or (drawing and not column):
            finish()
        if not text or (drawing and not column):
            continue
        if column:
            text = column.group(1)
        if item:
            text = text[item.end():]
        if not held:
            first = number
        held.append(text)
    finish()
    return texts


def c_texts(source):
    """Comments, and string literals that are sentences."""
    texts = []
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*|\'(?:[^\'\\\n]|\\.)+\'', re.S)
    last_end, last = -1, None
    for match in pattern.finditer(source):
        found, line = match.group(), source.count("\n", 0, match.start()) + 1
        if found.startswith("/*"):
            body = [re.sub(r"^\s*\* ?", "", part) for part in found[2:-2].splitlines()]
            texts += prose(body, line)
        elif found.startswith("//"):
            joined = last is not None and source[last_end:match.start()].strip(" \t") == "\n"
            if joined:
                last[1].append(found[2:])
            else:
                last = (line, [found[2:]])
                texts.append(last)
            last_end = match.end()
        elif found.startswith('"'):
            text = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', found)).replace("\\n", " ").replace('\\"', '"')
            texts += [(line, part) for part in text.split("\\0")]  # a packed table has a NUL behind each text
    return [(line, " ".join(text) if isinstance(text, list) else text) for line, text in texts]


def python_texts(source):
    """Docstrings, comments, and string literals that are sentences."""
    texts, comment = [], None
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts += prose(node.value.splitlines(), node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        row, text = token.start[0], token.string.lstrip("#! ")
        if comment is not None and row == comment[2] + 1 and token.line.lstrip().startswith("#"):
            comment[1].append(text)
            comment[2] = row
        else:
            comment = [row, [text], row]
            texts.append(comment)
    return [(entry[0], " ".join(entry[1]) if isinstance(entry[1], list) else entry[1]) for entry in texts]


def shell_texts(source):
    """Comments of a shell script, a Makefile or a linker script."""
    texts, held, begin = [], [], 0
    for number, line in enumerate([*source.splitlines(), ""], 1):
        if line.lstrip().startswith("#"):
            if not held:
                begin = number
            held.append(re.sub(r"^\s*#+!? ?", "", line))
            continue
        if held:
            texts += prose(held, begin)
            held = []
        help_text = re.search(r"\s## (.*)", line)
        if help_text:
            texts.append((number, help_text.group(1)))
    return texts


def texts_of(name, source):
    suffix = Path(name).suffix
    if suffix == ".md":
        return markdown_texts(source)
    if suffix in (".c", ".h", ".S", ".ld"):
        return c_texts(source)
    return python_texts(source) if suffix == ".py" else shell_texts(source)


# --- Sentences --------------------------------------------------------------------------------------


def plain(text):
    """Without marks of layout: code in backquotes is one word, a link is its text."""
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"https?://\S+", "URL", text)
    return re.sub(r"\*\*|__", "", text)


def split(text):
    """The sentences of a piece of prose. A list in one sentence, parted by semicolons, is a sentence an item."""
    pieces, begin = [], 0
    for match in re.finditer(r"[.!?](?:[\"')\]]*)(?=\s+[\"'(\[]*[A-Z0-9_`])|[.!?]$", text):
        if ABBREVIATIONS.search(text[begin:match.start() + 1]):
            continue
        pieces.append(text[begin:match.end()])
        begin = match.end()
    pieces.append(text[begin:])
    return [piece.strip() for piece in pieces if piece.strip()]


def sentences_of(name, source):
    """All sentences of a file; what has fewer than three words of letters is a label."""
    found = []
    for line, text in texts_of(name, source):
        for piece in split(plain(text)):
            if len(re.findall(r"\b[A-Za-z]{2,}\b", piece)) >= 3:
                found.append(Sentence(name, line, piece))
    return found


def all_sentences(names=None):
    return [sentence for name in names or files()
            for sentence in sentences_of(name, (ROOT / name).read_text(encoding="utf-8"))]


def complaints(sentence):
    """What is wrong with a sentence, in words."""
    found = []
    if sentence.word_count > LIMIT:
        found.append(f"{sentence.word_count} words; at most {LIMIT}")
    for pattern, advice in MARKS:
        match = pattern.search(sentence.text)
        if match:
            found.append(f"\"{match.group().strip(' :;(')}\": write {advice}")
    return found


def main():
    sentences = all_sentences(sys.argv[1:])
    marked = 0
    for sentence in sentences:
        found = complaints(sentence)
        marked += bool(found)
        for complaint in found:
            print(f"{sentence.path}:{sentence.line}: {complaint}\n    {sentence.text}")
    print(f"{len(sentences)} sentences, {marked} with a complaint")
    sys.exit(marked != 0)


if __name__ == "__main__":
    main()
