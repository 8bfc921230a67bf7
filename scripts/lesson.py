"""Run a lesson of docs/learn/ on the reader's answer, and print what the lesson says. `make lesson` calls this.

It builds a kernel with the answers of one folder, boots it in QEMU with `lesson=N`, and prints the lesson's lines of
the log. With --host it runs the same lesson as a program of this machine.

Exit status: 0 the lesson is solved; 1 it is not solved; 2 the words are wrong, or the lesson cannot run.
"""

import interrupts  # first of all

import re
import subprocess
import sys
from pathlib import Path

import arguments
import folders

ROOT = folders.ROOT
EXERCISES = "docs/learn/exercises"
SOLUTIONS = "docs/learn/solutions"
PREFIX = "[lesson] "
VERDICT = re.compile(r"^lesson=(\d+) verdict=(\w+) steps=\d+$")


def lesson_numbers():
    """Return the lessons that have a solution, in order."""
    found = (re.fullmatch(r"lesson_(\d\d)\.c", path.name) for path in (ROOT / SOLUTIONS).iterdir())
    return sorted(int(match.group(1)) for match in found if match)


def number_list(numbers):
    texts = [str(number) for number in numbers]
    return " or ".join(filter(None, [", ".join(texts[:-1]), texts[-1]])) if texts else "nothing yet"


def parse_arguments():
    parser = arguments.Parser(prog="lesson.py", description=__doc__)
    parser.add_argument("number", metavar="N", nargs="?", default="", help="the number of the lesson")
    parser.add_argument("--folder", default=EXERCISES, metavar="DIR",
                        help=f"where the answers are (default: {EXERCISES}); one that is missing is the solution's")
    parser.add_argument("--host", action="store_true", help="as a program of this machine")
    parser.add_argument("--log", action="store_true",
                        help="print the whole log; with --host, the reports of the sanitizers")
    parser.add_argument("--pictures", metavar="FILE",
                        help="with --host: write every drawn state as JSON, one object a line")
    options = parser.parse_args()  # fmt: skip
    options.number = check_number(parser, options.number)
    options.folder = check_folder(parser, options.folder)
    if options.pictures is not None and not options.host:
        parser.error("pictures are made on this machine only: make lesson-host")
    return options


def check_number(parser, text):
    numbers = lesson_numbers()
    if not text:
        parser.error(f"N is missing: make lesson N={numbers[0] if numbers else 1}; N is {number_list(numbers)}")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        parser.error(f"N={text} is not a number: N is {number_list(numbers)}")
    if int(text) not in numbers:
        parser.error(f"there is no lesson {int(text)} to run: N is {number_list(numbers)}")
    return int(text)


def check_folder(parser, text):
    """Return the folder as make gets it: relative to the checkout if it is inside."""
    if not re.fullmatch(r"[\w./+-]+", text):
        parser.error(f"FOLDER={text} has blanks or special characters: name another folder")
    path = (ROOT / text).resolve()
    if not path.is_dir():
        parser.error(f"FOLDER={text} is not a folder")
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def answer_file(number, folder):
    """Return the path of the answer, for users."""
    name = f"lesson_{number:02d}.c"
    return f"{folder if (ROOT / folder / name).exists() else SOLUTIONS}/{name}"


def say(sentence):
    print(sentence, flush=True)


def explain(answer, words):
    """Return the sentence about a build that failed."""
    if re.search(rf"^{re.escape(answer)}:\d+:\d+: (fatal )?error:", words, re.MULTILINE):
        return f"{answer} does not compile: correct what the compiler says above, then run this again"
    if "libclang_rt" in words:
        return "the compiler's library of the sanitizers is not installed: run scripts/setup.sh host"
    missing = re.search(r"undefined (?:symbol: |reference to [`'])(\w+)", words)
    if missing:
        return f"the answers use {missing.group(1)}, which no file of the lesson has: there is no C library here"
    return f"the lesson with {answer} could not be built: see above"


def build(target, answer, folder):
    """Build, and print the compiler's words. Return whether that worked."""
    process = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", "--silent", target, f"FOLDER={folder}",
         f"LESSON={Path(answer).name}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", check=False,
    )  # fmt: skip
    words = "".join(line for line in process.stderr.splitlines(True) if not line.startswith("make"))
    sys.stdout.write(words)
    if process.returncode != 0:
        say(explain(answer, words))
    return process.returncode == 0


def output_folder(folder):
    """Return the folder in which make puts what it builds for these answers."""
    name = folder
    for prefix in ("docs/learn/", "tests/learn/", "/"):
        name = name.removeprefix(prefix)
    return folders.build_folder() / "lessons" / name.replace("/", "-")


def run_host(options):
    # The sanitizers need addresses that some systems give to other things.
    command = [str(ROOT / "scripts/steady.sh"), str(output_folder(options.folder) / "lesson"), str(options.number)]
    command += ["--reports"] * options.log
    command += ["--pictures", options.pictures] if options.pictures else []
    return subprocess.run(command, check=False).returncode


class Listener:
    """Pick the lesson's lines from the log of the boot."""

    def __init__(self, print_all):
        self.print_all = print_all
        self.began = False
        self.solved = None  # as the verdict says
        self.other = []

    def hear(self, line):
        words = line.partition(PREFIX)[2] if line.startswith(PREFIX) else None
        if self.print_all:
            say(line)
        if words is None:
            self.other.append(line)
            return
        # The lines before the title are for the log.
        self.began = self.began or re.match(r"lesson \d+: ", words) is not None
        verdict = VERDICT.match(words)
        if verdict:
            self.solved = verdict.group(2) == "solved"
        if (self.began or words.startswith("warning")) and not self.print_all:
            say(words)


def conclude(listener, succeeded):
    """Return the exit status, after words on what the lesson did not say."""
    if succeeded and listener.solved is not None:
        return 0 if listener.solved else 1
    if not listener.print_all:
        panic = next((i for i, line in enumerate(listener.other) if "PANIC" in line), -15)
        sys.stdout.writelines(f"{line}\n" for line in listener.other[panic:][:15])
    if listener.solved is None:
        say("the lesson did not come to its end: LOG=1 prints the whole log")
    else:
        say("the kernel failed after the lesson: did your code write to memory that is not its own? "
            "LOG=1 prints the whole log")  # fmt: skip
    return 1


def run_kernel(options):
    kernel = output_folder(options.folder) / "kernel.elf"
    command = [str(ROOT / "scripts" / "run.sh"), "--once", "--display", "none", "--kernel", str(kernel),
               "--cmdline", f"lesson={options.number}"]  # fmt: skip
    listener = Listener(options.log)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as process:  # fmt: skip
        for line in process.stdout:
            listener.hear(line.rstrip("\n"))
    return conclude(listener, process.returncode == 0)


def main():
    options = parse_arguments()
    arguments.print_anything()
    interrupts.raise_them()
    answer = answer_file(options.number, options.folder)
    try:
        if not build("lesson-program" if options.host else "lesson-kernel", answer, options.folder):
            return 1
        return run_host(options) if options.host else run_kernel(options)
    except (KeyboardInterrupt, interrupts.Ended):
        print("lesson.py: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
