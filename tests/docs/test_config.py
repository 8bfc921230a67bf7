"""Compare docs/CONFIG.md with the keys of handoff.conf and the words of the command line in the code."""

import re
import subprocess
import sys

from test_documents import ROOT, read, section, table_of_words, table_rows, without_comments

sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)

PAGE = "docs/CONFIG.md"
# Words with two values, which the kernel reads as a switch.
SWITCHES = ["heap_aslr", "heap_debug"]


def config_source():
    return without_comments(read("bootloader/pure/config.c"))


def keys():
    """Return the keys in the loader's two tables of settings."""
    tables = "".join(re.findall(r"(?:choices|settings)\[\] = \{(.*?)\n\};", config_source(), re.S))
    found = re.findall(r'\{"([\w-]+)",', tables)
    assert len(found) == tables.count("{"), "each row of a table has its key"
    return found


def rows_of(heading):
    return {row[0].strip("`"): row[1:] for row in table_rows(section(read(PAGE), heading))}


def test_every_key_is_in_the_document():
    documented = rows_of("Keys")
    assert sorted(documented) == sorted(keys())
    assert all(cell for row in documented.values() for cell in row), "default and values"


def test_every_key_is_in_the_header():
    """The comment of config.h has a line for each key."""
    lines = re.findall(r"^ \*   ([\w-]+) +=", read("bootloader/pure/config.h"), re.M)
    assert sorted(lines) == sorted(keys())


def test_defaults_in_document_are_the_code_s():
    documented = rows_of("Keys")
    path = re.search(r'KERNEL_PATH\[\] = "([^"]+)"', config_source()).group(1).replace("\\\\", "\\")
    assert documented["kernel"][0] == f"`{path}`"
    assert re.search(r"CONFIG_TEMP_HEAP_DEFAULT\s+\(UINT64_C\(1024\) \* 1024\)", read("bootloader/pure/config_heap.h"))
    assert documented["temp_heap"][0] == "`1M`"


def test_every_sentence_of_the_loader_is_in_the_document():
    body = re.search(r"sentences\[\]\[\w+\] PACKED_SECTION = \{(.*?)\n\};", config_source(), re.S).group(1)
    cases = re.findall(r'\[(\w+)\] =\s*((?:"[^"]*"\s*)+),', body)
    sentences = {name: "".join(re.findall(r'"([^"]*)"', literals)) for name, literals in cases}
    assert sentences.pop("CONFIG_OK")
    names = re.search(r"enum config_status \{(.*?)\}", without_comments(read("bootloader/pure/config.h")), re.S)
    assert set(sentences) == set(re.findall(r"CONFIG_\w+", names.group(1))) - {"CONFIG_OK"}
    documented = rows_of("The form of handoff.conf")
    assert sorted(documented) == sorted(sentences.values())


def test_the_example_with_entries_is_accepted(tmp_path):
    """build/check_boot is the loader's own code. Each key of the example is one of the loader's."""
    program = folders.build_folder() / "check_boot/check_boot"
    example = re.search(r"\n## Entries\n.*?```text\n(.*?)```", read(PAGE), re.S).group(1)
    assert example.count("\nentry = ") == 3
    assert set(re.findall(r"^(\w+) =", example, re.M)) <= {*keys(), "entry"}
    subprocess.run(["make", "-s", str(program)], cwd=ROOT, check=True)
    config = tmp_path / "handoff.conf"
    config.write_text(example, encoding="utf-8")
    checked = subprocess.run([program, "config", config], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_failure_of_inject_is_in_the_document():
    source = read("bootloader/pure/inject.c")
    table = re.search(r"words\[INJECT_FAILURE_COUNT\]\[\d+\] PACKED_SECTION = \{(.*?)\n\};", source, re.S).group(1)
    words = re.findall(r'\[INJECT_\w+\] = "([\w-]+)"', table)
    numbered = words.index("hang") + 1
    assert re.search(r"#define NUMBERED_COUNT \(INJECT_HANG \+ 1\)", source)
    expected = [word + ":N" * (index < numbered) for index, word in enumerate(words)]
    assert list(rows_of("Failures on purpose: inject")) == expected
    for word in words:
        assert re.search(rf'"[^"]*{word}\b', read("tests/qemu/test_inject.py")), f"{word} has no test"


def test_every_word_is_in_the_document():
    """Names, order and choices are those of the kernel's table."""
    documented = rows_of("Words of the command line")
    words = table_of_words()
    assert list(documented) == list(words)
    for word, choices in words.items():
        values = documented[word][0]
        assert all(f"`{choice}`" in values for choice in choices), word
        assert word not in SWITCHES or values == "`on` `off`"
        assert all(documented[word]), f"{word}: values, default and the effect of a wrong value"


def test_words_without_a_value_are_the_code_s():
    table = re.search(r"command_words\[\] = \{(.*?)\n\};", read("kernel/core/command_words.c"), re.S).group(1)
    forms = dict(re.findall(r'\{"([\w-]+)",\s*(NULL|"[^"]*"),', table))
    for word, row in rows_of("Words of the command line").items():
        assert (row[0] == "none") == (forms[word] == "NULL"), word
