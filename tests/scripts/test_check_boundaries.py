"""The check of the boundaries finds one breach of each kind in a small tree."""

import subprocess
import sys
from pathlib import Path

import pytest

import check_boundaries

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {
    "bootloader/main.c": '#include "shared/sum.h"\nint efi_main(void);\n\nint efi_main(void)\n{\n'
                         "    return sum(1, 2);\n}\n",
    "kernel/main.c": '#include "shared/sum.h"\nint kernel_main(void);\n\nint kernel_main(void)\n{\n'
                     "    return sum(1, 2);\n}\n",
    "shared/sum.h": "/* Of any CPU, also of x86-64 (Intel SDM Vol. 1). */\nint sum(int a, int b);\n",
    "shared/sum.c": '#include "shared/sum.h"\n\nint sum(int a, int b)\n{\n    return a + b;\n}\n',
    "shared/arch/x86_64/halt.h": "static inline void halt(void)\n{\n    __asm__(\"cli; hlt\");\n}\n",
    "host/desk.c": "int desk;\n",
}  # fmt: skip
SUM = CLEAN["shared/sum.c"]


def long_function(body):
    return f"int f(int a);\n\nint f(int a)\n{{\n{body}}}\n"


LINES = long_function("    a++;\n" * 25 + "    return a;\n")
FITS = long_function("    a++;\n" * 24 + "    return a;\n")
SWITCH = long_function(
    "    switch (a) {\n"
    + "".join(f"    case {i}:\n        return {i} * 2;\n" for i in range(20))
    + "    }\n    return 0;\n"
)
TABLE = long_function(
    "    static const int table[] = {\n" + "        1,\n" * 30 + "    };\n    return table[a];\n"
)
SWITCH_AND_MORE = SWITCH.replace("    switch", "    a = a * a;\n    switch")
# (the file, its text, the sentence): each is one breach.
BREACHES = {
    "undeclared": ("shared/sum.c", "int f(void)\n{\n    return g();\n}\n",
                   "shared/sum.c:1: does not compile for AArch64: no previous prototype"),
    "of a CPU": ("shared/sum.c", SUM + "\n#ifndef __x86_64__\n#error x86 only\n#endif\n",
                 "shared/sum.c:9: does not compile for RISC-V 64: x86 only"),
    "checked kernel": ("kernel/diagnostics/sanitizer/address.c",
                       "#ifdef HANDOFF_KASAN\n#error checked\n#endif\n",
                       "kernel/diagnostics/sanitizer/address.c:2: does not compile for AArch64: checked"),
    "header of a CPU": ("kernel/main.c", '#include "shared/arch/x86_64/halt.h"\n',
                        "kernel/main.c:1: includes shared/arch/x86_64/halt.h, which belongs to one CPU"),
    "gnu-efi": ("kernel/main.c", "int a;\n#include <efi.h>\n",
                "kernel/main.c:2: includes gnu-efi's <efi.h>: only bootloader/firmware/efi.h may"),
    "assembly": ("shared/sum.c", SUM.replace("return", '__asm__("nop");\n    return'),
                 "shared/sum.c:5: contains assembly"),
    "assembly file": ("kernel/entry.S", "nop\n", "kernel/entry.S:0: is assembly outside of an arch/ folder"),
    "register": ("shared/sum.h", "extern int rflags;\n",
                 "shared/sum.h:1: code names the register rflags"),
    "part of a name": ("shared/sum.h", "int read_CR3_twice(void);\n",
                       "shared/sum.h:1: code names the register cr3 in read_CR3_twice"),
    "instruction": ("shared/sum.h", "\nvoid cpu_invlpg(void);\n",
                    "shared/sum.h:2: code names the instruction invlpg in cpu_invlpg"),
    "of Arm": ("shared/sum.h", "extern int ttbr0;\n", "shared/sum.h:1: code names the register ttbr0"),
    "table": ("shared/sum.h", "extern int idt;\n",
              "shared/sum.h:1: code names the table or feature idt"),
    "port": ("shared/sum.h", "enum { PORT = 0x3F8 };\n",
             "shared/sum.h:1: code names the port or register number 0x3f8"),
    "family": ("shared/sum.h", "struct for_x86_64;\n",
               "shared/sum.h:1: code names the CPU family x86 in for_x86_64"),
    "text": ("shared/sum.h", 'static const char text[] = "CR3 is wrong";\n',
             "shared/sum.h:1: a text names the register cr3"),
    "comment": ("shared/sum.h", "/* The sum,\n * in RAX. */\nint sum(int a, int b);\n",
                "shared/sum.h:2: a comment names the register rax"),
    "long": ("host/desk.c", LINES, "host/desk.c:4: f() has 26 lines, more than 25"),
    "switch and more": ("host/desk.c", SWITCH_AND_MORE, "host/desk.c:4: f() has 44 lines, more than 25"),
}  # fmt: skip
ALLOWED = {
    "interface": ("shared/page_entry.h", '#ifdef __x86_64__\n#include "shared/arch/x86_64/halt.h"\n#endif\n'),
    "contract": ("shared/handoff.h", "struct handoff_x86_64 { int cr3; }; /* CR3 */\n"),
    "inside of arch": ("kernel/arch/x86_64/cr3.c", "#include \"shared/arch/x86_64/halt.h\"\nint cr3;\n"),
    "a longer word": ("shared/sum.h", "extern int pattern, clients, spirit, x87;\n"),
    "25 lines": ("host/desk.c", FITS),
    "one switch": ("host/desk.c", SWITCH),
    "one table": ("host/desk.c", TABLE),
}  # fmt: skip


def plant(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def compile_all(folder):
    """Objects where make would put them."""
    for link, top in (("kernel", "kernel"), ("loader", "bootloader"), ("host/preload", "host")):
        for source in [*folder.glob(f"{top}/**/*.c"), *folder.glob("shared/*.c")]:
            name = source.relative_to(folder).with_suffix(".o")
            target = folder / "build" / link / name
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["clang", "-c", "-w", "-I.", source, "-o", target], cwd=folder, check=True)


def check(folder, *words):
    process = subprocess.run(
        [sys.executable, ROOT / "scripts/check_boundaries.py", folder, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return process.returncode, process.stdout.splitlines(), process.stderr


@pytest.fixture(name="tree")
def clean_tree(tmp_path):
    plant(tmp_path, CLEAN)
    plant(tmp_path, {"Makefile": "WARNINGS := -Wall -Wextra -Wmissing-prototypes\n"})
    return tmp_path


def test_a_clean_tree_passes(tree):
    compile_all(tree)
    assert check(tree) == (0, ["check-boundaries: compile 0, words 0, circles 0, lengths 0"], "")


@pytest.mark.parametrize("path, text, sentence", BREACHES.values(), ids=BREACHES)
def test_a_breach_is_named(tree, path, text, sentence):
    plant(tree, {path: text})
    compile_it = "does not compile" in sentence
    status, lines, _ = check(tree, "--only", "compile" if compile_it else
                             "lengths" if "lines" in sentence else "words")  # fmt: skip
    assert status == 1
    assert any(line.startswith(sentence) for line in lines), lines
    assert compile_it or len(lines) == 2, lines


@pytest.mark.parametrize("path, text", ALLOWED.values(), ids=ALLOWED)
def test_allowed_code_passes(tree, path, text):
    plant(tree, {path: text})
    for name in ("words", "lengths"):
        assert check(tree, "--only", name)[:2] == (0, [f"check-boundaries: {name} 0"])


def test_a_circle_is_reported_as_a_path(tree):
    plant(tree, {
        "kernel/a.c": "void b(void);\nvoid a(void)\n{\n    b();\n}\n",
        "kernel/b.c": "void c(void);\nvoid b(void)\n{\n    c();\n}\n",
        "kernel/c.c": "void a(void);\nvoid c(void)\n{\n    a();\n}\n",
        "kernel/main.c": "void a(void);\nvoid kernel_main(void)\n{\n    a();\n}\n",
    })  # fmt: skip
    compile_all(tree)
    assert check(tree, "--only", "circles")[:2] == (1, [
        "kernel/a.c:1: needs b of kernel/b.c, which needs c of kernel/c.c, which needs a of kernel/a.c: "
        "a circle of 3 files in the kernel",
        "check-boundaries: circles 1",
    ])  # fmt: skip


def test_two_circles_through_one_file_are_two_findings():
    graph = {"a": {"b": "b1", "c": "c1"}, "b": {"a": "a1"}, "c": {"a": "a2"}, "d": {"a": "a3"}}
    assert check_boundaries.circles_of(graph) == [
        [("a", "b1", "b"), ("b", "a1", "a")],
        [("a", "c1", "c"), ("c", "a2", "a")],
    ]


def test_objects_of_sources_that_are_gone_do_not_count(tree):
    plant(tree, {
        "kernel/a.c": "void b(void);\nvoid a(void)\n{\n    b();\n}\n",
        "kernel/b.c": "void a(void);\nvoid b(void)\n{\n    a();\n}\n",
    })  # fmt: skip
    compile_all(tree)
    (tree / "kernel/b.c").unlink()
    assert check(tree, "--only", "circles")[0] == 0


def test_without_objects_the_circles_are_not_called_checked(tree):
    status, _, errors = check(tree, "--only", "circles")
    assert status == 2
    assert "no objects in kernel, loader, host/preload" in errors
    assert "run make build lib" in errors
