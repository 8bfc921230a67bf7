"""The chapters of docs/learn: each listing, output and picture is that of the tree, and each command and link works.
scripts/learn.py makes them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import learn  # noqa: E402 (the path is set just above)
import learn_commands  # noqa: E402
import learn_listings  # noqa: E402
import learn_outputs  # noqa: E402

LEARN = ROOT / "docs/learn"


def run(*words):
    """Run learn.py. Return the finished process."""
    return subprocess.run([sys.executable, ROOT / "scripts/learn.py", *map(str, words)], capture_output=True, text=True,
                          check=False)  # fmt: skip


@pytest.fixture(name="chapter")
def chapter_writer(tmp_path):
    """Write a chapter. Return its path."""

    def write(text):
        path = tmp_path / "chapter.md"
        path.write_text(text, encoding="utf-8")
        return path

    return write


# --- The chapters -------------------------------------------------------------------------------------


def test_chapters_show_the_tree():
    """Compare all but the outputs of QEMU, which tests/qemu/test_learn.py compares."""
    done = run("--check", "--fast")
    assert done.returncode == 0, done.stdout + done.stderr


def anchors(text):
    """Return the anchors of a document's headings, as GitHub makes them."""
    found, fenced = [], False
    for row in text.splitlines():
        fenced ^= row.startswith("```")
        heading = re.match(r"#+ +(.*?) *#*$", row)
        if heading and not fenced:
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
            slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            same = sum(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other) is not None for other in found)
            found.append(f"{slug}-{same}" if same else slug)
    return found


def broken_links(path):
    text = path.read_text(encoding="utf-8")
    without_code = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.M | re.S)
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", without_code):
        name, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"{target}: no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("path", sorted(LEARN.rglob("*.md")), ids=lambda path: path.name)
def test_links_and_their_anchors_exist(path):
    assert not list(broken_links(path))


def test_broken_links_are_found(tmp_path):
    (tmp_path / "b.md").write_text("# It's a `heap`: *2*\n\n## Twice\n\n## Twice\n", encoding="utf-8")
    (tmp_path / "a.md").write_text("# A\n[x](b.md#its-a-heap-2) [x](b.md#twice-1) [x](#a) [x](b.md#none) [x](c.md)\n"
                                   "`[x](d.md)` [x](https://example.org/#y)\n", encoding="utf-8")  # fmt: skip
    assert list(broken_links(tmp_path / "a.md")) == ["b.md#none: no such heading", "c.md: no such file"]


# --- Listings -----------------------------------------------------------------------------------------

SOURCE = """\
/* About the file. */
#include "x.h"

/* The most. */
#define LIMIT(x) \\
    ((x) + 1)

/* A block
 * of memory. */
struct block {
    char name; /* "}" */
};

enum { FIRST, SECOND };
typedef struct block *(*maker)(unsigned);
static const struct block blocks[] = {{'{'}, {'"'}};
extern const struct block first;
static int helper(int value);

// Not this comment.

// One line.
// Two lines.
__attribute__((format(printf, 1, 2))) static int helper(int value)
{
    if (value) { /* { */
        return '}';
    }
    return "}"[0];
}

int first_of(struct block *block) { return block->name; }
"""


@pytest.mark.parametrize("words, begin, end", [
    (["LIMIT"], "/* The most. */\n#define LIMIT", "((x) + 1)"),
    (["block"], "/* A block\n * of memory. */\nstruct block {", "\n};"),
    (["struct", "block"], "/* A block", "\n};"),
    (["maker"], "typedef", "(unsigned);"),
    (["blocks"], "static const struct block blocks[]", "};"),
    (["first"], "extern const struct block first;", "first;"),
    (["helper"], "// One line.\n// Two lines.\n__attribute__", "\n}"),
    (["first_of"], "int first_of", "name; }"),
    (["lines", "if (value)", "return '}'"], "if (value) {", "    return '}';"),
    ([], "/* About the file. */", "name; }"),
])  # fmt: skip
def test_listing_is_found(words, begin, end):
    found = learn_listings.listing(SOURCE, words)
    assert found.startswith(begin) and found.endswith(end)
    assert not words or len(found) < 200


def test_several_names_are_one_listing():
    assert learn_listings.listing(SOURCE, ["maker", "first"]).count("\n\n") == 1


@pytest.mark.parametrize("words, sentence", [
    (["absent"], "nothing has the name 'absent'"),
    (["enum", "block"], "nothing has the name 'block' as enum"),
    (["struct"], "needs a name"),
    (["lines", "value"], "needs two texts"),
    (["lines", "no such", "text"], "no line contains 'no such'"),
    (["lines", "return", "x"], "more than one line contains 'return'"),
    (["lines", "enum {", "LIMIT"], "no line from line 14 on contains 'LIMIT'"),
])  # fmt: skip
def test_listing_that_is_not_there_or_not_unique(words, sentence):
    with pytest.raises(learn_listings.ListingError, match=re.escape(sentence)):
        learn_listings.listing(SOURCE, words)


def test_two_definitions_of_a_name_are_ambiguous():
    source = "#if A\nint f(void)\n{\n}\n#else\nint f(void)\n{\n}\n#endif\n"
    with pytest.raises(learn_listings.ListingError, match=r"line 2 \(function\), line 6 \(function\)"):
        learn_listings.listing(source, ["f"])


def test_every_function_of_the_tree_is_found():
    """clang-format puts a function's braces into the first column, so a plain search finds the functions, too."""
    paths = [path for folder in ("bootloader", "kernel", "shared", "lessons", "host", "docs/learn")
             for path in (ROOT / folder).rglob("*.[ch]")]  # fmt: skip
    plain = re.compile(r"^[a-zA-Z_][^\n;={}]*?\b(\w+)\([^;{}=#()]*\)\n\{\n.*?^\}$", re.M | re.S)
    count = 0
    for path in paths:
        source = path.read_text(encoding="utf-8")
        found = {(one.name, one.end) for one in learn_listings.definitions(source) if one.kind == "function"}
        expected = {(match[1], match.end()) for match in plain.finditer(learn_listings.masked(source))}
        assert expected <= found, path
        count += len(expected)
    assert count > 2000


# --- Outputs ------------------------------------------------------------------------------------------

LOG = "a 1\nb 2\nc 3\nb 4\n"


@pytest.mark.parametrize("words, lines", [
    (["from", "b"], "b 2\nc 3\nb 4"), (["to", "c"], "a 1\nb 2"), (["from", "b", "to", "b"], "b 2\nc 3"),
    (["grep", "b"], "b 2\nb 4"), (["from", "c", "grep", "b"], "b 4"), ([], LOG.strip()),
])  # fmt: skip
def test_lines_of_an_output_are_selected(words, lines):
    command, selection = learn_outputs.split(["make", "lesson", "N=4", *words])
    assert command == ["make", "lesson", "N=4"]
    assert learn_outputs.select(LOG, selection) == lines


def test_keys_of_a_line_are_selected():
    command, selection = learn_outputs.split([*BOOT_COMMAND, "grep", "heap", "keys", "base policy"])
    assert command == BOOT_COMMAND
    assert learn_outputs.select(BOOT, selection) == "[heap] base=0xffffd3d5e7c00000 policy=bump …"
    with pytest.raises(learn_outputs.OutputError, match="no key 'size'"):
        learn_outputs.select(BOOT, {"grep": "heap", "keys": "base size"})


@pytest.mark.parametrize("selection", [{"from": "d"}, {"to": "d"}, {"grep": "d"}, {"from": "a", "to": "a"}])
def test_lines_that_an_output_has_not(selection):
    with pytest.raises(learn_outputs.OutputError, match="no .*line of the output contains"):
        learn_outputs.select(LOG, selection)


BOOT = '[heap] base=0xffffd3d5e7c00000 free=128570 policy=bump\n[timeline] total_us=53942 ticks=140205806'
BOOT_COMMAND = ["./scripts/run.sh", "--once"]


def test_only_numbers_of_a_boot_may_differ():
    other_run = BOOT.replace("d3d5e7c", "d2bbb4c").replace("53942", "44210").replace("140205806", "11505759")
    other_build = other_run.replace("128570", "99")
    assert learn_outputs.unchanged(BOOT_COMMAND, BOOT, other_run)
    assert learn_outputs.equal(BOOT_COMMAND, BOOT, other_build)
    assert not learn_outputs.unchanged(BOOT_COMMAND, BOOT, other_build)
    assert not learn_outputs.equal(BOOT_COMMAND, BOOT, BOOT.replace("bump", "fast"))
    assert not learn_outputs.equal(BOOT_COMMAND, BOOT, BOOT.replace("free", "used"))


def test_numbers_of_a_lesson_may_not_differ():
    command = ["make", "lesson", "N=4"]
    said = "a = heap_start + 16, at 0x7ffff7c00000 and 0xffff8000"
    assert learn_outputs.equal(command, said, said.replace("f7c", "f7d"))
    assert not learn_outputs.equal(command, said, said.replace("+ 16", "+ 24"))
    assert not learn_outputs.equal(command, said, said.replace("ffff8000", "ffff9000"))


def test_long_line_of_a_boot_is_shortened():
    line = learn_outputs.shortened("key=1 " * 40)
    assert line.endswith("key=1 …") and 100 < len(line) <= learn_outputs.LONGEST_LINE
    assert learn_outputs.shortened("short") == "short"


# --- A chapter from beginning to end ------------------------------------------------------------------

GOOD = """\
# A chapter

<!-- listing: docs/learn/solutions/lesson_04.c begin -->

```c
stale
```

<!-- output: make lesson N=4 SOLUTION=1 from "step 2" to "step 3" -->
```text
```

<!-- picture: lesson 4 steps 2 to 4 -->
![Three blocks](pictures/other.svg)

```text
<!-- listing: this is an example -->
```

Run `make lesson N=4` and `./scripts/run.sh --once --cmdline "heap=bump"`.
"""


def test_chapter_is_filled_and_then_equal(chapter):
    path = chapter(GOOD)
    before = run("--check", path)
    assert before.returncode == 1
    assert f"{path}:3: the listing differs from the tree: run make learn" in before.stdout
    assert "-stale\n+static void begin(" in before.stdout
    assert path.read_text(encoding="utf-8") == GOOD, "--check changes nothing"
    done = run(path)
    assert done.returncode == 0, done.stdout + done.stderr
    text = path.read_text(encoding="utf-8")
    assert "stale" not in text and "heap->free = heap->heap_start;\n}\n```" in text
    assert "```text\nstep 2: allocate(16)\n  a = heap_start + 0\n" in text and "step 3:" not in text
    assert "![Three blocks](pictures/lesson-04-steps-2-to-4.svg)" in text
    picture = path.parent / "pictures/lesson-04-steps-2-to-4.svg"
    drawn = picture.read_text(encoding="utf-8")
    assert "block c: 8 bytes, from +48 to +56" in drawn
    assert run("--check", path).returncode == 0
    assert run(path).stdout.startswith("1 chapters, 0"), "the second time nothing is written"
    picture.write_text(drawn.replace("block c", "block x"), encoding="utf-8")
    changed = run("--check", path)
    assert changed.returncode == 1 and "lesson-04-steps-2-to-4.svg is not the picture of this marker" in changed.stdout


BLOCK = "\n```c\n```\n"


@pytest.mark.parametrize("text, sentence", [
    ("<!-- listing: lessons/lesson_04.h -->\nwords\n", ":1: no fenced block follows the marker"),
    ("<!-- listing: lessons/lesson_04.h -->", ":1: no fenced block follows the marker"),
    ("x\n\n<!-- listing: lessons/lesson_04.h -->\n```c\n", ":3: the fenced block below the marker does not end"),
    ("<!-- listing: lessons/absent.h -->" + BLOCK, ":1: lessons/absent.h cannot be read: No such file"),
    ("<!-- listing: ../x.h -->" + BLOCK, ":1: ../x.h is not in the tree"),
    ("<!-- listing: lessons/lesson_04.h absent -->" + BLOCK, ":1: lessons/lesson_04.h: nothing has the name 'absent'"),
    ('<!-- listing: lessons/lesson_04.h lines "a -->' + BLOCK, ":1: the marker is not complete: No closing quotation"),
    ("<!-- listing: -->" + BLOCK, ":1: the marker of the listing names nothing"),
    ("<!-- listings: lessons/lesson_04.h -->" + BLOCK, ":1: this looks like a marker"),
    ("<!-- output: ls -->" + BLOCK, ":1: ls: an output is of"),
    ("<!-- output: make lesson -->" + BLOCK, ":1: make lesson: write: make lesson N=NUMBER"),
    ("<!-- output: make lesson N=99 -->" + BLOCK, "docs/learn/exercises/lesson_99.c does not exist"),
    ("<!-- output: make lesson N=4 X=1 -->" + BLOCK, "make lesson has no setting 'X'"),
    ("<!-- picture: lesson 4 -->\n![x](y)\n", ":1: 'lesson 4' names no picture"),
    ("<!-- picture: lesson 4 steps 3 to 2 -->\n![x](y)\n", "the steps are not in order"),
    ("<!-- picture: lesson 4 step 99 -->\n![x](y)\n", ":1: lesson 4 draws no heap in step 99"),
    ("<!-- picture: lesson 4 step 2 -->\nwords\n", ":1: no image link follows the marker"),
    ("<!-- picture: lesson 4 step 2 -->\n![](y)\n", ":2: the picture has no words between the brackets"),
    ("Run `make lessom`.", ":1: `make lessom`: the Makefile has no target 'lessom'"),
    ("```sh\n$ make lesson M=4\n```", ":2: `make lesson M=4`: the Makefile has no setting M"),
    ("```sh\n./scripts/absent.sh\n```", ":2: `./scripts/absent.sh`: there is no script scripts/absent.sh"),
    ("`./scripts/run.sh --twice`", "unknown word '--twice'"),
    ("`./scripts/run.sh --cmdline heaps=bump`", "the kernel's command line has no word 'heaps'"),
    ("`./scripts/test.sh --none`", "scripts/test.sh has no option --none"),
])  # fmt: skip
def test_wrong_chapter_is_explained(text, sentence, chapter):
    done = run("--check", chapter(text))
    assert done.returncode == 1 and done.stderr == ""
    assert sentence in done.stdout and "1 chapters, " in done.stdout


@pytest.mark.parametrize("command", [
    "make", "make test", "make lesson N=4 SOLUTION=1", "make learn LEARN=--check", "UBSAN=1 make build", "ls --absent",
    './scripts/run.sh --memory 3G --cmdline "heap=fast print-heap"', "./scripts/test.sh --all unit # words",
])  # fmt: skip
def test_right_command_has_no_complaint(command):
    assert learn_commands.complaints(command) == []


def test_output_of_an_edited_exercise_is_not_compared(chapter, monkeypatch, capsys):
    """The reader edits docs/learn/exercises. That must not break the tests of the reader."""
    monkeypatch.setattr(learn_outputs, "is_of_edited_exercise", lambda words: True)
    monkeypatch.setattr(sys, "argv", ["learn.py", "--check", str(chapter("<!-- output: make lesson N=4 -->" + BLOCK))])
    monkeypatch.setattr(learn.interrupts, "raise_them", lambda: None)
    monkeypatch.setattr(learn.arguments, "print_anything", lambda: None)
    assert learn.main() == 0
    assert "not compared, because the exercise was edited" in capsys.readouterr().out
