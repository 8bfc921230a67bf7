"""Print the mappings of a kernel, from its `print-map` log ([map], docs/LOG.md), as the simulator's table.

The log comes from standard input. It may be the log of a serial line with other lines in it.
"""

import re
import sys

import picture_text
import terminal

UNITS = {"4K": "pages_4kib", "2M": "pages_2mib", "1G": "pages_1gib"}


def fields(line):
    """Return {key: value} of a line. A value with blanks is in quotes."""
    return {key: value.strip('"') for key, value in re.findall(r'([\w-]+)=("[^"]*"|\S+)', line)}


def permissions(line):
    memory = line.get("memory", "write-back")
    return line["access"] if memory == "write-back" else f"{line['access']} {memory}"


def area_of(line):
    """Return the line as an area of the simulator's report."""
    area = {"name": line["owner"], "start": int(line["from"], 16), "permissions": permissions(line),
            "mapped_bytes": int(line["size_kib"]) * 1024, **dict.fromkeys(UNITS.values(), 0)}  # fmt: skip
    for part in filter(None, line.get("pages", "").split(",")):
        count, unit = part.split("x")
        area[UNITS[unit]] = int(count)
    return area


def table_of(log):
    """Return the lines of the table, or raise ValueError."""
    lines = [fields(line) for line in re.findall(r"\[map\] (.*)", log)]
    try:
        areas = [area_of(line) for line in lines if "from" in line]
    except (KeyError, ValueError):
        raise ValueError("a [map] line of the log is damaged: --raw shows the lines unchanged") from None
    if not areas:
        raise ValueError("there is no [map] line in the log: add the word print-map "
                         "to the kernel's command line")  # fmt: skip
    sums = [line for line in lines if "audit" in line]
    return ["Mappings of the kernel", *picture_text.areas(areas), "", *(
        f"Audit {line['audit']}: {line['pages']} pages, in {line['tables']} tables of "
        f"{line['levels']} levels from {line['root']} on." for line in sums)]  # fmt: skip


def main():
    log = sys.stdin.buffer.read().decode(errors="replace").replace("\r", "")
    try:
        print(terminal.plain("\n".join(table_of(log))))
    except ValueError as problem:
        sys.exit(f"print-map: {problem}")


if __name__ == "__main__":
    terminal.guard(main, "print-map")
