"""The figures that the heap's benchmarks print about memory."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import folders

ROOT = Path(__file__).resolve().parents[2]
REPLAY = folders.build_folder() / "bench/bench_replay"
MEMORY = folders.build_folder() / "bench/bench_memory"
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
                             timeout=60, check=False)  # fmt: skip
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
    (tmp_path / "traces.json").write_text(json.dumps({"ratios": {"git": {"fast": 1.0, "glibc": 1.5}}}))
    subprocess.run([sys.executable, ROOT / "tests/bench/plot_heap.py", tmp_path / "heap.json",
                    tmp_path / "traces.json", tmp_path / "out.svg"], check=True)  # fmt: skip
    root = ElementTree.parse(tmp_path / "out.svg").getroot()
    marks = [e.tag.split("}")[1] for e in root if e.tag.split("}")[1] in ("circle", "polygon")]
    assert sorted(marks) == ["circle"] * 3 + ["polygon"] * 3, "two of each kind belong to the legend"
    texts = [element.text for element in root.iter() if element.text]
    assert {"churn", "a < b", "replayed: git", "glibc", "tlsf"} <= set(texts)


@pytest.mark.parametrize("load", ["", LIBRARY])
def test_pattern_has_figures_of_live_and_resident_memory(load):
    line = subprocess.run([MEMORY, "valley"], stdout=subprocess.PIPE, text=True, timeout=60, check=True,
                          env=dict(os.environ, LD_PRELOAD=str(load))).stdout  # fmt: skip
    peak_live, peak_resident, end_live, end_resident = map(int, line.split())
    assert 70_000_000 < peak_live <= peak_resident < 1.3 * peak_live
    assert 8_000_000 < end_live <= end_resident <= peak_resident


def test_unknown_pattern_is_refused():
    process = subprocess.run([MEMORY, "nothing"], stderr=subprocess.PIPE, text=True, check=False)
    assert process.returncode == 1
    assert 'there is no pattern "nothing"' in process.stderr
