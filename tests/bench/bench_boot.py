"""Guest instructions of each phase of the boot, from the timeline that the kernel prints.

QEMU counts instructions (`-icount shift=N`): each instruction adds 2^N to the time-stamp counter. So
the figures depend only on the code, and are the same on every host. Shift 0 is the reference. It
takes one or two minutes. --quick (shift 4) gives the same figures, except for phases that wait for a
clock: there a millisecond has sixteen times fewer instructions.

    bench_boot.py [--quick] [--memory SIZE] [--kernel FILE] [--json FILE]
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import boot  # noqa: E402 (the path is set just above)
import firmware  # noqa: E402
import image  # noqa: E402
import volume  # noqa: E402
from machine import Machine  # noqa: E402

TIMEOUT_SECONDS = 900
# The limit from the start of the loader to the kernel's first instruction.
LOADER_LIMIT = 10_000_000
TIMELINE = re.compile(r"^\[timeline\] .*\bticks=(\d+)\s+phase=(.*)$", re.MULTILINE)
KERNEL_PREFIX = "kernel:"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="use shift 4 instead of shift 0")
    parser.add_argument("--memory", default="512M", metavar="SIZE")
    parser.add_argument("--kernel", type=Path, metavar="FILE", help="another kernel to load")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    return parser.parse_args()


def counted_boot(memory, shift, words=(), kernel=None):
    """Return the kernel's log of a boot in which an instruction counts 2^shift on the time-stamp counter."""
    with tempfile.TemporaryDirectory(prefix="handoff-bench-") as scratch:
        tree, disk = Path(scratch) / "esp", Path(scratch) / "disk.img"
        volume.compose(tree, None,
                       ["debug-exit=0xf4", "once", "unattended", "print-timeline", *words],
                       kernel=kernel)  # fmt: skip
        image.make_disk(tree, disk, fat_bits=16)
        counting = ["-icount", f"shift={shift},sleep=off",
                    "-rtc", "base=2020-01-01T00:00:00,clock=vm"]  # fmt: skip
        pc = Machine(
            firmware.find(), disk, memory, cpu="max", accelerator="tcg", extra=counting
        )
        verdict = boot.boot(pc, TIMEOUT_SECONDS)
    if not verdict.success:
        sys.exit(f"bench: {verdict.sentence}")
    return verdict.serial


def phases_of(log, shift):
    """Return the phases of a boot, as (name, instructions)."""
    return [(name, int(ticks) >> shift) for ticks, name in TIMELINE.findall(log)]


def show(phases, total_name):
    """Print one table. Return its sum."""
    total = sum(instructions for _, instructions in phases)
    for name, instructions in phases:
        print(f"  {name:32}{instructions:>14,}")
    print(f"  {total_name:32}{total:>14,}\n")
    return total


def main():
    options = parse_arguments()
    shift = 4 if options.quick else 0
    phases = phases_of(counted_boot(options.memory, shift, kernel=options.kernel), shift)
    print("guest instructions of each phase\n")
    loader = [phase for phase in phases if not phase[0].startswith(KERNEL_PREFIX)]
    kernel = [phase for phase in phases if phase[0].startswith(KERNEL_PREFIX)]
    loader_total = show(loader, "loader, to the kernel's first")
    kernel_total = show(kernel, "kernel, to [ready]")
    if options.json:
        figures = {"loader": dict(loader), "kernel": dict(kernel), "loader_total": loader_total,
                   "kernel_total": kernel_total, "quick": options.quick}  # fmt: skip
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if loader_total > LOADER_LIMIT:
        sys.exit(f"bench-boot: the loader takes more than {LOADER_LIMIT:,} instructions")


if __name__ == "__main__":
    main()
