"""Compare each table of the documents that repeats facts of the source with the source, so that both change
together."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TYPE_SIZES = {"uint64_t": 8, "uint32_t": 4, "uint16_t": 2, "uint8_t": 1, "char": 1}
STRUCTURES = ["handoff", "handoff_x86_64", "handoff_region", "handoff_array", "handoff_text",
              "handoff_range", "handoff_temp_heap", "handoff_module", "handoff_framebuffer",
              "handoff_processor", "handoff_mailbox", "handoff_firmware_table", "handoff_moment"]  # fmt: skip
# The name of a file in a document. These are the kinds of files.
MENTIONED_FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:c|h|S|md|py|sh|ld))`")
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def documents():
    """Return all documents."""
    return sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


def section(text, heading):
    """Return the text below a heading, up to the next heading of any level."""
    match = re.search(rf"^#+ {re.escape(heading)}.*?$(.*?)(?=^#+ |\Z)", text, re.M | re.S)
    assert match, f"there is no section {heading!r}"
    return match.group(1)


def table_rows(text):
    """Return the cells of each row of the tables in a text, without headers and rules."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines() if line.startswith("|")]  # fmt: skip
    return [row for index, row in enumerate(rows)
            if not set(row[0]) <= set("-: ") and not
            (index + 1 < len(rows) and set(rows[index + 1][0]) <= set("-: "))]  # fmt: skip


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


# --- docs/HANDOFF.md and shared/handoff.h ---------------------------------------------------------


def header_fields(structure):
    """Return [(offset, size, name)] of a struct in the header: offsets from the assertions, sizes from the types."""
    header = without_comments(read("shared/handoff.h"))
    body = re.search(rf"struct {structure} \{{(.*?)\}};", header, re.S).group(1)
    sizes = {}
    for kind, name, count in re.findall(r"([\w ]+?)\s+(\w+)(?:\[(\d+)\])?;", body):
        kind = kind.strip().removeprefix("struct ")
        size = constant("HANDOFF_ARCH_SIZE_BYTES") if kind == "union handoff_arch" else (
            TYPE_SIZES.get(kind) or header_size(kind))  # fmt: skip
        sizes[name] = size * int(count or 1)
    asserted = re.findall(rf"HANDOFF_ASSERT_OFFSET\({structure}, (\w+), (\d+)\)", header)
    offsets = {name: int(offset) for name, offset in asserted}
    assert list(offsets) == list(sizes), "every field has its assertion, in order"
    return [(offsets[name], sizes[name], name) for name in sizes]


def constant(name):
    """Return the number of a #define of the header."""
    value = re.search(rf"#define {name}\s+(?:UINT(?:32|64)_C\()?(\w+)", read("shared/handoff.h"))
    return int(value.group(1), 0)


def header_size(structure):
    found = re.search(rf"sizeof\(struct {structure}\) == (\d+)", read("shared/handoff.h"))
    return int(found.group(1))


def document_fields(structure):
    heading = "The structure" if structure == "handoff" else f"struct {structure}"
    rows = table_rows(section(read("docs/HANDOFF.md"), heading))
    return [(int(row[0]), int(row[1]), row[2].strip("`")) for row in rows]


def test_every_structure_of_the_header_is_compared():
    header = without_comments(read("shared/handoff.h"))
    assert sorted(re.findall(r"^struct (\w+) \{", header, re.M)) == sorted(STRUCTURES)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_structure_in_document_is_the_header_s(structure):
    fields = document_fields(structure)
    assert fields == header_fields(structure)
    ends = [offset + size for offset, size, _ in fields]
    assert [offset for offset, _, _ in fields] == [0] + ends[:-1], "no byte is left out"
    assert ends[-1] == header_size(structure)


def test_constants_in_document_are_the_header_s():
    document = read("docs/HANDOFF.md")
    assert f"`{constant('HANDOFF_MAGIC'):#018x}`" in document
    assert constant("HANDOFF_MAGIC").to_bytes(8, "little") == b"HANDOFF\0"
    version = f"{constant('HANDOFF_VERSION_MAJOR')}.{constant('HANDOFF_VERSION_MINOR')}"
    assert f"Version of this document: handoff {version}." in document
    assert f"{constant('HANDOFF_SIZE_V2_BYTES')} bytes in version 2.0" in document
    flags = [constant(f"HANDOFF_X86_64_{name}") for name in
             ("NO_EXECUTE", "PAGES_1GIB", "FIFTH_LEVEL")]  # fmt: skip
    assert flags == [1, 2, 4]
    assert "bit 0 NX enabled, bit 1 1 GiB pages, bit 2 five levels of page tables" in document
    machines = [constant(f"HANDOFF_MACHINE_{name}") for name in ("X86_64", "AARCH64")]
    assert machines == [62, 183]
    assert "62 x86-64 (183, AArch64, is reserved)" in document
    assert f"`{constant('HANDOFF_TABLE_PART_SMBIOS'):#x}` for the SMBIOS structures" in document


def enumeration(header, prefix):
    """Return {NAME: value} of the enumerators with a prefix."""
    pairs = re.findall(rf"\b{prefix}(\w+)\s*=\s*(\w+)", without_comments(read(header)))
    elsewhere = dict(re.findall(r"#define (DEBUG_EXIT_\w+)\s+(0x\w+)", read("shared/debug_exit.h")))
    return {name: int(elsewhere.get(value, value), 0) for name, value in pairs}


def documented_types():
    """Return the rows of the table of types: number, name, precedence, facts, reuse, EFI types."""
    return table_rows(section(read("docs/HANDOFF.md"), "Types"))


def test_region_types_in_document_are_the_header_s():
    documented = {row[1].upper().replace("-", "_"): int(row[0], 16) for row in documented_types()}
    assert documented == enumeration("shared/handoff.h", "HANDOFF_REGION_")
    assert len(set(documented.values())) == len(documented)


def test_meaning_of_region_types_in_document_is_the_code_s():
    """Compare name, precedence, facts and reuse with the table of shared/region.c."""
    facts = {"RAM": "R M W", "PLACED": "R M W L", "HANDOFF_FACT_MAPPED": "M", "0": "–",
             "HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE": "M W"}  # fmt: skip
    table = re.search(r"define TYPES\(ROW\)(.*?)\n\n", read("shared/region.c"), re.S).group(1)
    rows = re.findall(r'ROW\((\w+), (\d+), ([^,]+), (\w+), "([\w-]+)"\)', table)
    assert [(name, rank, facts[bits], reuse) for _, rank, bits, reuse, name in rows] == [
        (row[1], row[2], row[3], row[4]) for row in documented_types()
    ]
    assert all(kind == name.upper().replace("-", "_") for kind, _, _, _, name in rows)


@pytest.mark.parametrize("heading, prefix", [("Facts", "HANDOFF_FACT_"), ("Reuse", "HANDOFF_REUSE_")])
def test_facts_and_reuse_in_document_are_the_header_s(heading, prefix):
    rows = table_rows(section(read("docs/HANDOFF.md"), heading))
    documented = {row[1].strip("`"): int(row[0]) for row in rows}
    if heading == "Facts":
        names = re.findall(rf"#define {prefix}(\w+)", read("shared/handoff.h"))
        assert {name: 1 << bit for name, bit in documented.items()} == {
            name: constant(prefix + name) for name in names
        }
    else:
        assert documented == enumeration("shared/handoff.h", prefix)


def test_EFI_types_in_document_are_the_loader_s():
    """Each EFI type is in exactly one row: the row of the type that bootloader/pure/memory_type.c chooses."""
    source = read("bootloader/pure/memory_type.c")
    order = re.search(r"enum efi_memory_type \{(.*?)\}", source, re.S).group(1)
    numbers = {name: number for number, name in enumerate(re.findall(r"EFI_TYPE_\w+", order))}
    table = re.search(r"region_types\[EFI_TYPE_COUNT\] = \{(.*?)\n\};", source, re.S).group(1)
    chosen = {}
    for name, region in re.findall(r"\[(EFI_TYPE_\w+)\] = HANDOFF_REGION_(\w+),", table):
        chosen.setdefault(region, []).append(numbers[name])
    documented = {row[1].upper().replace("-", "_"): [int(n) for n in re.findall(r"\d+", row[5])]
                  for row in documented_types() if re.search(r"\d", row[5])}  # fmt: skip
    becomes_low = sorted(chosen["USABLE"] + chosen["BOOT_SERVICES"] + chosen["LOADER"])
    low = next(row[5] for row in documented_types() if row[1] == "low-memory")
    assert low == ", ".join(map(str, becomes_low)) + " below 1 MiB"
    del documented["LOW_MEMORY"]
    assert documented == chosen
    assert sorted(sum(documented.values(), [])) == list(range(numbers["EFI_TYPE_COUNT"]))


# --- docs/LOG.md ------------------------------------------------------------------------------------


def panic_codes():
    return enumeration("kernel/core/panic.h", "PANIC_")


def test_panic_codes_in_document_are_the_kernel_s():
    codes = panic_codes()
    base = codes.pop("EXCEPTION_BASE")
    found = re.findall(r'\{PANIC_(\w+),\s*"([^"]+)",\s*((?:"[^"]*"\s*)+)\}', read("kernel/core/panic_names.c"))
    names = {code: name for code, name, _ in found}
    remedies = {code: "".join(re.findall(r'"([^"]*)"', literals)) for code, _, literals in found}
    rows = table_rows(section(read("docs/LOG.md"), "Panics"))
    assert rows[-1][0] == f"{base:#x} + n"
    documented = {int(row[0], 16): row[1] for row in rows[:-1]}
    assert documented == {code: names[name] for name, code in codes.items()}
    rows = table_rows(section(read("docs/LOG.md"), "Remedies"))
    assert rows[-1][0] == f"{base:#x} + n"
    advised = {int(row[0], 16): row[1].replace("`", "") for row in rows[:-1]}
    assert advised == {code: remedies[name] for name, code in codes.items()}
    assert len(set(codes.values())) == len(codes), "no code has two meanings"


def test_panic_codes_fit_into_an_exit_status():
    """QEMU's status has eight bits: 2 * code + 1. The code 0x10 means success."""
    codes = panic_codes()
    success = int(re.search(r"#define DEBUG_EXIT_OK (\w+?)u", read("kernel/core/panic.h")).group(1), 16)
    assert success not in codes.values()
    assert all(code < 128 for code in codes.values())
    assert codes["EXCEPTION_BASE"] + 31 < 128


def test_provocations_in_document_are_the_kernel_s():
    generic = re.findall(r'\{"([\w-]+)", \w+, (true|false)\}', read("kernel/diagnostics/provoke.c"))
    cpu = re.findall(r'\{"([\w-]+)", provoke_\w+\}', read("kernel/arch/x86_64/provoke.c"))
    heap = re.findall(r'\{"([\w-]+)", \w+\}', read("kernel/diagnostics/provoke_heap.c"))
    assert generic and cpu and heap
    text = section(read("docs/LOG.md"), "Provocations")
    checked = text.index("A kernel made with")
    listed = text[text.index(":") : checked]
    late, early = listed.split("before the kernel has fault handlers:")
    assert sorted(re.findall(r"`([\w-]+)`", late)) == sorted(
        cpu + heap + [name for name, early_one in generic if early_one == "false"]
    )
    assert sorted(re.findall(r"`([\w-]+)`", early)) == sorted(
        name for name, early_one in generic if early_one == "true"
    )
    planted = re.findall(
        r'\{"((?:undefined|access)-[\w-]+)", \w+\}',
        read("kernel/diagnostics/sanitizer/undefined_provoke.c") + read("kernel/diagnostics/sanitizer/address_provoke.c"))
    assert sorted(set(re.findall(r"`((?:undefined|access)-[\w-]+)`", text[checked:]))) == sorted(planted)


def test_command_line_words_in_document_are_the_code_s():
    """Each word that the loader or the kernel reads from the command line has a row, and no other word has one."""
    words = set()
    for folder in ("bootloader", "kernel"):
        for path in sorted((ROOT / folder).rglob("*.c")):
            words.update(re.findall(r'(?:command_line_\w+|size_setting|switch_setting)\(\s*[\w>.-]+, "([\w-]+)"',
                                    path.read_text(encoding="utf-8")))  # fmt: skip
    rows = table_rows(section(read("docs/LOG.md"), "The command line"))
    documented = {re.match(r"`([\w-]+)", row[0]).group(1) for row in rows}
    assert documented == words
    in_order = dict.fromkeys(re.match(r"`([\w-]+)", row[0]).group(1) for row in rows)
    assert list(in_order) == list(table_of_words())


def table_of_words():
    """Return {word: its choices} of the kernel's table, which its warnings and `print-help` use."""
    source = read("kernel/core/command_words.c")
    table = re.search(r"command_words\[\] = \{(.*?)\n\};", source, re.S).group(1)
    lists = {name: re.findall(r'"([\w-]+)"', values)
             for name, values in re.findall(r"(\w+_choices)\[\] = \{(.*?)\}", source, re.S)}  # fmt: skip
    return {name: lists.get(choices, [])
            for name, choices in re.findall(r'\{"([\w-]+)",\s*(?:NULL|"[^"]*"),\s*(\w+),', table)}  # fmt: skip


def test_values_of_words_in_document_are_the_kernel_s():
    text = section(read("docs/LOG.md"), "The command line")
    for word, choices in table_of_words().items():
        rows = "".join(row[0] for row in table_rows(text) if row[0].startswith(f"`{word}="))
        for choice in choices:
            assert re.search(rf"[`=]{choice}`", rows), f"{word}={choice}"


def logged_lines():
    """Yield (stage, format) of every log_line() in the kernel."""
    for path in sorted((ROOT / "kernel").rglob("*.c")):
        calls = re.findall(r'log_line\(\s*"([\w-]+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)',
                           without_comments(path.read_text(encoding="utf-8")))  # fmt: skip
        for stage, literals in calls:
            yield stage, "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def test_stages_and_keys_in_document_are_the_kernel_s():
    documented = {}
    for line, keys in table_rows(section(read("docs/LOG.md"), "Stages, in order")):
        stage = re.match(r"`\[([\w-]+)\]", line).group(1)
        documented.setdefault(stage, set()).update(re.findall(r"`([\w-]+)`", keys))
    lines = list(logged_lines())
    assert {stage for stage, _ in lines} <= set(documented)
    missing = [f"[{stage}] {key}=" for stage, words in lines
               for key in re.findall(r"(?:^| )([\w-]+)=", words)
               if key not in documented[stage]]  # fmt: skip
    assert not missing, "keys that are not in docs/LOG.md"


# --- All documents ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_mentioned_files_exist(path):
    text = path.read_text(encoding="utf-8")
    targets = [path.parent / target for target in LINK.findall(text) if "://" not in target]
    targets += [ROOT / name for name in MENTIONED_FILE.findall(text) if not name.startswith("build/")]
    missing = [str(target) for target in targets if not target.exists()]
    assert not missing


# --- docs/READING.md ----------------------------------------------------------------------------------
EVENING_LIMIT = 6000


def test_the_path_for_an_evening_has_the_lines_that_the_document_states():
    text = section(read("docs/READING.md"), "An evening")
    names = [name for row in table_rows(text) for name in re.findall(r"`([^`]+)`", row[1])]
    assert len(set(names)) == len(names) > 0, "each file is on the path once"
    lines = sum(read(name).count("\n") for name in names)
    stated = int(re.search(r"these files have ([\d,]+) lines", text).group(1).replace(",", ""))
    assert stated == lines, f"docs/READING.md, An evening: write {lines:,} lines"
    assert lines <= EVENING_LIMIT, "take a file off the path, or shorten one"


def test_the_path_through_the_fast_policy_has_fewer_lines_than_the_document_states():
    text = section(read("docs/READING.md"), "A second evening")
    folder = re.search(r"these files of `([^`]+)`", text).group(1)
    names = [name for row in table_rows(text) for name in re.findall(r"`([^`]+)`", row[1])]
    assert len(set(names)) == len(names) > 0, "each file is on the path once"
    lines = sum(read(folder + name).count("\n") for name in names)
    stated = int(re.search(r"these files have fewer than ([\d,]+) lines", text).group(1).replace(",", ""))
    assert lines < stated <= EVENING_LIMIT


def test_each_symbol_of_the_walk_exists():
    """Each function that docs/READING.md names is a word of the code."""
    words = set()
    for folder in ("bootloader", "kernel", "shared", "host", "tests/unit"):
        for path in sorted((ROOT / folder).rglob("*.[chS]")):
            words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    named = re.findall(r"`(?:struct |enum )?(\w+_\w+)`", read("docs/READING.md"))
    assert len(named) > 100
    assert sorted(set(named) - words) == []


def test_the_fast_policy_is_explained_in_a_page():
    """The page has at most 75 lines, and names only files that exist."""
    text = section(read("docs/DESIGN.md"), "The fast policy in a page")
    assert text.count("\n") <= 75
    names = set(re.findall(r"`(\w+\.[ch])`", text))
    assert len(names) >= 12
    folders = [ROOT / "kernel/mm/heap", ROOT / "kernel/mm/heap/policies"]
    assert not [name for name in names if not any((folder / name).exists() for folder in folders)]


@pytest.mark.parametrize("name, value, phrase", [
    ("FAST_PADDED_CLASSES", 65, "padded, 65 classes"),
    ("FAST_DENSE_CLASSES", 32, "dense, 32 classes"),
    ("FAST_MEDIUM_CLASSES", 32, "medium, 32 classes"),
    ("FAST_SLAB_PAGES", 4, "1 to 4 pages of 8 KiB"),
    ("FAST_MEDIUM_PAGES", 15, "up to 15 for a medium class"),
    ("FIRST_SLAB_BYTES", 256, "its blocks in the core have 256 bytes"),
    ("FAST_SPARSE_PART", 2, "at most half of the slots are live"),
    ("FAST_SPARSE_DUE_PART", 4, "more than a quarter of the used memory"),
    ("FAST_EMPTY_SLABS", 16, "keeps the last 16 empty slabs"),
    ("FAST_RECENT_BLOCKS", 31, "Up to 31 freed blocks"),
    ("FAST_READY_STEP", 16, "up to 16 slots"),
])  # fmt: skip
def test_numbers_of_the_page_are_those_of_the_code(name, value, phrase):
    """A constant that changes needs another phrase in docs/DESIGN.md, and another row here."""
    macros = {}
    for path in sorted((ROOT / "kernel/mm/heap/policies").glob("fast*.[ch]")):
        macros.update(re.findall(r"^#define (\w+) +(.+)$", path.read_text(encoding="utf-8"), re.M))
    found = macros[name]
    while words := re.findall(r"[A-Z]\w*", found := re.sub(r"\(size_t\)|(?<=\d)u\b", "", found)):
        found = re.sub(rf"\b{words[0]}\b", f"({macros[words[0]]})", found)
    assert eval(found) == value
    assert phrase in " ".join(section(read("docs/DESIGN.md"), "The fast policy in a page").split())


# --- The probe ----------------------------------------------------------------------------------------


CONTRACT = ("shared/handoff.h", "shared/handoff_note.h")


def test_probe_takes_nothing_of_the_project_but_the_contract():
    """The probe checks the contract, so it must not share a mistake with the code of the project."""
    for path in sorted((ROOT / "tests/qemu/probe").rglob("*.[chS]")):
        for name in re.findall(r'#include "([^"]+)"', path.read_text(encoding="utf-8")):
            assert name in CONTRACT or name.startswith("tests/qemu/probe/"), path
    objects = re.search(r"^PROBE_OBJECTS := (.*?[^\\])$", read("Makefile"), re.M | re.S).group(1)
    assert set(re.findall(r"wildcard ([^)]*)", objects)) == {
        "tests/qemu/probe/*.c", "tests/qemu/probe/arch/x86_64/*.S"
    }  # fmt: skip
