"""Draw the pictures of the documents again. `make screenshots` builds first, then calls this.

RECIPES below has every picture of docs/images with the way to draw it. For a picture of docs/learn, a
marker above it in the chapter has the command (scripts/learn.py).
"""

import interrupts  # first of all

import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import arguments
import boot
import checks
import firmware
import folders
import image
import learn
import learn_outputs
import learn_pictures
import machine
import volume

ROOT = folders.ROOT
TIMEOUT_SECONDS = 300
# After this time without output, the screen is complete.
QUIET_SECONDS = 1.0
PROMPT = r"^handoff> $"
PANIC_END = r"^\[panic\] halted"


class PictureError(Exception):
    """A picture that cannot be drawn. The message is one sentence."""


@dataclass(frozen=True)
class Screen:
    """The screen of a machine when a line of its serial output matches `until`. Times and random addresses differ."""

    until: str
    command_line: str = ""
    resolution: str = "1280x800"

    def describe(self):
        words = f" with {self.command_line}" if self.command_line else ""
        return f"the screen of a boot{words}, {self.resolution}"

    def disk(self, scratch):
        tree = scratch / "esp"
        volume.compose(tree, self.command_line)
        config = tree / volume.CONFIG_NAME
        text = config.read_text(encoding="utf-8")
        config.write_text(volume.edit_config(text, {"resolution": self.resolution}), encoding="utf-8")
        image.make_disk(tree, scratch / "disk.img")
        return scratch / "disk.img"

    def draw(self, path):
        with tempfile.TemporaryDirectory(prefix="handoff-picture-") as folder:
            scratch = Path(folder)
            pc = machine.Machine(firmware=firmware.find(), image=self.disk(scratch))
            with boot.Boot(pc) as running:
                if not running.wait_for(self.until, TIMEOUT_SECONDS):
                    raise PictureError(f"no line of the machine matches {self.until}")
                self.wait_until_quiet(running)
                running.picture(scratch / "screen.png")
                path.write_bytes((scratch / "screen.png").read_bytes())

    @staticmethod
    def wait_until_quiet(running):
        seen, since = len(running.raw), time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS and running.pump(0.1):
            if len(running.raw) != seen:
                seen, since = len(running.raw), time.monotonic()


@dataclass(frozen=True)
class Command:
    """A command of the shell. PICTURE in it is the file to write."""

    words: str

    def describe(self):
        return self.words

    def draw(self, path):
        words = [word.replace("PICTURE", str(path)) for word in self.words.split()]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["it printed nothing"]
            raise PictureError(f"{words[0]} ends with status {done.returncode}: {lines[-1]}")


@dataclass(frozen=True)
class Plot:
    """A plot of measurements, in a file that a target of make writes. It takes a long time, and needs an idle machine."""

    target: str
    result: str

    def describe(self):
        return f"make {self.target}: measurements, on an idle machine; only with --all"

    def draw(self, path):
        Command(f"make {self.target}").draw(path)
        drawn = (ROOT / self.result).read_bytes()
        if ROOT / self.result != path:
            path.write_bytes(drawn)


@dataclass(frozen=True)
class Lesson:
    """The states of a heap in a lesson (scripts/learn_pictures.py)."""

    picture: learn_pictures.Picture

    def describe(self):
        return " ".join(self.picture.command()) + ", steps " + " ".join(map(str, self.picture.steps))

    def draw(self, path):
        try:
            path.write_text(self.picture.draw(), encoding="utf-8")
        except learn_outputs.OutputError as error:
            raise PictureError(str(error)) from error


LAPTOP = "tests/data/memory-maps/clevo-p65xsg-intel-ami-laptop.txt"
RECIPES = {
    "docs/images/overview.png": Screen(PROMPT, "", "1024x768"),
    "docs/images/boot.png": Screen(PROMPT, "overview=off"),
    "docs/images/panic.png": Screen(PANIC_END, "provoke=stack-overflow", "1024x768"),
    "docs/images/simulator.svg": Command(f"./scripts/simulate.sh {LAPTOP} --svg PICTURE"),
    "docs/images/frames-initialise.svg": Plot("bench-frames", "build/bench/frames.svg"),
    "docs/images/heap-speed.svg": Plot("bench-heap", "docs/images/heap-speed.svg"),
}


def lesson_recipes():
    """Return the recipes of the pictures of docs/learn, from the markers of its chapters."""
    found = {}
    for chapter in sorted((ROOT / "docs/learn").glob("*.md")):
        for kind, text in re.findall(learn.MARKER.pattern, chapter.read_text(encoding="utf-8"), re.MULTILINE):
            if kind == "picture":
                picture = learn_pictures.picture_of(text)
                found[f"docs/learn/pictures/{picture.name}"] = Lesson(picture)
    return found


def all_recipes():
    return {**RECIPES, **lesson_recipes()}


def draw(name, recipe):
    """Draw one picture, and print what happened. Return whether it succeeded."""
    path = ROOT / name
    old = path.read_bytes() if path.is_file() else None
    try:
        recipe.draw(path)
    except (PictureError, boot.BootError, checks.MachineError, firmware.FirmwareNotFound, image.ImageError,
            volume.VolumeError, OSError) as error:
        print(f"{name}: FAILED: {error}")
        return False
    state = "new" if old is None else "unchanged" if old == path.read_bytes() else "changed"
    print(f"{name}: {state}", flush=True)
    return True


def parse_arguments(recipes):
    parser = arguments.Parser(
        prog="screenshots.py",
        description="Draw the pictures of the documents again; without a name, all that take less than a minute.",
        epilog="Exit status: 0 all pictures are drawn; 1 some are not; 2 wrong options.",
    )
    parser.add_argument("names", nargs="*", metavar="PICTURE", help="only these, for example docs/images/boot.png")
    parser.add_argument("--all", action="store_true", help="also the plots of measurements: an hour, on an idle machine")
    parser.add_argument("--list", action="store_true", help="print each picture with its recipe, and draw nothing")
    options = parser.parse_args()
    for name in options.names:
        if name not in recipes:
            parser.error(f"no picture {name!r}: --list prints all")
    return options


def chosen(recipes, options):
    if options.names:
        return {name: recipes[name] for name in options.names}
    return {name: recipe for name, recipe in recipes.items() if options.all or not isinstance(recipe, Plot)}


def main():
    recipes = all_recipes()
    options = parse_arguments(recipes)
    arguments.print_anything()
    if options.list:
        for name, recipe in recipes.items():
            print(f"{name}: {recipe.describe()}")
        return 0
    interrupts.raise_them()
    try:
        pictures = chosen(recipes, options)
        failed = [name for name, recipe in pictures.items() if not draw(name, recipe)]
    except (KeyboardInterrupt, interrupts.Ended):
        print("screenshots.py: interrupted", file=sys.stderr)
        return 130
    left = len(recipes) - len(pictures)
    drawn = len(pictures) - len(failed)
    print(f"{drawn} picture{'' if drawn == 1 else 's'} drawn, {len(failed)} failed, {left} left out")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
