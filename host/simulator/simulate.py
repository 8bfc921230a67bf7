"""Simulate the memory stack with a memory map. scripts/simulate.sh builds the program, then calls this file."""

import argparse
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

from arguments import plain_words  # of scripts/
import generate
import map_file
import picture_svg
import picture_text
import terminal
import units

PROGRAM = Path(os.environ.get("BUILD") or ROOT / "build").absolute() / "simulator/simulate"
LOADS = ["boot", "random", "exhaustion", "fragmentation"]
FORMS = """\
A memory map is read in any of these forms. Other text before and after a row, lines that a
mailer wrapped, and other lines of a log are ignored:
  dmesg of Linux        efi: mem00: ... (boot with efi=debug), else BIOS-e820: ... or similar
                        (BIOS-e801, BIOS-88, user, modified, reserve setup_data, Xen in a dom0)
  the UEFI shell        memmap, or memmap -sfo; also UTF-16, as `memmap > map.txt` writes it
  GRUB                  lsefimmap, or lsmmap
  Xen                   the RAM map or the EFI memory map of xl dmesg
  Linux, without dmesg  /sys/firmware/memmap (the folder, or its files as grep -r . prints them),
                        /proc/iomem (as root)
  this kernel's log     [region] ... (command line print-regions)
  data rows             type base pages attributes, or usable|reserved|acpi|nvs first last
A file may be compressed (gz, xz, zst, bz2), a raw mail (quoted-printable, base64) or HTML. If a
text has several maps, the first map of the form with the most information is read. --map reads
another.

BUILD=DIR in the environment builds into another folder than build.

Exit status: 0: it boots and every invariant holds. 1: no memory map, or a wrong option. 2: on
such a machine, the loader stops or the kernel panics. 3: an invariant does not hold: a bug.
"""


class Parser(argparse.ArgumentParser):
    """An error is one sentence, with status 1. argparse's status 2 means that the machine does not boot."""

    def error(self, message):
        message = plain_words(message)
        self.exit(1, f"simulate: {message}; simulate.sh --help lists the options\n")

    def parse_known_args(self, args=None, namespace=None):
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [name for action in self._actions for name in action.option_strings]
            near = difflib.get_close_matches(unknown[0].split("=")[0], known, 1)
            hint = f": did you mean {near[0]}?" if near else ""
            self.error(f"unknown option {unknown[0]}{hint}" if unknown[0].startswith("-") else
                       f"only one FILE is allowed: {map_file.display_name(unknown[0])} is a second")
        return options, unknown


def make_parser():
    parser = Parser(
        prog="simulate.sh",
        usage="simulate.sh FILE [OPTION...]\n       simulate.sh --generate SIZE [OPTION...]",
        description="Run Handoff's memory stack (memory map, handoff, early heap, frames, page "
        "tables, heap) on this\ncomputer, with the memory map of any machine, and draw it.",
        epilog=FORMS,
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=28, width=96),
    )
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="the memory map; - is standard input")
    add("--generate", metavar="SIZE", help="instead of a file: a machine with this RAM, 16M to 1024T")
    add("--map", metavar="N", help="read the Nth map of several in FILE, counted from 1")
    add("--load", default="boot", choices=LOADS, metavar="NAME",
        help="the work for the running system: " + ", ".join(LOADS) + " (default boot)")
    add("--heap-policy", metavar="NAME",
        help="the heap's policy: bump, first-fit, best-fit, fast (default fast)")
    add("--heap-debug", action="store_true", help="fill freed blocks, and find writes to them")
    add("--temp-heap", metavar="SIZE", help="the size of the temporary heap (default 1M; 0: no heap)")
    add("--old-cpu", action="store_true", help="a CPU without 1 GiB pages")
    add("--seed", metavar="N", help="the seed for the random operations of a load (default 1)")
    add("--svg", type=Path, metavar="OUT.svg", help="also draw the picture into this file")
    add("--json", action="store_true", help="print only JSON, with everything")
    add("--print-map", action="store_true", help="print the map as data rows and stop")
    return parser


def parse_arguments():
    parser = make_parser()
    options = parser.parse_args()
    if options.file == "":
        parser.error("the name of the file is empty")
    if (options.file is None) == (options.generate is None):
        parser.error("either a file or --generate SIZE is needed")
    if options.json and options.print_map:
        parser.error("use either --json or --print-map: the JSON contains the map")
    return options  # fmt: skip


def read_map(options):
    """Return the bytes of the map, and a name for it."""
    if options.generate is not None:
        size_bytes = units.parse_size(options.generate)
        return generate.generate(size_bytes).encode(), f"{options.generate} (generated)"
    name = "standard input" if options.file == map_file.STANDARD_INPUT else options.file
    name = map_file.display_name(name)
    try:
        return map_file.read(options.file), name
    except map_file.Unreadable as problem:
        raise ValueError(f"{name} {problem}") from None


def program_arguments(options, name, report_path):
    # The name is given as bytes, because a locale with only ASCII cannot encode it.
    arguments = ["--name", name.encode(), "--load", options.load, "--report", str(report_path)]
    for option in ("heap_policy", "temp_heap", "seed", "map"):
        value = getattr(options, option)
        if value is not None:
            arguments += ["--" + option.replace("_", "-"), value]
    arguments += ["--old-cpu"] if options.old_cpu else []
    arguments += ["--heap-debug"] if options.heap_debug else []
    arguments += ["--print-map"] if options.print_map else []
    return [*arguments, map_file.STANDARD_INPUT]


def run(options, report_path):
    """Run the program. Show its log line by line, except with --json. Return the exit status and the log."""
    text, name = read_map(options)
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.seek(0)
        process = subprocess.Popen(
            [str(ROOT / "scripts/steady.sh"), str(PROGRAM),
             *program_arguments(options, name, report_path)],
            stdin=file, stdout=subprocess.PIPE)  # fmt: skip
    log = []
    with process:
        for line in process.stdout:
            log.append(line.decode(errors="replace").rstrip("\n"))
            if not options.json:
                print(terminal.plain(log[-1]), flush=True)
    return process.returncode, log


def show(options, report, log):
    if options.json:
        print(json.dumps({**report, "log": log}, indent=1))
        return
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    colour = is_terminal and "NO_COLOR" not in os.environ
    columns = shutil.get_terminal_size().columns if is_terminal else picture_text.SENTENCE_COLUMNS
    print(terminal.plain("\n" + "\n".join(picture_text.draw(report, colour, columns))))


def write_picture(path, report):
    try:
        path.write_text(picture_svg.draw(report), encoding="utf-8")
    except OSError as error:
        name = map_file.display_name(str(path))
        raise ValueError(f"{name} cannot be written: {error.strerror}") from None


def simulate(options):
    """Return the exit status."""
    with tempfile.TemporaryDirectory() as scratch:
        report_path = Path(scratch) / "report.json"
        status, log = run(options, report_path)
        if report_path.exists():
            report = json.loads(report_path.read_text(encoding="utf-8"))
            show(options, report, log)
            if options.svg:
                write_picture(options.svg, report)
    # A signal ended the program: this counts as a broken invariant.
    return status if status >= 0 else 3


def main():
    options = parse_arguments()
    try:
        sys.exit(simulate(options))
    except ValueError as problem:
        sys.exit(f"simulate: {problem}")


if __name__ == "__main__":
    terminal.guard(main, "simulate")
