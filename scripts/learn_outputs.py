"""Run the commands of docs/learn whose output stands in the text: `make lesson …` on this computer, and
`./scripts/run.sh …` in QEMU.

An output is kept in BUILD/learn/ under a hash of the command and of all files that it depends on. So a command runs
again only after a change.

Some words differ from run to run: times, clock rates, random addresses, checksums (VOLATILE). Other numbers of a boot
depend on the compiler, which decides the size of the kernel, and on the firmware. So the check of an output from QEMU
compares no digits. `learn.py` without --check writes an output again if anything but VOLATILE words changed.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("BUILD", "build")
LESSON_SECONDS = 60
BOOT_SECONDS = 300
VOLATILE = re.compile(
    r'slowest="[^"]*"|\b0x[0-9a-f]{5,}\b|\b[0-9a-f]{8,16}\b|\b\d+ MHz|\b\d+ %|\b\d+(?:\.\d+)? (?:ms|us|ns|s)\b'
    r"|\b\w+_(?:us|ns|ms)=\d+|\bticks=\d+")  # fmt: skip
NUMBER = re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{8,16}\b|\d[\d.]*")
LESSON_FILES = ("lessons", "host/lessons", "shared")
BOOT_FILES = ("esp/kernel.elf", "esp/EFI/BOOT/BOOTX64.EFI", "esp/handoff.conf")


class OutputError(Exception):
    """A command that cannot be run, or has no such lines. The message is one sentence."""


def is_boot(command):
    return command[0] in ("./scripts/run.sh", "scripts/run.sh")


def is_lesson(command):
    return command[:2] == ["make", "lesson"]


def split(words):
    """Return (command, selection) of a marker's words: the selection is {"from": …, "to": …, "grep": …}."""
    command, selection = list(words), {}
    while len(command) >= 3 and command[-2] in ("from", "to", "grep"):
        selection.setdefault(command[-2], command[-1])
        del command[-2:]
    return command, selection


def select(output, selection):
    """Return the lines of the output that the marker asks for."""
    rows = output.splitlines()
    if "from" in selection:
        begin = next((number for number, row in enumerate(rows) if selection["from"] in row), None)
        if begin is None:
            raise OutputError(f"no line of the output contains {selection['from']!r}")
        rows = rows[begin:]
    if "to" in selection:
        skipped = 1 if "from" in selection else 0
        end = next((number for number, row in enumerate(rows) if number >= skipped and selection["to"] in row), None)
        if end is None:
            raise OutputError(f"no later line of the output contains {selection['to']!r}")
        rows = rows[:end]
    if "grep" in selection:
        rows = [row for row in rows if selection["grep"] in row]
        if not rows:
            raise OutputError(f"no line of the output contains {selection['grep']!r}")
    return "\n".join(row.rstrip() for row in rows).strip("\n")


def unchanged(old, new):
    """Return whether two outputs differ in nothing but words that differ from run to run."""
    return VOLATILE.sub("~", old) == VOLATILE.sub("~", new)


def equal(command, old, new):
    """Return whether the check accepts the output in the text: see above."""
    if not is_boot(command):
        return unchanged(old, new)
    return NUMBER.sub("~", VOLATILE.sub("~", old)) == NUMBER.sub("~", VOLATILE.sub("~", new))


# --- What a command depends on ------------------------------------------------------------------------


def settings_of(command):
    """Return {name: value} of the `N=4` words after `make lesson`."""
    settings = dict(word.split("=", 1) for word in command[2:] if "=" in word)
    if len(settings) != len(command) - 2 or not re.fullmatch(r"[1-9]\d?", settings.get("N", "")):
        raise OutputError("write: make lesson N=NUMBER, and SOLUTION=1 or FOLDER=DIR if needed")
    unknown = set(settings) - {"N", "SOLUTION", "FOLDER"}
    if unknown:
        raise OutputError(f"make lesson has no setting {sorted(unknown)[0]!r}")
    return settings


def folder_of(settings):
    """Return the folder of the reader's file."""
    name = settings.get("FOLDER") or ("docs/learn/solutions" if settings.get("SOLUTION") == "1" else "docs/learn/exercises")
    if not (ROOT / name / f"lesson_{int(settings['N']):02}.c").is_file():
        raise OutputError(f"{name}/lesson_{int(settings['N']):02}.c does not exist")
    return name


def digest(command, names):
    """Return a hash of a command and of the contents of files and folders."""
    total = hashlib.sha256(json.dumps(command).encode())
    for name in names:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()[:24]


def kept(key, produce):
    """Return the output under this key; produce and keep it if it is not there."""
    path = BUILD / "learn" / f"{key}.txt"
    if not path.is_file():
        text = produce()
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(text, encoding="utf-8")
        new.rename(path)
    return path.read_text(encoding="utf-8")


def run(command, seconds):
    """Run a command in the tree. Return its standard output; standard error goes into the error only."""
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False,
                              text=True, errors="replace")  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutputError(f"{shlex.join(map(str, command))}: {error}") from error
    return done.stdout, done.stderr


# --- make lesson --------------------------------------------------------------------------------------


def steady():
    """Return the words before a command that give it the same addresses in every run, if that is allowed."""
    words = ["setarch", "-R"]
    is_there = shutil.which("setarch") and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    return words if is_there else []


def host_program(settings):
    """Return the lesson's program for this computer."""
    folder = folder_of(settings)
    program = BUILD / "learn" / ("host-" + digest("program", [*LESSON_FILES, folder, "docs/learn/exercises"]))
    if program.is_file():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    names = {path.name: path for path in sorted((ROOT / "docs/learn/exercises").glob("lesson_*.c"))}
    names.update({path.name: path for path in sorted((ROOT / folder).glob("lesson_*.c"))})
    new = program.with_suffix(f".{os.getpid()}")
    _, errors = run(
        [os.environ.get("CLANG", "clang"), "-std=c17", "-I.", "-g", "-fsanitize=address,undefined", *sorted(ROOT.glob("lessons/*.c")),
         *names.values(), *sorted(ROOT.glob("host/lessons/*.c")), "shared/text/format.c", "-o", new], LESSON_SECONDS)  # fmt: skip
    if not new.is_file():
        raise OutputError(f"the lesson does not compile: {errors.strip()}")
    new.rename(program)
    return program


def run_lesson(command):
    """Return all that the lesson prints, from its title to its verdict."""
    settings = settings_of(command)

    def produce():
        output, errors = run(["env", "ASAN_OPTIONS=handle_segv=0", *steady(), host_program(settings), settings["N"]], LESSON_SECONDS)
        found = re.search(r"^lesson \d+: .*^lesson=\d+ verdict=[^\n]*", output, re.M | re.S)
        if not found:
            raise OutputError(f"the lesson printed no verdict: {errors.strip() or output.strip()}")
        return found.group() + "\n"

    return kept(digest(command, [*LESSON_FILES, folder_of(settings), "docs/learn/exercises"]), produce)


# --- run.sh -------------------------------------------------------------------------------------------


def run_boot(command):
    """Return all that a boot in QEMU prints, without the firmware's escape sequences."""
    subprocess.run(["make", "--no-print-directory", "--silent", "build"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)

    def produce():
        output, errors = run(command, BOOT_SECONDS)
        if "[" not in output:
            raise OutputError(f"the boot printed nothing: {errors.strip()}")
        return re.sub(r"\x1b\[[0-9;=?]*[A-Za-z]|\r", "", output)

    return kept(digest(command, [*BOOT_FILES, *(f"scripts/{path.name}" for path in sorted(ROOT.glob("scripts/*.py"))
                                                if not path.name.startswith("learn"))]), produce)  # fmt: skip


def output_of(words):
    """Return the lines that an output marker asks for."""
    command, selection = split(words)
    if not command:
        raise OutputError("the marker names no command")
    if is_lesson(command):
        return select(run_lesson(command), selection)
    if is_boot(command):
        return select(run_boot(command), selection)
    raise OutputError("an output is of `make lesson …` or of `./scripts/run.sh …`")
