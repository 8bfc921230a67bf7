"""Test scripts/sign.py: the list of enrolled files, the signature, and what the signed image still promises."""

import hashlib
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import folders
import pytest
import sign

ROOT = Path(__file__).resolve().parents[2]
LOADER = folders.build_folder() / "BOOTX64.EFI"
NX_COMPAT = 0x100
FILES = {"kernel.elf": b"a kernel", "handoff.conf": b"cmdline = quiet\n", "boot/initrd.img": b""}
LIST = "".join(f"{hashlib.sha256(FILES[path]).hexdigest()}  {path}\n" for path in sorted(FILES))


def section(content, name, expected_flags=sign.INITIALIZED | sign.READ):
    """Return the bytes of a section, by its size in memory."""
    image = sign.Image(content)
    found = [row for row in image.sections() if row[0].rstrip(b"\0") == name]
    assert len(found) == 1, image.sections()
    _, size, _, file_size, offset, flags = found[0]
    assert size <= file_size and flags == expected_flags
    return content[offset : offset + size]


def expect_sound(content):
    """Check what firmware with memory protection, Microsoft's rules for signing, and shim demand."""
    image = sign.Image(content)
    headers = bytes(image.bytes[image.optional :])
    assert struct.unpack_from("<I", headers, 32)[0] == 4096, "the alignment of sections"
    assert struct.unpack_from("<H", headers, 70)[0] & NX_COMPAT
    end = 0
    for name, size, address, file_size, offset, flags in image.sections():
        assert address % 4096 == 0 and address >= end, name
        assert not flags & sign.EXECUTE or not flags & sign.WRITE, name
        assert offset + file_size <= len(content), name
        end = address + size
    assert image.number(sign.IMAGE_SIZE) == sign.aligned(end, 4096)
    lines = section(content, b".sbat").decode("ascii").split("\n")
    assert lines.pop() == "" and lines[0].startswith("sbat,1,")
    version = (ROOT / "VERSION").read_text(encoding="ascii").strip()
    name, generation, *words = lines[1].split(",")
    assert (name, len(words)) == ("handoff", 4) and int(generation) >= 1 and words[2] == version
    assert len(lines) == 2


def test_built_image_is_sound():
    expect_sound(LOADER.read_bytes())


def test_enrolled_image_is_sound_and_has_the_list():
    plain = LOADER.read_bytes()
    image = sign.enrol(plain, FILES)
    expect_sound(image)
    assert section(image, b".hashes").decode() == LIST
    assert image == sign.enrol(plain, dict(reversed(FILES.items()))), "the order of the files does not matter"
    before, after = sign.Image(plain).sections(), sign.Image(image).sections()
    assert len(after) == len(before) + 1
    for old, new in zip(before, after):
        assert (new[:4], new[5]) == (old[:4], old[5])
        assert image[new[4] : new[4] + new[3]] == plain[old[4] : old[4] + old[3]], "the other sections do not change"


def test_headers_without_room_grow():
    """Names of sections fill the headers, until the next one needs more room in the file."""
    image = sign.Image(LOADER.read_bytes())
    first = image.number(sign.HEADERS_SIZE)
    while image.number(sign.HEADERS_SIZE) == first:
        image.add_section(b".more\0\0\0", b"more")
    content = bytes(image.bytes)
    expect_sound(content)
    assert section(content, b".text", sign.EXECUTE | sign.READ | 0x20) == section(
        LOADER.read_bytes(), b".text", sign.EXECUTE | sign.READ | 0x20)  # fmt: skip


def test_no_file_means_no_list():
    assert sign.enrol(LOADER.read_bytes(), {}) == LOADER.read_bytes()


def test_second_enrolment_is_refused():
    with pytest.raises(sign.SignError, match="has enrolled files already"):
        sign.enrol(sign.enrol(LOADER.read_bytes(), FILES), FILES)


@pytest.mark.parametrize("content", [b"", b"MZ", b"\x7fELF" * 100, b"MZ" + bytes(200)])
def test_other_file_is_refused(content):
    with pytest.raises(sign.SignError, match="not a PE image"):
        sign.enrol(content, FILES)


@pytest.fixture(name="volume")
def make_volume(tmp_path):
    """A boot volume, and beside it a key with its certificate."""
    if shutil.which("sbsign") is None or shutil.which("openssl") is None:
        pytest.skip("no sbsign or no openssl")
    for name, content in {**FILES, "EFI/BOOT/BOOTX64.EFI": b"an older loader"}.items():
        (tmp_path / "esp" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "esp" / name).write_bytes(content)
    subprocess.run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "db.key", "-x509",
                    "-subj", "/CN=test/", "-out", tmp_path / "db.pem"], check=True, capture_output=True)  # fmt: skip
    return tmp_path / "esp"


def run(volume, *files, **changes):
    options = {"key": volume.parent / "db.key", "cert": volume.parent / "db.pem", "loader": LOADER, "volume": volume}
    words = [word for name, value in {**options, **changes}.items() for word in (f"--{name}", value)]
    return subprocess.run([sys.executable, ROOT / "scripts/sign.py", *words, *files], capture_output=True, text=True,
                          check=False)  # fmt: skip


def without_signature(volume):
    signed = volume / "EFI/BOOT/BOOTX64.EFI"
    subprocess.run(["sbattach", "--remove", signed], check=True, capture_output=True)
    return signed.read_bytes()


def test_signed_loader(volume):
    extra = volume.parent / "shellx64.efi"
    extra.write_bytes(b"a shell")
    ended = run(volume, extra)
    assert ended.returncode == 0, ended.stderr
    whole_list = "".join(sorted(LIST.splitlines(True) + [f"{hashlib.sha256(b'a shell').hexdigest()}  shellx64.efi\n"],
                                key=lambda line: line[66:]))  # fmt: skip
    assert ended.stdout.startswith(whole_list) and "these 4 files" in ended.stdout
    content = (volume / "EFI/BOOT/BOOTX64.EFI").read_bytes()
    expect_sound(content)
    assert section(content, b".hashes").decode() == whole_list
    first = without_signature(volume)
    assert run(volume, extra).returncode == 0
    assert without_signature(volume) == first, "the same files make the same image"
    assert not list(volume.rglob("*EFI.*")), "no temporary file stays"


@pytest.mark.parametrize("option, name, sentence", [
    ("key", "none.key", "KEY="), ("cert", "none.pem", "CERT="), ("key", "db.pem", "sbsign failed: "),
])  # fmt: skip
def test_wrong_key_or_certificate(volume, option, name, sentence):
    ended = run(volume, **{option: volume.parent / name})
    assert ended.returncode == 1 and sentence in ended.stderr and "Traceback" not in ended.stderr, ended.stderr
    assert (volume / "EFI/BOOT/BOOTX64.EFI").read_bytes() == b"an older loader"


def test_absent_file_and_absent_program(volume, monkeypatch):
    ended = run(volume, volume.parent / "none.img")
    assert ended.returncode == 1 and "none.img: No such file" in ended.stderr
    monkeypatch.setenv("PATH", "/nowhere")
    ended = run(volume)
    assert ended.returncode == 1 and "there is no sbsign: install Debian's package sbsigntool" in ended.stderr
