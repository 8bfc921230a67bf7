"""Check that any kernel can use shared/handoff.h.

It compiles as C and C++ in several standards, and includes only two headers of the compiler. A simple reader of its
text finds the same layout as the C compiler, so generators of bindings for other languages can read it, too.
"""

import ctypes
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from test_documents import ROOT, document_fields, read, section, table_rows, without_comments

HEADER = ROOT / "shared/handoff.h"
CLANG = os.environ.get("CLANG", "clang")
BASE_TYPES = {"uint64_t": ctypes.c_uint64, "uint32_t": ctypes.c_uint32, "uint16_t": ctypes.c_uint16,
              "uint8_t": ctypes.c_uint8, "char": ctypes.c_char}  # fmt: skip
# True if the document has the tables of the structures.
HAS_TABLES = "## The structure" in read("docs/HANDOFF.md")


# A 32-bit target aligns 64-bit numbers to four bytes only. gcc has the headers of one target only.
TARGETS = {"hosted": [], "freestanding": ["-ffreestanding"],
           "32-bit": ["--target=i686-none-elf", "-ffreestanding"]}  # fmt: skip


def dialects():
    """Yield (compiler, language, standard, target) for the installed compilers."""
    for language, standard in [("c", "c11"), ("c", "c17"), ("c++", "c++11"), ("c++", "c++17")]:
        for target in TARGETS:
            yield CLANG, language, standard, target
        for target in ("hosted", "freestanding"):
            if shutil.which("gcc") and (language == "c" or shutil.which("g++")):
                yield "gcc", language, standard, target


@pytest.mark.parametrize("compiler, language, standard, target", dialects())
def test_header_compiles_without_a_warning(tmp_path, compiler, language, standard, target):
    """With -Wpadded, a byte that the compiler adds is a warning."""
    source = tmp_path / "reader.c"
    source.write_text('#include "shared/handoff.h"\n#include "shared/handoff.h"\n'
                      "uint64_t first(const struct handoff *h);\n"
                      "uint64_t first(const struct handoff *h) { return h->regions.first; }\n",
                      encoding="ascii")  # fmt: skip
    done = subprocess.run(
        [compiler, "-x", language, f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Wpadded",
         "-Werror", "-fsyntax-only", *TARGETS[target], f"-I{ROOT}", source],
        capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_header_includes_two_headers_of_the_compiler():
    assert re.findall(r"^\s*#\s*include\s+(\S+)", read("shared/handoff.h"), re.MULTILINE) == [
        "<stddef.h>", "<stdint.h>"]  # fmt: skip


def test_header_has_no_compiler_extension():
    """A reader that is not a C compiler does not have to guess."""
    text = without_comments(read("shared/handoff.h"))
    for word in ("__attribute__", "#pragma", "_Pragma", "__packed", "__extension__", "typeof", "alignas",
                 "_Alignas", "long", "size_t ", "bool", "*"):  # fmt: skip
        assert word not in text, word
    for _, body in re.findall(r"(?:struct|union) (\w+) \{(.*?)\n\};", text, re.DOTALL):
        assert ":" not in body, "no bit-field"
        assert "[]" not in body and "{" not in body, "no flexible array, nothing anonymous"


# --- A simple reader --------------------------------------------------------------------------------------


def constants(text):
    """Return {name: value} of the defined numbers."""
    found = re.findall(r"^#define (\w+) +(?:UINT(?:32|64)_C\()?(0x[0-9a-f]+|\d+)\)?$", text, re.MULTILINE)
    return {name: int(value, 0) for name, value in found}


def field_of(line, types, numbers):
    """Return (name, type) of a declaration."""
    match = re.fullmatch(r"(?:(?:struct|union) )?(\w+) (\w+)(?:\[(\w+)\])?", line)
    assert match, f"too hard for a simple reader: {line!r}"
    kind, name, count = match.groups()
    kind = types[kind]
    if count is not None:
        kind = kind * (int(count) if count.isdigit() else numbers[count])
    return name, kind


def structures():
    """Return {name: ctypes class} of every structure and union, from the text of the header."""
    text = without_comments(read("shared/handoff.h"))
    numbers = constants(text)
    types = dict(BASE_TYPES)
    for keyword, name, body in re.findall(r"^(struct|union) (\w+) \{\n(.*?)^\};", text, re.DOTALL | re.MULTILINE):
        base = ctypes.LittleEndianStructure if keyword == "struct" else ctypes.LittleEndianUnion
        lines = [" ".join(line.split()) for line in body.split(";") if line.strip()]
        types[name] = type(name, (base,), {"_fields_": [field_of(line, types, numbers) for line in lines]})
    return {name: kind for name, kind in types.items() if name not in BASE_TYPES}


READ = structures()
STRUCTURES = [name for name, kind in READ.items() if issubclass(kind, ctypes.Structure)]


def layout(structure):
    """Return [(offset, size, name)] of the fields, as the reader finds them."""
    kind = READ[structure]
    return [(getattr(kind, name).offset, getattr(kind, name).size, name) for name, _ in kind._fields_]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_reader_finds_the_offsets_that_the_header_asserts(structure):
    text = read("shared/handoff.h")
    asserted = [(int(offset), name) for name, offset in
                re.findall(rf"^HANDOFF_ASSERT_OFFSET\({structure}, (\w+), (\d+)\);", text, re.MULTILINE)]  # fmt: skip
    assert asserted == [(offset, name) for offset, _, name in layout(structure)]
    size = re.search(rf"^HANDOFF_ASSERT\(sizeof\(struct {structure}\) == (\d+)\);", text, re.MULTILINE)
    assert int(size.group(1)) == ctypes.sizeof(READ[structure])


@pytest.mark.parametrize("structure", STRUCTURES)
def test_reader_finds_no_gap(structure):
    end = 0
    for offset, size, name in layout(structure):
        assert offset == end, f"a gap before {name}"
        end += size
    assert end == ctypes.sizeof(READ[structure]) and end % 8 == 0


NOTE_HEADER = ROOT / "shared/handoff_note.h"


@pytest.mark.parametrize("compiler, language, standard, target",
                         [row for row in dialects() if row[1] == "c"])  # fmt: skip
def test_header_of_the_notes_compiles_without_a_warning(tmp_path, compiler, language, standard, target):
    source = tmp_path / "kernel.c"
    source.write_text('#include "shared/handoff.h"\n#include "shared/handoff_note.h"\n'
                      "HANDOFF_NOTE(HANDOFF_NOTE_VERSION, HANDOFF_NOTE_VERSION_VALUE(HANDOFF_VERSION_MAJOR, 0));\n"
                      "HANDOFF_NOTE(HANDOFF_NOTE_LEVELS, HANDOFF_LEVELS_FOUR);\n"
                      "HANDOFF_NOTE(HANDOFF_NOTE_STACK, 1 << 17);\n", encoding="ascii")  # fmt: skip
    done = subprocess.run(
        [compiler, "-x", language, f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Wpadded",
         "-Werror", "-fsyntax-only", *TARGETS[target], f"-I{ROOT}", source],
        capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_notes_of_the_document_are_the_header_s():
    header = without_comments(read("shared/handoff_note.h"))
    types = re.findall(r"HANDOFF_NOTE_(\w+) = (\d+),", header)
    rows = table_rows(section(read("docs/HANDOFF.md"), "Notes: demands of a kernel"))
    assert [(row[1].strip("`"), row[0]) for row in rows] == types


def test_reader_has_read_the_whole_header():
    text = without_comments(read("shared/handoff.h"))
    assert set(READ) == set(re.findall(r"^(?:struct|union) (\w+) \{", text, re.MULTILINE))
    assert len(STRUCTURES) >= 12 and "handoff" in STRUCTURES
    numbers = constants(text)
    assert ctypes.sizeof(READ["handoff_arch"]) == numbers["HANDOFF_ARCH_SIZE_BYTES"]
    assert ctypes.sizeof(READ["handoff"]) == numbers["HANDOFF_SIZE_V2_BYTES"] == 768


@pytest.mark.skipif(not HAS_TABLES, reason="docs/HANDOFF.md has no tables of structures yet")
@pytest.mark.parametrize("structure", STRUCTURES)
def test_reader_finds_the_tables_of_the_document(structure):
    assert document_fields(structure) == layout(structure)


@pytest.mark.parametrize("path", sorted((ROOT / "tests/qemu/small_kernels").glob("*.c")),
                         ids=lambda path: path.stem)  # fmt: skip
def test_small_kernels_take_nothing_of_the_project_but_the_contract(path: Path):
    included = re.findall(r'#include "([^"]+)"', path.read_text(encoding="utf-8"))
    headers = {"version_1": [], "version_3": ["shared/handoff_note.h"]}
    assert included == headers.get(path.stem, ["shared/handoff.h"])


def test_types_of_the_document_are_the_code_s():
    """Compare number, name, precedence, facts and reuse of each type in docs/HANDOFF.md and shared/region.c."""
    header, source = read("shared/handoff.h"), read("shared/region.c")
    facts = {"0": "–", "RAM": "R M W", "PLACED": "R M W L", "HANDOFF_FACT_MAPPED": "M",
             "HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE": "M W"}  # fmt: skip
    numbers = {name: int(value, 0) for name, value in re.findall(r"HANDOFF_REGION_(\w+) = (0x\w+),", header)}
    table = re.search(r"define TYPES\(ROW\)(.*?)\n\n", source, re.DOTALL).group(1)
    coded = [[f"{numbers.pop(name):#x}", text, precedence, facts[" ".join(fact.split())], reuse]
             for name, precedence, fact, reuse, text in re.findall(
                 r'ROW\((\w+), (\d+), ([^(),]+), (\w+), "([\w-]+)"\)', table)]  # fmt: skip
    assert not numbers, "types without a meaning"
    assert [row[:5] for row in table_rows(section(read("docs/HANDOFF.md"), "Types"))] == coded


def test_reuse_and_facts_of_the_document_are_the_header_s():
    document, header = read("docs/HANDOFF.md"), read("shared/handoff.h")
    reuse = re.findall(r"HANDOFF_REUSE_(\w+) = (\d+),", header)
    assert [(row[1].strip("`"), row[0]) for row in table_rows(section(document, "Reuse"))] == reuse
    facts = re.findall(r"#define HANDOFF_FACT_(\w+) +UINT32_C\((\d+)\)", header)
    assert [(row[1].strip("`"), str(1 << int(row[0]))) for row in table_rows(section(document, "Facts"))] == facts
