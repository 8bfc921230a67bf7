"""The loader waits for a person, on firmware whose keyboard, timer or delay does not work (catalogue W1 to W5)."""

import re

import pytest

from lab import TIMEOUT_SECONDS, expect_ready, expect_stop

# An error after which the loader waits: the line with `unattended` is not read.
BROKEN = {"handoff.conf": b"kernel\n"}
# HL-03
CONFIGURATION = 3


def delays(verdict):
    """Return the microseconds of all delays that the loader has asked for."""
    return int(verdict.has_line(r"conductor: the loader asked for (\d+) us").group(1))


def stop(lab, *plan):
    """Return the verdict of a boot that stops. A key is held down, unless the plan says something else."""
    return expect_stop(lab.case(BROKEN, plan=plan), CONFIGURATION)


def test_W1_a_key_is_read_only_when_there_is_one(lab):
    """The conductor ends the machine at a read without a key."""
    verdict = stop(lab, "key-after 300000")
    assert "Press a key to return to the firmware" in verdict.serial
    assert "FORBIDDEN" not in verdict.serial


def test_W4_a_key_is_seen_at_once(lab):
    """A key that is held down since power-on, and one that is pressed later."""
    for after in (0, 300000):
        verdict = stop(lab, f"key-after {after}")
        assert delays(verdict) - after < 100_000, verdict.serial


@pytest.mark.full  # ten seconds of a processor
def test_W2_a_timer_that_never_fires(lab):
    """The CPU's clock ends the wait."""
    verdict = stop(lab, "key-never", "timer-never")
    assert delays(verdict) > 1_000_000


def test_W2_no_clock_at_all(lab):
    """No timer, no counter, and a delay that does not wait: the number of delays ends the wait."""
    verdict = stop(lab, "key-never", "timer-never", "no-power-timer", "spcr-port 1016", "stall-at-once")
    assert delays(verdict) > 10_000_000


@pytest.mark.full
def test_W2_a_delay_that_does_not_wait(lab):
    """The timer ends the wait."""
    verdict = stop(lab, "key-never", "stall-at-once")
    assert delays(verdict) > 20_000_000


def test_W3_a_machine_without_a_keyboard_boots(lab):
    expect_ready(lab.case(plan=["no-keyboard"]))


@pytest.mark.full
@pytest.mark.parametrize("fault", ["no-keyboard", "key-never"])
def test_W3_an_error_without_a_keyboard(lab, fault):
    """It stays on the screen for ten seconds. Then the firmware goes on."""
    assert delays(stop(lab, fault)) > 1_000_000


def test_W5_the_watchdog_is_armed_while_the_loader_waits(lab):
    verdict = stop(lab)
    calls = re.findall(r"conductor: watchdog: (\d+) s, code ([0-9a-f]+)", verdict.serial)
    assert calls == [("0", "0"), ("70", "10000"), ("0", "0")]


def test_W5_firmware_that_hangs_in_the_wait_is_reset(lab):
    disk = lab.case_disk(None, BROKEN, plan=["keyboard-hangs", "watchdog-seconds 1"])
    with lab.restore(disk) as running:
        verdict = running.watch(TIMEOUT_SECONDS)
        assert running.monitor.shutdown_reason == "guest-reset"
    assert "HL-03:" in verdict.serial
