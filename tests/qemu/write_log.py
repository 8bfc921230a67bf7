"""The writes of a guest to its disk, in their order, by QEMU's driver blklogwrites.

Its log has the format of Linux's dm-log-writes: a sector with the number of entries, then for each entry a sector with
its place, and the data that was written.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from firmware import escape
from machine import Machine

MAGIC = 0x6A736677736872
DISCARD = 4


@dataclass
class LoggingMachine(Machine):
    """A machine whose disk image is changed, and that logs each change."""

    log: Optional[Path] = None

    def _medium_arguments(self):
        plain = super()._medium_arguments()
        drive = f"if=none,id=disk,driver=blklogwrites,file.driver=file,file.filename={escape(self.image)}"
        drive += f",log.driver=file,log.filename={escape(self.log)}"
        return ["-drive", drive, *plain[2:]]


def read_log(path: Path):
    """Return the writes as (byte offset, data)."""
    content = path.read_bytes()
    magic, _, _, sector_bytes = struct.unpack_from("<QQQI", content)
    assert magic == MAGIC
    place, writes = sector_bytes, []
    while place + sector_bytes <= len(content):
        sector, count, flags, _ = struct.unpack_from("<QQQQ", content, place)
        place += sector_bytes
        size = 0 if flags & DISCARD else count * sector_bytes
        if size:
            writes.append((sector * sector_bytes, content[place : place + size]))
        place += size
    return writes


def states(image: bytes, writes, sector_bytes=512):
    """Yield the disk after each sector that was written, the first state included: a power cut leaves one of them."""
    disk = bytearray(image)
    yield bytes(disk)
    for offset, data in writes:
        for start in range(0, len(data), sector_bytes):
            sector = data[start : start + sector_bytes]
            disk[offset + start : offset + start + len(sector)] = sector
            yield bytes(disk)
