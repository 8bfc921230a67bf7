"""Notes in a kernel's file: its abilities and demands (shared/handoff_note.h).

The probe has a note of every type. The tests change values in its file. The probe compares the stack, the direct map
and the levels with its own notes.
"""

import struct

import pytest

from lab import expect_stop
from machines import EXECUTABLE, MODERN, PLAIN
from test_probe import PROBE, boot_probe, expect_complete

VERSION, LEVELS, STACK, DIRECT_MAP_LIMIT, NEEDS = 1, 2, 3, 4, 5
SCREEN, NO_EXECUTE = 1, 2
FOUR, FIVE = 0x10, 0x20
HEADER = struct.Struct("<III8s")
OWNER = b"Handoff\0"


def find_note(kernel, kind):
    """Return the offset of the probe's note of this type."""
    return kernel.index(HEADER.pack(8, 8, kind, OWNER))


def with_notes(values):
    """Return the probe's file with these values: {type: value}."""
    kernel = bytearray(PROBE.read_bytes())
    for kind, value in values.items():
        struct.pack_into("<Q", kernel, find_note(kernel, kind) + HEADER.size, value)
    return bytes(kernel)


@pytest.fixture(name="boot")
def boot_fixture(lab, tmp_path):
    def boot(content, *words, **settings):
        kernel = tmp_path / "kernel.elf"
        kernel.write_bytes(content)
        return boot_probe(lab, *words, kernel=kernel, **settings)

    return boot


@pytest.mark.parametrize("value, words", [
    (1, "handoff version 1.0; this loader has 2.1"), (3, "handoff version 3.0; this loader has 2.1"),
    (2 | 2 << 16, "handoff version 2.2; this loader has 2.1"),
])  # fmt: skip
def test_L6_kernel_for_another_version(boot, value, words):
    assert f"what:   \\kernel.elf: {words}" in expect_stop(boot(with_notes({VERSION: value})), 25).serial


@pytest.mark.parametrize("kind, value, words", [
    (LEVELS, 0x8, "page tables of neither four nor five levels"),
    (STACK, (16 << 20) + 1, "a stack of 16777217 bytes; the limit is 16777216"),
    (DIRECT_MAP_LIMIT, 1 << 30, "a direct map below 0x40000000; the loader needs 4 GiB"),
    (NEEDS, 1 << 40, "something that this loader does not know"),
])  # fmt: skip
def test_L6_demand_that_no_machine_can_meet(boot, kind, value, words):
    assert words in expect_stop(boot(with_notes({kind: value})), 25).serial


@pytest.mark.parametrize("machine, values, words", [
    (EXECUTABLE, {NEEDS: SCREEN}, "a screen; the machine has no linear framebuffer"),
    (EXECUTABLE, {NEEDS: NO_EXECUTE}, "a CPU with no-execute pages"),
    (PLAIN, {LEVELS: FIVE}, "five levels of page tables; the CPU has four"),
], ids=["screen", "nx", "five-levels"])  # fmt: skip
def test_L6_demand_that_this_machine_cannot_meet(boot, machine, values, words):
    assert words in expect_stop(boot(with_notes(values), machine=machine), 25).serial


def test_L6_demands_that_the_machine_meets(boot):
    values = {NEEDS: SCREEN | NO_EXECUTE, STACK: 1 << 20, LEVELS: FOUR, DIRECT_MAP_LIMIT: 4 << 30}
    expect_complete(boot(with_notes(values)))


@pytest.mark.full
def test_no_heap_beyond_the_direct_map_of_the_kernel(boot):
    """The heap is larger than the direct map. So the difference of the two sizes is below 0."""
    verdict = boot(with_notes({DIRECT_MAP_LIMIT: 4 << 30}), machine={"memory": "12G"}, temp_heap="5G from 4G")
    assert "warning: no temporary heap 1: " in verdict.serial, verdict.serial


@pytest.mark.parametrize("size", [65537, 16 << 20])
def test_stack_is_as_large_as_the_note_demands(boot, size):
    expect_complete(boot(with_notes({STACK: size})))


def test_direct_map_ends_at_the_limit_of_the_note(boot):
    """A third of 3 GiB of memory is above 4 GiB. The probe compares its regions with the rules of HANDOFF.md."""
    seen = expect_complete(boot(with_notes({DIRECT_MAP_LIMIT: 4 << 30}), machine=PLAIN))
    assert 1.9 * 1024**3 < int(seen["ram_bytes"], 0) <= 2 * 1024**3


def test_framebuffer_beyond_the_limit_of_the_note_is_dropped(boot):
    verdict = boot(with_notes({DIRECT_MAP_LIMIT: 4 << 30}), plan=[f"graphics-at {8 << 30}"])
    assert int(expect_complete(verdict)["pixel_format"], 0) == 0


def test_L6_screen_beyond_the_limit_of_the_note(boot):
    values = {DIRECT_MAP_LIMIT: 4 << 30, NEEDS: SCREEN}
    verdict = expect_stop(boot(with_notes(values), plan=[f"graphics-at {8 << 30}"]), 25)
    assert "a screen; the machine has no linear framebuffer" in verdict.serial
    assert "warning: the framebuffer at 200000000 is dropped" in verdict.serial


@pytest.mark.parametrize("levels, words, flags", [
    (FOUR, "", 3), (FOUR, "paging=5", 3), (FIVE, "", 7), (FIVE, "paging=4", 7),
])  # fmt: skip
def test_levels_are_those_of_the_note(boot, levels, words, flags):
    verdict = boot(with_notes({LEVELS: levels}), words, machine=MODERN)
    assert int(expect_complete(verdict)["flags"], 0) == flags
    ignored = "warning: paging= is ignored: the kernel supports only"
    assert (ignored in verdict.serial) == (words != "")


@pytest.mark.parametrize("plan, levels", [(["fail-size 2"], FIVE), (["five-levels", "fail-size 2"], FOUR)])
def test_L6_no_memory_for_the_switch_of_levels(boot, plan, levels):
    """The switch needs two pages below 4 GiB."""
    verdict = expect_stop(boot(with_notes({LEVELS: levels}), plan=plan), 25)
    assert "no memory below 4 GiB for the switch" in verdict.serial


def test_L1_kernel_with_four_levels_on_firmware_with_five(boot):
    verdict = boot(with_notes({LEVELS: FOUR}), plan=["five-levels"])
    assert int(expect_complete(verdict)["flags"], 0) == 3


def test_N5_note_of_unknown_type_is_ignored(boot):
    kernel = bytearray(PROBE.read_bytes())
    struct.pack_into("<I", kernel, find_note(kernel, STACK) + 8, 99)
    expect_complete(boot(bytes(kernel)))


@pytest.mark.parametrize("alignment", [0, 3, 1 << 63])
def test_alignment_without_a_meaning_is_not_read(boot, alignment):
    verdict = boot(spoil(with_notes({STACK: 1 << 17}), 48, alignment))
    expect_complete(verdict)


def spoil(kernel, field, value):
    """Return the file with another number in a field of the program header PT_NOTE."""
    changed = bytearray(kernel)
    table, count = struct.unpack_from("<Q", kernel, 32)[0], struct.unpack_from("<H", kernel, 56)[0]
    headers = [table + 56 * n for n in range(count)]
    note = next(at for at in headers if struct.unpack_from("<I", kernel, at)[0] == 4)
    struct.pack_into("<Q", changed, note + field, value)
    return bytes(changed)


def note_with(at, number):
    kernel = bytearray(PROBE.read_bytes())
    struct.pack_into("<I", kernel, find_note(kernel, STACK) + at, number)
    return bytes(kernel)


@pytest.mark.parametrize("kernel, words", [
    (lambda: note_with(4, 4), "A note for the loader has a value that is not 8 bytes long."),
    (lambda: note_with(4, 0xFFFFFFFF), "A note passes the end of its segment."),
    (lambda: note_with(8, LEVELS), "A note for the loader stands there a second time."),
    (lambda: spoil(PROBE.read_bytes(), 8, 1 << 63), "A segment with notes is not inside the file."),
    (lambda: spoil(PROBE.read_bytes(), 32, 65537) + bytes(1 << 20), "A segment with notes is larger than 64 KiB."),
], ids=["size", "cut", "repeated", "outside", "large"])  # fmt: skip
def test_N5_malformed_note(boot, kernel, words):
    assert words in expect_stop(boot(kernel()), 24).serial
