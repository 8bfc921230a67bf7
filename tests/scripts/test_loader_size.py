"""Test the size of the loader's file, and the properties of its sections that firmware with memory protection demands."""

import struct

import folders

# The aim is 81,920 bytes. The loader misses it with the menu, modules, PIE, processors and integrity (docs/CAVEATS.md).
# This limit keeps it from growing unseen.
LIMIT_BYTES = 86_016
NX_COMPAT = 0x100
EXECUTE, WRITE = 0x20000000, 0x80000000
LOADER = folders.build_folder() / "BOOTX64.EFI"


def test_the_loader_is_smaller_than_its_limit():
    size_bytes = LOADER.stat().st_size
    assert size_bytes < LIMIT_BYTES, f"BOOTX64.EFI has {size_bytes} bytes: make it smaller, or say why it may grow"


def test_no_section_is_writable_and_executable():
    image = LOADER.read_bytes()
    headers, = struct.unpack_from("<I", image, 0x3C)
    count, optional_bytes = struct.unpack_from("<4x2xH12xH", image, headers)
    alignment, = struct.unpack_from("<I", image, headers + 24 + 32)
    characteristics, = struct.unpack_from("<H", image, headers + 24 + 70)
    assert alignment == 4096
    assert characteristics & NX_COMPAT
    rights = [struct.unpack_from("<I", image, headers + 24 + optional_bytes + 40 * i + 36)[0] for i in range(count)]
    assert sum(right & EXECUTE != 0 for right in rights) == 1
    assert not any(right & EXECUTE and right & WRITE for right in rights)
