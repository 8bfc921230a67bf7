"""Boot the built loader and kernel in QEMU. scripts/run.sh builds first, then calls this."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

import boot
import firmware
import image
import machine
import volume

ONCE_TIMEOUT_SECONDS = 120
NO_WINDOW = "headless"


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="run.sh",
        description="Build Handoff and boot it in QEMU on UEFI firmware. The terminal is the serial "
        "console; where there is a display, a window shows the screen. Exits with 0 only if the "
        "kernel said that it is ready.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28, width=96),
    )
    add = parser.add_argument
    add("--once", action="store_true",
        help="power off after the ready line (implied where stdin is no terminal)")
    add("--memory", default="512M", metavar="SIZE", help="48M to 2T (default 512M)")
    add("--cpu", metavar="MODEL", help="a CPU of QEMU's: max, qemu64, Nehalem (default: the best)")
    add("--smp", type=int, default=1, metavar="N", help="number of CPUs (default 1)")
    add("--medium", default="virtio", choices=machine.MEDIA,
        help="what it boots from: " + ", ".join(machine.MEDIA))
    add("--firmware", metavar="FILE", help="UEFI firmware: OVMF's code or combined image "
        "(default: $OVMF, else what is installed)")
    add("--display", default="std", metavar="NAME",
        help="the graphics card: " + ", ".join(machine.GRAPHICS) + f"; or {NO_WINDOW} for no "
        "window, or gtk, sdl, … for QEMU's window of that kind")
    add("--cmdline", metavar="WORDS", help="the kernel's command line, in place of handoff.conf's")
    add("--temp-heap", metavar="SIZE", help="the temporary heap, for example 256K or 4M")
    add("--kernel", type=Path, metavar="FILE", help="boot this ELF in place of the built kernel")
    add("--accelerator", choices=["kvm", "tcg"], help="default: KVM where it really works")
    add("--timeout", type=float, metavar="SECONDS",
        help=f"give up after this time (default: {ONCE_TIMEOUT_SECONDS} with --once, more with "
        "much memory; else never)")
    add("--gdb", type=int, metavar="PORT", help="wait for gdb on this port before the first "
        "instruction (make debug does all of it)")
    return parser.parse_args()  # fmt: skip


def build_machine(options, disk):
    """The machine that the options ask for."""
    graphics, window = options.display, machine.window_backend()
    if graphics == NO_WINDOW:
        graphics, window = "std", None
    elif graphics not in machine.GRAPHICS:
        graphics, window = "std", options.display
    extra = ["-S", "-gdb", f"tcp:127.0.0.1:{options.gdb}"] if options.gdb else []
    return machine.Machine(
        firmware=firmware.find(options.firmware),
        image=disk,
        memory=options.memory,
        cpu=options.cpu,
        cpu_count=options.smp,
        medium=options.medium,
        graphics=graphics,
        window=window,
        accelerator=options.accelerator,
        extra=extra,
    )


def build_volume(options, once, scratch):
    """The disk to boot from."""
    tree = scratch / "esp"
    words = [f"debug-exit={machine.DEBUG_EXIT_PORT:#x}"]
    if once:
        words += ["once", "unattended"]
    volume.compose(tree, options.cmdline, words, options.temp_heap, options.kernel)
    disk = scratch / "disk.img"
    make = image.make_iso if options.medium == "iso" else image.make_disk
    make(tree, disk)
    return disk


def introduce(pc, once):
    """One line on what boots and how to leave it."""
    accelerator = "KVM" if pc.uses_kvm() else "TCG (no KVM here: slower)"
    leave = "powers off when ready" if once else "leave with Ctrl-A X"
    print(f"run.sh: {pc.memory}, {pc.medium}, {accelerator}, {pc.firmware.code}; {leave}",
          flush=True)  # fmt: skip


class Echo:
    """Show serial output as it comes. Where it goes to no terminal, escape sequences are removed,
    line by line, since they arrive in pieces."""

    def __init__(self):
        self.pending = b""
        self.raw = sys.stdout.isatty()

    def __call__(self, data):
        if self.raw:
            sys.stdout.buffer.write(data)
        else:
            lines, newline, self.pending = (self.pending + data).rpartition(b"\n")
            sys.stdout.write(boot.clean(lines + newline))
        sys.stdout.flush()

    def finish(self):
        sys.stdout.write(boot.clean(self.pending))
        sys.stdout.flush()


def run(options):
    once = options.once or not sys.stdin.isatty()
    with tempfile.TemporaryDirectory(prefix="handoff-run-") as scratch:
        pc = build_machine(options, build_volume(options, once, Path(scratch)))
        introduce(pc, once)
        timeout = options.timeout
        if timeout is None and once and not options.gdb:
            timeout = pc.patience(ONCE_TIMEOUT_SECONDS)
        # A terminal that is the serial console already shows what the machine prints.
        echo = Echo() if once else None
        with boot.Boot(pc, on_terminal=not once, echo=echo) as running:
            try:
                return running.watch(timeout)
            except KeyboardInterrupt:
                running.stopped_because = "interrupted"
                return running.finish()
            finally:
                if echo is not None:
                    echo.finish()


def interrupt(*_):
    """Being told to end is as good as Ctrl-C: no QEMU is left behind."""
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupt)
    options = parse_arguments()
    try:
        verdict = run(options)
    except (boot.BootError, firmware.FirmwareNotFound, image.ImageError, machine.MachineError,
            volume.VolumeError) as error:
        sys.exit(f"run.sh: {error}")  # fmt: skip
    except KeyboardInterrupt:
        sys.exit("run.sh: interrupted")
    print(f"\nrun.sh: {'ok' if verdict.success else 'FAILED'}: {verdict.sentence}", file=sys.stderr)
    if verdict.success:
        return
    if verdict.advice:
        print(f"run.sh: {verdict.advice}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
