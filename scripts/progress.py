"""Show the progress of long work: the part that is done, the rate, and the time left.

On a terminal one line is replaced again and again. Elsewhere a plain line appears from time to time. As a
program it copies its input to its output, and counts the lines that match:

    make fuzz-programs | progress.py --title build --lines '^  CC' --total 120
"""

import codecs
import os
import re
import select
import signal
import sys
import time

import arguments

MIB = 1024 * 1024
TERMINAL_SECONDS = 0.5
PLAIN_SECONDS = 10
# Before this time, the rate is a guess.
FIRST_ESTIMATE_SECONDS = 1


def duration(seconds):
    """Return a time for people: `5 s`, `3 min 20 s`, `2 h 10 min`."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


class Progress:
    """The progress of one piece of work. `total` is 0 if it is not known. With `unit_bytes` the numbers are bytes. With
    `expected_seconds` the time left follows from the clock, and not from the rate."""

    def __init__(self, title, total=0, unit_bytes=False, expected_seconds=None, stream=None, clock=time.monotonic):
        self.title = title
        self.total = total
        self.unit_bytes = unit_bytes
        self.expected_seconds = expected_seconds
        self.stream = stream or sys.stderr
        self.clock = clock
        self.done = 0
        self.started = self.shown = clock()

    def seconds(self):
        return self.clock() - self.started

    def advance(self, done=None):
        """Record the amount that is done now, or that one more piece is done. Show it if the last line is old."""
        self.done = self.done + 1 if done is None else done
        self.tick()

    def tick(self):
        """Show the progress if the last line is old."""
        now = self.clock()
        if now - self.shown < (TERMINAL_SECONDS if self.stream.isatty() else PLAIN_SECONDS):
            return
        self.show()

    def show(self):
        """Show the progress now."""
        self.shown = self.clock()
        self.write(self.text())

    def write(self, text):
        """Replace the line on a terminal, or print a line elsewhere."""
        if self.stream.isatty():
            self.stream.write(f"\r\033[K{text}")
        elif text:
            self.stream.write(f"{text}\n")
        self.stream.flush()

    def clear(self):
        """Remove the line from a terminal, before other output and at the end."""
        if self.stream.isatty():
            self.write("")

    def amount(self):
        if self.unit_bytes:
            of = f" of {self.total / MIB:.1f}" if self.total else ""
            return f"{self.done / MIB:.1f}{of} MiB"
        return f"{self.done} of {max(self.total, self.done)}" if self.total else str(self.done)

    def seconds_left(self):
        """Return the time left, or None if it cannot be known yet."""
        seconds = self.seconds()
        if self.total and self.done >= self.total:
            return 0
        if self.expected_seconds is not None:
            return max(0, self.expected_seconds - seconds)
        if not self.total or not self.done or seconds < FIRST_ESTIMATE_SECONDS:
            return None
        return seconds / self.done * max(0, self.total - self.done)

    def text(self):
        seconds, left = self.seconds(), self.seconds_left()
        parts = [self.amount()]
        if self.unit_bytes and seconds > 0:
            parts.append(f"{self.done / MIB / seconds:.1f} MiB/s")
        parts.append(f"{duration(left)} left" if left is not None else duration(seconds))
        return f"{self.title}: {', '.join(parts)}"


def steps(title, pieces, total=None, stream=None):
    """Yield the pieces of some work, and show on a terminal how many are done. The line is gone at the end."""
    pieces = pieces if total is not None or hasattr(pieces, "__next__") else list(pieces)
    progress = Progress(title, len(pieces) if isinstance(pieces, list) else total or 0, stream=stream)
    for piece in pieces:
        if progress.stream.isatty():
            progress.show()
        yield piece
        progress.done += 1
    progress.clear()


class Filter:
    """Copy lines from one stream to another, count those that match, and show the progress in between."""

    def __init__(self, pattern, progress, output):
        self.pattern = re.compile(pattern)
        self.progress = progress
        self.output = output
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.pending = ""

    def feed(self, data, final=False):
        lines = (self.pending + self.decoder.decode(data, final)).split("\n")
        self.pending = lines.pop()
        for line in lines:
            self.progress.clear()
            print(line, file=self.output, flush=True)
            if self.pattern.search(line):
                self.progress.done += 1
        if final and self.pending:
            print(self.pending, file=self.output, flush=True)
        if lines and not final and self.progress.stream.isatty():
            self.progress.show()

    def run(self, descriptor):
        while True:
            if select.select([descriptor], [], [], TERMINAL_SECONDS)[0]:
                data = os.read(descriptor, 65536)
                self.feed(data, final=not data)
                if not data:
                    break
            if self.progress.stream.isatty():
                self.progress.tick()
        self.progress.clear()


def parse_arguments():
    parser = arguments.Parser(
        prog="progress.py", description="Copy standard input to standard output, and show the progress of the program "
        "that writes it.",
    )  # fmt: skip
    add = parser.add_argument
    add("--title", required=True, metavar="WORDS", help="the first words of the line")
    add("--lines", required=True, metavar="REGEX", help="count the lines that match")
    add("--total", type=arguments.integer(0, 10**9), default=0, metavar="N", help="the number of such lines")
    add("--seconds", type=arguments.integer(0, 10**9), metavar="N", help="the time that the work takes, if it is known")
    options = parser.parse_args()
    try:
        re.compile(options.lines)
    except re.error as error:
        parser.error(f"--lines: {error}")
    return options


def main():
    options = parse_arguments()
    # The program before the pipe ends at Ctrl-C, and its last lines still come through.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    arguments.print_anything()
    progress = Progress(options.title, options.total, expected_seconds=options.seconds)
    try:
        Filter(options.lines, progress, sys.stdout).run(sys.stdin.fileno())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
