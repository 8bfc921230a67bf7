"""Compose a boot volume: a copy of esp/ whose handoff.conf is edited. esp/ itself stays as it is."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ESP = ROOT / "esp"
CONFIG_NAME = "handoff.conf"


class VolumeError(Exception):
    """The volume cannot be composed, with the reason."""


def edit_config(text, settings):
    """`text` with the value of each key in `settings` replaced, or appended where it is absent.
    Everything else stays, comments included."""
    remaining = dict(settings)
    lines = []
    for line in text.splitlines():
        key = line.split("=", 1)[0].strip() if not line.lstrip().startswith("#") else ""
        if "=" in line and key in settings:
            if key in remaining:
                lines.append(f"{key} = {remaining.pop(key)}")
            continue
        lines.append(line)
    lines += [f"{key} = {value}" for key, value in remaining.items()]
    return "\n".join(lines) + "\n"


def config_value(text, key):
    """The value of a key in handoff.conf; empty where it is absent."""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or "=" not in line:
            continue
        name, value = line.split("=", 1)
        if name.strip() == key:
            return value.strip()
    return ""


def compose(tree: Path, command_line=None, extra_words=(), temp_heap=None, kernel=None):
    """Fill `tree` with a copy of esp/.

    `command_line` replaces the file's one (None keeps it); `extra_words` are appended to it.
    `kernel` is a file to boot in place of kernel.elf."""
    if not (ESP / "EFI/BOOT/BOOTX64.EFI").is_file():
        raise VolumeError(f"{ESP} has no loader: run make build first")
    shutil.copytree(ESP, tree, dirs_exist_ok=True)
    config = tree / CONFIG_NAME
    text = config.read_text(encoding="utf-8") if config.is_file() else ""
    if command_line is None:
        command_line = config_value(text, "cmdline").strip('"')
    if "\n" in command_line or "\r" in command_line:
        raise VolumeError("the command line is one line")
    settings = {"cmdline": " ".join([command_line, *extra_words]).strip()}
    if temp_heap is not None:
        settings["temp_heap"] = temp_heap
    if kernel is not None:
        settings["kernel"] = "\\kernel.elf"
        try:
            shutil.copyfile(kernel, tree / "kernel.elf")
        except OSError as error:
            raise VolumeError(f"kernel {kernel}: {error.strerror}") from error
    config.write_text(edit_config(text, settings), encoding="utf-8")
