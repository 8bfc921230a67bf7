"""Test the search for firmware: a file that the user names, then descriptors, then the known folders."""

import json
import lzma
import os

import firmware
import firmware_volume
import machine
import pytest

X86_64, X86, AARCH64 = 0x8664, 0x014C, 0xAA64


def section(kind, content):
    size_bytes = 4 + len(content)
    return size_bytes.to_bytes(3, "little") + bytes([kind]) + content + bytes(-size_bytes % 4)


def volume_file(kind, content):
    size_bytes = 24 + len(content)
    header = bytes(18) + bytes([kind, 0]) + size_bytes.to_bytes(3, "little") + b"\xf8"
    return header + content + bytes(-size_bytes % 8)


def volume(content=b"", guid=b"some file system"):
    """Return a firmware volume (UEFI Platform Initialization 1.7, volume 3, section 3.2.1)."""
    header_bytes = 72
    size = (header_bytes + len(content)).to_bytes(8, "little")
    header = bytes(16) + guid + size + b"_FVH" + bytes(4) + header_bytes.to_bytes(2, "little")
    return header.ljust(header_bytes, b"\0") + content


def pe_image(cpu):
    return b"MZ".ljust(60, b"\0") + (64).to_bytes(4, "little") + b"PE\0\0" + cpu.to_bytes(2, "little")


def code(cpu=X86_64):
    """Return a flash image in which a CPU of this number can start."""
    core = volume_file(0x03, section(0x19, b"padding") + section(0x12, b"VZ" + cpu.to_bytes(2, "little")))
    return volume(volume_file(0x01, section(0x19, b"a"))) + volume(core)


def packed(*kinds, cpu=X86_64):
    """Return a volume with compressed files of these types."""
    inner = volume(b"".join(volume_file(kind, section(0x10, pe_image(cpu))) for kind in kinds))
    data = lzma.compress(inner, format=lzma.FORMAT_ALONE)
    header = firmware_volume.LZMA_GUID + (24).to_bytes(2, "little") + (1).to_bytes(2, "little")
    return volume(volume_file(0x0B, section(0x02, header + data)))


def packed_core(cpu):
    """Return a volume with a compressed DXE core."""
    return packed(0x05, cpu=cpu)


VARIABLES = volume(b"\xff" * 64, firmware_volume.NV_DATA_VOLUME_GUID)


def descriptor(directory, name, code, **changes):
    """Write a firmware descriptor, and the files that it names."""
    variables = code.with_name(code.name + ".vars")
    code.write_bytes(b"code")
    variables.write_bytes(b"variables")
    content = {
        "interface-types": changes.get("interfaces", ["uefi"]),
        "mapping": {
            "device": "flash",
            "executable": {"filename": str(code), "format": changes.get("format", "raw")},
            "nvram-template": {"filename": str(variables), "format": changes.get("format", "raw")},
        },
        "targets": [
            {
                "architecture": changes.get("architecture", "x86_64"),
                "machines": [changes.get("machine", "pc-q35-*")],
            }
        ],
        "features": changes.get("features", []),
    }
    (directory / name).write_text(json.dumps(content), encoding="utf-8")


def test_first_by_name_wins(tmp_path):
    descriptor(tmp_path, "60-b.json", tmp_path / "b.fd")
    descriptor(tmp_path, "50-a.json", tmp_path / "a.fd")
    assert firmware.from_descriptors([tmp_path]).code == tmp_path / "a.fd"


def test_later_directory_replaces_the_same_name(tmp_path):
    system, local = tmp_path / "usr", tmp_path / "etc"
    system.mkdir()
    local.mkdir()
    descriptor(system, "50.json", tmp_path / "system.fd")
    descriptor(local, "50.json", tmp_path / "local.fd")
    assert firmware.from_descriptors([system, local]).code == tmp_path / "local.fd"


@pytest.mark.parametrize(
    "changes",
    [
        {"features": ["requires-smm"]},
        {"features": ["enrolled-keys"]},
        {"architecture": "aarch64"},
        {"machine": "pc-i440fx-*"},
        {"interfaces": ["bios"]},
    ],
)
def test_unsuitable_is_passed_over(tmp_path, changes):
    descriptor(tmp_path, "10.json", tmp_path / "bad.fd", **changes)
    assert firmware.from_descriptors([tmp_path]) is None
    descriptor(tmp_path, "20.json", tmp_path / "good.fd")
    assert firmware.from_descriptors([tmp_path]).code == tmp_path / "good.fd"


def test_raw_is_preferred_to_qcow2(tmp_path):
    descriptor(tmp_path, "10.json", tmp_path / "a.qcow2", format="qcow2")
    descriptor(tmp_path, "20.json", tmp_path / "b.fd")
    assert firmware.from_descriptors([tmp_path]).code == tmp_path / "b.fd"


def test_broken_and_empty_descriptors_are_skipped(tmp_path):
    (tmp_path / "10.json").write_text("", encoding="utf-8")
    (tmp_path / "20.json").write_text("{ not json", encoding="utf-8")
    descriptor(tmp_path, "30.json", tmp_path / "a.fd")
    assert firmware.from_descriptors([tmp_path]) is not None


def test_variable_names_follow_the_code(tmp_path):
    for code, variables in [
        ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
        ("OVMF_CODE.secboot.fd", "OVMF_VARS.fd"),
        ("OVMF_CODE.secboot.strictnx.fd", "OVMF_VARS.fd"),
        ("ovmf-x86_64-code.bin", "ovmf-x86_64-vars.bin"),
    ]:
        (tmp_path / code).write_bytes(b"")
        (tmp_path / variables).write_bytes(b"")
        assert firmware.variables_beside(tmp_path / code) == tmp_path / variables
    (tmp_path / "edk2-x86_64-code.fd").write_bytes(b"")
    (tmp_path / "edk2-i386-vars.fd").write_bytes(b"")
    found = firmware.variables_beside(tmp_path / "edk2-x86_64-code.fd")
    assert found == tmp_path / "edk2-i386-vars.fd"


def test_combined_image_is_recognised_by_its_content(tmp_path):
    combined = tmp_path / "any-name.fd"
    combined.write_bytes(VARIABLES + code())
    found = firmware.find(str(combined))
    assert found.combined
    arguments = found.arguments(tmp_path)
    assert not any(str(combined) in word for word in arguments), "the user's file stays as it is"


def secure_code():
    """Return a build that protects its variables with System Management Mode."""
    return packed(0x05, 0x0D) + code()


SECURE_NAMES = ["OVMF_CODE_4M.secboot.fd", "OVMF_CODE_4M.secboot.strictnx.fd", "OVMF_CODE_4M.strictnx.fd",
                "OVMF_CODE_4M.ms.fd", "OVMF_CODE_4M.snakeoil.fd"]  # fmt: skip


@pytest.mark.parametrize("name", SECURE_NAMES)
def test_secure_build_gets_what_it_needs_to_start(tmp_path, name):
    """Without the variable store, or without SMM, such a build stops with #UD at 0xE0000."""
    (tmp_path / name).write_bytes(secure_code())
    (tmp_path / "OVMF_VARS_4M.fd").write_bytes(VARIABLES)
    found = firmware.find(str(tmp_path / name))
    words = found.arguments(tmp_path)
    assert found.requires_smm and found.variables == tmp_path / "OVMF_VARS_4M.fd"
    assert "ICH9-LPC.disable_s3=1" in words
    assert "driver=cfi.pflash01,property=secure,value=on" in words
    assert f"if=pflash,unit=1,format=raw,file={tmp_path}/variables.fd" in words
    pc = machine.Machine(found, tmp_path / "disk", accelerator="tcg")
    assert "q35,accel=tcg,smm=on" in pc.arguments(tmp_path)


def test_secure_build_is_told_by_its_content(tmp_path):
    """A file may have any name, and a name may promise what the build does not have."""
    (tmp_path / "any-code.fd").write_bytes(secure_code())
    (tmp_path / "any-vars.fd").write_bytes(VARIABLES)
    assert firmware.find(str(tmp_path / "any-code.fd")).requires_smm
    (tmp_path / "secboot-code.fd").write_bytes(packed(0x05) + code())
    assert not firmware.find(str(tmp_path / "secboot-code.fd")).requires_smm
    combined = tmp_path / "combined.fd"
    combined.write_bytes(VARIABLES + secure_code())
    found = firmware.find(str(combined))
    assert found.combined and found.requires_smm


@pytest.mark.parametrize("name", ["any.fd", "OVMF_CODE.secboot.fd"])
def test_secure_build_without_a_variable_store_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(secure_code())
    refused(f"^--firmware .*{name} needs a variable store: put its file, .*, into the same folder$", tmp_path / name)


def test_variable_store_of_an_installed_build_of_the_same_size_serves(tmp_path, monkeypatch):
    place, store = tmp_path / "installed.fd", tmp_path / "store.fd"
    place.write_bytes(b"")
    store.write_bytes(bytes(540672))
    monkeypatch.setattr(firmware, "KNOWN_PLACES", [(str(place), None), (str(place), str(store))])
    (tmp_path / "alone.fd").write_bytes(secure_code().ljust(3653632, b"\xff"))
    assert firmware.find(str(tmp_path / "alone.fd")).variables == store
    (tmp_path / "odd.fd").write_bytes(secure_code().ljust(3653633, b"\xff"))
    refused("needs a variable store", tmp_path / "odd.fd")


def test_store_of_its_own_keys_comes_first(tmp_path):
    for name in ("OVMF_VARS_4M.fd", "OVMF_VARS_4M.ms.fd"):
        (tmp_path / name).write_bytes(VARIABLES)
    assert firmware.variables_beside(tmp_path / "OVMF_CODE_4M.ms.fd").name == "OVMF_VARS_4M.ms.fd"
    assert firmware.variables_beside(tmp_path / "OVMF_CODE_4M.strictnx.ms.fd").name == "OVMF_VARS_4M.ms.fd"


def test_descriptor_without_keys_is_preferred_for_a_named_file(tmp_path, monkeypatch):
    for name, features in [("10.json", ["requires-smm", "enrolled-keys"]), ("20.json", ["requires-smm"])]:
        descriptor(tmp_path, name, tmp_path / "code.fd", features=features)
        found = json.loads((tmp_path / name).read_text())
        (tmp_path / f"{name}.vars").write_bytes(VARIABLES)
        found["mapping"]["nvram-template"]["filename"] = str(tmp_path / f"{name}.vars")
        (tmp_path / name).write_text(json.dumps(found))
    monkeypatch.setattr(firmware, "DESCRIPTOR_DIRECTORIES", [str(tmp_path)])
    found = firmware.find(str(tmp_path / "code.fd"))
    assert found.variables.name == "20.json.vars" and found.requires_smm


def test_u_boot_is_recognised(tmp_path):
    rom = tmp_path / "u-boot.rom"
    rom.write_bytes(b"\0U-Boot SPL 2023.01+dfsg\0efi/boot/bootx64.efi\0" + bytes(100))
    found = firmware.find(str(rom))
    assert found.is_u_boot and found.arguments(tmp_path) == ["-bios", str(rom)]


@pytest.mark.parametrize("name, cpu", [("bootia32.efi", "32-bit x86"), ("BOOTAA64.EFI", "AArch64"),
                                       ("bootriscv64.efi", "RISC-V"), ("", "a CPU without UEFI")])  # fmt: skip
def test_u_boot_of_another_cpu_is_refused(tmp_path, name, cpu):
    rom = tmp_path / "u-boot.rom"
    rom.write_bytes(b"U-Boot 2025.10 " + name.encode())
    refused(f"is firmware for {cpu}: name firmware for x86-64", rom)


def test_variables_are_a_fresh_copy(tmp_path):
    descriptor(tmp_path, "10.json", tmp_path / "a.fd")
    found = firmware.from_descriptors([tmp_path])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = " ".join(found.arguments(scratch))
    assert str(found.variables) not in arguments
    assert (scratch / "variables.fd").read_bytes() == b"variables"


def test_environment_overrides(tmp_path, monkeypatch):
    chosen = tmp_path / "MY_CODE.fd"
    chosen.write_bytes(code())
    monkeypatch.setenv("OVMF", str(chosen))
    assert firmware.find().code == chosen


def refused(reason, name=None):
    with pytest.raises(firmware.FirmwareNotFound, match=reason):
        firmware.find(None if name is None else str(name))


def test_missing_file_is_named(tmp_path, monkeypatch):
    refused("^--firmware .*nothing.fd is not a file$", tmp_path / "nothing.fd")
    refused("is not a file", tmp_path)
    refused("is not a file", "")
    monkeypatch.setenv("OVMF", "/nonexist.fd")
    refused("^OVMF=/nonexist.fd is not a file$")


def test_quoted_tilde_is_named(monkeypatch):
    monkeypatch.setenv("OVMF", "~/OVMF.fd")
    refused("^OVMF=~/OVMF.fd is not a file: the ~ is quoted, so write .HOME instead$")


def test_variable_store_is_no_firmware(tmp_path):
    store = tmp_path / "OVMF_VARS_4M.fd"
    store.write_bytes(VARIABLES)
    refused("OVMF_VARS_4M.fd is a variable store without code: name the file with the code$", store)
    (tmp_path / "OVMF_CODE_4M.fd").write_bytes(code())
    refused("name the file with the code, .*OVMF_CODE_4M.fd$", store)


@pytest.mark.parametrize("cpu, name", [(AARCH64, "AArch64"), (X86, "32-bit x86"), (0x1234, "0x1234")])
def test_firmware_of_another_cpu_is_refused(tmp_path, cpu, name):
    image = tmp_path / "code.fd"
    image.write_bytes(code(cpu))
    refused(f"is firmware for .*{name}: name firmware for x86-64", image)


def test_64_bit_firmware_that_begins_in_32_bits_is_recognised_by_its_core(tmp_path):
    image = tmp_path / "code.fd"
    image.write_bytes(packed_core(X86_64) + code(X86))
    assert firmware.find(str(image)).code == image
    image.write_bytes(packed_core(X86) + code(X86))
    refused("32-bit x86", image)


@pytest.mark.parametrize("content", [
    b"", b"\x7fELF" + bytes(500), b"_FVH", bytes(40) + b"_FVH" + bytes(200), code()[:-40],
    b"\xff" * 4096, bytes(4096), volume(volume_file(0x03, section(0x12, b"??"))),
    volume(b"\xff" * 100), volume(volume_file(0x03, b"\1\0\0\x12")),
])  # fmt: skip
def test_other_files_are_no_firmware(tmp_path, content):
    image = tmp_path / "code.fd"
    image.write_bytes(content)
    refused("has no code in a firmware volume", image)


def test_every_cut_of_an_image_ends_in_an_answer():
    image = packed_core(X86_64) + code(X86)
    for length in range(len(image)):
        assert firmware_volume.code_machine(image[:length]) in (None, "x86-64")


def test_unreadable_firmware_is_named(tmp_path, monkeypatch):
    image = tmp_path / "code.fd"
    image.write_bytes(code())
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root can read every file
    refused("cannot be read", image)


def test_installed_firmware_holds_code_for_this_machine():
    found = firmware.installed()
    assert firmware_volume.code_machine(found.code.read_bytes()) == "x86-64"


def test_a_folder_of_descriptors_that_cannot_be_read_is_passed_over(monkeypatch):
    """After sudo -u, HOME and ~/.config are those of another user."""

    def refuse(self, pattern):
        raise PermissionError(13, "Permission denied", str(self), pattern)

    monkeypatch.setattr(firmware.Path, "glob", refuse)
    assert list(firmware.descriptors(["/anywhere"])) == []
