"""Boot the built loader and kernel in QEMU. scripts/run.sh builds first, then calls this."""

import interrupts  # first of all

import os
import shutil
import sys
import tempfile
import termios
from argparse import SUPPRESS, ArgumentTypeError
from pathlib import Path

import arguments
import boot
import checks
import firmware
import image
import machine
import u_boot
import volume

ONCE_TIMEOUT_SECONDS = 120
# The name in QEMU, and the older name in this project.
NO_WINDOW = ("none", "headless")
NO_CARD = "no-card"
USUAL_MEDIUM = "virtio"
CARDS = [card for card in machine.GRAPHICS if card != "none"]
WAY_OUT = "leave QEMU with Ctrl-A X"
EPILOG = """\
Each boot has a copy of esp/. So your own esp/handoff.conf counts, with its entries and modules
(docs/CONFIG.md). The options above change its global lines. Lines of an entry replace them.

Exit status: 0 the kernel was ready, or ended as docs/YOUR-KERNEL.md says; 1 the boot failed;
2 the boot did not begin, because of an error; 130 interrupted. BUILD=DIR in the environment
names another folder than build/.
"""


def checked(check):
    """Return a type for add_argument() for a check that raises MachineError."""

    def read(text):
        try:
            result = check(text)
        except machine.MachineError as error:
            raise ArgumentTypeError(str(error)) from error
        return text if result is None else result

    return read


def memory(text):
    machine.memory_bytes(text)


def port(text):
    number = arguments.integer(1, 65535)(text)
    checks.check_port(number)
    return number


def parse_arguments():
    parser = arguments.Parser(
        prog="run.sh",
        description="Build Handoff and boot it in QEMU on UEFI firmware. The terminal is the serial console. With\n"
        "a display, a window shows the screen. A panic stays on the screen until you leave QEMU with\n"
        "Ctrl-A X or close its window.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("--once", action="store_true",
        help="end after the ready line or the kernel's last line, a panic or an error (the default if "
        "stdin is not a terminal)")
    add("--memory", default="512M", metavar="SIZE", type=checked(memory),
        help="52M to 2T (default 512M)")
    add("--cpu", metavar="MODEL", help="a CPU of QEMU: max, qemu64, Nehalem (default: the best)")
    add("--smp", type=arguments.integer(1, machine.LARGEST_CPU_COUNT), default=1, metavar="N",
        help=f"number of CPUs, up to {machine.LARGEST_CPU_COUNT} (default 1)")
    add("--medium", choices=machine.MEDIA,
        help="the boot medium: " + ", ".join(machine.MEDIA) + f" (default {USUAL_MEDIUM}, on U-Boot "
        f"{u_boot.USUAL_MEDIUM})")
    add("--sector", type=arguments.one_of(*machine.SECTOR_SIZES), default=512, metavar="BYTES",
        help="the size of the disk's sectors: 512, 4096 (default 512)")
    add("--firmware", metavar="FILE", help="UEFI firmware: OVMF's code or combined image, or "
        "U-Boot's u-boot.rom (default: $OVMF, else the installed firmware)")
    add("--display", default="std", metavar="NAME",
        help="the graphics card: " + ", ".join(CARDS) + f"; or none for no window, {NO_CARD} for a "
        "machine without a card, or the kind of QEMU's window: gtk, sdl, …")
    add("--screenshot", type=arguments.writable_file, metavar="FILE",
        help="save the screen as PNG when the kernel is ready, after a panic, and at the end of the boot")
    add("--cmdline", metavar="WORDS", help="the kernel's command line, instead of the one in handoff.conf")
    add("--temp-heap", metavar="SIZE", help="the temporary heap, for example 256K or 4M")
    add("--kernel", type=arguments.readable_file, metavar="FILE",
        help="boot this ELF file instead of the built kernel")
    add("--module", type=arguments.readable_file, metavar="FILE", action="append", default=[],
        help="hand this file over to the kernel; give it again for another file")
    add("--menu", action="store_true",
        help="show the loader's menu until you choose an entry; not with --once")
    add("--accelerator", choices=["kvm", "tcg"], help="default: KVM if it works")
    add("--timeout", type=checked(checks.check_seconds), metavar="SECONDS",
        help=f"end the boot after this time (default: {ONCE_TIMEOUT_SECONDS} with --once, more with "
        "much memory; else never)")
    add("--gdb", type=checked(port), metavar="PORT", help="wait for gdb on this port before the first "
        "instruction (make debug also starts gdb)")
    # For run.sh: make only the checks that need no built file and no QEMU.
    add("--check-only", action="store_true", help=SUPPRESS)
    options = parser.parse_args()  # fmt: skip
    check_together(parser, options)
    return options


def check_together(parser, options):
    """Check options that do not fit together, and the environment."""
    folder = os.environ.get("TMPDIR")
    if folder and not (os.path.isdir(folder) and os.access(folder, os.W_OK)):
        parser.error(f"TMPDIR={folder} is not a folder that this user can write")
    usual_medium = USUAL_MEDIUM
    try:
        if options.firmware is not None or os.environ.get("OVMF"):
            if firmware.find(options.firmware).is_u_boot:
                usual_medium = u_boot.USUAL_MEDIUM
    except firmware.FirmwareNotFound as error:
        parser.error(str(error))
    options.medium = options.medium or usual_medium
    # QEMU answers "help" with a list, and starts no machine.
    if options.cpu is not None and options.cpu.split(",")[0] in ("", "help", "?"):
        parser.error(f"--cpu {options.cpu!r} is not a CPU: {machine.QEMU} -cpu help lists all CPUs")
    if options.sector != 512 and options.medium in machine.MEDIA_OF_512:
        parser.error(f"--sector: {options.medium} has no sectors of {options.sector} bytes")
    if options.menu and is_once(options):
        parser.error("--menu waits for a key: use it in a terminal, without --once")
    if options.screenshot is not None and options.display == NO_CARD:
        parser.error(f"--screenshot: there is no screen with --display {NO_CARD}")


def is_once(options):
    """Return whether the boot ends by itself: nobody can type if standard input is not a terminal."""
    return options.once or not sys.stdin.isatty()


def choose_display(name):
    """Return (graphics card, window) for a name that the user gave."""
    if name in NO_WINDOW:
        return "std", None
    if name == NO_CARD:
        return "none", machine.window_backend()
    if name in CARDS:
        return name, machine.window_backend()
    checks.check_window(name)
    return "std", name


def build_machine(options, once, disk):
    """Return the machine of the options, after checks."""
    checks.check_qemu()
    checks.check_accelerator(options.accelerator)
    graphics, window = choose_display(options.display)
    pc = machine.Machine(
        firmware=firmware.find(options.firmware),
        image=disk,
        memory=options.memory,
        cpu=options.cpu,
        cpu_count=options.smp,
        medium=options.medium,
        sector_bytes=options.sector,
        graphics=graphics,
        window=window,
        accelerator=options.accelerator,
        debug_exit=ends_by_itself(options, once) or ends_by_port(options, window),
        stay_at_end=options.screenshot is not None,
        extra=["-S", "-gdb", f"tcp:127.0.0.1:{options.gdb}"] if options.gdb else [],
    )
    checks.check_cpu(pc)
    return pc


def ends_by_itself(options, once):
    """Return whether a panic ends QEMU, and the loader does not wait for a key after an error. Both would remove the
    screen, which a person or a picture needs."""
    return once and options.screenshot is None


def shows_colour(environment, once):
    """Return whether the terminal gets colours (https://no-color.org). A file, a pipe and `--once` stay plain."""
    term = environment.get("TERM", "")
    return not once and sys.stdout.isatty() and term not in ("", "dumb") and not environment.get("NO_COLOR")


def ends_by_port(options, window):
    """Return whether a kernel of another author may end QEMU (docs/YOUR-KERNEL.md), also if a person watches. If the text
    is on QEMU's screen, it may not: the screen would vanish."""
    return options.kernel is not None and options.screenshot is None and window is None


def build_volume(options, once, scratch):
    """Make the disk to boot from, after its files were checked with the loader's code."""
    tree = scratch / "esp"
    words = ["once"] if once else []
    if options.kernel is None and shows_colour(os.environ, once):
        words.append("colour=on")
    if ends_by_itself(options, once):
        words += [f"debug-exit={machine.DEBUG_EXIT_PORT:#x}", "unattended"]
    volume.compose(tree, options.cmdline, words, options.temp_heap, options.kernel,
                   volume.name_on_volume(options.kernel or "kernel.elf"),
                   load_options="off" if firmware.find(options.firmware).is_u_boot else None,
                   has_menu=options.menu)  # fmt: skip
    volume.add_modules(tree, options.module)
    named = {"cmdline": "--cmdline", "temp_heap": f"--temp-heap {options.temp_heap!r}"}
    given = {key: words for key, words in named.items() if getattr(options, key) is not None}
    if options.kernel is not None:
        given["kernel"] = f"--kernel {options.kernel}"
    volume.check(tree, given)
    disk = scratch / "disk.img"
    if options.medium == "iso":
        image.make_iso(tree, disk)
    else:
        image.make_disk(tree, disk, sector_bytes=options.sector)
    return disk


def introduce(pc, once, gdb):
    """Print a line about the machine, and how to leave it."""
    accelerator = "KVM" if pc.uses_kvm() else "TCG (no KVM here: slower)"
    leave = "ends when ready" if once else WAY_OUT
    if gdb is not None:
        leave = f"waits for gdb (target remote localhost:{gdb}); {leave}"
    say(f"{pc.memory}, {pc.medium}, {accelerator}, {pc.firmware.code}; {leave}")


def say(sentence):
    """Print a line of this script between the lines of the machine."""
    print(f"run.sh: {sentence}", file=sys.stderr, flush=True)


class Echo:
    """Print serial output when it arrives. If standard output is not a terminal, remove escape sequences. This needs
    whole lines, because a sequence may arrive in pieces."""

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


class Notices:
    """Print messages and save pictures while the machine runs, at the states of boot.Boot.watch()."""

    def __init__(self, running, options, once, scratch):
        self.running = running
        self.picture = options.screenshot
        self.saved = False
        self.obstacle = "QEMU ended before there was a screen"
        self.once = once
        self.scratch = scratch
        self.window = choose_display(options.display)[1] is not None

    def __call__(self, state):
        if self.picture is not None:
            self.save_picture()
        if not self.once:
            self.tell(state)

    def save_picture(self):
        # QEMU writes into a scratch file, whose name has no special characters. Then the complete picture is
        # copied.
        fresh = self.scratch / "screen.png"
        self.running.picture(fresh)
        try:
            shutil.copyfile(fresh, self.picture)
        except OSError as error:
            self.obstacle = error.strerror
        else:
            self.saved = True

    def conclude(self):
        """Print whether the picture was saved."""
        if self.picture is not None:
            say(f"the screen is in {self.picture}" if self.saved
                else f"no picture in {self.picture}: {self.obstacle}")  # fmt: skip

    def tell(self, state):
        """Print a message below the last line of the machine, where the user sees it."""
        way_out = WAY_OUT + (" or close the window" if self.window else "")
        serial = self.running.serial
        if state == "ready":
            if boot.PROMPT in serial:
                return  # the kernel itself has said how to leave, and a line here would hide its prompt
            print(file=sys.stderr)
            say(f"the kernel is ready; {way_out}")
        elif state in ("panic", "fault"):
            verdict = boot.panic_words(serial) or boot.first_match(boot.FAULT, serial)
            print(file=sys.stderr)
            say(f"the machine stopped: {verdict}; {way_out}")
        elif state == "kernel end":
            print(file=sys.stderr)
            say(f"the kernel says: {boot.first_match(boot.KERNEL_END, serial)}; {way_out}")
        elif state == "dead end":
            dead_end = boot.find_dead_end(serial)
            sentence = dead_end.sentence_for(self.running.medium)
            print(file=sys.stderr)
            say(f"{sentence}. {dead_end.advice} To leave: {way_out}")


def run(options, once):
    with tempfile.TemporaryDirectory(prefix="handoff-run-") as folder:
        scratch = Path(folder)
        disk = build_volume(options, once, scratch)
        pc = build_machine(options, once, disk)
        introduce(pc, once, options.gdb)
        timeout = options.timeout
        if timeout is None and once and not options.gdb:
            timeout = pc.patience(ONCE_TIMEOUT_SECONDS)
        # If the terminal is the serial console, it already shows the output of the machine.
        echo = Echo() if once else None
        with boot.Boot(pc, on_terminal=not once, echo=echo, other_kernel=options.kernel is not None) as running:
            notices = Notices(running, options, once, scratch)
            try:
                verdict = running.watch(timeout, notices, refusal_ends=True)
            finally:
                if echo is not None:
                    echo.finish()
                if shows_colour(os.environ, once):  # the machine may have stopped within a line
                    print("\033[0m", end="", flush=True)
            print(file=sys.stderr)
            notices.conclude()
            return verdict


class Terminal:
    """Restore the settings of the terminal, also if QEMU did not."""

    def __enter__(self):
        self.state = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None

    def __exit__(self, *_):
        if self.state is not None:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self.state)


def conclude(verdict, kernel):
    """Print the verdict on the boot, with the user's name of the kernel's file. Return the exit status."""
    sentence = verdict.sentence
    if kernel is not None:
        sentence = sentence.replace("\\" + volume.name_on_volume(kernel), str(kernel))
    say(f"{'ok' if verdict.success else 'FAILED'}: {sentence}")
    if verdict.advice and not verdict.success:
        say(verdict.advice)
    return 0 if verdict.success else 1


def main():
    arguments.print_anything()
    options = parse_arguments()
    if options.check_only:
        return 0
    once = is_once(options)
    interrupts.raise_them()
    try:
        with Terminal():
            verdict = run(options, once)
    except (checks.MachineError, firmware.FirmwareNotFound, image.ImageError,
            volume.VolumeError) as error:
        say(error)
        return 2
    except boot.BootError as error:
        say(f"FAILED: {error}")
        return 1
    except (KeyboardInterrupt, interrupts.Ended) as reason:
        say("interrupted")
        return 143 if isinstance(reason, interrupts.Ended) else 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return conclude(verdict, options.kernel)


if __name__ == "__main__":
    sys.exit(main())
