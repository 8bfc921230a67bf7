"""Compare docs/YOUR-KERNEL.md with the examples, and the bindings in Rust with shared/handoff.h."""

import re
import sys

from test_documents import ROOT, STRUCTURES, constant, header_fields, read

sys.path.insert(0, str(ROOT / "scripts"))

import boot  # noqa: E402 (the path is set just above)

PAGE = "docs/YOUR-KERNEL.md"
# The sentence before a listing ends with the name of its file.
LISTING = re.compile(r"`(docs/examples/[\w./-]+)`(?:[^`\n]*\n)?[^`]*?:\n\n```\w+\n(.*?)```", re.S)
RUST = "docs/examples/kernel-rust/handoff/src/lib.rs"


def test_listings_are_parts_of_the_examples():
    listings = LISTING.findall(read(PAGE))
    assert len(listings) == len(re.findall(r"^```(?:c|ld|make|toml)$", read(PAGE), re.M)) == 6
    for name, text in listings:
        assert text in read(name), f"{PAGE} differs from {name}:\n{text}"


def test_example_in_c_is_short():
    sources = list((ROOT / "docs/examples/kernel-c").glob("*.[ch]"))
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources) < 100


def test_both_examples_have_one_linker_script():
    assert read("docs/examples/kernel-c/kernel.ld") == read("docs/examples/kernel-rust/kernel.ld")


def test_lines_of_the_protocol_are_those_that_boot_py_knows():
    lines = re.findall(r"^\| `(conformance: [^`]*)`", read(PAGE), re.M)
    known = [line for line in lines if boot.KERNEL_END.match(line + "\n")]
    assert [line.split(" ")[1] for line in lines] == ["ready", "refused", "end", "end"] and known == lines[1:]


def rust_name(structure):
    short = {"handoff": "Handoff", "handoff_x86_64": "X86_64"}
    return short.get(structure) or "".join(word.capitalize() for word in structure.split("_")[1:])


def test_bindings_in_rust_have_the_fields_of_the_header():
    """The crate checks that the compiler agrees with these numbers."""
    text = read(RUST)
    found = dict(re.findall(r"^    (\w+): \d+ \{\n(.*?)^    \}", text, re.M | re.S))
    assert set(found) == {rust_name(structure) for structure in STRUCTURES}
    for structure in STRUCTURES:
        rows = [(int(offset), name) for offset, name in re.findall(r"(\d+) (?:r#)?(\w+): ", found[rust_name(structure)])]
        assert rows == [(offset, name) for offset, _, name in header_fields(structure)], structure


def test_constants_in_rust_are_those_of_the_header():
    constants = dict(re.findall(r"pub const (\w+): u\d+ = ([\w]+);", read(RUST)))
    assert len(constants) == 18
    header = read("shared/handoff.h")
    for name, value in constants.items():
        listed = re.search(rf"HANDOFF_{name} = (\d+)", header)
        expected = int(listed.group(1)) if listed else constant(f"HANDOFF_{name}") if name != "MAGIC" else (
            int(re.search(r"HANDOFF_MAGIC +UINT64_C\((\w+)\)", header).group(1), 16))  # fmt: skip
        assert int(value.replace("_", ""), 0) == expected, name
