"""Name the function, the file and the line at addresses of a panic, with the functions that were inlined there."""

import bisect
import difflib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import arguments
import folders
import report_text

HELP = """\
Name the function, the file and the line at addresses of a panic, with the functions that were
inlined there.

Without ADDRESS, read a report from the standard input: pasted, or typed from a photograph. Letters
that look like digits, and missing leading digits, are corrected. If an address and FUNCTION+OFFSET
behind it disagree, FUNCTION+OFFSET counts. A build id in the report is compared with the kernel's.
A slide in the report (of a kernel made with PIE=1) is subtracted from the addresses.

The text of a panic's QR code, HANDOFF-PANIC-1:…, is expanded and printed first. Give it on the
standard input, in single quotes as an argument, or as the name of a file.
"""
EPILOG = "Exit status: 0 all are named; 1 one is unknown, the build id differs, or a text is damaged; 2 wrong options"
IMAGE_BASE = 0xFFFFFFFF80000000
# What a reader takes for a digit.
LOOKS_LIKE = str.maketrans("OoQlIi|SsZzqg", "0001111552299")
TOKEN = re.compile(r"(?<![\w|])(?:[0Oo][xX])?[\w|]{6,20}(?![\w|])")
FUNCTION = re.compile(r"\s*([A-Za-z_]\w*)\s?\+\s?0?x?([\w|]+)")
# A word before an address: the numbers of these registers are no places of code.
REGISTER = re.compile(r"\b(?:r(?:ax|bx|cx|dx|si|di|bp|sp|fl|\d+)|cr\d)\s+$")
# An address of a backtrace is the one behind a call.
CALLER = re.compile(r"(?:#\s?\w+|\bby)\s+$")
BUILD = re.compile(r"\bbuild\s?=\s?([\w|]{16})\b")
SLIDE = re.compile(r"\bslide\s?=\s?((?:[0Oo][xX])?[\w|]{1,18})\b")
MASK = (1 << 64) - 1


class SymbolizeError(Exception):
    """The work is not possible. The text has the reason."""


@dataclass(frozen=True)
class Place:
    """An address of the kernel's code. For a caller, it is the address behind the call."""

    address: int
    is_caller: bool

    def code(self):
        return self.address - 1 if self.is_caller else self.address


def tool(*command):
    """Return the output of a program of LLVM."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise SymbolizeError(f"{command[0]} is missing: scripts/setup.sh installs it") from error
    except subprocess.CalledProcessError as error:
        raise SymbolizeError(f"{command[0]} refuses {command[-1]}: {error.stderr.strip()}") from error


class Kernel:
    """A kernel with debug information. Its slide is the distance from the addresses here to those of the boot."""

    def __init__(self, path, slide=0):
        self.slide = slide
        if not path.is_file():
            raise SymbolizeError(f"{path} is no file: build the kernel (make), or name another one with --kernel")
        self.path = path
        lines = [line.split() for line in tool("llvm-nm", "--defined-only", "--numeric-sort", path).splitlines()]
        addresses = {name: int(address, 16) for address, _, name in lines}
        if "kernel_text_end" not in addresses:
            raise SymbolizeError(f"{path} has no symbols: name a kernel.debug.elf")
        self.end = addresses["kernel_text_end"]
        self.functions = {name: int(address, 16) for address, kind, name in lines
                          if kind in "tT" and not re.fullmatch(r"kernel_\w+_(?:start|end)", name)}  # fmt: skip
        self.starts = sorted((address, name) for name, address in self.functions.items())

    def has_code(self, address):
        return IMAGE_BASE <= address < self.end

    def function(self, address):
        """Return the function that contains an address, and the offset in it."""
        start, name = self.starts[bisect.bisect_right(self.starts, (address, "\x7f")) - 1]
        return name, address - start

    def build_id(self):
        found = re.search(r"Build ID: (\w+)", tool("llvm-readelf", "--notes", self.path))
        return found.group(1) if found else None

    def lines(self, places):
        """Return [(function, file:line)] for each place, the innermost inlined function first."""
        codes = [f"{place.code():#x}" for place in places]
        output = tool("llvm-symbolizer", "--relativenames", "--functions=linkage", f"--obj={self.path}", *codes)
        blocks = [block.splitlines() for block in output.strip().split("\n\n")]
        return [[(name, cleaned(line)) for name, line in zip(block[::2], block[1::2])] for block in blocks]


def cleaned(line):
    """Return `kernel/main.c:25` of `./kernel/main.c:25:5`."""
    path, number, _ = line.rsplit(":", 2)
    return f"{os.path.normpath(path)}:{number}"


# --- Reading ----------------------------------------------------------------------------------------


def read_number(text):
    """Return the number of hexadecimal digits, or of letters that look like them, or None."""
    digits = re.sub(r"^[0Oo]?[xX]", "", text).translate(LOOKS_LIKE)
    return int(digits, 16) if re.fullmatch(r"[0-9a-fA-F]+", digits) else None


def read_address(kernel, text):
    """Return the address of the kernel's code that a word means, or None. The leading f may be too many or too few."""
    number = read_number(text)
    if number is None:
        return None
    digits = f"{number:x}".lstrip("f")
    address = int(digits, 16) | 0xFFFFFFFF00000000 if len(digits) == 8 else number
    address = (address - kernel.slide) & MASK
    return address if kernel.has_code(address) else None


def named_address(kernel, text):
    """Return the address of FUNCTION+OFFSET at the beginning of a text, or None."""
    match = FUNCTION.match(text)
    if match is None:
        return None
    names = difflib.get_close_matches(match.group(1), kernel.functions, n=1, cutoff=0.8)
    offset = read_number(match.group(2))
    if not names or offset is None or not kernel.has_code(kernel.functions[names[0]] + offset):
        return None
    return kernel.functions[names[0]] + offset


def places_of_line(kernel, line):
    """Return the places that a line of a report names."""
    places = []
    for token in TOKEN.finditer(line):
        before, behind = line[: token.start()], line[token.end() :]
        word = token.group()
        if REGISTER.search(before) or not re.match(r"[0Oo][xX]|[fF]{4}", word):
            continue
        address = named_address(kernel, behind) or read_address(kernel, word)
        if address is not None:
            places.append(Place(address, CALLER.search(before) is not None))
    return places


def differing_build(kernel, text):
    """Return the build id in a report, if it is not the kernel's."""
    found = BUILD.search(text)
    if found is None:
        return None
    return None if read_number(found.group(1)) == int(kernel.build_id() or "0", 16) else found.group(1)


# --- Writing ----------------------------------------------------------------------------------------


def show(kernel, places):
    """Print each place: the innermost function first, and where it was inlined."""
    for place, frames in zip(places, kernel.lines(places)):
        outer, offset = kernel.function(place.code())
        offset += place.is_caller
        name, line = frames[0]
        inlined = len(frames) > 1
        address = (place.address + kernel.slide) & MASK
        print(f"{address:#x} {name if inlined else f'{outer}+{offset:#x}'} {line}")
        for index, (name, line) in enumerate(frames[1:], start=2):
            print(f"    inlined into {f'{outer}+{offset:#x}' if index == len(frames) else name} {line}")


def places_of_arguments(kernel, words, are_callers):
    places = []
    for word in words:
        address = read_address(kernel, word)
        if address is None:
            raise SymbolizeError(f"{word} is no address of this kernel's code")
        places.append(Place(address, are_callers))
    return places


def expanded(text):
    """Print the report in the text of a QR code. Return it, and whether it is whole."""
    try:
        report, problem = report_text.decode(text), None
    except report_text.ReportTextError as error:
        report, problem = error.readable, error
    if not report:
        raise SymbolizeError(problem)
    print(report)
    if problem is not None:
        print(f"symbolize.sh: {problem}", file=sys.stderr)
    elif report_text.LAST_LINE not in report:
        print("symbolize.sh: the QR code had no room for the last lines of the report", file=sys.stderr)
    return report, problem is None


def input_text(words):
    """Return the text of a report, or None if the words are addresses."""
    if not words:
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    if report_text.contains(" ".join(words)):
        return " ".join(words)
    if len(words) == 1 and os.path.isfile(words[0]):
        return Path(words[0]).read_text(encoding="utf-8", errors="replace")
    return None


def show_report(kernel, text):
    text = text[max(text.find("[panic]"), 0) :]  # the log before it has addresses, too
    slide = SLIDE.search(text)
    if slide is not None:
        kernel.slide = read_number(slide.group(1)) or 0
    places = [place for line in text.splitlines() for place in places_of_line(kernel, line)]
    if not places:
        raise SymbolizeError("there is no address of this kernel's code in the text")
    other = differing_build(kernel, text)
    if other is not None:
        print(f"symbolize.sh: the report is of build {other}, and {kernel.path} is build {kernel.build_id()}: "
              "the lines may be wrong", file=sys.stderr)  # fmt: skip
    show(kernel, places)
    return 0 if other is None else 1


def run(options):
    text = input_text(options.addresses)
    is_whole = True
    if text is not None and report_text.contains(text):
        text, is_whole = expanded(text)
    kernel = Kernel(options.kernel or folders.build_folder() / "kernel.debug.elf", options.slide)
    if text is not None:
        return max(show_report(kernel, text), 0 if is_whole else 1)
    show(kernel, places_of_arguments(kernel, options.addresses, options.callers))
    return 0


def main():
    parser = arguments.Parser(prog="symbolize.sh", description=HELP, epilog=EPILOG)
    parser.add_argument("addresses", nargs="*", metavar="ADDRESS",
                        help="an address, such as 0xffffffff80009b57, the text of a QR code, or a file")  # fmt: skip
    parser.add_argument("--callers", action="store_true", help="the addresses are those of a backtrace, behind a call")
    parser.add_argument("--slide", type=lambda text: int(text, 16), default=0, metavar="HEX",
                        help="the slide of a kernel that is a PIE: subtract it from the addresses (default: 0)")  # fmt: skip
    parser.add_argument("--kernel", type=Path, metavar="FILE", help="the kernel.debug.elf (default: of the build)")
    try:
        return run(parser.parse_args())
    except SymbolizeError as error:
        print(f"symbolize.sh: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
