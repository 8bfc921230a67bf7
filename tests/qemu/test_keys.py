"""The keys that the kernel accepts when it stays: behind [ready] and behind a panic, on the serial port and on the
PS/2 keyboard."""

from contextlib import contextmanager

from lab import CASE_IMAGE_MIB, TIMEOUT_SECONDS

KEYS = r"^\[ready\] keys=\"p power off, r restart, h help\"$"


@contextmanager
def staying(lab, pattern, command_line=""):
    """Start a kernel that does not power off, and wait for a line."""
    disk = lab.disk(command_line=command_line, words=[], plan=[], size_mib=CASE_IMAGE_MIB)
    with lab.restore(disk) as running:
        assert running.wait_for(pattern, TIMEOUT_SECONDS), running.serial
        yield running


def press(running, key):
    running.command("send-key", {"keys": [{"type": "qcode", "data": key}]})


def test_nonsense_is_answered_and_p_powers_off(lab):
    with staying(lab, KEYS) as running:
        press(running, "f1")
        assert running.wait_for(f"{KEYS}\n{KEYS}", TIMEOUT_SECONDS), "an unknown key prints the known keys"
        running.send(b"nonsense\rh")
        assert running.wait_for(r'^\[help\] word="once"', TIMEOUT_SECONDS), "h helps"
        running.send(b"P")
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.success and verdict.has_line(r"\[ready\] action=power-off"), verdict.sentence
    assert len([line for line in verdict.serial.split("\n") if "keys=" in line]) == 3, verdict.serial


def test_r_on_the_keyboard_restarts(lab):
    with staying(lab, KEYS) as running:
        press(running, "r")
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.success and verdict.has_line(r"\[ready\] action=restart"), verdict.sentence


def test_panic_stays_until_a_key_restarts(lab):
    with staying(lab, r"^\[panic\] halted.*r to restart", "provoke=divide") as running:
        press(running, "x")
        running.send(b"q")
        assert running.pump(0.3), "other keys do nothing"
        press(running, "r")
        while running.pump(0.1):
            continue
        assert running.monitor.shutdown_reason == "guest-reset"
