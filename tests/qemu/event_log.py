"""Replay the event log of a TPM, without any code of the firmware or of the loader.

The format: TCG PC Client Platform Firmware Profile Specification, section 10.2 (the crypto-agile log).
"""

import hashlib
import re
import struct
from dataclasses import dataclass

SHA1, SHA256 = 0x4, 0xB
EV_NO_ACTION, EV_IPL, EV_EFI_APPLICATION = 0x3, 0xD, 0x80000003
DIGEST_BYTES = {SHA1: 20, SHA256: 32, 0xC: 48, 0xD: 64}


@dataclass
class Event:
    pcr: int
    kind: int
    digest: bytes  # of the SHA-256 bank
    data: bytes


def read_events(log, last):
    """Return the events of a log whose last event begins at `last`."""
    kind, size = struct.unpack_from("<I20xI", log, 4)  # the first event has the form of TPM 1.2
    assert kind == EV_NO_ACTION and log[32:47] == b"Spec ID Event03", log[:64]
    events, place = [], 32 + size
    while place <= last:
        pcr, kind, count = struct.unpack_from("<III", log, place)
        place += 12
        digests = {}
        for _ in range(count):
            (algorithm,) = struct.unpack_from("<H", log, place)
            end = place + 2 + DIGEST_BYTES[algorithm]
            digests[algorithm] = log[place + 2 : end]
            place = end
        (size,) = struct.unpack_from("<I", log, place)
        events.append(Event(pcr, kind, digests[SHA256], log[place + 4 : place + 4 + size]))
        place += 4 + size
    return events


def replay(events):
    """Return {register: its value after these events}."""
    registers = {}
    for event in events:
        if event.kind != EV_NO_ACTION:
            old = registers.get(event.pcr, bytes(32))
            registers[event.pcr] = hashlib.sha256(old + event.digest).digest()
    return registers


def read_conductor(serial):
    """Return (the events, {register: its value}) that the conductor's line `show-measurements` printed."""
    assert "conductor: the measurements end" in serial, serial
    last = int(re.search(r"^conductor: the last event is at (\d+)", serial, re.M).group(1))
    log = bytes.fromhex("".join(re.findall(r"^conductor: log ([0-9a-f]+)", serial, re.M)))
    registers = {int(number): bytes.fromhex(value)
                 for number, value in re.findall(r"^conductor: pcr (\d\d) ([0-9a-f]{64})$", serial, re.M)}  # fmt: skip
    return read_events(log, last), registers
