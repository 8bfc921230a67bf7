"""Count the instructions of functions with callgrind."""

import os
import subprocess
import tempfile
from pathlib import Path

# jemalloc and scudo need room for thread-local variables. A library that is loaded at run time gets room only with this.
ENVIRONMENT = dict(os.environ, GLIBC_TUNABLES="glibc.rtld.optional_static_tls=65536")


def parse(text):
    """Return {function: (its instructions with those of the functions that it calls, the calls that it makes)}."""
    names, figures = {}, {}
    function, is_call = None, False
    for line in text.splitlines():
        key, _, rest = line.partition("=")
        if key in ("fn", "cfn"):
            number, _, name = rest.partition(" ")
            names.setdefault(number, name)
            if key == "fn":
                function = names[number]
        elif key == "calls":
            is_call = True
            cost, calls = figures.get(function, (0, 0))
            figures[function] = (cost, calls + int(rest.split()[0]))
        elif line[:1] in "0123456789+-*" and line:
            cost, calls = figures.get(function, (0, 0))
            # The line behind `calls` has the instructions of the called function.
            figures[function] = (cost + int(line.split()[1]), calls)
            is_call = False
    assert not is_call, "the file ends behind a call"
    return figures


def run(command, functions, *options):
    """Run `command`, count the instructions of these functions only, and return callgrind's file. Return None if the
    command fails: some allocators reserve more addresses than valgrind has."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind"
        status = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", f"--toggle-collect={functions}", *options,
             *map(str, command)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=ENVIRONMENT,
        ).returncode  # fmt: skip
        return out.read_text(encoding="utf-8") if status == 0 else None


def print_failures(counts):
    """Print the allocators that have None in {(allocator, workload): figure or None}."""
    failed = dict.fromkeys(allocator for (allocator, _), figure in counts.items() if figure is None)
    if failed:
        print(f"\nwithout instruction counts in some workload, because they fail under valgrind: {', '.join(failed)}")


def count(command, prefix="timed_"):
    """Return the figures of parse() for the functions whose names begin with `prefix`, or None (see run())."""
    text = run(command, f"{prefix}*")
    figures = {} if text is None else parse(text)
    return None if text is None else {name.removeprefix(prefix): figure for name, figure in figures.items() if name and name.startswith(prefix)}
