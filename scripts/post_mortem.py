"""Show a boot record: the last panic with its last log lines, or how far a boot came that did not end.

The bytes are those of shared/post_mortem.h. They are foreign: everything is checked before it is used.
"""

import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import arguments

EFIVARS = Path("/sys/firmware/efi/efivars")
VARIABLE = "HandoffPostMortem-97bf6861-c9d9-464c-888a-238f67b887e8"
# efivarfs puts the attributes before the content.
ATTRIBUTES_BYTES = 4

MAGIC = b"BOOTREC\0"
VERSION = 1
SLOT_BYTES = 4096
HEADER = struct.Struct("<8sHHIIIIII28s")
LOADER, PANIC, ENDED = 1, 5, 6
STAGES = {
    LOADER: "the loader ran, and had not entered the kernel",
    2: "the loader had entered the kernel, which did not report",
    3: "the kernel ran, and was not ready",
    4: "the kernel was ready",
    PANIC: "the kernel had reported a panic",
    ENDED: "the kernel had ended the boot",
}

HELP = """\
Show the boot record: the last panic, with registers, backtrace and the last log lines, or how far a
boot came that did not end.

Without FILE, the record is in an EFI variable of this computer. The loader writes this variable only
with post_mortem=nvram (docs/LOG.md), at the boot after the panic. FILE is a copy of the variable, or
of the two pages in RAM (QEMU: pmemsave 0x1fe000 8192 FILE).

The exit status is 0 if there is a record, else 1.
"""


class NoRecord(Exception):
    """There is no record. The text has the reason, and advice."""


@dataclass(frozen=True)
class Record:
    stage: int
    code: int
    sequence: int
    log: str
    report: str


def printable(data):
    """Return text in which every character is printable ASCII or a line end."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F or byte == 0x0A else "?" for byte in data)


def read_slot(data):
    """Return the record at the beginning of `data`. NoRecord names the damage."""
    data = data[:SLOT_BYTES]
    if data[: len(MAGIC)] != MAGIC:
        raise NoRecord("it holds no boot record")
    if len(data) < HEADER.size:
        raise NoRecord("the boot record is damaged: it is cut")
    magic, version, reserved, size, checksum, sequence, code, log_size, stage, rest = HEADER.unpack_from(data)
    if version != VERSION:
        raise NoRecord(f"the boot record has version {version}, and this program knows version {VERSION}")
    if not HEADER.size <= size <= len(data) or log_size > size - HEADER.size:
        raise NoRecord("the boot record is damaged: its size is impossible")
    sealed = HEADER.pack(magic, version, reserved, size, 0, sequence, code, log_size, 0, rest)
    if zlib.crc32(sealed + data[HEADER.size : size]) != checksum:
        raise NoRecord("the boot record is damaged: its checksum is wrong")
    number = stage & 0xFFFF
    if number not in STAGES or stage >> 16 != number ^ 0xFFFF:
        raise NoRecord("the boot record is damaged: its stage is unknown")
    text = data[HEADER.size : size]
    return Record(number, code, sequence, printable(text[:log_size]), printable(text[log_size:]))


def is_newer(record, other):
    """Sequence numbers of 32 bits wrap."""
    return 0 < (record.sequence - other.sequence) % 2**32 < 2**31


def read(data):
    """Return the newest record in the bytes of a variable, or of the pages in RAM."""
    if data[ATTRIBUTES_BYTES : ATTRIBUTES_BYTES + len(MAGIC)] == MAGIC:
        data = data[ATTRIBUTES_BYTES:]
    newest, problems = None, []
    for offset in range(0, max(len(data), 1), SLOT_BYTES)[:2]:
        try:
            record = read_slot(data[offset:])
        except NoRecord as problem:
            problems.append(str(problem))
            continue
        if newest is None or is_newer(record, newest):
            newest = record
    if newest is None:
        raise NoRecord(max(problems, key=lambda problem: "damaged" in problem or "version" in problem))
    return newest


def describe(record):
    """Return the record as text for a person."""
    if record.stage == PANIC or (record.stage == LOADER and record.code != 0):
        end = f"a panic, code {record.code:#04x}" if record.stage == PANIC else f"the loader's error HL-{record.code:02d}"
        lines = [f"The boot ended in {end}.", "", "The last log lines:"]
        lines += record.log.splitlines() or ["(none)"]
        return "\n".join([*lines, "", "The report:", *filter(None, record.report.splitlines())])
    if record.stage == ENDED:
        return "The boot ended as wished."
    return f"The boot did not end. At the reset: {STAGES[record.stage]}."


def read_variable(folder=EFIVARS):
    """Return the bytes of the EFI variable. NoRecord names the missing part."""
    if not folder.parent.is_dir():
        raise NoRecord("this system was not started by UEFI firmware, so it has no EFI variables: name a FILE")
    if not folder.is_dir() or not any(folder.iterdir()):
        raise NoRecord(f"{folder} is empty: mount it with: mount -t efivarfs efivarfs {folder}")
    try:
        return (folder / VARIABLE).read_bytes()
    except FileNotFoundError:
        raise NoRecord("there is no boot record in the EFI variables: start the kernel with post_mortem=nvram, "
                       "and start the loader again after the panic") from None  # fmt: skip
    except OSError as error:
        raise NoRecord(f"{folder / VARIABLE} cannot be read: {error.strerror}; try it as root") from None


def parse_arguments(words=None):
    parser = arguments.Parser(prog="post-mortem.sh", description=HELP)
    parser.add_argument("file", nargs="?", type=arguments.readable_file, metavar="FILE",
                        help="a copy of the variable or of the pages")  # fmt: skip
    return parser.parse_args(words)


def main():
    options = parse_arguments()
    try:
        data = options.file.read_bytes() if options.file else read_variable()
        print(describe(read(data)))
    except NoRecord as problem:
        where = f"{options.file}: " if options.file else ""
        print(f"post-mortem.sh: {where}{problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
