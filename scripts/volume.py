"""Compose a boot volume: a copy of esp/ with an edited handoff.conf. esp/ itself is not changed."""

import re
import shutil
import subprocess
from pathlib import Path

import folders

ESP = folders.volume_folder()
CHECK_BOOT = folders.build_folder() / "check_boot/check_boot"
CONFIG_NAME = "handoff.conf"
# The blanks of the loader.
BLANKS = " \t"


class VolumeError(Exception):
    """The volume cannot be composed. The text has the reason."""


def lines_of(text):
    """Split a text into lines as the loader does: they end with LF or CRLF only."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line[:-1] if line.endswith("\r") else line for line in lines]


def quote(value):
    """Return a value as handoff.conf must contain it (bootloader/pure/config.h). It is enclosed in quotes if its
    first character is a quote, or if it begins or ends with a blank."""
    if not value.startswith('"') and value == value.strip(BLANKS):
        return value
    return '"' + value.replace('"', '""') + '"'


def unquote(text):
    """Return a value of handoff.conf without the quotes that enclose it."""
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return text
    return text[1:-1].replace('""', '"')


def split_line(line):
    """Return key and value of a line, without blanks around them. The key is empty if the line sets nothing."""
    key, _, value = line.partition("=")
    if "=" not in line or key.strip(BLANKS).startswith("#"):
        return "", ""
    return key.strip(BLANKS), value.strip(BLANKS)


def split_entries(text):
    """Return the global lines of handoff.conf, and the lines from its first entry on."""
    lines = lines_of(text)
    first = next((index for index, line in enumerate(lines) if split_line(line)[0] == "entry"), len(lines))
    return lines[:first], lines[first:]


def join_lines(lines):
    return "\n".join(lines) + "\n"


def edit_config(text, settings):
    """Replace the values of the keys in `settings`, or append those that are absent. The rest of the text stays,
    comments and entries included: an entry's own lines replace the global values."""
    remaining = dict(settings)
    lines = []
    global_lines, entry_lines = split_entries(text)
    for line in global_lines:
        key, _ = split_line(line)
        if key not in settings:
            lines.append(line)
        elif key in remaining:
            lines.append(f"{key} = {quote(remaining.pop(key))}")
    lines += [f"{key} = {quote(value)}" for key, value in remaining.items()]
    return join_lines(lines + entry_lines)


def config_value(text, key):
    """Return the global value of a key in handoff.conf, or an empty text if it is absent."""
    for line in split_entries(text)[0]:
        name, value = split_line(line)
        if name == key:
            return unquote(value)
    return ""


def add_words_to_entries(text, words):
    """Put words before the command line of each entry that has its own."""
    global_lines, lines = split_entries(text)
    for index, line in enumerate(lines):
        key, value = split_line(line)
        if key == "cmdline" and words:
            lines[index] = f"cmdline = {quote(' '.join([*words, unquote(value)]))}"
    return join_lines(global_lines + lines)


def mentions(command_line, key):
    """Return whether the command line has `key=value`."""
    return re.search(rf"(?<!\S){re.escape(key)}=", command_line) is not None


def name_on_volume(kernel: Path):
    """Return a name for a kernel on the boot volume: its own, so that the loader's messages have it, or kernel.elf if
    the loader or FAT does not accept its own."""
    name = Path(kernel).name
    is_plain = re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{,99}", name) and ".." not in name and name[-1] != "."
    return name if is_plain and name.lower() not in (CONFIG_NAME, "efi") else "kernel.elf"


def compose(tree: Path, command_line=None, extra_words=(), temp_heap=None, kernel=None, kernel_name="kernel.elf",
            load_options=None, has_menu=False):
    """Fill `tree` with a copy of esp/.

    `command_line` replaces the command line of the file (None keeps it). `extra_words` go before it.
    `kernel` is a file to boot instead of kernel.elf, and gets the name `kernel_name` on the volume. `has_menu` shows the
    loader's menu until a person chooses."""
    if not (ESP / "EFI/BOOT/BOOTX64.EFI").is_file():
        raise VolumeError(f"{ESP} has no loader: run make build")
    shutil.copytree(ESP, tree, dirs_exist_ok=True)
    config = tree / CONFIG_NAME
    # The bytes in the file and in the arguments stay unchanged, also if they are not UTF-8.
    data = config.read_bytes() if config.is_file() else b""
    text = data.decode("utf-8-sig", "surrogateescape")
    if command_line is None:
        command_line = config_value(text, "cmdline")
    if "\n" in command_line or "\r" in command_line:
        raise VolumeError("the command line has more than one line: use one line")
    if command_line.count('"') % 2 != 0:
        raise VolumeError(f"the command line has a quote that is never closed: {command_line}")
    # The extra words come first, so that a quote in the command line cannot swallow them.
    # A value of the command line counts, and the kernel would warn of two values.
    extra_words = [word for word in extra_words if "=" not in word or not mentions(command_line, word.split("=")[0])]
    words = [word for word in (*extra_words, command_line) if word]
    settings = {"cmdline": " ".join(words)}
    if has_menu:
        settings["timeout"] = "menu"
    if temp_heap is not None:
        settings["temp_heap"] = temp_heap
    if load_options is not None:
        settings["load_options"] = load_options
    if kernel is not None:
        settings["kernel"] = f"\\{kernel_name}"
        (tree / "kernel.elf").unlink(missing_ok=True)
        try:
            shutil.copyfile(kernel, tree / kernel_name)
        except OSError as error:
            raise VolumeError(f"kernel {kernel}: {error.strerror}") from error
    text = add_words_to_entries(text, extra_words)
    config.write_bytes(edit_config(text, settings).encode("utf-8", "surrogateescape"))


def add_modules(tree: Path, modules):
    """Copy files to a volume, and name each in handoff.conf as a module. Each has a folder of its own, so that two may
    have one name."""
    config = tree / CONFIG_NAME
    lines = []
    for number, module in enumerate(map(Path, modules), 1):
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{,99}", module.name) or ".." in module.name:
            raise VolumeError(f"module {module}: give it a name of letters, digits and . _ -")
        place = tree / f"module-{number}" / module.name
        place.parent.mkdir()
        try:
            shutil.copyfile(module, place)
        except OSError as error:
            raise VolumeError(f"module {module}: {error.strerror}") from error
        lines.append(f"module = \\module-{number}\\{module.name}")
    global_lines, entry_lines = split_entries(config.read_bytes().decode("utf-8", "surrogateescape"))
    text = join_lines(global_lines + lines + entry_lines)
    config.write_bytes(text.encode("utf-8", "surrogateescape"))


def ask_loader(kind, path: Path):
    """Check a file of this kind ("kernel" or "config") with the loader's code. Return (accepted, message)."""
    if not CHECK_BOOT.is_file():
        raise VolumeError(f"{CHECK_BOOT} does not exist: run make build")
    answer = subprocess.run([CHECK_BOOT, kind, path], capture_output=True, text=True, check=False)
    if answer.returncode not in (0, 1):
        raise VolumeError((answer.stderr or f"{CHECK_BOOT} failed").strip())
    return answer.returncode == 0, answer.stdout.strip()


def find_without_case(tree: Path, name):
    """Return a file by its path on the volume, or None if it is absent. Upper and lower case are the same there."""
    place = tree
    for part in [part for part in name.split("\\") if part]:
        entries = {} if not place.is_dir() else {
            entry.name.lower(): entry for entry in place.iterdir()
        }  # fmt: skip
        if part.lower() not in entries:
            return None
        place = entries[part.lower()]
    return place


def check(tree: Path, named=None):
    """Raise VolumeError, with the loader's message, if the loader would refuse the volume. `named` has the user's names
    of the settings: {"cmdline": …, "temp_heap": …, "kernel": …}."""
    named = named or {}
    config = tree / CONFIG_NAME
    accepted, words = ask_loader("config", config)
    if not accepted:
        number, _, sentence = words.partition(": ")
        line = lines_of(config.read_bytes().decode("utf-8", "surrogateescape"))[int(number) - 1]
        key, _ = split_line(line)
        raise VolumeError(f"{named.get(key, f'{ESP / CONFIG_NAME}, {line.strip()!r}')}: {sentence}")
    kernel = find_without_case(tree, words)
    if kernel is None:
        raise VolumeError(f"{ESP / CONFIG_NAME}: the kernel {words} is not in {ESP}")
    if kernel.is_dir():
        raise VolumeError(f"{ESP / CONFIG_NAME}: the kernel {words} is a folder")
    accepted, sentences = ask_loader("kernel", kernel)
    if not accepted:
        raise VolumeError(f"{named.get('kernel', f'the kernel {words}')}: {' '.join(sentences.splitlines())}")
