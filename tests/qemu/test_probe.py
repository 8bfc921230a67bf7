"""docs/HANDOFF.md, checked on machines: the probe kernel re-derives every promise (tests/qemu/probe/).
It also misbehaves on request, so that the loader's fault handlers have to name the fault."""

import re

import pytest

from lab import BUILD, CASE_MEMORY, PANIC, ROOT, image
from machines import DISC, EXECUTABLE, MODERN, PLAIN, SMALL

PROBE = BUILD / "probe/probe.elf"
KEPT = 0x10
# The least number of promises. A mistake of the probe would end it early.
PROMISE_COUNT_MINIMUM = 60


def boot_probe(lab, words="", machine=None, only=None, **settings):
    """Boot the probe as the kernel, from the snapshot of a machine, or as Lab.boot_machine() does."""
    settings = {"kernel": PROBE, "command_line": words, **settings}
    if only is None:
        return lab.case(machine=machine, **settings)
    return lab.boot_machine(machine, only, **settings)


def figures(verdict):
    """Return the figures that the probe printed for the test to check: `# key=value`."""
    return dict(re.findall(r"^# (\w+)=(.*)$", verdict.serial, re.MULTILINE))


def expect_kept(verdict):
    """Check that every promise was kept, that none was left out, and that their number is that of the plan."""
    broken = re.findall(r"^not ok .*$", verdict.serial, re.MULTILINE)
    assert not broken, "\n".join(broken) + "\n" + verdict.serial
    kept = re.findall(r"^ok (\S+)", verdict.serial, re.MULTILINE)
    assert len(set(kept)) == len(kept) >= PROMISE_COUNT_MINIMUM, verdict.serial
    return kept


def expect_complete(verdict):
    """Check that the probe ran to its end, and that every promise was kept."""
    kept = expect_kept(verdict)
    assert verdict.code == KEPT, f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(rf"1\.\.{len(kept)}$"), verdict.serial
    skipped = re.findall(r"^ok .*# SKIP.*$", verdict.serial, re.MULTILINE)
    assert not skipped, "this firmware shows everything that can be proven: " + "\n".join(skipped)
    return figures(verdict)


@pytest.mark.parametrize("memory, machine", [("52M", None), ("512M", EXECUTABLE), ("4G", DISC)],
                         ids=["52M", "512M", "4G"])  # fmt: skip
def test_promises_hold_with_memory(lab, memory, machine):
    if machine is None:
        verdict = lab.cold(kernel=PROBE, machine={"memory": memory})
    else:
        verdict = boot_probe(lab, machine=machine, only={"memory": memory})
    seen = expect_complete(verdict)
    asked = int(memory[:-1]) * {"M": 1024**2, "G": 1024**3}[memory[-1]]
    assert asked * 0.95 - 4 * 1024**2 <= int(seen["ram_bytes"], 0) <= asked


@pytest.mark.parametrize("cpu, machine, flags", [("max", MODERN, 3), ("qemu64", PLAIN, 1), ("qemu64,-nx", EXECUTABLE, 0)],
                         ids=["max-3", "qemu64-1", "qemu64,-nx-0"])  # fmt: skip
def test_promises_hold_on_cpu(lab, cpu, machine, flags):
    """With and without NX (flag 1) and 1 GiB pages (flag 2)."""
    seen = expect_complete(boot_probe(lab, machine=machine, only={"cpu": cpu, "memory": "3G"}))
    assert int(seen["flags"], 0) == flags


def test_P12_promises_hold_on_a_cpu_without_pat_global_pages_and_machine_checks(lab):
    """The loader does not switch on features that the CPU lacks."""
    expect_complete(boot_probe(lab, machine=SMALL, only={"cpu": "qemu64,-pat,-pge,-mce"}))


def test_M13_promises_hold_with_firmware_ram_that_is_not_write_back(lab):
    expect_complete(boot_probe(lab, plan=["firmware-uncached"]))


@pytest.mark.parametrize("graphics, machine", [("virtio-gpu", EXECUTABLE), ("none", PLAIN)],
                         ids=["virtio-gpu", "none"])  # fmt: skip
def test_FW15_promises_hold_without_linear_framebuffer(lab, graphics, machine):
    seen = expect_complete(boot_probe(lab, machine=machine, only={"graphics": graphics}))
    assert int(seen["pixel_format"], 0) == 0


def test_promises_hold_with_framebuffer(lab):
    seen = expect_complete(boot_probe(lab))
    assert int(seen["pixel_format"], 0) == 2
    assert int(seen["width_pixels"], 0) >= 640 and int(seen["height_pixels"], 0) >= 480


def test_origin_is_the_partition_of_the_image(lab):
    seen = expect_complete(boot_probe(lab))
    assert int(seen["boot_source"], 0) == 1
    assert bytes(map(int, seen["boot_partition"].split())) == image.PARTITION_ID.bytes_le
    assert seen["kernel_path"] == "\\kernel.elf"


def test_origin_of_a_disc_is_no_partition(lab):
    seen = expect_complete(boot_probe(lab, machine=DISC, only={"medium": "iso"}))
    assert int(seen["boot_source"], 0) == 2
    assert seen["boot_partition"] == " ".join(["0"] * 16)


def test_promises_hold_with_several_cpus(lab):
    """Those of the processors that the loader started, too."""
    seen = expect_complete(boot_probe(lab, "processors=start", machine=SMALL, only={"cpu_count": 4}))
    assert int(seen["processor_count"], 0) == 4


@pytest.mark.parametrize("machine, only, source", [
    (None, None, 1), (DISC, {"random_device": False, "cpu": "max"}, 2),
    (PLAIN, {"random_device": False, "cpu": "qemu64"}, 0),
], ids=["None-1", "options1-2", "options2-0"])  # fmt: skip
def test_seed_comes_from_the_best_source(lab, machine, only, source):
    seen = expect_complete(boot_probe(lab, machine=machine, only=only))
    assert int(seen["random_seed_source"], 0) == source


@pytest.mark.parametrize("asked, size_bytes", [("0", 0), ("4M", 4 * 1024**2), ("5000", 8192)])
def test_promises_hold_with_temporary_heap(lab, asked, size_bytes):
    """With 0 there is no heap. Other sizes are rounded up to whole pages."""
    seen = expect_complete(boot_probe(lab, temp_heap=asked))
    assert int(seen["temp_heap_size"], 0) == size_bytes


def test_FW3_promises_hold_without_memory_for_the_heap(lab):
    """More than the machine has: both fields are 0, and the boot continues."""
    seen = expect_complete(boot_probe(lab, temp_heap="1G"))
    assert int(seen["temp_heap_size"], 0) == 0


@pytest.mark.parametrize("words", ["a  b=c   'single' title=\"two words\"", '"a b" c', ' "a" "b"'])
def test_command_line_arrives_unchanged(lab, words):
    seen = expect_complete(boot_probe(lab, words))
    assert seen["command_line"].endswith(" " + words)


def test_loader_names_its_version(lab):
    version = (ROOT / "VERSION").read_text(encoding="ascii").strip()
    assert expect_complete(boot_probe(lab))["loader_name"] == f"handoff-loader {version}"


@pytest.mark.parametrize(
    "name, report",
    [
        ("undefined", "#UD"),
        ("breakpoint", "#BP"),
        ("stack-overflow", r"#(?:DF|PF)[^\0]* below the kernel's first stack: it overflowed"),
        ("page-zero", r"#PF[^\0]*  cr2:    in page 0: a null pointer"),
        ("write-text", r"#PF[^\0]*  code:   0x3: write in kernel mode, the page is there, but not writable"),
        ("execute-data", r"#PF[^\0]*  code:   0x11: instruction fetch [^\0]*  remedy: look for a bad pointer"),
    ],
)
def test_X8_loader_names_the_fault(lab, name, report):
    verdict = boot_probe(lab, f"probe={name}")
    expect_kept(verdict)
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(rf"\[loader\] fault: {report}"), verdict.serial
    assert verdict.has_line(r"  rip ffffffff812[0-9a-f]{5} "), "the place is in the probe"


def test_X8_loader_names_an_entry_that_returns(lab):
    verdict = boot_probe(lab, "probe=return")
    expect_kept(verdict)
    assert verdict.code == PANIC["KERNEL_RETURNED"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"\[loader\] kernel entry returned"), verdict.serial


def with_alignment(kernel, alignment):
    """Return the ELF file with this alignment of its first segment. The bytes of the segment move to the end of the
    file, to an offset that agrees with the address."""
    row = int.from_bytes(kernel[32:40], "little")
    offset, start, size = (int.from_bytes(kernel[row + n : row + n + 8], "little") for n in (8, 16, 32))
    moved = start % alignment
    while moved < len(kernel):
        moved += alignment
    changed = bytearray(kernel.ljust(moved, b"\0") + kernel[offset : offset + size])
    changed[row + 8 : row + 16] = moved.to_bytes(8, "little")
    changed[row + 48 : row + 56] = alignment.to_bytes(8, "little")
    return bytes(changed)


@pytest.mark.parametrize("alignment, memory", [
    (2 << 20, CASE_MEMORY), pytest.param(1 << 30, "4G", marks=pytest.mark.full),
])  # fmt: skip
def test_alignment_of_a_segment_holds_for_the_physical_address(lab, tmp_path, alignment, memory):
    kernel = tmp_path / "kernel.elf"
    kernel.write_bytes(with_alignment(PROBE.read_bytes(), alignment))
    verdict = boot_probe(lab, kernel=kernel, machine={"memory": memory})
    expect_complete(verdict)
    place = verdict.has_line(r"kernel: \d+ KiB at ([0-9a-f]+), entry ([0-9a-f]+)")
    start = int.from_bytes(PROBE.read_bytes()[80:88], "little")
    assert int(place.group(1), 16) % alignment == start % alignment
