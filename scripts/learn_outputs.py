"""Run the commands of docs/learn whose output stands in the text: `make lesson …` on this computer, and
`./scripts/run.sh …` in QEMU.

An output is kept in BUILD/learn/ under a hash of the command and of all files that it depends on. So a command runs
again only after a change.

Some words of a boot differ from run to run: times, clock rates, random addresses, checksums (VOLATILE). Its other
numbers depend on the compiler, which decides the size of the kernel, and on the firmware. So the check of an output
from QEMU compares no numbers. `learn.py` without --check writes it again if anything but VOLATILE words changed. In a
lesson's output only the addresses of the process on this computer are not compared (PROCESS_ADDRESS).
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("BUILD", "build")
LESSON_SECONDS = 60
BOOT_SECONDS = 300
LONGEST_LINE = 110
# Addresses of a process on this computer: its program, its heap, its stack.
PROCESS_ADDRESS = re.compile(r"\b0x[567][0-9a-f]{11}\b")
VOLATILE = re.compile("|".join([
    r'slowest="[^"]*"', r"\b0x[0-9a-f]{5,}\b", r"\b(?=\d*[a-f])[0-9a-f]{8,16}\b", r"\b\d+ (?:MHz|%)",
    r"\b\d+(?:\.\d+)? (?:ms|us|ns|s)\b", r"\b\w+_(?:us|ns|ms)=\d+", r"\bticks=\d+"]))  # fmt: skip
NUMBER = re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{8,16}\b|\d[\d.]*")
EXERCISES, SOLUTIONS = "docs/learn/exercises", "docs/learn/solutions"
# What a folder of answers lacks comes from the solutions (scripts/lesson.py).
LESSON_FILES = ("lessons", "host/lessons", "shared", SOLUTIONS, "scripts/lesson.py")
BOOT_FILES = ("esp/kernel.elf", "esp/EFI/BOOT/BOOTX64.EFI", "esp/handoff.conf")


class OutputError(Exception):
    """A command that cannot be run, or has no such lines. The message is one sentence."""


def is_boot(command):
    return command[0] in ("./scripts/run.sh", "scripts/run.sh")


def is_lesson(command):
    return command[:2] in (["make", "lesson"], ["make", "lesson-host"])


def split(words):
    """Return (command, selection) of a marker's words: the selection is {"from": …, "to": …, "grep": …, "keys": …}."""
    command, selection = list(words), {}
    while len(command) >= 3 and command[-2] in ("from", "to", "grep", "keys"):
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
        end = next((number for number, row in enumerate(rows)
                    if number >= skipped and selection["to"] in row), None)  # fmt: skip
        if end is None:
            raise OutputError(f"no later line of the output contains {selection['to']!r}")
        rows = rows[:end]
    if "grep" in selection:
        rows = [row for row in rows if selection["grep"] in row]
        if not rows:
            raise OutputError(f"no line of the output contains {selection['grep']!r}")
    if "keys" in selection:
        rows = [with_keys(row, selection["keys"].split()) for row in rows]
    return "\n".join(row.rstrip() for row in rows).strip("\n")


def with_keys(row, keys):
    """Return the stage of a line of the log, and the words with these keys."""
    words = row.split()
    kept_words = [word for word in words if word.split("=")[0] in keys]
    missing = set(keys) - {word.split("=")[0] for word in kept_words}
    if missing:
        raise OutputError(f"the line {row[:40]!r} has no key {min(missing)!r}")
    return " ".join([words[0], *kept_words, *(["…"] if len(kept_words) + 1 < len(words) else [])])


def shortened(row):
    """Return a line of a log, without its last words if it is too long for a page."""
    return row if len(row) <= LONGEST_LINE else row[:LONGEST_LINE - 1].rsplit(" ", 1)[0] + " …"


def unchanged(command, old, new):
    """Return whether two outputs differ in nothing but words that differ from run to run."""
    volatile = VOLATILE if is_boot(command) else PROCESS_ADDRESS
    return volatile.sub("~", old) == volatile.sub("~", new)


def equal(command, old, new):
    """Return whether the check accepts the output in the text: see above."""
    if not is_boot(command):
        return unchanged(command, old, new)
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
    name = settings.get("FOLDER") or (SOLUTIONS if settings.get("SOLUTION") == "1" else EXERCISES)
    answer = f"{name}/lesson_{int(settings['N']):02}.c"
    if not (ROOT / answer).is_file():
        raise OutputError(f"{answer} does not exist")
    return name


def digest(command, names):
    """Return a hash of a command and of the contents of files and folders."""
    total = hashlib.sha256(json.dumps(command).encode())
    for name in names:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()[:24]


def keep(key, text):
    path = BUILD / "learn" / f"{key}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.rename(path)


def kept(key, produce):
    """Return the output under this key; produce and keep it if it is not there."""
    path = BUILD / "learn" / f"{key}.txt"
    if not path.is_file():
        keep(key, produce())
    return path.read_text(encoding="utf-8")


def run(command, seconds):
    """Run a command in the tree. Return its standard output; standard error goes into the error only."""
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds,
                              check=False, text=True, errors="replace")  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutputError(f"{shlex.join(map(str, command))}: {error}") from error
    return done.stdout, done.stderr


# --- make lesson --------------------------------------------------------------------------------------


@lru_cache
def steady():
    """Return the words before a command that give it the same addresses in every run, if that is allowed."""
    words = ["setarch", "-R"]
    if shutil.which("setarch") is None:
        return []
    return words if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0 else []


def lesson_key(command):
    """Return the hash of everything that a lesson's output depends on."""
    return digest(command, [*LESSON_FILES, folder_of(settings_of(command))])


def host_lesson(command, pictures):
    """Run a lesson on this computer. Return its lines, from the title to the verdict."""
    settings = settings_of(command)
    output, errors = run([*steady(), sys.executable, "scripts/lesson.py", settings["N"], "--host",
                          "--folder", folder_of(settings), "--pictures", pictures], LESSON_SECONDS)  # fmt: skip
    found = re.search(r"^lesson \d+: .*^lesson=\d+ verdict=[^\n]*", output, re.M | re.S)
    if not found:
        said = (output + errors).strip().splitlines() or ["nothing"]
        raise OutputError(f"the lesson printed no verdict, but: {next((row for row in said if 'error:' in row), said[-1])}")
    return found.group() + "\n"


def run_lesson(command):
    """Return all that the lesson prints, and keep the states that it draws."""
    key = lesson_key(command)

    def produce():
        with tempfile.TemporaryDirectory() as folder:
            pictures = Path(folder) / "pictures"
            output = host_lesson(command, pictures)
            keep(f"{key}-states", pictures.read_text(encoding="utf-8"))
        return output

    return kept(key, produce)


def states_of_lesson(command):
    """Return the states that the lesson draws: an object of JSON a line (host/lessons/pictures.h)."""
    run_lesson(command)
    return (BUILD / "learn" / f"{lesson_key(command)}-states.txt").read_text(encoding="utf-8")


def is_of_edited_exercise(words):
    """Return whether an output is that of an exercise which the reader has edited, according to git."""
    command, _ = split(words)
    if not is_lesson(command) or folder_of(settings_of(command)) != EXERCISES:
        return False
    name = f"{EXERCISES}/lesson_{int(settings_of(command)['N']):02}.c"
    done = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", name], cwd=ROOT, capture_output=True, check=False)
    return done.returncode == 1


# --- run.sh -------------------------------------------------------------------------------------------


@lru_cache
def build():
    done = subprocess.run(["make", "--no-print-directory", "--silent", "build"], cwd=ROOT, capture_output=True,
                          text=True, check=False)  # fmt: skip
    if done.returncode:
        raise OutputError(f"make build fails: {done.stderr.strip()}")


def run_boot(command):
    """Return all that a boot in QEMU prints, without the firmware's escape sequences."""
    build()

    def produce():
        output, errors = run(command, BOOT_SECONDS)
        if "[" not in output:
            raise OutputError(f"the boot printed nothing: {errors.strip()}")
        return re.sub(r"\x1b\[[0-9;=?]*[A-Za-z]|\r", "", output)

    scripts = [f"scripts/{path.name}" for path in sorted(ROOT.glob("scripts/*.py"))]
    return kept(digest(command, [*BOOT_FILES, *(name for name in scripts if "/learn" not in name)]), produce)


def output_of(words):
    """Return the lines that an output marker asks for."""
    command, selection = split(words)
    if not command:
        raise OutputError("the marker names no command")
    if is_lesson(command):
        return select(run_lesson(command), selection)
    if is_boot(command):
        return "\n".join(map(shortened, select(run_boot(command), selection).splitlines()))
    raise OutputError("an output is of `make lesson …` or of `./scripts/run.sh …`")
