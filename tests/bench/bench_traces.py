"""Record the requests that real programs make to malloc(), and replay them on every allocator.

    bench_traces.py REPLAY_PROGRAM PRELOAD_LIBRARY FOLDER [--repeats N] [--json FILE]

The programs run on this project's heap, with the preload library as the recorder (host/preload/trace.h).
The traces stay in FOLDER. "Memory put to use" is the largest number of requested bytes that were live at
once, per cent of the growth of the process, with every block filled.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from callgrind import ENVIRONMENT
from report import HARNESS, LEAST_NET_NS, steps

ROOT = Path(__file__).resolve().parents[2]
PYTHON_WORK = """
import json, re
data = [{"key %d" % i: [i, str(i), "a name %d" % (i * 7919 % 1003)] * 8} for i in range(2000)]
assert json.loads(json.dumps(data)) == data
words = {}
for word in re.findall(r"\\w+", json.dumps(data[:500])):
    words.setdefault(word, []).append(bytearray(len(word) * 8))
print(len(words))
"""
SQLITE_WORK = """
create table t(id integer primary key, name text, value real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
    insert into t select i, 'name ' || (i * 7919 % 20011), i / 3.0 from n;
create index by_name on t(name);
delete from t where id % 3 = 0;
select count(*), count(distinct name), group_concat(substr(name, 1, 6)) from t where id % 7 = 0;
"""


class Recorder:
    """Runs each program in a new, empty folder. A program may have several processes. The longest trace of
    them is kept."""

    def __init__(self, library, folder):
        self.library = Path(library).resolve()
        self.folder = Path(folder).resolve()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def record(self, name, commands, needs, text=None):
        """Run `commands` and record the last one. Return None if `needs` is not installed."""
        if shutil.which(needs) is None:
            return None
        with tempfile.TemporaryDirectory() as scratch:
            environment = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", PYTHONMALLOC="malloc")
            for command in commands:
                if command is commands[-1]:
                    environment["LD_PRELOAD"] = str(self.library)
                    environment["HANDOFF_HEAP_TRACE"] = str(self.folder / name)
                subprocess.run(command, cwd=scratch, env=environment, input=text, text=True, check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        traces = sorted(self.folder.glob(f"{name}.*"), key=lambda path: path.stat().st_size)
        for shorter in traces[:-1]:
            shorter.unlink()
        return traces[-1].rename(self.folder / f"{name}.trace")


def record_all(recorder):
    """Return {program: its trace, or None}."""
    settings = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    source = ROOT / "kernel/mm/heap/policies/best_fit.c"
    return {
        "python3": recorder.record("python3", [[sys.executable, "-c", PYTHON_WORK]], "python3"),
        "git": recorder.record("git", [
            ["git", "init", "-q"], ["cp", "-r", ROOT / "kernel", ROOT / "docs", "."], ["git", "add", "."],
            ["git", *settings, "commit", "-q", "-m", "one"],
            ["git", "log", "-p", "--stat", "--word-diff"]], "git"),
        "sqlite3": recorder.record("sqlite3", [["sqlite3", "data"]], "sqlite3", SQLITE_WORK),
        "clang": recorder.record("clang", [
            ["clang", "-std=c17", "-O2", "-I", ROOT, "-c", source, "-o", "out.o"]], "clang"),
    }  # fmt: skip


def replay(program, trace, repeats):
    """Return the number of records, {allocator: ns per record}, {allocator: the reason why it is left out}."""
    output = subprocess.run([program, trace, "--repeats", str(repeats)], stdout=subprocess.PIPE,
                            text=True, check=True, env=ENVIRONMENT).stdout  # fmt: skip
    lines = [line.split(" ", 1) for line in output.splitlines()]
    times = {name: float(rest) for name, rest in lines[1:] if rest[0] != "-"}
    return int(lines[0][1]), times, {name: rest[2:] for name, rest in lines[1:] if rest[0] == "-"}


def memory(program, trace, allocator):
    """Return the largest number of live bytes, and the bytes that the allocator used for them."""
    output = subprocess.run([program, trace, "--memory", allocator], stdout=subprocess.PIPE, text=True,
                            check=True, env=ENVIRONMENT).stdout  # fmt: skip
    return tuple(int(word) for word in output.split())


def measure(program, trace, repeats):
    records, times, absent = replay(program, trace, repeats)
    used = {name: memory(program, trace, name) for name in times if name != HARNESS}
    own = times[HARNESS]
    base = max(times["fast"] - own, LEAST_NET_NS)
    return {
        "records": records,
        "peak_live_bytes": next(iter(used.values()))[0],
        "ns": times,
        "ratios": {name: round(max(ns - own, LEAST_NET_NS) / base, 3)
                   for name, ns in times.items() if name != HARNESS},
        "grown_bytes": {name: grown for name, (_, grown) in used.items()},
        "left_out": absent,
    }  # fmt: skip


def print_table(title, results, cell):
    print(f"\n{title}\n\n{'':18}" + "".join(f"{name:>12}" for name in results))
    for allocator in dict.fromkeys(a for result in results.values() for a in result["ratios"]):
        print(f"{allocator:18}" + "".join(f"{cell(result, allocator):>12}" for result in results.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("library")
    parser.add_argument("folder")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json")
    options = parser.parse_args()

    traces = record_all(Recorder(options.library, options.folder))
    for name in [name for name, trace in traces.items() if trace is None]:
        print(f"{name} is left out: it is not installed")
        del traces[name]
    results = {name: measure(options.program, trace, options.repeats)
               for name, trace in steps("bench-traces: programs", traces.items())}  # fmt: skip
    print("replayed programs: " + ", ".join(
        f"{name} {r['records']:,} calls, at most {r['peak_live_bytes'] / 2**20:.1f} MiB live"
        for name, r in results.items()))  # fmt: skip
    print_table("time divided by the time of fast, harness subtracted", results,
                lambda r, a: f"{r['ratios'][a]:.2f}" if a in r["ratios"] else "-")  # fmt: skip
    print_table("memory put to use: the most live bytes, per cent of the growth of the process", results,
                lambda r, a: f"{100 * r['peak_live_bytes'] / r['grown_bytes'][a]:.1f}"
                if a in r["grown_bytes"] else "-")  # fmt: skip
    reasons = dict.fromkeys((allocator, reason, name) for name, result in results.items()
                            for allocator, reason in result["left_out"].items())  # fmt: skip
    print("\nleft out (-):")
    for allocator, reason, name in reasons:
        print(f"  {allocator}, {name}: {reason}")
    if options.json:
        Path(options.json).write_text(json.dumps({
            "programs": results, "ratios": {name: r["ratios"] for name, r in results.items()},
        }, indent=2) + "\n", encoding="utf-8")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
