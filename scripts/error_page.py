"""Write the facts of the code into docs/ERRORS.md: each error's cause and remedy, and the text of each warning.

    error_page.py PROGRAM     PROGRAM is check_boot, which prints the loader's table of errors

The meanings and the cases are written by hand and stay. A new error or warning gets a section with `TODO`, and the
test tests/docs/test_errors.py fails until a person has filled it.
"""

import re
import subprocess
from pathlib import Path

import arguments

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/ERRORS.md"
WARNINGS_HEADING = "## Warnings\n"
# The names of the parts of an error's section, in order.
PARTS = ["Meaning", "Remedy", "Catalogue"]
TODO = "TODO"


def read_errors(program):
    """Return {number: (cause, remedy)} as the loader has them."""
    printed = subprocess.run([program, "errors"], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in printed.splitlines()]
    return {number: (cause, remedy) for number, cause, remedy in rows}


def read_warnings():
    """Return the text of each console_warn() in the loader, in alphabetical order. An ellipsis replaces values."""
    found = {}
    for path in sorted((ROOT / "bootloader").rglob("*.c")):
        calls = re.findall(r'console_warn\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)',
                           path.read_text(encoding="utf-8"))  # fmt: skip
        for literals in calls:
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))
            found[re.sub(r"%\d*[a-z]+", "…", text)] = None
    return sorted(found, key=lambda text: re.sub(r"\W", "", text).lower())


def count_warnings():
    """Return the number of calls of console_warn() in the loader. Each of them needs a text that can be read."""
    return sum(len(re.findall(r"console_warn\(", path.read_text(encoding="utf-8")))
               for path in (ROOT / "bootloader").rglob("*.c"))  # fmt: skip


def one_line(text):
    return " ".join(text.split())


def read_page(text):
    """Return ({number: {"Cause": …, part: text}}, {warning: its explanation}) of a page."""
    errors, warnings = text.split(WARNINGS_HEADING)
    sections = {}
    for number, cause, body in re.findall(r"^### (HL-\d\d): (.*?)\n\n(.*?)(?=^#|\Z)", errors, re.M | re.S):
        parts = re.findall(r"^- \*(\w+)\*: (.*?)(?=^- |\Z)", body, re.M | re.S)
        sections[number] = {"Cause": cause, **{name: one_line(part) for name, part in parts}}
    items = re.findall(r"^- `([^`]+)`: (.*?)(?=^- |\Z)", warnings, re.M | re.S)
    return sections, {one_line(warning): one_line(meaning) for warning, meaning in items}


def fold(text, width=118):
    """Return an item of a list with lines of at most `width` characters."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("  " + word)
        else:
            lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines) + "\n"


def write_page(text, errors, warnings):
    """Return the page with the facts of the code in it."""
    sections, meanings = read_page(text)
    begin = text[: text.index("### HL-")]
    introduction = re.match(r"(.*?)(?=^- `|\Z)", text.split(WARNINGS_HEADING)[1], re.M | re.S).group(1)
    page = begin
    for number, (cause, remedy) in sorted(errors.items()):
        parts = {**dict.fromkeys(PARTS, TODO), **sections.get(number, {}), "Remedy": remedy}
        page += f"### {number}: {cause}\n\n"
        page += "".join(fold(f"- *{name}*: {parts[name]}") for name in PARTS) + "\n"
    page += WARNINGS_HEADING + introduction
    return page + "".join(fold(f"- `{text}`: {meanings.get(text, TODO)}") for text in warnings)


def parse_arguments():
    parser = arguments.Parser(
        prog="error_page.py",
        description="Write the loader's errors and warnings into docs/ERRORS.md. `make errors` calls this script.",
        epilog="Exit status: 0 the page is written; 2 wrong options.",
    )
    parser.add_argument("program", metavar="PROGRAM", type=arguments.readable_file,
                        help="check_boot, which prints the table of errors")  # fmt: skip
    return parser.parse_args()


def main():
    program = parse_arguments().program
    text = PAGE.read_text(encoding="utf-8")
    new = write_page(text, read_errors(program), read_warnings())
    PAGE.write_text(new, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {new.count(TODO)} texts are to be written ({TODO})")


if __name__ == "__main__":
    main()
