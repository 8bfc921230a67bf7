"""The figures that the heap's benchmarks print about memory."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import folders

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/bench"))
import bench_heap  # noqa: E402
import bench_misuse  # noqa: E402
import bench_mixes  # noqa: E402
import bench_sizes  # noqa: E402
import callgrind  # noqa: E402
import plot_heap  # noqa: E402
import report  # noqa: E402
import svg  # noqa: E402

BENCH = folders.build_folder() / "bench"
REPLAY = BENCH / "bench_replay"
MEMORY = BENCH / "bench_memory"
LIBRARY = folders.build_folder() / "host/libheap_preload.so"
ALLOCATE, FREE, REALLOCATE = 1, 2, 3
BIG = 300_000
# At most 20 blocks of 100,000 bytes and one of BIG are live. The last ten replace freed blocks.
RECORDS = ([(ALLOCATE, i, 100_000) for i in range(20)] + [(REALLOCATE, 0, 100_000), (ALLOCATE, 20, BIG)]
           + [(FREE, 20, 0)] + [(FREE, i, 0) for i in range(10)]
           + [(ALLOCATE, i, 0 if i == 3 else 5000) for i in range(10)])  # fmt: skip
PEAK_BYTES = 20 * 100_000 + BIG


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "some.trace"
    path.write_bytes(b"".join(struct.pack("=IIQ", *record) for record in RECORDS))
    return path


def replay(*words, status=0):
    process = subprocess.run([REPLAY, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             timeout=300, check=False)  # fmt: skip
    assert process.returncode == status, process.stderr
    return process.stdout if status == 0 else process.stderr


@pytest.mark.parametrize("allocator", ["fast", "best-fit", "first-fit", "glibc"])
def test_memory_is_the_peak_and_a_little_more(trace, allocator):
    live, grown = map(int, replay(trace, "--memory", allocator).split())
    assert live == PEAK_BYTES
    assert live <= grown < live + live // 4


def test_every_allocator_has_a_time_or_a_reason(trace):
    lines = [line.split(" ", 1) for line in replay(trace, "--repeats", "1").splitlines()]
    assert lines[0] == ["records", str(len(RECORDS))]
    said = dict(lines[1:])
    assert said["bump"] == "- frees only the newest block"
    assert all(float(said[name]) > 0 for name in ("(harness)", "fast", "best-fit", "first-fit", "glibc"))
    assert {"mimalloc", "jemalloc"} <= set(said)


@pytest.mark.parametrize("words, reason", [
    (["--memory", "nobody"], "unknown allocator"),
    (["--memory", "bump"], "frees only the newest block"),
])
def test_allocator_that_cannot_is_refused(trace, words, reason):
    assert reason in replay(trace, *words, status=1)


def test_invalid_trace_is_refused(tmp_path):
    (tmp_path / "text").write_text("this text is longer than a record, but it is not a trace\n")
    assert "not in the format of host/preload/trace.h" in replay(tmp_path / "text", status=1)
    (tmp_path / "empty").write_bytes(b"")
    assert "cannot be read" in replay(tmp_path / "empty", status=1)


def test_plot_has_a_mark_for_each_figure(tmp_path):
    """One of the figures is beyond the axis."""
    (tmp_path / "heap.json").write_text(json.dumps({"ratios": {
        "churn": {"fast": 1.0, "glibc": 0.8, "tlsf": 2.2, "fast+check": 1.2},
        "a < b": {"fast": 1.0, "glibc": 400.0}}, "variants": {"fast+check": "fast"}}))  # fmt: skip
    (tmp_path / "traces.json").write_text(json.dumps({"programs": {}, "ratios": {"git": {"fast": 1.0, "glibc": 1.5}}}))
    subprocess.run([sys.executable, ROOT / "tests/bench/plot_heap.py", tmp_path / "heap.json",
                    tmp_path / "traces.json", tmp_path / "out.svg"], check=True)  # fmt: skip
    root = ElementTree.parse(tmp_path / "out.svg").getroot()
    marks = [e.tag.split("}")[1] for e in root if e.tag.split("}")[1] in ("circle", "polygon")]
    assert sorted(marks) == ["circle"] * 3 + ["polygon"] * 3, "two of each kind belong to the legend"
    texts = [element.text for element in root.iter() if element.text]
    assert {"churn", "a < b", "replayed: git", "glibc", "tlsf"} <= set(texts)


def test_marks_after_the_last_colour_are_hollow(tmp_path):
    names = [f"allocator-{i}" for i in range(len(svg.SERIES) + 2)]
    plot_heap.draw({"churn": dict.fromkeys(names, 2.0)}, ()).save(tmp_path / "out.svg")
    kinds = re.findall(r'<polygon class="(\w+)"', (tmp_path / "out.svg").read_text())
    assert len(set(kinds)) == len(names) and {"f0", "h0", "h1"} <= set(kinds)


# --- Limits and instructions of bench_heap -----------------------------------------------------------

COUNTS = {("(harness)", "churn"): 17, ("fast", "churn"): 60.04, ("scudo", "churn"): None}


def test_allocator_that_fails_under_valgrind_has_no_count(monkeypatch, capsys):
    monkeypatch.setattr(bench_heap, "count", lambda program, *job: COUNTS[job])
    monkeypatch.setattr(shutil, "which", lambda name: name)
    figures = {name: {"churn": 1.0} for name, _ in COUNTS}
    assert bench_heap.instructions("program", figures, {}) == {"(harness)": {"churn": 17}, "fast": {"churn": 43}}
    assert "because they fail under valgrind: scudo\n" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_program_that_fails_under_valgrind_is_no_figure():
    assert bench_heap.count("false", "scudo", "churn") is None


def test_limits_come_from_allocators_with_a_region():
    """The hosted one is faster. o1heap has twice its recorded time, so all records count twice."""
    slow = dict(zip(bench_heap.RECORD_WORKLOADS, [50.0] * 7), **{"use-64": 90.0})
    times = {own: dict.fromkeys(bench_heap.RECORD_WORKLOADS, 0.0) for own in ("(harness)", "mimalloc-9")}
    record = zip(bench_heap.RECORD_WORKLOADS, bench_heap.RECORD["o1heap"], bench_heap.RECORD_HARNESS)
    o1heap = {workload: 2 * (ns - own) for workload, ns, own in record}
    limits = bench_heap.bars({**times, "fast": slow, "slow": slow, "o1heap": dict(o1heap, **{"use-64": 50.0})}, {})
    assert limits["churn"] == (pytest.approx(0.9 * 2 * (11.4 - 1.7)), "o1heap, measured")
    assert limits["allocate"] == (pytest.approx(0.9 * 2 * (5.9 - 1.9)), "dlmalloc, derived")


# --- Instructions by size ---------------------------------------------------------------------------

# Two calls of 30 instructions each, one of which calls another function, and 7 instructions of its own.
CALLGRIND = """events: Ir
fn=(1) timed_steady_64
10 4
cfn=(2) allocate
calls=1 20
+1 30
cfn=(3) free
calls=1 25
* 30
12 3
fn=(2)
20 10
cfn=(3)
calls=1 25
21 20
fn=(3)
25 50
totals: 117
"""


def test_instructions_of_called_functions_count():
    assert callgrind.parse(CALLGRIND) == {"timed_steady_64": (67, 2), "allocate": (30, 1), "free": (50, 0)}


def test_harness_is_subtracted_from_every_size():
    rows = {"(harness)": bench_sizes.pairs({"steady_64": (40, 4), "allocate_64": (30, 3), "free_64": (10, 2)}),
            "some": bench_sizes.pairs({"steady_64": (400, 4), "allocate_64": (90, 3), "free_64": (100, 4)})}
    assert rows["(harness)"] == {"steady": {64: 20}, "turn": {64: 15}}
    assert bench_sizes.without_harness(rows) == {"some": {"steady": {64: 180}, "turn": {64: 40}}}


def test_limits_cover_every_size():
    assert [bench_sizes.limit_of(size) for size in (64, 1024, 1040, 16384, 16385, 65536)] == [82, 82, 150, 150, 250, 250]


def sizes(*words, status=0, peers=""):
    process = subprocess.run([BENCH / "bench_sizes", *words], capture_output=True, text=True, timeout=300, check=False,
                             env=dict(os.environ, HEAP_BENCH_PEERS=peers))  # fmt: skip
    assert process.returncode == status, process.stderr
    return process.stdout, process.stderr


def test_bump_has_no_row_and_others_have():
    names = sizes("--list")[0].splitlines()
    assert {"(harness)", "fast", "best-fit", "first-fit", "glibc"} <= set(names)
    assert "bump" not in names, "it frees only the newest block"


@pytest.mark.parametrize("allocator", ["fast", "glibc"])
def test_all_sizes_are_served(allocator):
    sizes(allocator, "2")


def test_missing_allocator_is_named():
    assert "nobody is missing" in sizes("nobody", status=1)[1]


def test_invalid_peer_is_named_and_left_out(tmp_path):
    (tmp_path / "wrong.so").write_bytes(b"not a library")
    out, error = sizes("--list", peers=f"{tmp_path / 'wrong.so'}:/no/such/peer.so")
    assert "fast" in out.splitlines()
    assert "wrong.so: " in error and "/no/such/peer.so: " in error


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_instructions_by_size_are_complete():
    rows = {name: bench_sizes.pairs(callgrind.count([BENCH / "bench_sizes", name, "5"]))
            for name in ("(harness)", "fast")}  # fmt: skip
    net = bench_sizes.without_harness(rows)["fast"]
    assert {64, 512, 1024, 1040, 2048, 4096, 8192, 16384, 65536} <= set(net["steady"]), "a size is missing"
    assert set(net["turn"]) <= set(net["steady"])
    assert all(20 < figure < 3000 for figure in net["steady"].values()), net


# --- Workloads that are not ours --------------------------------------------------------------------

MIXES = ["churn", "kernel-mix", "kernel-server", "kernel-host", "network", "files", "young-and-old", "producer-consumer",
         "sawtooth", "survivors"]  # fmt: skip


def mixes(*words, status=0):
    process = subprocess.run([BENCH / "bench_mixes", *words], capture_output=True, text=True, timeout=300, check=False,
                             env=dict(os.environ, HEAP_BENCH_PEERS=""))  # fmt: skip
    assert process.returncode == status, process.stderr
    return process.stdout if status == 0 else process.stderr


def test_mixes_have_large_requests_and_fit_into_the_region():
    rows = [line.split() for line in mixes("--list").splitlines()]
    assert [name for name, _, _ in rows] == MIXES
    assert sum(float(share) > 0.3 for _, share, _ in rows) >= 3, "a third of the requests above 1 KiB"
    assert all(float(share) < 0.36 and 100_000 < int(most) < 6 << 20 for _, share, most in rows), rows


@pytest.mark.parametrize("mix", MIXES)
def test_fast_serves_every_mix(mix):
    mixes("--once", "fast", mix)


@pytest.mark.parametrize("words, reason", [
    (["--once", "nobody", "churn"], "unknown allocator"),
    (["--once", "fast", "nothing"], "unknown mix"),
    (["--once", "bump", "churn"], "this allocator cannot run"),
    ([], "usage"),
])
def test_wrong_words_are_named(words, reason):
    assert reason in mixes(*words, status=1)


def test_each_operation_has_its_instructions():
    text = "totals: 100\n\ntotals: 1687\n\ntotals: 30\n\ntotals: 5\n"
    assert bench_mixes.each_operation(text) == [100, 1687, 30]


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_worst_operation_is_above_the_mean_and_without_the_harness():
    program = BENCH / "bench_mixes"
    rows = bench_mixes.count_all(program, ["(harness)", "fast"], ["files"], 500)
    worst, mean = rows["fast"]["files"]
    raw_worst, raw_mean = bench_mixes.count(program, "fast", "files", 500)
    assert 20 < mean < worst < 20_000
    assert 5 < raw_mean - mean < 30 and raw_worst > worst, "the harness is subtracted"
    assert bench_mixes.count(program, "nobody", "files", 500) is None


def test_lost_columns_come_first_and_the_worst_is_the_first():
    times = {"(harness)": {"a": 1, "b": 1}, "fast": {"a": 5, "b": 3}, "bump": {"a": 2, "b": 2},
             "tlsf": {"a": 9, "b": 2}, "glibc": {"a": 3, "b": 7}}  # fmt: skip
    rows = report.ratios(times, ["a", "b"])
    assert rows["a"]["tlsf"] == 2 and rows["b"]["tlsf"] == 0.5 and "(harness)" not in rows["a"]
    assert report.lost({"a": {"fast": 1, "glibc": 0.9}, "b": rows["b"]}) == [("b", "tlsf", 0.5), ("a", "glibc", 0.9)]


def test_limits_that_are_missed_are_named():
    said = bench_mixes.verdicts({"a": {"fast": 1, "tlsf": 1.2, "mimalloc": 1, "x-checks": 1},
                                 "b": {"fast": 1, "tlsf": 0.5, "mimalloc": 0.5, "x-checks": 2}}, ["tlsf"], ["x-checks"])
    assert [sentence.split(";")[0] for sentence in said] == [
        "a: 1.00 of x-checks", "b: 2.00 of tlsf", "on average: 1.41 of mimalloc"]  # fmt: skip


# --- Misuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status, message, outcome", [
    (0, "", "nothing"), (0, "double free", "report"), (-6, "heap fault: double free", "report"), (-6, "", "abort"),
    (-4, "", "abort"), (-5, "", "abort"), (3, "", "abort"), (-11, "", "crash"), (-7, "\n", "crash"),
])  # fmt: skip
def test_outcome_of_a_process(status, message, outcome):
    assert bench_misuse.outcome(status, message) == outcome


def test_own_heap_reports_the_misuses_that_it_knows():
    rows = bench_misuse.measure(BENCH / "bench_misuse", 3, only=["fast", "fast+debug", "glibc"])
    assert rows["write after free, at offset 16"]["fast+debug"] == {"report": 100}
    for misuse in ("double free", "double free, memory used again", "pointer into a block", "foreign pointer",
                   "copied block and headers", "overrun by 1", "overrun by 8"):  # fmt: skip
        assert rows[misuse]["fast"] == {"report": 100}, misuse
    assert rows["double free"]["glibc"] == {"report": 100}
    assert rows["write after free, at offset 16"]["glibc"] == {"nothing": 100}


def test_unknown_misuse_is_not_a_success():
    assert subprocess.run([BENCH / "bench_misuse", "fast", "1", "nothing"], check=False).returncode == 2
    assert bench_misuse.cell({"report": 100}) == "report"
    assert bench_misuse.cell({"report": 40, "nothing": 60}) == "report 40, nothing 60"


# --- The heap without its checks --------------------------------------------------------------------

UNCHECKED = BENCH / "libfast_unchecked.so"


def test_heap_without_checks_works_and_detects_less():
    environment = dict(os.environ, HEAP_BENCH_PEERS=str(UNCHECKED))
    for mix in ("churn", "files", "survivors"):
        subprocess.run([BENCH / "bench_mixes", "--once", "fast-unchecked", mix], env=environment, check=True)
    for misuse in ("overrun by 1", "underrun by 1"):
        subprocess.run([BENCH / "bench_misuse", "fast-unchecked", "1", misuse], env=environment, check=True)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_checks_cost_instructions_at_every_size(monkeypatch):
    monkeypatch.setitem(callgrind.ENVIRONMENT, "HEAP_BENCH_PEERS", str(UNCHECKED))
    rows = {name: bench_sizes.pairs(callgrind.count([BENCH / "bench_sizes", name, "5"]))["steady"]
            for name in ("fast", "fast-unchecked")}  # fmt: skip
    assert all(rows["fast-unchecked"][size] < rows["fast"][size] for size in rows["fast"]), rows


@pytest.mark.parametrize("load", ["", LIBRARY])
def test_pattern_has_figures_of_live_and_resident_memory(load):
    line = subprocess.run([MEMORY, "valley"], stdout=subprocess.PIPE, text=True, timeout=300, check=True,
                          env=dict(os.environ, LD_PRELOAD=str(load))).stdout  # fmt: skip
    peak_live, peak_resident, end_live, end_resident = map(int, line.split())
    assert 70_000_000 < peak_live <= peak_resident < 1.3 * peak_live
    assert 8_000_000 < end_live <= end_resident <= peak_resident


def test_unknown_pattern_is_refused():
    process = subprocess.run([MEMORY, "nothing"], stderr=subprocess.PIPE, text=True, check=False)
    assert process.returncode == 1
    assert 'there is no pattern "nothing"' in process.stderr
