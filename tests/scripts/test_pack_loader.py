"""Test scripts/pack-loader.py: the loader of the build has its texts packed, and wrong images are refused."""

import random
import struct
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import folders

ROOT = Path(__file__).resolve().parents[2]
LOADER = folders.build_folder() / "BOOTX64.EFI"
ALIGNMENT = 512
TEXT = b"The boot volume cannot be opened. The file is empty. The path names a directory.\0" * 8


def section_of(image, name=b".packed\0"):
    """Return (memory size, address, size in the file, place in the file, flags) of a section."""
    headers, = struct.unpack_from("<I", image, 0x3C)
    count, optional_bytes = struct.unpack_from("<4x2xH12xH", image, headers)
    for number in range(count):
        at = headers + 24 + optional_bytes + 40 * number
        if image[at : at + 8] == name:
            return (*struct.unpack_from("<4I", image, at + 8), *struct.unpack_from("<I", image, at + 36))
    raise AssertionError(f"no section {name}")


def make_image(texts, name=b".packed\0", relocated=(), mark=b"room for the packed texts\0"):
    """Return a PE image: .rdata with the room at 0x1000, .packed at 0x4000, .reloc at 0x24000, and symbols behind."""
    constants = (b"constants" + mark).ljust(9 + 8192, b"\0")
    texts_raw = texts + bytes(-len(texts) % ALIGNMENT)
    block = struct.pack(f"<II{len(relocated)}H", 0x4000, 8 + 2 * len(relocated), *(0xA000 | at for at in relocated))
    optional = bytearray(240)
    struct.pack_into("<II", optional, 56, 0x25000, 2 * ALIGNMENT)  # the sizes of the image and of the headers
    struct.pack_into("<II", optional, 112 + 8 * 5, 0x24000, len(block) if relocated else 0)
    places = [2 * ALIGNMENT, 19 * ALIGNMENT, 19 * ALIGNMENT + len(texts_raw)]
    file_header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 3, 0, places[2] + ALIGNMENT, 0, len(optional), 0)
    rows = b"".join([
        struct.pack("<8s4I12xI", b".rdata", len(constants), 0x1000, 17 * ALIGNMENT, places[0], 0x40000040),
        struct.pack("<8s4I12xI", name, len(texts), 0x4000, len(texts_raw), places[1], 0x40000040),
        struct.pack("<8s4I12xI", b".reloc", len(block), 0x24000, ALIGNMENT, places[2], 0x42000040),
    ])  # fmt: skip
    head = bytes(0x3C) + struct.pack("<I", 0x80) + b"a program for DOS".ljust(0x40, b"!") + file_header + optional + rows
    return (head.ljust(places[0], b"\0") + constants.ljust(17 * ALIGNMENT, b"\0") + texts_raw +
            block.ljust(ALIGNMENT, b"\0") + b"symbols")  # fmt: skip


def unpack(packed, size):
    """Return the text, as bootloader/pure/unpack.c finds it."""
    model = import_module("pack-loader").Model()
    following = iter(packed)
    text, value, limit = bytearray(), 0, 1
    while len(text) < size:
        byte = 1
        while byte < 0x80:
            while limit < 1 << 24:
                limit, value = limit << 8, value << 8 | next(following)
            zero_total, one_total = model.totals()
            zeros = limit * zero_total // (zero_total + one_total)
            bit = value >= zeros
            value, limit = (value - zeros, limit - zeros) if bit else (value, zeros)
            byte = byte * 2 + bit
            model.learn(bit)
        text.append(byte & 0x7F)
    return bytes(text)


def pack(tmp_path, image):
    path = tmp_path / "image.efi"
    path.write_bytes(image)
    done = subprocess.run([sys.executable, ROOT / "scripts/pack-loader.py", path], capture_output=True, text=True,
                          check=False)  # fmt: skip
    return done, path.read_bytes()


def test_the_loader_has_its_texts_packed():
    image = LOADER.read_bytes()
    size, _, *raw, flags = section_of(image)
    assert raw == [0, 0], "the texts are not in the file"
    assert flags == 0xC0000080, "the loader unpacks the texts in their section, which is not executable"
    *_, raw_size, raw, flags = section_of(image, b".rdata\0\0")
    assert raw_size < size / 2, "constants and packed texts"
    assert flags == 0x40000040
    assert b"The boot volume cannot be opened." not in image


def test_the_rest_of_the_file_moves_up(tmp_path):
    image = make_image(TEXT)
    done, packed = pack(tmp_path, image)
    assert done.returncode == 0, done.stderr
    assert section_of(packed) == (len(TEXT), 0x4000, 0, 0, 0xC0000080)
    size, address, raw_size, raw, _ = section_of(packed, b".rdata\0\0")
    assert (size, address, raw_size, raw) == (9 + 8192, 0x1000, ALIGNMENT, ALIGNMENT)
    assert packed[raw : raw + 9] == b"constants"
    assert unpack(packed[raw + 9 : raw + raw_size], len(TEXT)) == TEXT
    assert len(image) - len(packed) == (16 + 2 + 1) * ALIGNMENT, "of the room, of the texts, of the headers"
    assert b"DOS" not in packed
    relocations = section_of(packed, b".reloc\0\0")
    assert relocations[1:4] == (0x24000, ALIGNMENT, 2 * ALIGNMENT)
    headers, = struct.unpack_from("<I", packed, 0x3C)
    symbols, = struct.unpack_from("<I", packed, headers + 12)
    assert packed[symbols:] == b"symbols"
    assert struct.unpack_from("<II", packed, headers + 24 + 56) == (0x25000, ALIGNMENT)


def test_an_image_without_room_is_refused(tmp_path):
    done, _ = pack(tmp_path, make_image(TEXT, mark=b""))
    assert done.returncode == 1 and "no room for the packed texts" in done.stderr


def test_the_texts_of_a_full_room_are_refused(tmp_path):
    characters = random.Random(1).choices(range(128), k=10_000)
    done, _ = pack(tmp_path, make_image(bytes(characters)))
    assert done.returncode == 1 and "the room has 8192" in done.stderr


def test_a_pointer_among_the_texts_is_refused(tmp_path):
    image = make_image(TEXT, relocated=[0x10])
    done, after = pack(tmp_path, image)
    assert done.returncode == 1 and "a packed text contains a pointer" in done.stderr
    assert after == image


def test_a_text_that_is_not_ascii_is_refused(tmp_path):
    done, _ = pack(tmp_path, make_image(TEXT + "…".encode()))
    assert done.returncode == 1 and "a packed text is not ASCII" in done.stderr


def test_too_many_texts_are_refused(tmp_path):
    done, _ = pack(tmp_path, make_image(TEXT * 110))
    assert done.returncode == 1 and "the loader has a buffer of 65536" in done.stderr


def test_an_image_without_texts_is_refused(tmp_path):
    done, _ = pack(tmp_path, make_image(TEXT, name=b".others\0"))
    assert done.returncode == 1 and "no section .packed" in done.stderr
