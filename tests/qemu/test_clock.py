"""The frequency of the CPU's clock, and where it comes from (catalogue L7)."""

import re

import pytest

from lab import expect_ready

# The CPU of QEMU's TCG does not state the frequency.
TCG = {"machine": {"accelerator": "tcg", "cpu": "max"}}
# The host is busy, and the counters of the machine are a program on it.
TOLERANCE = 0.1


def frequency(verdict):
    """Return the frequency in MHz, and its source, from the loader's log."""
    found = verdict.has_line(r"\[loader\] .*TSC at (\d+) MHz \((.*)\)$")
    assert found, verdict.serial
    return int(found.group(1)), found.group(2)


@pytest.fixture(scope="module")
def megahertz(lab):
    """The frequency by the best source of this machine."""
    found, source = frequency(expect_ready(lab.case(**TCG)))
    assert source == "ACPI PM timer"
    return found


@pytest.mark.parametrize("plan, source", [
    (["event-timer-runs"], "HPET"),
    ([], "HPET"),  # OVMF has switched it off: the loader lets it count for the measurement
    (["stall-at-once"], "ACPI PM timer"),
    (["spcr-port 1016"], "firmware's delay"),  # the SPCR table takes the place of the HPET's
])  # fmt: skip
def test_L7_every_source_gives_the_same_frequency(lab, megahertz, plan, source):
    """The loader measures for less than a millisecond. A busy host can stop the emulated CPU in between while the clock
    goes on, so the result depends on the host. A wrong frequency, and one that the loader itself refused, is therefore
    measured again, at most twice. This hides no wrong calculation: the boots are equal, so it is wrong in each. If the
    loader refuses every time, the test fails, too."""
    without = [] if source == "ACPI PM timer" else ["no-power-timer"]
    seen = []
    while len(seen) < 3 and not (seen and abs(seen[-1] - megahertz) < megahertz * TOLERANCE):
        found, found_source = frequency(expect_ready(lab.case(plan=without + plan, **TCG)))
        assert found_source in (source, "unknown")
        seen.append(found)
    assert found_source == source
    assert abs(seen[-1] - megahertz) < megahertz * TOLERANCE, (seen, megahertz)


@pytest.mark.parametrize("fault", ["stall-at-once", "stall-fails"])
def test_L7_a_delay_that_does_not_wait_is_no_clock(lab, fault):
    """The frequency is unknown, the log says so, and the boot goes on."""
    verdict = expect_ready(lab.case(plan=["no-power-timer", "spcr-port 1016", fault], command_line="print-timeline", **TCG))
    assert verdict.has_line(r"\[loader\] warning: the frequency of the TSC is unknown")
    assert frequency(verdict) == (0, "unknown")
    assert set(re.findall(r"^\[timeline\] .*?us=(\d+)", verdict.serial, re.MULTILINE)) <= {"0"}
