"""Boot a kernel, or the loader of another project, on many machines, and print a verdict on each boot.

scripts/conformance.sh builds first, then calls this. docs/CONFORMANCE.md explains the verdicts.
"""

import interrupts  # first of all

import fnmatch
import os
import shutil
import sys
import tempfile
import threading
import time
from argparse import SUPPRESS, ArgumentTypeError
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import arguments
import boot
import checks
import conformance_cases as cases
import conformance_report as report
import conformance_verdict as verdict
import firmware
import folders
import image
import machine
import volume

PROBE = folders.build_folder() / "probe/probe.elf"
LOADER = "EFI/BOOT/BOOTX64.EFI"
TIMEOUT_SECONDS = 60
# After the last line, a machine that resets itself does so within this time.
AFTER_THE_END_SECONDS = 0.5
WORDS = f"debug-exit={machine.DEBUG_EXIT_PORT:#x} once unattended"
EPILOG = """\
Without KERNEL, --loader names the loader of another project, and a kernel of this project checks
every promise of docs/HANDOFF.md. docs/CONFORMANCE.md has the lines that a kernel prints.

Exit status: 0 every case passed; 1 a case failed; 2 nothing was booted, because of an error;
130 interrupted.
"""


class Stopped(Exception):
    """The user has interrupted the run."""


def pe_file(text):
    """A type for add_argument(): an EFI application."""
    path = arguments.readable_file(text)
    with path.open("rb") as file:
        if file.read(2) != b"MZ":
            raise ArgumentTypeError(f"{text!r} is not an EFI application: it does not begin with MZ")
    return path


def elf_file(text):
    """A type for add_argument(): an ELF file. The loader's code checks the rest before the first boot."""
    path = arguments.readable_file(text)
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            raise ArgumentTypeError(f"{text!r} is not an ELF file: name the linked kernel")
    return path


def new_folder(text):
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise ArgumentTypeError(f"{text!r} is not a folder")
    if not arguments.can_create_in(arguments.folder(str(path if path.is_dir() else path.parent))):
        raise ArgumentTypeError(f"{text!r} cannot be written: name another folder")
    return path


def seconds(text):
    try:
        return checks.check_seconds(text)
    except machine.MachineError as error:
        raise ArgumentTypeError(str(error)) from error


def parse_arguments():
    parser = arguments.Parser(
        prog="conformance.sh",
        description="Boot a kernel on many machines and with injected failures, and print a verdict on each boot.\n"
        "The last line is `N passed, N failed`.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("kernel", nargs="?", type=elf_file, metavar="KERNEL", help="the kernel: an ELF file")
    add("--loader", type=pe_file, metavar="FILE",
        help="another BOOTX64.EFI; without KERNEL, check this loader")
    for name, what in (("json", "JSON"), ("junit", "JUnit's XML"), ("tap", "TAP, the Test Anything Protocol")):
        add(f"--{name}", action="store_true", help=f"print the results as {what}, at the end")
    add("--quick", action="store_true", help="only the cases that find the most: 13, or 5 for a loader")
    add("--full", action="store_true", help="also damaged memory maps, much memory, and "
        "machines with every pair of properties")
    add("--list", action="store_true", help="print the names of the cases, and boot nothing")
    add("--case", action="append", metavar="NAME", help="only this case; may be repeated, and * in it "
        "stands for any text")
    add("--logs", type=new_folder, metavar="FOLDER", help="write the serial output of each boot to a file there")
    add("--cmdline", default="", metavar="WORDS", help="more words for the kernel's command line")
    add("--jobs", type=arguments.integer(1, 64), default=os.cpu_count(), metavar="N",
        help=f"machines at the same time (default: the number of processors, {os.cpu_count()})")
    add("--timeout", type=seconds, default=TIMEOUT_SECONDS, metavar="SECONDS",
        help=f"the time for one boot (default {TIMEOUT_SECONDS}, more with much memory)")
    add("--firmware", metavar="FILE", help="UEFI firmware (default: $OVMF, else the installed firmware)")
    # For conformance.sh: make only the checks that need no built file and no QEMU.
    add("--check-only", action="store_true", help=SUPPRESS)
    options = parser.parse_args()  # fmt: skip
    check_together(parser, options)
    return options


def check_together(parser, options):
    """Check options that do not fit together, and choose the cases."""
    if options.kernel is None and options.loader is None and not options.list:
        parser.error(f"name a KERNEL, or a --loader, or both: {arguments.SEE_HELP}")
    chosen = [name for name in report.FORMS if getattr(options, name)]
    if len(chosen) > 1:
        parser.error(f"--{chosen[0]} and --{chosen[1]} do not fit together: choose one form")
    options.form = chosen[0] if chosen else None
    if options.quick and options.full:
        parser.error("--quick and --full do not fit together: choose one")
    if "\n" in options.cmdline or "\r" in options.cmdline or options.cmdline.count('"') % 2:
        parser.error("--cmdline must be one line, and each quote in it must be closed")
    try:
        firmware.find(options.firmware)
    except firmware.FirmwareNotFound as error:
        if not options.list:
            parser.error(str(error))
    options.cases = chosen_cases(parser, options)


def chosen_cases(parser, options):
    """Return the cases. --case finds a name in the full matrix, too."""
    of = cases.loader_cases if options.kernel is None and options.loader is not None else cases.kernel_cases
    if not options.case:
        return of("full" if options.full else "quick" if options.quick else "usual")
    found = []
    for pattern in options.case:
        matching = [case for case in of("full") if fnmatch.fnmatchcase(case.name, pattern)]
        if not matching:
            parser.error(f"--case {pattern!r} is not a case: --full --list prints all names")
        found += [case for case in matching if case not in found]
    return found


def make_volume(case, options, scratch):
    """Make the disk of a case. It depends on the kernel, the loader and the case, but not on esp/handoff.conf."""
    tree = scratch / "esp"
    kernel = options.kernel or PROBE
    words = " ".join(word for word in (WORDS, options.cmdline, case.words) if word)
    volume.compose(tree, words, kernel=kernel)
    settings = {"kernel": "\\kernel.elf", "cmdline": words, **case.keys}
    (tree / volume.CONFIG_NAME).write_text(volume.edit_config("", settings), encoding="utf-8")
    if options.loader is not None:
        shutil.copyfile(options.loader, tree / LOADER)
    return tree


def make_disk(case, tree, scratch):
    disk = scratch / "disk.img"
    options = {**cases.USUAL_MACHINE, **case.machine}
    if options["medium"] == "iso":
        image.make_iso(tree, disk)
    else:
        sector_bytes = options.get("sector_bytes", 512)
        image.make_disk(tree, disk, fat_bits=16 if sector_bytes == 512 else 32, sector_bytes=sector_bytes)
    return disk


class Kit:
    """Boots the cases, several at the same time."""

    def __init__(self, options):
        self.options = options
        self.firmware = firmware.find(options.firmware)
        self.stop = threading.Event()
        self.running = []

    def boot(self, case, scratch):
        """Boot a case to its end. Return its result, and the serial output."""
        disk = make_disk(case, make_volume(case, self.options, scratch), scratch)
        pc = machine.Machine(firmware=self.firmware, image=disk, **{**cases.USUAL_MACHINE, **case.machine})
        limit = pc.patience(self.options.timeout)
        deadline = time.monotonic() + limit
        with boot.Boot(pc) as running:
            while running.pump(0.1) and not verdict.is_final(case, running.serial):
                if self.stop.is_set():
                    raise Stopped
                if time.monotonic() > deadline:
                    running.stopped_because = f"the time ran out after {limit:.3g} s"
                    break
            else:
                self.wait_for_end(running)
            ending = running.end()
            return verdict.result_of(case, running.serial, ending), running.serial

    def wait_for_end(self, running):
        deadline = time.monotonic() + AFTER_THE_END_SECONDS
        while running.pump(0.1) and time.monotonic() < deadline:
            continue

    def run(self, case):
        if self.stop.is_set():
            raise Stopped
        self.running.append(case.name)
        started = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="handoff-conformance-") as scratch:
                result, serial = self.boot(case, Path(scratch))
        except (boot.BootError, machine.MachineError, image.ImageError) as error:
            result, serial = verdict.Result("qemu", str(error)), ""
        finally:
            self.running.remove(case.name)
        finished = report.Finished(case, result, serial, time.monotonic() - started)
        self.keep_log(finished)
        return finished

    def keep_log(self, one):
        if self.options.logs is not None:
            self.options.logs.mkdir(exist_ok=True)
            log = self.options.logs / f"{one.case.name}.log"
            log.write_text(f"{report.text_line(one)}\n\n{one.serial}", encoding="utf-8", errors="replace")

    def run_all(self, show):
        """Run the cases, and call `show` for each one in their order. Return all of them."""
        progress = report.Progress(len(self.options.cases), self.options.jobs)
        done = []
        with ThreadPoolExecutor(self.options.jobs) as executor:
            waiting = [executor.submit(self.run, case) for case in self.options.cases]
            try:
                for future in waiting:
                    while not future.done():
                        progress.done = sum(one.done() for one in waiting)
                        progress.show(self.running)
                        time.sleep(0.1)
                    done.append(future.result())
                    progress.clear()
                    show(done[-1])
            except BaseException:
                self.stop.set()
                executor.shutdown(cancel_futures=True)
                progress.clear()
                raise
        return done


def check_files(options):
    """Raise an error, in one sentence, if the loader would refuse the kernel."""
    checks.check_qemu()
    with tempfile.TemporaryDirectory(prefix="handoff-conformance-") as scratch:
        tree = make_volume(options.cases[0], options, Path(scratch))
        volume.check(tree, {"kernel": str(options.kernel or PROBE), "cmdline": "--cmdline"})


def print_list(options):
    for case in options.cases:
        print(f"{case.name:{report.NAME_CHARACTERS}}{case.expected:10}{case.about}")


def run(options):
    check_files(options)
    subject = str(options.kernel or options.loader)

    def show(one):
        if options.form is None:
            print(report.text_line(one), flush=True)

    finished = Kit(options).run_all(show)
    print(report.summary(finished) if options.form is None else report.FORMS[options.form](subject, finished))
    passed, failed, _ = report.counts(finished)
    if failed and options.logs is None and options.form is None:
        say("--logs FOLDER keeps the serial output of each boot; docs/CONFORMANCE.md explains the verdicts")
    return 1 if failed or not passed else 0


def say(sentence):
    print(f"conformance.sh: {sentence}", file=sys.stderr)


def main():
    arguments.print_anything()
    options = parse_arguments()
    if options.check_only:
        return 0
    interrupts.raise_them()
    try:
        if options.list:
            print_list(options)
            return 0
        return run(options)
    except (machine.MachineError, image.ImageError, volume.VolumeError, boot.BootError, OSError) as error:
        say(error)
        return 2
    except (KeyboardInterrupt, interrupts.Ended):
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
