"""Small programs, large blocks, and memory that is returned to the system: the edges of the preload library's heap."""

import re

import pytest

from test_preload import BUILD, POLICIES, run

DEBUG = {"HANDOFF_HEAP_DEBUG": "1"}
EDGES = BUILD / "edges"
MIB = 1 << 20


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("size_bytes", [16, 16300, 16400, 65536, 130000, MIB, 4 * MIB - 8192])
def test_K10_first_buffers_of_a_small_program_are_watched(policy, size_bytes):
    """Every block is checked, from the first one on, at its beginning and at its end."""
    for offset in (0, size_bytes // 2 if size_bytes <= 131072 else 30, size_bytes - 1):
        _, said = run([EDGES, "write-after-free", str(size_bytes), str(offset)], policy, environment=DEBUG, status=-6)
        assert re.search(rf"^heap: write after free: .* of {size_bytes} bytes, allocated by 0x\w+, freed by 0x", said,
                         re.M), (offset, said)  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("count", [1, 8, 16, 40, 64])
def test_K8_overrun_is_reported_with_size_and_caller(policy, count):
    for size_bytes in (24, 40, 1000):
        _, said = run([EDGES, "overrun", str(size_bytes), str(count)], policy, environment=DEBUG, status=-6)
        assert re.search(rf"^heap: overrun: .* of {size_bytes} bytes, allocated by 0x[1-9a-f]", said, re.M), said


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("count", [1, 8, 16])
def test_K8_underrun_is_reported_with_size_and_caller(policy, count):
    """Both blocks have the same size. The memory before the second block is the end of the first."""
    _, said = run([EDGES, "underrun", "24", str(count)], policy, environment=DEBUG, status=-6)
    assert re.search(r"^heap: overrun: .* of 24 bytes, allocated by 0x[1-9a-f]", said, re.M), said


@pytest.mark.parametrize("policy", POLICIES)
def test_debug_does_not_touch_unused_pages(policy):
    """One page of 2 GiB is used. The patterns use 128 KiB, and the end of the heap a few pages."""
    printed, said = run([EDGES, "sparse", str(2048 * MIB)], policy, environment=DEBUG)
    assert all(int(kib) < 2048 for kib in printed.split()), printed
    assert "failures=0 check=passed" in said


@pytest.mark.parametrize("debug", [{}, DEBUG])
@pytest.mark.parametrize("policy", POLICIES)
def test_trim_gives_free_pages_back_wherever_they_lie(policy, debug):
    printed, said = run([EDGES, "trim"], policy, environment=debug)
    has_given, before_kib, after_kib = map(int, printed.split())
    assert has_given == 1
    if policy == "fast":
        assert before_kib < 25000  # it gives most of them back while the program frees
    else:
        assert before_kib > 70000
    assert after_kib < 6000
    assert said.endswith("check=passed\n")
