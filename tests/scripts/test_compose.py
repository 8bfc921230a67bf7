"""Test the changes to handoff.conf for one boot."""

import pytest
import volume
from volume import compose, config_value, edit_config

TEXT = """# comment with cmdline = no
kernel = \\kernel.elf
cmdline = quiet
"""


def test_value_is_replaced_in_place():
    edited = edit_config(TEXT, {"cmdline": "once"})
    assert edited == TEXT.replace("quiet", "once")


def test_missing_key_is_appended():
    assert edit_config("kernel = k", {"temp_heap": "4M"}) == "kernel = k\ntemp_heap = 4M\n"


def test_key_is_never_doubled():
    assert edit_config("cmdline = a\ncmdline = b\n", {"cmdline": "c"}) == "cmdline = c\n"


def test_value_is_read():
    assert config_value(TEXT, "cmdline") == "quiet"
    assert config_value(TEXT, "temp_heap") == ""


AWKWARD = ["", '"a b" c', '"a"', '"', '""', 'a="b c" d', " a ", "\ta", 'x"', '"a', 'a""b', "\x0ba",
           "\u2028 x", "# a", "b = c"]  # fmt: skip


@pytest.mark.parametrize("value", AWKWARD)
def test_every_value_is_read_as_it_was_written(value):
    """test_command_line_arrives_unchanged in tests/qemu checks that the loader reads the same value."""
    edited = edit_config(TEXT, {"cmdline": value})
    assert config_value(edited, "cmdline") == value
    assert config_value(edited, "kernel") == "\\kernel.elf"


def test_only_enclosing_quotes_are_removed():
    assert config_value('cmdline = "a b"', "cmdline") == "a b"
    assert config_value('cmdline = a="b c"', "cmdline") == 'a="b c"'
    assert config_value('cmdline = "', "cmdline") == '"'


def test_lines_end_as_the_loader_says():
    edited = edit_config("cmdline = a\r\nkernel = k\r\n", {"cmdline": "b"})
    assert edited == "cmdline = b\nkernel = k\n"
    assert edit_config("cmdline = a\x0bkernel = k", {"kernel": "l"}).endswith("\nkernel = l\n")


@pytest.fixture(name="esp")
def make_esp(tmp_path, monkeypatch):
    esp = tmp_path / "esp"
    (esp / "EFI/BOOT").mkdir(parents=True)
    (esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(b"loader")
    (esp / "kernel.elf").write_bytes(b"kernel")
    (esp / "handoff.conf").write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(volume, "ESP", esp)
    return esp


def test_esp_itself_stays_unchanged(esp, tmp_path):
    kernel = tmp_path / "other"
    kernel.write_bytes(b"other kernel")
    compose(tmp_path / "tree", "a=b", ["once"], "2M", kernel)
    assert (esp / "handoff.conf").read_text(encoding="utf-8") == TEXT
    assert (esp / "kernel.elf").read_bytes() == b"kernel"
    assert (tmp_path / "tree/kernel.elf").read_bytes() == b"other kernel"
    config = (tmp_path / "tree/handoff.conf").read_text(encoding="utf-8")
    assert "cmdline = once a=b\n" in config and "temp_heap = 2M\n" in config


def test_modules_of_one_name_are_both_on_the_volume(esp, tmp_path):
    assert esp
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "data.bin").write_text(folder, encoding="ascii")
    compose(tmp_path / "tree")
    volume.add_modules(tmp_path / "tree", [tmp_path / "a/data.bin", tmp_path / "b/data.bin"])
    config = (tmp_path / "tree/handoff.conf").read_text(encoding="utf-8")
    assert config.endswith("module = \\module-1\\data.bin\nmodule = \\module-2\\data.bin\n")
    assert (tmp_path / "tree/module-2/data.bin").read_text(encoding="ascii") == "b"


def test_modules_with_names_that_FAT_or_the_loader_refuse(esp, tmp_path):
    assert esp
    compose(tmp_path / "tree")
    for name in ("a b", "a..b", "\xe4"):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(volume.VolumeError, match="give it a name"):
            volume.add_modules(tmp_path / "tree", [tmp_path / name])
    with pytest.raises(volume.VolumeError, match="absent"):
        volume.add_modules(tmp_path / "tree", [tmp_path / "absent"])


def test_own_command_line_is_kept_behind_the_words(esp, tmp_path):
    assert esp
    compose(tmp_path / "tree", None, ["once"])
    config = (tmp_path / "tree/handoff.conf").read_text(encoding="utf-8")
    assert "cmdline = once quiet\n" in config


def test_quoted_command_line_is_extended_with_its_quotes(esp, tmp_path):
    (esp / "handoff.conf").write_bytes(b'\xef\xbb\xbfcmdline = """a b"" c\xe4"\r\n')
    compose(tmp_path / "tree", None, ["once"])
    config = (tmp_path / "tree/handoff.conf").read_bytes()
    assert config == b'cmdline = once "a b" c\xe4\n'


@pytest.mark.parametrize("line", ['a="b', '"', 'a="b" c="'])
def test_open_quote_is_refused(esp, tmp_path, line):
    assert esp
    with pytest.raises(volume.VolumeError, match="never closed"):
        compose(tmp_path / "tree", line, ["once"])


def test_command_line_is_one_line(esp, tmp_path):
    assert esp
    with pytest.raises(volume.VolumeError):
        compose(tmp_path / "tree", "a\ntemp_heap = 1")


def test_missing_kernel_and_missing_build_are_named(esp, tmp_path):
    with pytest.raises(volume.VolumeError, match="nowhere"):
        compose(tmp_path / "tree", kernel=tmp_path / "nowhere")
    (esp / "EFI/BOOT/BOOTX64.EFI").unlink()
    with pytest.raises(volume.VolumeError, match="make build"):
        compose(tmp_path / "tree2")


@pytest.mark.parametrize("line, words", [
    ("", "once colour=on"), ("quiet", "once colour=on quiet"), ("colour=off", "once colour=off"),
    ('run="colour=off"', 'once colour=on run="colour=off"'), ("colours=1", "once colour=on colours=1")])  # fmt: skip
def test_word_of_the_user_replaces_that_of_the_script(tmp_path, monkeypatch, line, words):
    """The kernel would warn of a word with two values."""
    esp = tmp_path / "esp"
    (esp / "EFI/BOOT").mkdir(parents=True)
    (esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(b"")
    monkeypatch.setattr(volume, "ESP", esp)
    compose(tmp_path / "tree", line, ["once", "colour=on"])
    assert config_value((tmp_path / "tree/handoff.conf").read_text(), "cmdline") == words


@pytest.mark.parametrize("path, name", [
    ("build/my-kernel.elf", "my-kernel.elf"), ("vmlinux", "vmlinux"),
    ("my kernel", "kernel.elf"), ("Handoff.conf", "kernel.elf"), ("efi", "kernel.elf"), ("a..b", "kernel.elf"),
    ("k" * 101, "kernel.elf"), ("käse", "kernel.elf"), (".elf", "kernel.elf"), ("elf.", "kernel.elf"),
])  # fmt: skip
def test_kernel_keeps_its_name_if_loader_and_fat_accept_it(esp, tmp_path, path, name):
    """So the loader's messages have the user's name."""
    assert volume.name_on_volume(path) == name
    kernel = tmp_path / "file"
    kernel.write_bytes(b"other kernel")
    compose(tmp_path / "tree", kernel=kernel, kernel_name=name)
    assert f"kernel = \\{name}\n" in (tmp_path / "tree/handoff.conf").read_text(encoding="utf-8")
    assert (tmp_path / "tree" / name).read_bytes() == b"other kernel"
    assert (tmp_path / "tree/kernel.elf").exists() == (name == "kernel.elf") and esp
