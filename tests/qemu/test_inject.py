"""`inject` in handoff.conf: each word, with the unmodified loader and kernel, has the outcome of the catalogue."""

import re

import pytest

from boot import HALT_SECONDS
from lab import PANIC, enrolled, expect_panic, expect_ready, expect_stop
from test_progress import STEPS, expect_hang, marks

RAM = r"\[frames\] .*ram_mib=(\d+)"
TOTAL = r"\[frames\] total=(\d+)"


def inject(value):
    """The configuration of a boot that powers off, with the key."""
    words = "debug-exit=0xf4 once unattended"
    return {"handoff.conf": f"cmdline = {words}\ninject = {value}\n".encode()}


def expect_announced(verdict, *words):
    """Each failure is announced by the loader's log, which the kernel prints again."""
    for word in words:
        assert f"warning: inject={word} is on: this boot misbehaves on purpose" in verdict.serial, word
    return verdict


def boot(lab, value):
    verdict = expect_ready(lab.case(inject(value)))
    return expect_announced(verdict, *re.findall(r"[a-z][a-z-]+", value))


def number(verdict, pattern):
    return int(verdict.has_line(pattern).group(1))


def test_boot_without_inject_has_no_warning(lab):
    assert "inject" not in expect_ready(lab.case()).serial


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_FW3_failed_allocation_below_4_gib_is_tried_again(lab, nth):
    """These blocks are for files. Above 4 GiB is as good, if there is no room below."""
    boot(lab, f"fail-pages:{nth}")


@pytest.mark.parametrize("line, words", [("", ""), ("inject = fail-pages:6", "no page below 1 MiB is free")])
def test_failures_of_an_entry_that_cannot_start_do_not_stay(lab, line, words):
    """The next entry does not hang, and its calls are counted from 1 again."""
    lines = ["cmdline = debug-exit=0xf4 once unattended", "entry = a", "module = absent", "inject = hang:1",
             "entry = b", line, ""]  # fmt: skip
    verdict = expect_ready(lab.case({"handoff.conf": "\n".join(lines).encode()}))
    assert verdict.has_line(r"\[loader\] entry b$") and words in verdict.serial, verdict.serial


def test_FW3_failed_allocation_of_the_heap(lab):
    assert boot(lab, "fail-pages:4").has_line(r"\[early-heap\] source=fallback")


def test_T4_failed_allocation_of_the_processors_page(lab):
    assert "no page below 1 MiB is free" in boot(lab, "fail-pages:6").serial


@pytest.mark.parametrize("nth, purpose", [(5, "stack"), (7, "handoff-data"), (8, "page-tables")])
def test_E10_failed_allocation_that_is_needed(lab, nth, purpose):
    verdict = expect_stop(lab.case(inject(f"fail-pages:{nth}")), 12)
    expect_announced(verdict, "fail-pages")
    assert f"KiB for the {purpose} (firmware: out of resources" in verdict.serial


@pytest.mark.parametrize("count", [1, 7])
def test_FW10_stale_key(lab, count):
    verdict = boot(lab, f"stale-key:{count}")
    assert marks(verdict.serial) == ["exit"] + ["again"] * count + STEPS[1:]
    assert f"the firmware ended boot services after {count + 1} attempts" in verdict.serial


def test_FW11_stale_key_every_time(lab):
    verdict = lab.case(inject("stale-key:1000000"))
    assert verdict.code == PANIC["LOADER_FAULT"]
    assert "HL-16:" in verdict.serial


@pytest.mark.parametrize("count", [3, 1000])
def test_FW6_growing_map(lab, count):
    boot(lab, f"grow-map:{count}")


@pytest.mark.parametrize("word", ["shuffle-map", "repeat-map"])
def test_M2_M8_rows_in_another_order_or_twice(lab, word):
    plain = expect_ready(lab.case())
    verdict = boot(lab, word)
    assert abs(number(verdict, TOTAL) - number(plain, TOTAL)) < 256


def test_M4_unaligned_row(lab):
    verdict = boot(lab, "misalign-map")
    assert re.search(r"memory map rows: .* [1-9]\d* unaligned shrunk", verdict.serial)


def test_M7_reserved_row_over_free_memory(lab):
    plain = expect_ready(lab.case())
    verdict = boot(lab, "overlap-map")
    assert re.search(r"memory map rows: .* [1-9]\d* overlapping", verdict.serial)
    assert number(verdict, RAM) < number(plain, RAM) - 16


def test_M17_row_above_all_addresses(lab):
    plain = expect_ready(lab.case())
    verdict = boot(lab, "high-map")
    assert re.search(r"memory map rows: .* [1-9]\d* wrapping dropped", verdict.serial)
    assert number(verdict, RAM) == number(plain, RAM)


def test_M13_no_attributes(lab):
    verdict = boot(lab, "clear-attributes")
    assert "no memory map row has attributes: RAM is taken as write-back" in verdict.serial


def test_FW15_hidden_screen(lab):
    assert boot(lab, "hide-screen").has_line(r"\[handoff\] warning: no screen")


def test_G_smaller_screen(lab):
    boot(lab, "shrink-screen")


def test_E21_link_address_is_in_use(lab):
    """The loader places a kernel anywhere, so that nothing changes but the place."""
    verdict = boot(lab, "occupy-link-address")
    place = int(verdict.has_line(r".*kernel: \d+ KiB at ([0-9a-f]+),").group(1), 16)
    assert place >= 17 << 20 or place < 1 << 20


def test_H6_heap_fields_are_zero(lab):
    verdict = boot(lab, "zero-heap")
    assert verdict.has_line(r"\[early-heap\] source=fallback")


FULL = pytest.mark.full
# Each word, and the reason with which the kernel refuses the handoff. tests/unit/test_inject.c has all words, too.
DAMAGE = [
    ("bad-checksum", "bad checksum"),
    pytest.param("bad-magic", "magic", marks=FULL), pytest.param("bad-version", "major version", marks=FULL),
    pytest.param("bad-size", "size", marks=FULL), pytest.param("bad-machine", "another kind of CPU", marks=FULL),
    pytest.param("bad-root", "page_table_root", marks=FULL), pytest.param("bad-array", "region", marks=FULL),
    ("bad-regions", "region"),
]


@pytest.mark.parametrize("word, reason", DAMAGE)
def test_H_damaged_handoff_is_refused(lab, word, reason):
    """The kernel trusts no word of the handoff then, so it does not know QEMU's exit device."""
    verdict = expect_announced(lab.case(inject(word), panic_seconds=HALT_SECONDS), word)
    assert not verdict.success
    assert verdict.has_line(rf"\[panic\] cause: .*is refused: .*{reason}"), verdict.serial


def test_H2_newer_minor_version_is_accepted(lab):
    boot(lab, "newer-minor")


def test_X8_jump_to_a_bad_address(lab):
    verdict = expect_panic(lab.case(inject("bad-jump")), "LOADER_FAULT")
    assert verdict.has_line(r"\[loader\] fault: #PF page fault, before the kernel's handlers")
    assert "rip 0000200000000000" in verdict.serial


@pytest.mark.parametrize("step", range(1, len(STEPS) + 1))
def test_hang_in_each_step_is_visible(lab, tmp_path, step):
    expect_hang(lab, STEPS[:step], tmp_path, changes=inject(f"hang:{step}"))


def test_several_faults_together(lab):
    boot(lab, "stale-key:2, shuffle-map, repeat-map, zero-heap, hide-screen")


@pytest.mark.parametrize("value", ["fail-page:1", "fail-pages", "hide-screen:1", "hide-screen,"])
def test_CF7_wrong_word_names_all_words(lab, value):
    verdict = expect_stop(lab.case(inject(value)), 28)
    for word in ("fail-pages:N", "stale-key:N", "bad-jump", "occupy-link-address"):
        assert word in verdict.serial
    assert "line 2" in verdict.serial


def test_I3_inject_is_refused_with_secure_boot(lab):
    changes = inject("shuffle-map, zero-heap")
    verdict = expect_stop(lab.case({**changes, **enrolled(changes)}, plan=["secure-boot 1"]), 29)
    assert "what:   the key inject" in verdict.serial and "is on: this boot misbehaves" not in verdict.serial


def test_I3_inject_works_with_secure_boot_off(lab):
    verdict = expect_ready(lab.case(inject("zero-heap"), plan=["secure-boot 0"]))
    expect_announced(verdict, "zero-heap")
