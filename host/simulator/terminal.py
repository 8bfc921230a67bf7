"""Write to any terminal and to a pipe that closes, and end correctly on Ctrl-C."""

import errno
import os
import signal
import sys

# Replacements for the characters of the pictures, for a terminal with only ASCII.
PLAIN = str.maketrans({
    "█": "#", "▏": "", "▎": "", "▍": "", "▌": "#", "▋": "#", "▊": "#", "▉": "#",
    "×": "x", "–": "-", "…": "...",
})  # fmt: skip


def prepare():
    """Replace characters that the output cannot encode, so that no name ends the program."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")


def plain(text):
    """Return the text in characters that standard output can show."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return text.translate(PLAIN)
    return text


def end_by(number):
    """End the program by the signal itself, so that the shell sees the signal."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def end_with(sentence):
    """End the program with a message. Drop the buffered output, because it cannot be written either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(sentence)


def guard(main, name):
    """Run the program. Handle a pipe that closes, a full disk, and Ctrl-C."""
    prepare()
    try:
        try:
            main()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        end_by(signal.SIGPIPE)
    except KeyboardInterrupt:
        end_by(signal.SIGINT)
    except OSError as error:
        end_with(f"{name}: the output cannot be written: {error.strerror or error}"
                 if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT) else f"{name}: {error}")  # fmt: skip
