"""What a program owes to the other end of its output: any terminal, a pipe that closes, Ctrl-C."""

import errno
import os
import signal
import sys

# What the pictures are drawn with, for a terminal that has ASCII only.
PLAIN = str.maketrans({
    "█": "#", "▏": "", "▎": "", "▍": "", "▌": "#", "▋": "#", "▊": "#", "▉": "#",
    "×": "x", "–": "-", "…": "...",
})  # fmt: skip


def prepare():
    """Let no character of a name, in any script, end the program."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")


def plain(text):
    """The text as standard output can show it."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return text.translate(PLAIN)
    return text


def end_by(number):
    """End as the signal would have ended it, so that the shell sees what happened."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def end_with(sentence):
    """What is left in the buffers cannot be written either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(sentence)


def guard(main, name):
    """Run the program; the other end of a pipe may close, a disk may be full, and a user may press
    Ctrl-C."""
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
