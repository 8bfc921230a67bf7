#!/usr/bin/env python3
"""Enrol files in the loader, and sign it for Secure Boot.

The SHA-256 of each file becomes a line of the section .hashes, as sha256sum writes it. While Secure Boot is on, the
signed loader accepts only these files. docs/SECURE-BOOT.md leads through the whole way."""

import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import arguments

SECTION = b".hashes\0"
# The numbers of the PE format (Microsoft PE and COFF specification, revision 11).
HEADERS_OFFSET, SIGNATURE = 0x3C, b"PE\0\0"
SECTION_COUNT, OPTIONAL_SIZE, FIXED_BYTES = 6, 20, 24
DATA_BYTES, FILE_ALIGNMENT, IMAGE_SIZE, HEADERS_SIZE, CHECKSUM = 8, 36, 56, 60, 64
CERTIFICATES = 112 + 4 * 8
SECTION_BYTES, SECTION_OFFSET, PAGE_BYTES = 40, 20, 4096
INITIALIZED, DISCARDABLE, EXECUTE, READ, WRITE = 0x40, 0x2000000, 0x20000000, 0x40000000, 0x80000000


class SignError(Exception):
    """The loader cannot be signed. The text has the reason."""


def aligned(number, step):
    return -(-number // step) * step


class Image:
    """The headers of a PE image of 64 bits."""

    def __init__(self, content):
        self.bytes = bytearray(content)
        if len(content) < 64 or self.bytes[:2] != b"MZ":
            raise SignError("the loader is not a PE image")
        (self.headers,) = struct.unpack_from("<I", self.bytes, HEADERS_OFFSET)
        if self.bytes[self.headers : self.headers + 4] != SIGNATURE:
            raise SignError("the loader is not a PE image")
        self.optional = self.headers + FIXED_BYTES
        (self.section_count,) = struct.unpack_from("<H", self.bytes, self.headers + SECTION_COUNT)
        (optional_bytes,) = struct.unpack_from("<H", self.bytes, self.headers + OPTIONAL_SIZE)
        self.table = self.optional + optional_bytes

    def number(self, offset):
        """Return a number of the optional header."""
        return struct.unpack_from("<I", self.bytes, self.optional + offset)[0]

    def set_number(self, offset, value):
        struct.pack_into("<I", self.bytes, self.optional + offset, value)

    def sections(self):
        """Return [(name, memory size, address, file size, file offset, flags)]."""
        rows = [struct.unpack_from("<8sIIIIIIHHI", self.bytes, self.table + SECTION_BYTES * i)
                for i in range(self.section_count)]  # fmt: skip
        return [(*row[:5], row[9]) for row in rows]

    def grow_headers(self):
        """Make room behind the headers in the file: the content of all sections moves. In memory nothing moves."""
        size, step = self.number(HEADERS_SIZE), self.number(FILE_ALIGNMENT)
        if size + step > min(row[2] for row in self.sections()):
            raise SignError("the loader's headers have no room for one more section")
        for i, row in enumerate(self.sections()):
            place = self.table + SECTION_BYTES * i + SECTION_OFFSET
            struct.pack_into("<I", self.bytes, place, row[4] + step if row[3] != 0 else row[4])
        self.bytes[size:size] = bytes(step)
        self.set_number(HEADERS_SIZE, size + step)

    def add_section(self, name, content):
        """Put a section for reading behind all others."""
        end = self.table + SECTION_BYTES * (self.section_count + 1)
        if end > self.number(HEADERS_SIZE):
            self.grow_headers()
        address = max(aligned(row[2] + row[1], PAGE_BYTES) for row in self.sections())
        file_bytes = aligned(len(content), self.number(FILE_ALIGNMENT))
        offset = aligned(len(self.bytes), self.number(FILE_ALIGNMENT))
        struct.pack_into("<8sIIIIIIHHI", self.bytes, end - SECTION_BYTES, name, len(content), address, file_bytes, offset,
                         0, 0, 0, 0, INITIALIZED | READ)  # fmt: skip
        struct.pack_into("<H", self.bytes, self.headers + SECTION_COUNT, self.section_count + 1)
        self.section_count += 1
        self.set_number(DATA_BYTES, self.number(DATA_BYTES) + file_bytes)
        self.set_number(IMAGE_SIZE, address + aligned(len(content), PAGE_BYTES))
        self.set_number(CHECKSUM, 0)
        self.bytes += bytes(offset - len(self.bytes)) + content + bytes(file_bytes - len(content))


def enrol(loader, files):
    """Return the loader's bytes with the hashes of `files`, {path on the volume: bytes}."""
    image = Image(loader)
    if image.number(CERTIFICATES + 4) != 0:
        raise SignError("the loader is signed already: build it again")
    if any(row[0] == SECTION for row in image.sections()):
        raise SignError("the loader has enrolled files already: build it again")
    if not files:
        return bytes(image.bytes)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(files.items())]
    image.add_section(SECTION, "".join(lines).encode())
    return bytes(image.bytes)


def find_files(volume: Path, loader: Path, more):
    """Return {path on the volume: bytes} of all files of the volume except the loader, and of `more`."""
    found = {}
    inside = [path for path in sorted(volume.rglob("*")) if path.is_file() and path != volume / loader]
    for path in inside + [Path(name) for name in more]:
        name = path.relative_to(volume).as_posix() if volume in path.parents else path.name
        try:
            found[name] = path.read_bytes()
        except OSError as error:
            raise SignError(f"{path}: {error.strerror}") from error
    return found


def run(command):
    """Run a program of the signature, and turn its failure into one sentence."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise SignError(f"there is no {command[0]}: install Debian's package sbsigntool") from None
    except subprocess.TimeoutExpired:
        raise SignError(f"{command[0]} does not end: does the key have a passphrase? Remove it first: "
                        "openssl rsa -in KEY -out PLAIN-KEY") from None  # fmt: skip
    if ended.returncode != 0:
        words = (ended.stderr + ended.stdout).strip().split("\n")
        raise SignError(f"{command[0]} failed: {words[-1]}")


def sign(image, key, certificate, target: Path):
    """Sign an image, check the signature, and put the file in its place."""
    for name, path in (("KEY", key), ("CERT", certificate)):
        if not Path(path).is_file():
            raise SignError(f"{name}={path}: there is no such file")
    with tempfile.TemporaryDirectory(prefix="handoff-sign-") as scratch:
        plain, signed = Path(scratch) / "plain.efi", Path(scratch) / "signed.efi"
        plain.write_bytes(image)
        run(["sbsign", "--key", str(key), "--cert", str(certificate), "--output", str(signed), str(plain)])
        run(["sbverify", "--cert", str(certificate), str(signed)])
        part = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copyfile(signed, part)
        part.replace(target)


def main():
    parser = arguments.Parser(description=__doc__)
    parser.add_argument("--key", required=True, help="the private key, PEM, without a passphrase")
    parser.add_argument("--cert", required=True, help="its certificate, PEM")
    parser.add_argument("--loader", type=Path, required=True, help="the loader as it was built")
    parser.add_argument("--volume", type=Path, required=True, help="the folder with the files of the boot volume")
    parser.add_argument("files", nargs="*", help="more files to enrol, which are elsewhere")
    options = parser.parse_args()
    target = Path("EFI/BOOT/BOOTX64.EFI")
    try:
        files = find_files(options.volume, target, options.files)
        image = enrol(options.loader.read_bytes(), files)
        sign(image, options.key, options.cert, options.volume / target)
    except (SignError, OSError) as error:
        sys.exit(f"sign.py: {error}")
    for name, content in sorted(files.items()):
        print(f"{hashlib.sha256(content).hexdigest()}  {name}")
    print(f"signed: {options.volume / target}, which accepts these {len(files)} files while Secure Boot is on")


if __name__ == "__main__":
    main()
