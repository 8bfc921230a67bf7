"""The power fails while the loader writes the EFI variable (catalogue I8): the next boot reads the old record or the new
one, never a mixture. This is the only write that loader and kernel make to a medium.

QEMU is killed at a random moment of the write. Its flash writes each change to a file, so the file has the state of
the flash at that moment. A second machine starts with this file from power-on.
"""

import re
import shutil
import time
import zlib
from dataclasses import replace

import pytest

from lab import TIMEOUT_SECONDS, expect_ready, random_places
from test_post_mortem import FIRST_PLACE, SLOT_BYTES, record

OLD = record(report="[panic] cause: the older one\n", sequence=0)
NEW = record(report="[panic] cause: the newer one\n", sequence=0)
NVRAM = {"command_line": "post_mortem=nvram"}
BEGIN = r"conductor: the loader writes a variable of \d+ bytes"
END = r"conductor: the firmware has ended the write: 0$"
SUMS = {f"{zlib.crc32(content):08x}": name for content, name in ((OLD, "old"), (NEW, "new"))}


def write_variable(lab, times=1):
    """Start a boot that replaces the old record by the new one. The old one was written several times before."""
    plan = ["watch-variables", f"record {FIRST_PLACE}", "variable", f"variable-times {times}"]
    return lab.restore(lab.case_disk(None, {"record.bin": NEW, "variable.bin": OLD}, plan, **NVRAM))


def await_line(running, pattern):
    """Wait for a line, and look without a pause: a write takes milliseconds. Return the time."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not re.search(pattern, running.serial, re.MULTILINE):
        assert time.monotonic() < deadline, running.serial
        running.take_serial()
    return time.monotonic()


def seconds_of_write(lab):
    with write_variable(lab) as running:
        began = await_line(running, BEGIN)
        return await_line(running, END) - began


def cut(lab, seconds, times=1):
    """Kill QEMU so many seconds after the write began. Return the variable store."""
    store = lab.directory() / "variables.fd"
    with write_variable(lab, times) as running:
        began = await_line(running, BEGIN)
        while time.monotonic() - began < seconds:
            pass
        running.process.kill()
        running.process.wait()
        shutil.copyfile(running.scratch / "variables.fd", store)
    return store


def next_boot(lab, store):
    """Start with this variable store from power-on. Return the name of the record in it."""
    machine = {"firmware": replace(lab.firmware, variables=store)}
    verdict = expect_ready(lab.cold(plan=["show-variable"], machine=machine, **NVRAM))
    line = verdict.has_line(rf"conductor: the variable has {SLOT_BYTES} bytes, checksum (\w+)$")
    assert line and line.group(1) in SUMS, verdict.serial
    assert verdict.has_line(r"\[loader\] the EFI variable holds a record of an earlier boot$"), verdict.serial
    return SUMS[line.group(1)]


def expect_old_or_new(lab, count, longest, times=1):
    """Cut the power so many times, up to so many seconds after the write began. Return the records that were found, and
    the number of different states of the flash."""
    random = random_places()
    found, states = set(), set()
    for _ in range(count):
        seconds = random.uniform(0, longest * 1.1)
        print(f"{seconds * 1000:.1f} of {longest * 1000:.1f} ms after the write began")
        store = cut(lab, seconds, times)
        states.add(store.read_bytes())
        found.add(next_boot(lab, store))
    return found, len(states)


def test_I8_power_cut_while_the_variable_is_written(lab):
    expect_old_or_new(lab, 1, seconds_of_write(lab))


@pytest.mark.full
def test_I8_power_cuts_at_random_moments_of_the_write(lab):
    found, states = expect_old_or_new(lab, 12, seconds_of_write(lab))
    assert found == {"old", "new"}
    assert states > 2, "no cut was in the middle of the write"


def writes_until_full(lab):
    """Return the number of writes after which the next one collects the garbage of the store, and its seconds."""
    with write_variable(lab, 200) as running:
        ended = [await_line(running, f"write {number} took") for number in range(3)]
        while ended[-1] - ended[-2] < 50 * (ended[1] - ended[0]):
            ended.append(await_line(running, f"write {len(ended)} took"))
    return len(ended) - 1, ended[-1] - ended[-2]


@pytest.mark.full
def test_I8_power_cut_while_the_store_collects_its_garbage(lab):
    """The firmware moves all variables then: the longest of its writes, and the most dangerous one."""
    times, seconds = writes_until_full(lab)
    expect_old_or_new(lab, 1, seconds, times)
