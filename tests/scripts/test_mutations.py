"""The mutation harness (tests/mutations): the mutations of each operator in a small file, and the keys."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/mutations"))

import harness  # noqa: E402 (the path is set just above)
from operators import Mutation, mutations_of  # noqa: E402
from programs import Plan, Run, run_program  # noqa: E402
from reviewed import Reviewed  # noqa: E402
from syntax import Source, read_file  # noqa: E402

HEADER = """#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define LIMIT 16u
#define WIDE(a) ((a) + 1u)
enum kind { KIND_NONE, KIND_FULL };
struct range { uint64_t start, end; const char *name; };
struct pair { struct range range; size_t count; };
void note(uint64_t value);
void wipe(struct range *range);
uint64_t smaller(uint64_t a, uint64_t b);
bool is_sound(const struct range *range, uint64_t limit);
"""


def parse(path, text):
    """{function: its mutations} of a file with this text, and the file."""
    path.write_text(text, encoding="utf-8")
    source = Source(path.read_bytes())
    functions, _ = read_file(["clang", "-std=c17"], str(path), lambda file: file == str(path), lambda _: source)
    return {function.name: mutations_of(function, source) for function in functions}, source


IF = "int f(int a, int b) { if (a < b && b) return 1; return 2; }"
LOOP = "int f(int a) { int n = 0; for (int i = 0; i < a; i++) { if (i == 3) break; n += i; } return n; }"


# Each function, with the (old text, new text) pairs of one operator.
MADE = [
    ("condition never", IF, {("a < b && b", "((a < b && b), 0)")}),
    ("condition always", IF, {("a < b && b", "((a < b && b), 1)")}),
    ("condition never", LOOP, {("i < a", "((i < a), 0)"), ("i == 3", "((i == 3), 0)")}),
    ("condition always", LOOP, {("i == 3", "((i == 3), 1)")}),
    ("condition never", "int f(int a) { return a ? 5 : 6; }", {("a", "((a), 0)")}),
    ("relation", IF, {("<", "<=")}),
    ("relation", "bool f(int a) { return a != 7; }", {("!=", "==")}),
    ("relation", "int f(int a) { return a == 7 ? 1 : 2; }", set()),  # the condition's own mutations are stronger
    ("logic", IF, {("&&", "||")}),
    ("left operand only", IF, {("a < b && b", "(!!(a < b))")}),
    ("right operand only", IF, {("a < b && b", "(!!(b))")}),
    ("arithmetic", "uint64_t f(uint64_t a) { return a * 8 + (a >> 2); }",
     {("+", "-"), ("*", "/"), (">>", "<<")}),
    ("arithmetic", "void f(uint64_t a) { a |= 5; note(a); }", {("|=", "&=")}),
    ("arithmetic", "size_t f(char *a, char *b) { return (size_t)(a - b); }", set()),  # no sum of two pointers
    ("left operand only", "uint64_t f(uint64_t a) { return a - 1; }", {("a - 1", "((a))")}),
    ("right operand only", "uint64_t f(uint64_t a) { return a - 1; }", set()),
    ("right operand only", "uint64_t f(uint64_t a) { return a ^ 1; }", {("a ^ 1", "((1))")}),
    ("left operand only", "char *f(char *a) { return a + 1; }", {("a + 1", "((a))")}),
    ("right operand only", "char *f(char *a) { return a + 1; }", set()),  # a number is no pointer
    ("constant + 1", "uint64_t f(void) { return LIMIT; }", {("LIMIT", "(LIMIT + 1)")}),
    ("constant - 1", "uint64_t f(void) { return UINT64_C(7); }", {("UINT64_C(7)", "(UINT64_C(7) - 1)")}),
    ("constant + 1", "int f(enum kind a) { return a == KIND_FULL; }", {("KIND_FULL", "(KIND_FULL + 1)")}),
    ("constant + 1", "int f(int a) { switch (a) { case 5: return 6; } return 7; }",
     {("6", "(6 + 1)"), ("7", "(7 + 1)")}),
    ("constant + 1", "static const int table[] = {3, 4};", {("3", "(3 + 1)"), ("4", "(4 + 1)")}),
    ("constant + 1", "char *f(void) { return NULL; }", set()),
    ("constant + 1", "uint64_t f(void) { return WIDE(3u); }", set()),  # in the macro's body nothing can be replaced
    ("truth", "bool f(void) { return true; }", {("true", "false")}),
    ("not", "bool f(bool a) { return !a; }", {("!a", "(!!(a))")}),
    ("step", LOOP, {("i++", "i--")}),
    ("drop step", "void f(int *a) { (*a)++; note(1); }", {("(*a)++", "")}),
    ("drop call", "void f(struct range *a) { wipe(a); note(1); (void)smaller(1, 2); }",
     {("wipe(a)", ""), ("note(1)", "")}),
    ("drop assignment", LOOP, {("n += i", "")}),
    ("drop assignment", "void f(struct range *a) { a->start = 3; wipe(a); }", {("a->start = 3", "")}),
    ("return early", "void f(int a) { note(1); if (a) note(2); }", {("", " return;")}),
    ("return early", "void f(void) { note(1); }", set()),  # to drop the call is the same
    ("return true", "bool f(struct range *a) { return is_sound(a, 1); }",
     {("is_sound(a, 1)", "((is_sound(a, 1)), 1)")}),
    ("return false", "bool f(int a) { return a > 1; }", {("a > 1", "((a > 1), 0)")}),
    ("return NULL", "char *f(char *a) { return a; }", {("a", "((a), (void *)0)")}),
    ("return 0", "uint64_t f(void) { return smaller(4, 5); }", {("smaller(4, 5)", "((smaller(4, 5)), 0)")}),
    ("return + 1", "uint64_t f(uint64_t a) { return a; }", {("a", "(a) + 1")}),
    ("swap arguments", "void f(uint64_t a, uint64_t b) { note(smaller(a, b)); }", {("a, b", "b, a")}),
    ("swap arguments", "void f(uint64_t a) { note(smaller(a, a)); }", set()),
    ("call is its argument", "uint64_t f(uint64_t a, uint64_t b) { return smaller(a, b); }",
     {("smaller(a, b)", "(a)"), ("smaller(a, b)", "(b)")}),
    ("result is true", "bool f(struct range *a) { bool b = is_sound(a, 1); return b; }",
     {("is_sound(a, 1)", "((is_sound(a, 1)), 1)")}),
    ("result is false", "void f(struct range *a) { bool b; b = is_sound(a, 1); if (b) wipe(a); }",
     {("is_sound(a, 1)", "((is_sound(a, 1)), 0)")}),
    ("field", "uint64_t f(struct range *a) { return a->start; }", {("a->start", "a->end")}),
    ("field", "size_t f(struct pair *a) { return a->count; }", set()),  # there is no other of its type
    ("initialiser is 0", "void f(uint64_t a) { struct range r = {a, .end = 3, .name = 0}; wipe(&r); }", {("a", "0")}),
    ("jump", LOOP, {("break", "continue")}),
    ("jump", "int f(int a) { switch (a) { case 1: a = 2; break; default: break; } return a; }", set()),
    ("swap calls", "void f(struct range *a) { wipe(a); note(1); note(1); }",
     {("wipe(a); note(1)", "note(1); wipe(a)")}),
]  # fmt: skip


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    """All functions of the table in one file; the n-th is called f<n>."""
    texts = [re.sub(r"\b(f\(|table\b)", lambda match: match.group(1).replace("f", f"f{number}").replace(
        "table", f"f{number}"), text, count=1) for number, (_, text, _) in enumerate(MADE)]  # fmt: skip
    return parse(tmp_path_factory.mktemp("made") / "made.c", HEADER + "\n".join(texts))


@pytest.mark.parametrize("number", range(len(MADE)), ids=[f"{number}-{row[0]}" for number, row in enumerate(MADE)])
def test_operator_makes(parsed, number):
    found, source = parsed
    operator, _, expected = MADE[number]
    assert {(source.text(mutation.begin, mutation.end), mutation.text)
            for mutation in found[f"f{number}"] if mutation.operator == operator} == expected  # fmt: skip


def test_every_operator_is_in_the_table(parsed):
    made = {mutation.operator for mutations in parsed[0].values() for mutation in mutations}
    assert made == {row[0] for row in MADE if row[2]}


def test_every_mutation_compiles(parsed, tmp_path):
    found, source = parsed
    mutations = [mutation for made in found.values() for mutation in made]
    assert len(mutations) > 150
    for mutation in mutations[::3]:
        path = tmp_path / "mutated.c"
        path.write_bytes(mutation.apply(source.data))
        done = subprocess.run(["clang", "-std=c17", "-w", "-fsyntax-only", path], capture_output=True, check=False)
        assert done.returncode == 0, (mutation, done.stderr.decode())


def test_lines_behind_a_mutation_keep_their_numbers():
    mutation = Mutation("f", "drop call", 1, "", "a.c", 2, 8, "")
    assert mutation.apply(b"a;f(1,\n2);b") == b"a;\n;b".replace(b"\n;", b"\n);")


KEYED = """uint64_t f(struct range *first, uint64_t limit)
{
    uint64_t length = first->end - first->start;
    if (length > limit) { wipe(first); return smaller(length, limit) + 1; }
    return KIND_FULL;
}
"""


def keys(path, text):
    found, _ = parse(path, text)
    return [mutation.key for mutation in found["f"]]


@pytest.mark.parametrize("old, new", [
    ("length", "size_bytes"), ("first", "range"), ("limit", "most"),  # locals and parameters
    ("smaller", "minimum"), ("wipe", "erase"),  # functions that it calls
    ("KIND_FULL", "KIND_ALL"), ("start", "begin"),  # an enumerator, a field
    ("    ", "  "), ("uint64_t length", "/* How long. */\n    const uint64_t length"),
])  # fmt: skip
def test_key_knows_no_names(tmp_path, old, new):
    text = HEADER + KEYED
    assert text.count(old) > 1 or old in KEYED
    assert keys(tmp_path / "a.c", text.replace(old, new)) == keys(tmp_path / "a.c", text)


def test_key_knows_no_file_and_no_place(tmp_path):
    other = "int g(int a) { return a + 1; }\n" + KEYED + IF.replace(" f(", " h(")
    assert keys(tmp_path / "other.c", HEADER + other) == keys(tmp_path / "a.c", HEADER + KEYED)


def test_keys_of_a_function_differ(tmp_path):
    found = keys(tmp_path / "a.c", HEADER + "void f(int a) { note(1); note(1); if (a) note(1); }")
    assert len(found) == len(set(found)) > 5


def named(function, operator="relation", shape="1234", file="a.c"):
    return Mutation(function, operator, 1, shape, file, 0, 1, "")


def test_reason_follows_a_renamed_function():
    text = "# why\n\nold relation 1234: it is equal: always\n"
    assert Reviewed(text, [named("old"), named("other")]).reason(named("other")) is None
    assert Reviewed(text, [named("old")]).reason(named("old")) == "it is equal: always"
    assert Reviewed(text, [named("new")]).reason(named("new")) == "it is equal: always"
    two = Reviewed(text, [named("one"), named("two")])
    assert two.reason(named("one")) is None and two.unknown() == ["old relation 1234"]
    assert Reviewed(text, [named("new", "logic")]).unknown() == ["old relation 1234"]


def test_every_reviewed_survivor_has_a_reason():
    for line in harness.SURVIVORS.read_text(encoding="utf-8").splitlines():
        key, _, reason = line.partition(": ")
        assert not line or line.startswith("#") or (len(key.split()) >= 3 and len(reason) > 10), line


def test_sample_is_the_same_whatever_else_there_is():
    options = type("Options", (), {"words": [], "seed": "0", "all": False, "count": 10})
    many = [named(f"f{number}") for number in range(100)]
    chosen = harness.choose(many, options)
    assert len(chosen) == 10 and chosen == harness.choose(list(reversed(many)), options)
    assert set(harness.choose(many + [named("g")], options)) <= {*chosen, named("g")}
    options.seed = "1"
    assert harness.choose(many, options) != chosen
    options.words, options.all = ["f7:"], True
    assert [mutation.function for mutation in harness.choose(many, options)] == ["f7"]


@pytest.mark.parametrize("script, expected", [
    ("echo 1..1; echo 'ok 1 - fast: test_a'", []),
    ("echo 'not ok 1 - fast: test_a'; echo 'not ok 2 - test_b'; exit 2", ["test_a", "test_b"]),
    ("echo 'x.c:3: runtime error: shift of 99'; exit 1", ["p stops: shift of 99"]),
    ("kill -SEGV $$", ["p stops: status -11"]),
    ("while :; do :; done", ["p does not end"]),
    ("exec yes", ["p stops: status -25"]),  # SIGXFSZ
])  # fmt: skip
def test_end_of_a_program(tmp_path, script, expected):
    outcome = run_program(["sh", "-c", script], dict(os.environ), tmp_path / "output", 0, tmp_path)
    assert outcome.failures("p") == expected


def test_only_a_place_that_was_executed_is_reached():
    run = Run("p", reached={"a.c": ([(1, 1), (5, 3), (9, 1)], [0, 4, 0])})
    assert [run.reaches("a.c", place) for place in ((4, 1), (5, 2), (5, 3), (8, 99), (9, 1))] == \
        [False, False, True, True, False]  # fmt: skip
    assert run.reaches("a.c", None) and not run.reaches("b.c", None)


# --- The whole harness on a project of one file ----------------------------------------------------

FILE = """int larger(int a, int b)
{
    return a > b ? a : b;
}
"""
TEST = """#include <stdio.h>
int larger(int a, int b);
int main(void)
{
    int failed = larger(1, 2) != 2 || larger(2, 1) != 2;
    printf("1..1\\n%sok 1 - test_larger\\n", failed ? "not " : "");
    return failed;
}
"""


# The output of make -n -B.
PLAN = """mkdir -p build/obj
printf '  %-7s %s\\n' CC build/obj/a.o
clang -std=c17 -DTEXT='"1 2"' -MMD -MP -c a.c -o build/obj/a.o
clang -std=c17 -MMD -MP -c tests/test_a.c -o build/obj/tests/test_a.o
llvm-ar rcs build/libpure.a.$$ build/obj/a.o && mv build/libpure.a.$$ build/libpure.a
clang build/obj/tests/test_a.o build/libpure.a \\
    -o build/test_a.$$ && mv build/test_a.$$ build/test_a
"""


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Return a bench on a small built tree, and its only run."""
    tree = tmp_path / "project"
    for name, text in (("a.c", FILE), ("tests/test_a.c", TEST)):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")
    (tree / "build/obj/tests").mkdir(parents=True)
    subprocess.run(["sh", "-e", "-c", PLAN], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    (tree / ".gitignore").write_text("build\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    monkeypatch.chdir(tree)
    monkeypatch.setattr(harness, "ROOT", tree)
    monkeypatch.setattr(harness, "WORK", tmp_path / "work")
    plan = Plan(PLAN, tree / "build", tmp_path / "copy")
    plan.copy_built()
    shutil.copy2(tree / "build/libpure.a", tmp_path / "copy")
    subject = harness.Subject(plan, tree)
    run = Run("build/test_a", reached={"a.c": ([(1, 1)], [2])})
    return harness.Bench(0, subject), {mutation.name: mutation for mutation in subject.mutations()}, run


def test_plan_of_make(bench):
    plan = bench[0].subject.plan
    assert list(plan.programs) == ["build/test_a"] and list(plan.compilations()) == ["a.c"]
    assert plan.objects_of("build/test_a") == ["build/obj/tests/test_a.o", "build/obj/a.o"]
    assert plan.depends("build/obj/a.o", "a.c") and not plan.depends("build/obj/tests/test_a.o", "a.c")
    compilation = plan.compilations()["a.c"]
    assert compilation.without_output() == ["clang", "-std=c17", '-DTEXT="1 2"']


def test_verdicts(bench):
    workbench, found, run = bench
    verdicts = {name: workbench.attempt(mutation, [run])[0] for name, mutation in found.items()}
    assert verdicts["larger: condition never 1"] == verdicts["larger: return + 1 1"] == "caught"
    assert verdicts["larger: relation 1"] == "SURVIVED", "two equal numbers are not tried"
    assert "NOT BUILT" not in verdicts.values()
    assert (workbench.tree / "a.c").read_text(encoding="utf-8") == FILE


def test_place_without_a_test_is_reported_separately(bench):
    workbench, found, run = bench
    run.reached = {"a.c": ([(1, 1)], [0])}
    assert workbench.attempt(found["larger: condition never 1"], [run])[0] == "UNREACHED"


@pytest.mark.parametrize("is_reached", [True, False])
def test_mutation_that_does_not_compile_is_not_caught(bench, is_reached):
    workbench, found, run = bench
    run.reached = {"a.c": ([(1, 1)], [int(is_reached)])}
    first = found["larger: relation 1"]
    broken = Mutation("larger", "relation", 1, "", "a.c", first.begin, first.end, "no sign")
    assert workbench.attempt(broken, [run])[0] == "NOT BUILT"


def test_same_code_is_no_survivor(bench):
    workbench, found, run = bench
    first = found["larger: relation 1"]
    same = Mutation("larger", "relation", 1, "", "a.c", first.begin, first.end, "> 0 +")
    assert workbench.attempt(same, [run])[0] == "same"
