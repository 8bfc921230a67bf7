"""Guest instructions from the loader's start to the kernel's first, by kernel and by medium; and of each phase.

QEMU counts instructions (`-icount shift=N`): each instruction adds 2^N to the time-stamp counter. So
the figures depend only on the code, and are the same on every host. Shift 0 is the reference. It takes
half a minute for each boot, so it counts the first medium only. The others have shift 4. It gives the same
figures, except for phases that wait for a clock: there a millisecond has sixteen times fewer instructions.
With --quick all have shift 4.

    bench_boot.py [--quick] [--only MEDIUM] [--memory SIZE] [--kernel FILE] [--json FILE]

With --kernel only this kernel is booted, once, and its own phases are printed, too. The exit status is 1 if a
figure is above its limit.
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
import folders  # noqa: E402
import image  # noqa: E402
import volume  # noqa: E402
from machine import Machine  # noqa: E402

TIMEOUT_SECONDS = 900
BUILD = folders.build_folder()
# The kernels, and the limit from the start of the loader to the first instruction of each. The file None is
# the project's kernel.
KERNELS = {
    "small": (BUILD / "small_kernels/timeline.elf", 5_000_000),
    "ours": (None, 5_000_000),
    "16 MiB file": (BUILD / "bench/kernels/file_16m.elf", 20_000_000),
    "16 MiB zero": (BUILD / "bench/kernels/zero_16m.elf", 20_000_000),
}
# The limits hold for the first medium. What the firmware's drivers and file system take counts, too, and others
# take more.
MEDIA = ["virtio", "ahci", "usb", "iso", "nvme"]
TIMELINE = re.compile(r"^\[timeline\] .*\bticks=(\d+)\s+phase=(.*)$", re.MULTILINE)
KERNEL_PREFIX = "kernel:"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="use shift 4 instead of shift 0")
    parser.add_argument("--only", choices=MEDIA, help="boot from this medium only")
    parser.add_argument("--memory", default="512M", metavar="SIZE")
    parser.add_argument("--kernel", type=Path, metavar="FILE", help="load only this kernel, which prints its phases")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    return parser.parse_args()


def counted_boot(memory, shift, words=(), kernel=None, medium="virtio"):
    """Return the kernel's log of a boot in which an instruction counts 2^shift on the time-stamp counter."""
    with tempfile.TemporaryDirectory(prefix="handoff-bench-") as scratch:
        tree, disk = Path(scratch) / "esp", Path(scratch) / "disk.img"
        volume.compose(tree, None,
                       ["debug-exit=0xf4", "once", "unattended", "print-timeline", *words],
                       kernel=kernel)  # fmt: skip
        if medium == "iso":
            image.make_iso(tree, disk)
        else:
            image.make_disk(tree, disk, fat_bits=16)
        counting = ["-icount", f"shift={shift},sleep=off",
                    "-rtc", "base=2020-01-01T00:00:00,clock=vm"]  # fmt: skip
        pc = Machine(
            firmware.find(), disk, memory, cpu="max", accelerator="tcg", medium=medium, extra=counting
        )
        verdict = boot.boot(pc, TIMEOUT_SECONDS)
    if not verdict.success:
        sys.exit(f"bench: {verdict.sentence}")
    return verdict.serial


def phases_of(log, shift):
    """Return the phases of a boot, as (name, instructions)."""
    return [(name, int(ticks) >> shift) for ticks, name in TIMELINE.findall(log)]


def loader_phases(phases):
    return [phase for phase in phases if not phase[0].startswith(KERNEL_PREFIX)]


def sum_of(phases):
    return sum(instructions for _, instructions in phases)


def show_phases(phases, total_name):
    """Print one boot."""
    for name, instructions in phases:
        print(f"  {name:32}{instructions:>14,}")
    print(f"  {total_name:32}{sum_of(phases):>14,}\n")


def show_row(name, figures):
    print(f"  {name:<20}" + "".join(f"{figure:>14}" for figure in figures), flush=True)


def shift_for(options, medium, media):
    return 4 if options.quick or medium != media[0] else 0


def count_all(options, media):
    """Boot every kernel from every medium, and print a row for each kernel. Return {kernel: {medium: phases}}."""
    print("guest instructions from the loader's start to the kernel's first, by kernel and medium")
    print("shift 4 on every medium\n" if options.quick else f"shift 0 on {media[0]}, shift 4 on others\n")
    show_row("", [*media, "limit"])
    found = {}
    for name, (kernel, limit) in KERNELS.items():
        found[name] = {}
        for medium in media:
            shift = shift_for(options, medium, media)
            log = counted_boot(options.memory, shift, kernel=kernel, medium=medium)
            found[name][medium] = phases_of(log, shift)
        show_row(name, [f"{sum_of(loader_phases(phases)):,}" for phases in found[name].values()] + [f"{limit:,}"])
    print()
    return found


def show_by_phase(found, medium):
    """Print the loader's phases of each kernel, from one medium."""
    print(f"guest instructions of each phase of the loader, from {medium}\n")
    show_row("", found)
    columns = [dict(loader_phases(row[medium])) for row in found.values()]
    for phase in columns[0]:
        show_row(phase, [f"{column.get(phase, 0):,}" for column in columns])
    print()


def above_limits(found, medium):
    """Return a sentence for each figure above its limit."""
    totals = {name: sum_of(loader_phases(row[medium])) for name, row in found.items()}
    return [f"{name}: the loader takes {total:,} instructions, more than {KERNELS[name][1]:,}"
            for name, total in totals.items() if total > KERNELS[name][1]]  # fmt: skip


def main():
    options = parse_arguments()
    media = [options.only] if options.only else MEDIA
    if options.kernel is not None:
        shift = shift_for(options, media[0], media)
        phases = phases_of(counted_boot(options.memory, shift, kernel=options.kernel, medium=media[0]), shift)
        show_phases(loader_phases(phases), "loader, to the kernel's first")
        return
    found = count_all(options, media)
    show_by_phase(found, media[0])
    phases = found["ours"][media[0]]
    print("guest instructions of each phase of our kernel\n")
    show_phases([phase for phase in phases if phase[0].startswith(KERNEL_PREFIX)], "kernel, to [ready]")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    missed = above_limits(found, media[0])
    if missed:
        sys.exit("\n".join(f"bench-boot: {sentence}" for sentence in missed))


if __name__ == "__main__":
    main()
