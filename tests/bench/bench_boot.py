"""Guest instructions from the loader's start to the kernel's first, by kernel and by medium; and of each phase.

QEMU counts instructions (`-icount shift=N`): each instruction adds 2^N to the time-stamp counter. So
the figures depend only on the code, and are the same on every host. Shift 0 is the reference. It takes
half a minute for each boot, so it counts the first medium only. The others have shift 4. It gives the same
figures, except for phases that wait for a clock: there a millisecond has sixteen times fewer instructions.
With --quick all have shift 4.

    bench_boot.py [--quick] [--only MEDIUM] [--memory SIZE] [--kernel FILE [--where]] [--disk SIZE] [--json FILE]

With --kernel only this kernel is booted, once, and its own phases are printed, too. The exit status is 1 if a
figure is above its limit.

Instructions count, too, while the firmware waits for a medium. Their number depends on the host's disk and load. With
--where a plugin counts the instructions in the loader's image and outside of it, and prints the blocks of instructions
that ran most. With --disk the disk has this size, such as 200G: OVMF reads less than 128 GiB in other steps.
"""

import argparse
import json
import os
import re
import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import boot  # noqa: E402 (the path is set just above)
import firmware  # noqa: E402
import folders  # noqa: E402
import image  # noqa: E402
import machine  # noqa: E402
import volume  # noqa: E402
from progress import steps  # noqa: E402

TIMEOUT_SECONDS = 900
BUILD = folders.build_folder()
# The kernels, and the limit from the start of the loader to the first instruction of each. The file None is
# the project's kernel.
KERNELS = {
    "small": (BUILD / "small_kernels/timeline.elf", 5_000_000),
    "ours": (None, 5_000_000),
    "4 MiB file": (BUILD / "bench/kernels/file_4m.elf", 10_000_000),
    "16 MiB file": (BUILD / "bench/kernels/file_16m.elf", 20_000_000),
    "16 MiB zero": (BUILD / "bench/kernels/zero_16m.elf", 20_000_000),
}
# The limits hold for the first medium. What the firmware's drivers and file system take counts, too, and others
# take more.
MEDIA = ["virtio", "ahci", "usb", "iso", "nvme"]
# The first bytes of the loader's entry, by which the plugin finds it.
CODE_BYTES = 12
PLUGIN = BUILD / "bench/where.so"
SHOWN_BLOCKS = 12
TIMELINE = re.compile(r"^\[timeline\] .*\bticks=(\d+)\s+phase=(.*)$", re.MULTILINE)
KERNEL_PREFIX = "kernel:"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="use shift 4 instead of shift 0")
    parser.add_argument("--only", choices=MEDIA, help="boot from this medium only")
    parser.add_argument("--memory", default="512M", metavar="SIZE")
    parser.add_argument("--kernel", type=Path, metavar="FILE", help="load only this kernel, which prints its phases")
    parser.add_argument("--where", action="store_true", help="with --kernel: count by place, too")
    parser.add_argument("--disk", type=machine.parse_size, metavar="SIZE", help="the size of the disk")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    options = parser.parse_args()
    if options.where and options.kernel is None:
        parser.error("--where is for one kernel: add --kernel FILE")
    return options


def plugin_words(loader, report):
    """Return QEMU's options for the plugin. It finds the loader by the code at its entry."""
    image_file = loader.read_bytes()
    (start,) = struct.unpack_from("<I", image_file, 0x3C)
    sections, optional_bytes = struct.unpack_from("<H12xH", image_file, start + 6)
    entry, size = struct.unpack_from("<I36xI", image_file, start + 24 + 16)
    for number in range(sections):
        row = start + 24 + optional_bytes + 40 * number
        memory_bytes, first, _, offset = struct.unpack_from("<IIII", image_file, row + 8)
        if first <= entry < first + memory_bytes:
            code = image_file[offset + entry - first :][:CODE_BYTES]
    return ["-plugin", f"file={PLUGIN},rva={entry:x},size={size:x},code={code.hex()},out={report}"]


def counted_boot(memory, shift, words=(), kernel=None, medium="virtio", disk_bytes=None, where=None):
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
        if disk_bytes is not None:
            os.truncate(disk, max(disk_bytes, disk.stat().st_size))
        counting = ["-icount", f"shift={shift},sleep=off",
                    "-rtc", "base=2020-01-01T00:00:00,clock=vm"]  # fmt: skip
        if where is not None:
            counting += plugin_words(tree / "EFI/BOOT/BOOTX64.EFI", where)
        pc = machine.Machine(
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


def show_places(report):
    """Print the plugin's report."""
    *rows, last = report.read_text(encoding="utf-8", errors="replace").splitlines()
    total, inside = map(int, last.split())
    print(f"in the loader's image {inside:,}, outside {total - inside:,}; the blocks that ran most:\n")
    print(f"  {'instructions':>14}{'runs':>12}  address")
    blocks = sorted((row.split(" ", 3) for row in rows), key=lambda row: -int(row[0]))
    for instructions, runs, address, text in blocks[:SHOWN_BLOCKS]:
        print(f"  {int(instructions):>14,}{int(runs):>12,}  {address}  {text:.80}")


def boot_one(options, medium, shift):
    """Boot the kernel of the command line once, and print its figures."""
    with tempfile.TemporaryDirectory(prefix="handoff-where-") as scratch:
        where = Path(scratch) / "report" if options.where else None
        log = counted_boot(options.memory, shift, kernel=options.kernel, medium=medium, disk_bytes=options.disk,
                           where=where)  # fmt: skip
        show_phases(loader_phases(phases_of(log, shift)), "loader, to the kernel's first")
        if where is not None:
            show_places(where)


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
        for medium in steps(f"bench-boot: {name}, media", media):
            shift = shift_for(options, medium, media)
            log = counted_boot(options.memory, shift, kernel=kernel, medium=medium, disk_bytes=options.disk)
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
        boot_one(options, media[0], shift_for(options, media[0], media))
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
