"""Check the commands that docs/learn tells the reader to type: the make target, the script, each option, and each
word of the kernel's command line exist."""

import re
import shlex
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = re.compile(r"^(?:\./)?scripts/[\w.-]+$")


def commands(text):
    """Yield (line, command) of each command in a chapter: lines of fenced blocks, and code in backquotes."""
    fenced = None
    for number, row in enumerate(text.splitlines(), 1):
        fence = re.match(r"\s*```(\w*)", row)
        if fence:
            fenced = None if fenced is not None else fence.group(1)
        elif fenced is not None:
            bare = fenced in ("sh", "bash", "shell", "console") and re.match(r"(?:make|\./scripts/)", row)
            if row.startswith("$ ") or bare:
                yield number, row.removeprefix("$ ")
        elif not row.startswith("<!--"):
            for code in re.findall(r"`((?:make |\./scripts/)[^`]+)`", row):
                yield number, code


@lru_cache
def makefile():
    return (ROOT / "Makefile").read_text(encoding="utf-8")


@lru_cache
def help_of(script):
    done = subprocess.run([ROOT / script, "--help"], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)  # fmt: skip
    return done.stdout + done.stderr


def complaints_about_setting(name, value):
    word = re.escape(name)
    if not re.search(rf"\$[({{]{word}[)}}:]|\b{word}=|^{word} *[?:]?=", makefile(), re.M):
        yield f"the Makefile has no setting {name}"
    if name == "N" and value.isdigit() and not (ROOT / f"docs/learn/exercises/lesson_{int(value):02}.c").is_file():
        yield f"there is no exercise of lesson {value}"
    if name == "FOLDER" and not (ROOT / value).is_dir():
        yield f"there is no folder {value}"


def complaints_about_make(words):
    for word in words:
        name, sign, value = word.partition("=")
        if sign:
            yield from complaints_about_setting(name, value)
        elif not word.startswith("-") and not re.search(rf"^{re.escape(word)}:", makefile(), re.M):
            yield f"the Makefile has no target {word!r}"


@lru_cache
def kernel_words():
    source = (ROOT / "kernel/core/command_words.c").read_text(encoding="utf-8")
    return set(re.findall(r'^    \{"([\w-]+)",', source, re.M))


def complaints_about_run(words):
    """Let run.py check its options, and compare the kernel's command line with the kernel's own list."""
    done = subprocess.run([sys.executable, ROOT / "scripts/run.py", "--check-only", *words], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL)  # fmt: skip
    if done.returncode:
        yield done.stderr.strip().splitlines()[-1].removesuffix(": --help lists the options")
    elif "--cmdline" in words:
        for word in words[words.index("--cmdline") + 1].split():
            if word.split("=")[0] not in kernel_words():
                yield f"the kernel's command line has no word {word.split('=')[0]!r}"


def complaints_about_script(script, words):
    if not (ROOT / script).is_file():
        yield f"there is no script {script}"
    elif script == "scripts/run.sh":
        yield from complaints_about_run(words)
    else:
        for option in (word.split("=")[0] for word in words if word.startswith("--")):
            if not re.search(rf"{re.escape(option)}\b(?!-)", help_of(script)):
                yield f"{script} has no option {option}"


def complaints(command):
    """Return what is wrong with a command, as sentences."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError as error:
        return [f"`{command}`: {error}"]
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        del words[0]
    if not words:
        return []
    if words[0] == "make":
        found = complaints_about_make(words[1:])
    elif SCRIPT.match(words[0]):
        found = complaints_about_script(words[0].removeprefix("./"), words[1:])
    else:
        return []
    return [f"`{command}`: {sentence}" for sentence in found]
