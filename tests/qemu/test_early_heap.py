"""The temporary heap is accepted, or refused for a real reason (catalogue H, FW3)."""

import pytest

import firmware
from lab import expect_panic, expect_ready, expect_stop, installed

MIB = 1024 * 1024


def early_heap(verdict):
    """Return source, size and reason of the line about the early heap."""
    line = verdict.has_line(r'\[early-heap\] source=(\w+) base=(\w+) size=(\d+) reason="(.*)"')
    assert line, verdict.serial
    return line.group(1), int(line.group(3)), line.group(4)


def test_temporary_heap_is_used(lab):
    verdict = expect_ready(lab.case())
    assert early_heap(verdict) == ("handoff", MIB, "ok")
    returned = verdict.has_line(r"\[early-heap\] retired used=\d+ peak=\d+ returned=(\d+)")
    assert returned and 200 <= int(returned.group(1)) <= 256


@pytest.mark.parametrize(
    "setting, size", [("64K", 64 << 10), ("256K", 256 << 10), ("0x100000", MIB), ("8M", 8 * MIB)]
)
def test_size_is_configurable(lab, setting, size):
    if setting.startswith("0x"):
        setting = str(size)
    verdict = expect_ready(lab.case(temp_heap=setting))
    assert early_heap(verdict)[:2] == ("handoff", size)


def test_H6_no_requested_heap_means_fallback(lab):
    verdict = expect_ready(lab.case(temp_heap="0"))
    source, size, reason = early_heap(verdict)
    assert (source, size) == ("fallback", MIB)
    assert reason and reason != "ok"
    assert verdict.has_line(r"\[early-heap\] warning:")


def test_FW3_refused_allocation_means_fallback(lab):
    """The request for the heap fails: 256 pages."""
    verdict = expect_ready(lab.case(plan=["fail-size 256"]))
    assert "AllocatePages" in verdict.serial
    assert early_heap(verdict)[0] == "fallback"


def test_FW3_more_than_the_machine_has_means_fallback(lab):
    verdict = expect_ready(lab.case(temp_heap="2G"))
    assert early_heap(verdict)[0] == "fallback"


# The 2 MiB build leaves more of a small machine.
SMALLER = [(name, 52) for name in installed("/usr/share/OVMF/OVMF_CODE.fd") if name is not None]


@pytest.mark.full
@pytest.mark.parametrize("name, from_mib", [(None, 56)] + SMALLER)
def test_FW3_fallback_for_real_in_a_small_machine(lab, name, from_mib):
    """The memory shrinks in three stages, and there is no other. First the loader hands over a heap. Then
    the kernel fits, but its heap does not. Then the loader says that the kernel does not fit. QEMU's
    memory comes in whole MiB, so a heap of two MiB ensures that the middle stage exists."""
    sources = []
    for mib in range(from_mib, 32, -2):
        # Machine takes no less than the larger build needs; of two sizes QEMU takes the last one.
        small = {"extra": ["-m", f"{mib}M"], "firmware": firmware.find(name)}
        verdict = lab.cold(machine=small, temp_heap="2M")
        if not verdict.success:
            break
        sources.append(early_heap(verdict)[0])
    handed_over = sources.count("handoff")
    assert handed_over >= 1 and len(sources) > handed_over, sources
    assert sources == sorted(sources, reverse=True), "a smaller machine does not have more"
    assert "HL-12:" in verdict.serial and "remedy:" in verdict.serial, verdict.serial


def test_FW3_memory_really_exhausted(lab):
    """The firmware has room for the kernel and the small blocks, but not for the heap."""
    plain = expect_ready(lab.case())
    kernel_kib = int(plain.has_line(r"\[loader\] kernel: (\d+) KiB").group(1))
    verdict = expect_ready(lab.case(plan=[f"leave-pages {kernel_kib // 4 + 200}"]))
    assert early_heap(verdict)[0] == "fallback"
    assert "fail" not in verdict.serial.split("starting the loader")[0]


def test_H6_heap_strict_makes_it_a_panic(lab):
    expect_panic(lab.case(command_line="heap=strict", temp_heap="0"), "EARLY_HEAP_STRICT")


def test_FW3_every_single_allocation_failing(lab):
    """For each failing AllocatePages, the loader frees all memory and stops, or boots without the heap, or without the
    page for starting processors. It requests a block for reading from a device again, at any address. It
    requests the boot record at its second place."""
    calls, asked_again, lacking = 0, 0, []
    for nth in range(1, 16):
        verdict = lab.case(plan=[f"fail-pages {nth}"])
        if "conductor: AllocatePages" not in verdict.serial:
            expect_ready(verdict)
            break
        calls += 1
        if not verdict.success:
            expect_stop(verdict, 12)
        elif early_heap(verdict)[0] == "fallback":
            lacking.append("heap")
        elif verdict.has_line(r"\[loader\] warning: no page below 1 MiB is free"):
            lacking.append("processor start")
        else:
            asked_again += 1
    assert lacking == ["heap", "processor start"]
    assert asked_again == 5, "the boot record, the configuration, the program headers, the notes, and the kernel"
    assert calls >= 5, "the loader takes kernel, heap, stack, that page and handoff at least"


def test_FW4_block_at_address_zero_is_exchanged(lab):
    """A zero in the handoff means `none`: the loader takes another block, then frees the first."""
    for nth in range(1, 16):
        verdict = expect_ready(lab.case(plan=[f"address-zero {nth}"]))
        if "hands out address 0" not in verdict.serial:
            break
        assert "conductor: address 0 was given back" in verdict.serial, f"allocation {nth}"
        assert early_heap(verdict)[0] == "handoff"


def test_FW5_block_inside_the_loader_is_refused(lab):
    verdict = lab.case(plan=["overlap-image 2"])
    assert "hands out the loader's image" in verdict.serial
    assert "HL-13:" in verdict.serial
    assert not verdict.success
    assert "remedy:" in verdict.serial
