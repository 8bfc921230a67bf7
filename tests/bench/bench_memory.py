"""Compare the resident with the live memory of programs, by allocator.

    bench_memory.py PROGRAM PRELOAD_LIBRARY [--json FILE] [--only NAME ...] [--no-programs]

PROGRAM runs one pattern of requests on malloc() (memory/bench_memory.c). Every allocator serves it by LD_PRELOAD:
the C library's own, this project's fast policy, and mimalloc if Debian's libmimalloc2.0 is installed. The
figures are peak resident / peak live, and resident / live at the end. For real programs the figure is the peak
of resident memory divided by that on the C library's allocator.

The exit status is 1 if a pattern of the fast policy needs more than PEAK_LIMIT of the C library's peak, or a
program more than PROGRAM_LIMIT.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from ctypes import CDLL
from pathlib import Path

from bench_traces import PYTHON_WORK, ROOT, SQLITE_WORK
from report import steps

MIMALLOC = "libmimalloc.so.2.0"
PEAK_LIMIT = 1.2
PROGRAM_LIMIT = 1.1
GLIBC, FAST = "glibc", "fast"


def allocators(library):
    """Return {allocator: what to load before the program}, and the reason why mimalloc is left out, or None."""
    found = {GLIBC: "", FAST: str(Path(library).resolve())}
    try:
        CDLL(MIMALLOC)
    except OSError:
        return found, f"{MIMALLOC} is not installed"
    return found | {"mimalloc": MIMALLOC}, None


def environment(load):
    return dict(os.environ, LD_PRELOAD=load, GIT_CONFIG_GLOBAL="/dev/null", PYTHONMALLOC="malloc")


# --- Patterns ----------------------------------------------------------------------------------------------


def run_pattern(program, pattern, load):
    """Return the ratios at the peak and at the end, and the peak of live memory."""
    text = subprocess.run([program, pattern], env=environment(load), stdout=subprocess.PIPE, text=True,
                          check=True).stdout  # fmt: skip
    peak_live, peak_resident, end_live, end_resident = map(int, text.split())
    return {"peak": peak_resident / peak_live, "end": end_resident / end_live, "peak_live_bytes": peak_live}


def measure_patterns(program, loads, only):
    names = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    chosen = [pattern for pattern in names if not only or pattern in only]
    return {pattern: {name: run_pattern(program, pattern, load) for name, load in loads.items()}
            for pattern in steps("bench-memory: patterns", chosen)}  # fmt: skip


def print_patterns(results, names):
    print("resident / live memory, at the peak and at the end\n")
    print(f"{'pattern':18}{'live':>9}" + "".join(f"{name + ' peak':>15}{'end':>9}" for name in names))
    for pattern, row in results.items():
        live = f"{row[GLIBC]['peak_live_bytes'] / 2**20:.0f} MiB"
        cells = "".join(f"{row[name]['peak']:15.2f}{row[name]['end']:9.2f}" for name in names)
        mark = "  !" if row[FAST]["peak"] > PEAK_LIMIT * row[GLIBC]["peak"] else ""
        print(f"{pattern:18}{live:>9}{cells}{mark}")
    print(f"\n  ! the peak of {FAST} is above {PEAK_LIMIT} times that of {GLIBC}")


# --- Real programs -----------------------------------------------------------------------------------------


def git_folder(folder):
    """Make a repository whose history is one commit with this project's kernel."""
    settings = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    for command in (["git", "init", "-q"], ["cp", "-r", ROOT / "kernel", ROOT / "docs", "."],
                    ["git", "add", "."], ["git", *settings, "commit", "-q", "-m", "one"]):  # fmt: skip
        subprocess.run(command, cwd=folder, env=environment(""), check=True)


def programs():
    """Return {program: command, input, function that prepares its folder}."""
    source = ROOT / "kernel/mm/heap/policies/best_fit.c"
    return {
        "python3": ([sys.executable, "-c", PYTHON_WORK], None, None),
        "git": (["git", "log", "-p", "--stat", "--word-diff"], None, git_folder),
        "sqlite3": (["sqlite3", "data"], SQLITE_WORK, None),
        "clang": (["clang", "-std=c17", "-O2", "-I", ROOT, "-c", source, "-o", "out.o"], None, None),
    }  # fmt: skip


def peak_bytes(command, text, folder, load):
    """Run a program, and return the peak of its resident memory."""
    with tempfile.TemporaryFile("w+") as given:
        given.write(text or "")
        given.seek(0)
        process = subprocess.Popen(command, cwd=folder, env=environment(load), stdin=given,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"bench_memory.py: {command[0]} failed with status {process.returncode}")
    return usage.ru_maxrss * 1024


def run_program(command, text, prepare, loads):
    """Return {allocator: peak / peak on the C library's allocator}, or None if it is not installed."""
    peaks = {}
    for name, load in loads.items():
        with tempfile.TemporaryDirectory() as folder:
            if prepare is not None:
                prepare(folder)
            try:
                peaks[name] = peak_bytes(command, text, folder, load)
            except FileNotFoundError:
                return None
    return {name: peak / peaks[GLIBC] for name, peak in peaks.items()}


def measure_programs(loads):
    results = {name: run_program(command, text, prepare, loads)
               for name, (command, text, prepare) in steps("bench-memory: programs", programs().items())}  # fmt: skip
    for name in [name for name, row in results.items() if row is None]:
        print(f"{name} is left out: it is not installed")
        del results[name]
    return results


def print_programs(results, names):
    print(f"\npeak of resident memory / that on {GLIBC}\n\n{'program':18}"
          + "".join(f"{name:>12}" for name in names))  # fmt: skip
    for program, row in results.items():
        mark = "  !" if row[FAST] > PROGRAM_LIMIT else ""
        print(f"{program:18}" + "".join(f"{row[name]:12.2f}" for name in names) + mark)
    print(f"\n  ! above {PROGRAM_LIMIT}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("library")
    parser.add_argument("--json")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--no-programs", action="store_true")
    options = parser.parse_args()

    loads, reason = allocators(options.library)
    patterns = measure_patterns(Path(options.program).resolve(), loads, options.only)
    print_patterns(patterns, list(loads))
    results = {} if options.no_programs else measure_programs(loads)
    if results:
        print_programs(results, list(loads))
    if reason is not None:
        print(f"\nmimalloc is left out: {reason}")
    if options.json:
        Path(options.json).write_text(json.dumps({"patterns": patterns, "programs": results}, indent=2) + "\n",
                                      encoding="utf-8")  # fmt: skip
    too_much = [name for name, row in patterns.items() if row[FAST]["peak"] > PEAK_LIMIT * row[GLIBC]["peak"]]
    too_much += [name for name, row in results.items() if row[FAST] > PROGRAM_LIMIT]
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(main())
