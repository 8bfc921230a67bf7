"""Check a whole command line before anything is done. A wrong word is refused in one sentence."""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

WIDTH = 96
SEE_HELP = "--help lists the options"


class StoreOnce(argparse.Action):
    """An option that can be given only once. Otherwise a second value would silently replace the first."""

    def __call__(self, parser, namespace, values, option_string=None):
        if self.dest in parser.given:
            parser.error(f"{option_string} is given twice")
        if option_string is not None:
            parser.given.add(self.dest)
        setattr(namespace, self.dest, values)


class Parser(argparse.ArgumentParser):
    """argparse without abbreviations. Its errors are one sentence, with exit status 2."""

    def __init__(self, **options):
        options.setdefault(
            "formatter_class",
            lambda prog: argparse.RawDescriptionHelpFormatter(
                prog, max_help_position=28, width=WIDTH
            ),
        )
        super().__init__(allow_abbrev=False, **options)
        self.given = set()
        for name in (None, "store"):
            self.register("action", name, StoreOnce)

    def parse_args(self, args=None, namespace=None):
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown word {unknown[0]!r}: {SEE_HELP}")
        return options

    def error(self, message):
        message = plain_words(message)
        missing = "the following arguments are required: "
        if message.startswith(missing):
            message = f"{message.removeprefix(missing)} is missing: {SEE_HELP}"
        self.exit(2, f"{self.prog}: {message}\n")


def plain_words(message):
    """Return an error message of argparse without its private terms."""
    message = re.sub(r"^argument ", "", message)
    message = re.sub(r"(\S+): expected one argument$", r"\1 needs a value", message)
    message = re.sub(r"(\S+): ignored explicit argument .*$", r"\1 takes no value", message)
    return re.sub(r"invalid choice: (.*) \(choose from (.*)\)$", not_one_of, message)


def not_one_of(match):
    """Return argparse's message about a wrong choice as a sentence."""
    known = match.group(2).replace("'", "")
    return f"{match.group(1)} is not one of: {known}"


def integer(smallest, largest):
    """Return a type for add_argument(): a whole number from `smallest` to `largest`."""

    def read(text):
        if not re.fullmatch(r"[0-9]{1,18}", text) or not smallest <= int(text) <= largest:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {smallest} to {largest}"
            )
        return int(text)

    return read


def one_of(*numbers):
    """Return a type for add_argument(): one of these numbers."""

    def read(text):
        if text not in map(str, numbers):
            known = " or ".join(map(str, numbers))
            raise argparse.ArgumentTypeError(f"{text!r} is not {known}")
        return int(text)

    return read


def readable_file(text):
    """A type for add_argument(): a file that exists and can be read."""
    path = Path(text)
    if not text or not path.exists():
        raise argparse.ArgumentTypeError(f"{text!r} does not exist{tilde_advice(text)}")
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not a file")
    if not os.access(path, os.R_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be read: check its permissions")
    return path


def folder(text):
    """A type for add_argument(): a folder that exists and can be read."""
    path = Path(text)
    if not text or not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder{tilde_advice(text)}")
    if not os.access(path, os.R_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be read: check its permissions")
    return path


def writable_file(text):
    """A type for add_argument(): a file that can be written. Its folder exists."""
    path = Path(text)
    folder = path.parent
    if not text or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a file")
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(
            f"the folder {str(folder)!r} does not exist{tilde_advice(text)}"
        )
    if not os.access(path, os.W_OK) if path.exists() else not can_create_in(folder):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: name another file")
    return path


def can_create_in(folder):
    """Create a file in the folder to find out. /proc has the permission, but accepts no file."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def tilde_advice(text):
    """Return advice for a name that begins with ~. The shell replaces only a ~ that is not quoted."""
    return ": the ~ is quoted, so write $HOME instead" if text.startswith("~") else ""


def print_anything():
    """Print characters that the terminal cannot show as escapes, instead of failing. Names of files and
    the output of a machine may have any characters."""
    sys.stdout.reconfigure(errors="backslashreplace")
