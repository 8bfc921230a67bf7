"""Finding firmware: descriptors first, then known places; the user's word above all."""

import json

import firmware
import pytest


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
    combined.write_bytes(bytes(16) + firmware.NV_DATA_VOLUME_GUID + bytes(64))
    found = firmware.find(str(combined))
    assert found.combined
    arguments = found.arguments(tmp_path)
    assert not any(str(combined) in word for word in arguments), "the user's file stays as it is"


def test_secure_build_gets_what_it_needs_to_start(tmp_path):
    for name in ("OVMF_CODE.fd", "OVMF_CODE.secboot.fd", "OVMF_VARS.fd"):
        (tmp_path / name).write_bytes(b"content")
    for name, secure in [("OVMF_CODE.fd", False), ("OVMF_CODE.secboot.fd", True)]:
        found = firmware.find(str(tmp_path / name))
        words = found.arguments(tmp_path)
        assert found.requires_smm is secure
        assert ("ICH9-LPC.disable_s3=1" in words) is secure
        assert ("driver=cfi.pflash01,property=secure,value=on" in words) is secure


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
    chosen.write_bytes(b"code")
    monkeypatch.setenv("OVMF", str(chosen))
    assert firmware.find().code == chosen


def test_missing_file_is_named(tmp_path):
    with pytest.raises(firmware.FirmwareNotFound, match="nothing.fd"):
        firmware.find(str(tmp_path / "nothing.fd"))
