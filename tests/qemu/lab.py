"""The tests' workbench: compose a volume, boot it, check the verdict.

There are two ways to boot. `cold` starts a new machine, as a user does. `case` restores a snapshot, in a tenth of the
time. The snapshot was taken when the conductor (an EFI application, see conductor/main.c) was about to start the
loader. The conductor runs between firmware and loader, so it can inject faults. All cases on equal machines share one
snapshot, on all workers. The memory of a snapshot is a file. A restored machine maps it and copies only the pages that
it writes, so it starts in a few hundredths of a second.
"""

import fcntl
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random, SystemRandom

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import boot  # noqa: E402 (the path is set just above)
import firmware  # noqa: E402
import folders  # noqa: E402
import image  # noqa: E402
import sign  # noqa: E402
import volume  # noqa: E402
from machine import DEBUG_EXIT_PORT, GRAPHICS, QEMU, UNRESERVED_FROM_BYTES, Machine, parse_size  # noqa: E402

BUILD = folders.build_folder()
CONDUCTOR = BUILD / "qemu/CONDUCTOR.EFI"
LOADER = "EFI/BOOT/BOOTX64.EFI"
PANIC = boot.panic_codes()
# Codes of the conductor (main.c, leaving.c).
CODE_FORBIDDEN = 0x7D
CODE_RETURNED = 0x7E
CODE_CONDUCTOR_FAILED = 0x7F

# A boot takes seconds, but a busy host may need more. Machines with much memory get more time (Machine.patience).
TIMEOUT_SECONDS = 300
# Behind a panic's last line the kernel still draws the QR code, then writes the exit code. A kernel with sanitizers on
# a busy host takes seconds for this.
PANIC_SECONDS = 20
# Every image has the same size, since the restored firmware still uses the size from before the snapshot.
CASE_IMAGE_MIB = 24
CASE_MEMORY = "128M"

# The content of memory that is a shared file needs no copy in the snapshot.
MEMORY_STAYS_IN_ITS_FILE = {"capabilities": [{"capability": "x-ignore-shared", "state": True}]}

# The seed chooses the small blocks between guard pages, and their misuse has another code.
NO_SAMPLES = "heap_sample=0"
WORDS = [f"debug-exit={DEBUG_EXIT_PORT:#x}", "once", "unattended"]


def random_places():
    """Return a source of random numbers for one test. Pytest prints the seed if the test fails; HANDOFF_SEED=N repeats
    its numbers."""
    seed = int(os.environ.get("HANDOFF_SEED") or SystemRandom().randrange(1 << 32))
    print(f"the numbers come from HANDOFF_SEED={seed}")
    return Random(seed)


def installed(*builds):
    """The installed firmware builds. Without any, None stands for the best firmware."""
    return [build for build in builds if Path(build).is_file()] or [None]


def has_graphics(card):
    """Return whether this QEMU has the device of a graphics card."""
    listed = subprocess.run([QEMU, "-device", "help"], capture_output=True, text=True, check=True)
    return f'name "{GRAPHICS[card][-1]}"' in listed.stdout


def make_tree(tree: Path, command_line="", words=None, **settings):
    """Make a copy of esp/ that powers off when it is ready."""
    volume.compose(tree, command_line, WORDS if words is None else words, **settings)
    return tree


def change(tree: Path, changes):
    """Apply {path: bytes, a number of bytes that are zero, "directory", or None to remove} to a
    volume's tree."""
    for name, content in (changes or {}).items():
        path = tree / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        if content is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if content == "directory":
            path.mkdir()
            (path / "inside").write_bytes(b"a directory with an entry")
        elif isinstance(content, int):
            path.touch()
            os.truncate(path, content)
        else:
            path.write_bytes(content)


def enrolled(files):
    """Return a change of the volume: the loader with the hashes of `files`, {path: bytes}. It is not signed."""
    return {LOADER: sign.enrol((BUILD / "BOOTX64.EFI").read_bytes(), files)}


def put_conductor(tree: Path, plan):
    """Let the conductor start first, and then start the loader."""
    loader = tree / LOADER
    aside = tree / "EFI/HANDOFF/LOADER.EFI"
    aside.parent.mkdir(parents=True, exist_ok=True)
    loader.replace(aside)
    shutil.copyfile(CONDUCTOR, loader)
    (tree / "plan.txt").write_text("".join(f"{line}\n" for line in plan), encoding="ascii")


class Lab:
    """The bench of one worker. `scratch` is its own folder; `snapshots` is one for all workers. `full_matrix`:
    see boot_machine()."""

    def __init__(self, scratch: Path, snapshots: Path, full_matrix=False):
        self.scratch = scratch
        self.snapshots = snapshots
        self.full_matrix = full_matrix
        self.firmware = firmware.find()
        self.numbers = itertools.count()

    def directory(self):
        path = self.scratch / f"case-{next(self.numbers)}"
        path.mkdir()
        return path

    def disk(self, changes=None, plan=None, fat_bits=16, size_mib=None, iso=False, **settings):
        """A disk image with a changed copy of esp/, with a conductor if there is a plan."""
        place = self.directory()
        tree = make_tree(place / "tree", **settings)
        change(tree, changes)
        if plan is not None:
            put_conductor(tree, plan)
        disk = place / "disk.img"
        if iso:
            image.make_iso(tree, disk)
        else:
            image.make_disk(tree, disk, fat_bits, size_mib)
        shutil.rmtree(tree)
        return disk

    def machine(self, disk, **options):
        return Machine(firmware=options.pop("firmware", self.firmware), image=disk, **options)

    def cold(self, changes=None, plan=None, fat_bits=16, timeout=TIMEOUT_SECONDS, machine=None,
             **settings):  # fmt: skip
        """Boot from power-on to the end. `machine` holds options of Machine."""
        options = dict(machine or {})
        iso = options.get("medium") == "iso"
        disk = self.disk(changes, plan, fat_bits, iso=iso, **settings)
        try:
            pc = self.machine(disk, **options)
            with boot.Boot(pc) as running:
                return watch(running, pc.patience(timeout), settings)
        finally:
            shutil.rmtree(disk.parent)

    def boot_cold(self, disk, **options):
        """Start a machine from power-on. The caller watches it."""
        return boot.Boot(self.machine(disk, **options))

    def case(self, changes=None, plan=(), timeout=TIMEOUT_SECONDS, machine=None, panic_seconds=PANIC_SECONDS,
             **settings):  # fmt: skip
        """Boot from the snapshot of a machine. `machine` holds options of Machine. A panic has `panic_seconds` to end
        the machine."""
        disk = self.case_disk(machine, changes, plan, **settings)
        try:
            with self.restore(disk, machine=machine) as running:
                return watch(running, timeout, settings, panic_seconds)
        finally:
            shutil.rmtree(disk.parent)

    def boot_machine(self, machine, only, **settings):
        """Boot a machine with several special properties from its snapshot. The full matrix boots a machine with only
        one of them from power-on: the options `only`."""
        if self.full_matrix:
            return self.cold(machine=only, **settings)
        return self.case(machine=machine, **settings)

    def start_machine(self, machine, only, **settings):
        """The same for a machine that the test watches while it runs."""
        if self.full_matrix:
            return boot.Boot(self.machine(self.disk(**settings), **only))
        return self.restore(self.case_disk(machine, **settings), machine=machine)

    def case_disk(self, machine, changes=None, plan=(), **settings):
        """Make a disk for a machine that is restored from its snapshot."""
        iso = (machine or {}).get("medium") == "iso"
        return self.disk(changes, plan, size_mib=CASE_IMAGE_MIB, iso=iso, **settings)

    def restore(self, disk, go=True, machine=None):
        """Start a snapshot's machine with another disk. Without `go` its conductor waits for the key `g`."""
        pc = self.machine(disk, **case_options(machine))
        state = self.snapshot(machine)
        running = boot.Boot(pc, arguments=[*memory_in_file(pc, state, "off"), "-incoming", "defer"])
        try:
            running.command("migrate-set-capabilities", MEMORY_STAYS_IN_ITS_FILE)
            running.command("migrate-incoming", {"uri": f"exec:exec cat {state}"})
            await_start(running)
        except BaseException:
            running.close()
            raise
        if go:
            running.send(b"g")
        return running

    def snapshot(self, machine):
        """Return the snapshot of a machine. The first worker takes it, and the others wait."""
        options = case_options(machine)
        model = self.machine(Path(), **options).cpu_model()
        properties = repr(sorted({**options, "cpu": model}.items()))
        # A device may write a file in the worker's own folder, whose name is no property of the machine.
        properties = properties.replace(str(self.scratch), "")
        name = hashlib.sha256(properties.encode()).hexdigest()[:16]
        state = self.snapshots / name
        with (self.snapshots / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not state.exists():
                self.take_snapshot(machine, options, state)
        return state

    def take_snapshot(self, machine, options, target):
        """Write the state of a machine whose conductor waits."""
        disk = self.case_disk(machine, plan=["snapshot"])
        state = target.with_suffix(".part")
        pc = self.machine(disk, **options)
        with boot.Boot(pc, arguments=memory_in_file(pc, target, "on")) as running:
            if running.wait_for("^conductor: waiting", TIMEOUT_SECONDS) is None:
                raise boot.BootError(f"no snapshot: {boot.last_line(running.serial)}")
            running.command("migrate-set-capabilities", MEMORY_STAYS_IN_ITS_FILE)
            running.command("migrate", {"uri": f"exec:cat >{state}"})
            while running.command("query-migrate")["status"] not in ("completed", "failed"):
                running.pump(0.05)
        if not state.exists():
            raise boot.BootError("QEMU wrote no snapshot")
        state.rename(target)
        shutil.rmtree(disk.parent)


def watch(running, timeout, settings, panic_seconds=PANIC_SECONDS):
    """Watch a boot to its end. With the usual words a panic ends the machine; with others it may stay there."""
    usual = settings.get("words") is None
    return running.watch(timeout, panic_seconds=panic_seconds if usual else boot.HALT_SECONDS)


def memory_in_file(pc, state, is_shared):
    """Return QEMU's arguments for a machine whose memory is a file beside its snapshot. With "on" the machine writes the
    file, with "off" it only reads it."""
    file = firmware.escape(state.with_suffix(".memory"))
    size_bytes = parse_size(pc.memory)
    reserve = ",reserve=off" if size_bytes >= UNRESERVED_FROM_BYTES else ""
    backend = f"memory-backend-file,id=snapshot,mem-path={file},size={size_bytes},share={is_shared}{reserve}"
    return ["-object", backend, "-machine", "memory-backend=snapshot"]


def await_start(running):
    """Wait until a machine goes on from its snapshot."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while "RESUME" not in running.monitor.events:
        if not running.pump(0.2) or time.monotonic() > deadline:
            raise boot.BootError(f"the snapshot was not restored: {running.errors()}")


def case_options(machine):
    """Return the options of a machine that is restored from a snapshot."""
    return {"memory": CASE_MEMORY, **(machine or {})}


def expect_ready(verdict):
    """Check every sign of a successful boot."""
    assert verdict.success, f"{verdict.sentence}\n{verdict.serial}"
    return verdict


def expect_panic(verdict, name):
    """Check that the kernel stopped with the code of this name, and printed its name."""
    code = PANIC[name] if isinstance(name, str) else name
    assert verdict.code == code, f"{verdict.sentence}\n{verdict.serial}"
    assert not verdict.success
    return verdict


def expect_stop(verdict, number):
    """Check that the loader stopped with this error, printed a remedy, and freed all memory."""
    assert verdict.code == CODE_RETURNED, f"{verdict.sentence}\n{verdict.serial}"
    assert f"HL-{number:02d}:" in verdict.serial, verdict.serial
    assert "remedy:" in verdict.serial, verdict.serial
    assert verdict.has_line("conductor: pages=0 blocks=0 "), verdict.serial
    returned = verdict.has_line(r"conductor: the loader returned ([0-9a-f]+)$")
    assert returned and int(returned.group(1), 16) >> 63 == 1, "an EFI error status is expected"
    return verdict
