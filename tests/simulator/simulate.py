"""Simulate the memory stack over a memory map. scripts/simulate.sh builds first, then calls this."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import generate
import picture_svg
import picture_text
import units

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("BUILD") or ROOT / "build").absolute() / "simulator/simulate"
LOADS = ["boot", "random", "exhaustion", "fragmentation"]
FORMS = """\
A memory map is read in any of these forms; what stands before it on a line, and other lines of a
log, are passed over:
  dmesg of Linux        efi: mem00: ... (boot with efi=debug), else BIOS-e820: ...
  the UEFI shell        memmap, or memmap -sfo; also UTF-16, as `memmap > map.txt` writes it
  this kernel's log     [region] ... (command line print-regions)
  data rows             type base pages attributes, or usable|reserved|acpi|nvs first last

Exit status: 0 it boots and every invariant holds; 1 no memory map or a wrong option; 2 the loader
would stop or the kernel panic on such a machine; 3 an invariant is broken, which is a bug.
"""


class Parser(argparse.ArgumentParser):
    """Exit status 2 is taken: it says that the machine does not boot."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def parse_arguments():
    parser = Parser(
        prog="simulate.sh",
        description="Run Handoff's memory stack (memory map, handoff, early heap, frames, page "
        "tables, heap) on this\ncomputer, over the memory map of any machine, and draw it.",
        epilog=FORMS,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=28, width=96),
    )
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="the memory map; - is standard input")
    add("--generate", metavar="SIZE", help="instead of a file: a machine with so much RAM, 16M to 1024T")
    add("--load", default="boot", choices=LOADS, help="what is done once it is up (default boot)")
    add("--heap-policy", metavar="NAME", help="the heap's policy (default: the kernel's)")
    add("--heap-debug", action="store_true", help="fill freed blocks and prove that nobody writes to them")
    add("--temp-heap", metavar="SIZE", help="the temporary heap (default 1M; 0: none is handed over)")
    add("--old-cpu", action="store_true", help="a CPU without 1 GiB pages")
    add("--seed", metavar="N", help="another order of the loads' random operations")
    add("--svg", type=Path, metavar="OUT.svg", help="draw the picture into this file, too")
    add("--json", action="store_true", help="print everything as JSON, and nothing else")
    add("--print-map", action="store_true", help="print the map as data rows and stop")
    options = parser.parse_args()  # fmt: skip
    if (options.file is None) == (options.generate is None):
        parser.error("either a file or --generate SIZE")
    return options


def program_arguments(options, report_path):
    arguments = ["--load", options.load, "--report", str(report_path)]
    for name in ("heap_policy", "temp_heap", "seed"):
        value = getattr(options, name)
        if value is not None:
            arguments += ["--" + name.replace("_", "-"), value]
    arguments += ["--old-cpu"] if options.old_cpu else []
    arguments += ["--heap-debug"] if options.heap_debug else []
    arguments += ["--print-map"] if options.print_map else []
    if options.generate:
        return [*arguments, "--name", f"{options.generate} (generated)", "-"]
    return [*arguments, options.file]


def run(options, report_path):
    """Run the program; its log is shown as it comes, unless the JSON shall be alone. Returns exit
    status and log."""
    text = None
    if options.generate:
        text = generate.generate(units.parse_size(options.generate)).encode()
    process = subprocess.Popen(
        [str(ROOT / "scripts/steady.sh"), str(PROGRAM), *program_arguments(options, report_path)],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE if text else None,
    )  # fmt: skip
    if text:
        process.stdin.write(text)
        process.stdin.close()
    log = []
    for line in process.stdout:
        log.append(line.decode(errors="replace").rstrip("\n"))
        if not options.json:
            print(log[-1], flush=True)
    return process.wait(), log


def show(options, report, log):
    if options.json:
        print(json.dumps({**report, "log": log}, indent=1))
        return
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print("\n" + "\n".join(picture_text.draw(report, colour)))


def write_picture(path, report):
    try:
        path.write_text(picture_svg.draw(report), encoding="utf-8")
    except OSError as error:
        sys.exit(f"simulate: {path} cannot be written: {error.strerror}")


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        report_path = Path(scratch) / "report.json"
        try:
            status, log = run(options, report_path)
        except ValueError as error:
            sys.exit(f"simulate: {error}")
        if report_path.exists():
            report = json.loads(report_path.read_text(encoding="utf-8"))
            show(options, report, log)
            if options.svg:
                write_picture(options.svg, report)
    # A signal ended it: that is as broken as it can be.
    sys.exit(status if status >= 0 else 3)


if __name__ == "__main__":
    main()
