"""Read the bytes of a memory map from a file, a pipe, standard input, a compressed log, or the folder
/sys/firmware/memmap."""

import base64
import binascii
import bz2
import gzip
import io
import lzma
import os
import re
import subprocess
import sys
import unicodedata
import zlib
from pathlib import Path

SIZE_LIMIT = 64 << 20  # larger than any log with a memory map
STANDARD_INPUT = "-"


class Unreadable(Exception):
    """The file cannot be read. The text of the exception says why."""


def display_name(path):
    """Return the name in a form that can be shown. Invalid bytes and control characters become "?"."""
    name = os.fsencode(path).decode(errors="replace")
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in name)


def read_folder(path):
    """Return the entries of a folder like Linux's /sys/firmware/memmap, in the form of `grep -r`."""
    entries = sorted((entry for entry in path.iterdir() if entry.name.isdecimal()),
                     key=lambda entry: int(entry.name))  # fmt: skip
    if not entries:
        raise Unreadable("cannot be read: it is a folder, but not a memory map like "
                         "/sys/firmware/memmap")  # fmt: skip
    lines = [f"{entry.name}/{name}:{(entry / name).read_text().strip()}\n"
             for entry in entries for name in ("start", "end", "type")]  # fmt: skip
    return "".join(lines).encode()


def read_limited(stream):
    data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise Unreadable(f"is larger than {SIZE_LIMIT >> 20} MiB: cut out the part with the memory map")
    return data


def unpack_zstd(data):
    """Unpack with the zstd tool, because Python has a zstd module only since 3.14."""
    try:
        process = subprocess.Popen(["zstd", "-dc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
    except FileNotFoundError:
        raise Unreadable("is compressed by zstd, which is not installed: install the package "
                         "zstd (scripts/setup.sh host does), or unpack the file") from None  # fmt: skip
    unpacked, _ = process.communicate(data)
    if process.returncode:
        raise zlib.error
    return read_limited(io.BytesIO(unpacked))


COMPRESSIONS = [
    (b"\x1f\x8b", "gzip", lambda data: read_limited(gzip.GzipFile(fileobj=io.BytesIO(data)))),
    (b"\xfd7zXZ\0", "xz", lambda data: read_limited(lzma.LZMAFile(io.BytesIO(data)))),
    (b"BZh", "bzip2", lambda data: read_limited(bz2.BZ2File(io.BytesIO(data)))),
    (b"\x28\xb5\x2f\xfd", "zstd", unpack_zstd),
]


def unpack(data):
    """Unpack compressed data, for example logs in /var/log. Return other data unchanged."""
    for magic, name, decompress in COMPRESSIONS:
        if data.startswith(magic):
            try:
                return decompress(data)
            except (OSError, EOFError, lzma.LZMAError, zlib.error):
                raise Unreadable(f"cannot be unpacked: it is compressed by {name} and "
                                 "damaged, or not complete") from None  # fmt: skip
    return data


BASE64_PART = re.compile(rb"^Content-Transfer-Encoding:[ \t]*base64[ \t]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n"
                         rb"((?:[A-Za-z0-9+/=]+[ \t]*\r?\n?)+)", re.I | re.M)  # fmt: skip


def decode_base64_parts(data):
    """Decode the parts of a raw mail that are in base64. (The C program decodes quoted-printable.)"""

    def decode(match):
        try:
            return match[0][: match.start(1) - match.start()] + base64.b64decode(match[1])
        except binascii.Error:
            return match[0]

    return BASE64_PART.sub(decode, data)


def open_stream(path):
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise Unreadable("is closed: nothing can be read from it")
        return sys.stdin.buffer
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise Unreadable(f"cannot be opened: {getattr(error, 'strerror', error)}") from None


def read(path):
    """Return the bytes of the map, or raise Unreadable."""
    try:
        if path != STANDARD_INPUT and Path(path).is_dir():
            return read_folder(Path(path))
        with open_stream(path) as stream:
            return decode_base64_parts(unpack(read_limited(stream)))
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
