"""Run one boot in QEMU, watch it, and say what became of it.

The verdict is strict: a boot succeeded only if the kernel printed its [ready] line, did not panic,
and then ended the machine itself. QEMU's exit status 0 alone proves nothing: a triple fault, a
reset and a power-off by the firmware's shell all have it.
"""

import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from firmware import escape
from machine import Machine

ROOT = Path(__file__).resolve().parent.parent
PANIC_HEADER = ROOT / "kernel" / "core" / "panic.h"
PANIC_NAMES = ROOT / "kernel" / "core" / "panic_names.c"
EXCEPTION_NAMES = ROOT / "shared" / "arch" / "x86_64" / "exception_names.c"
# The codes of the loader, which stand among the kernel's.
LOADER_HEADER = ROOT / "shared" / "debug_exit.h"
# The value that a kernel which reached [ready] writes to the debug-exit port.
DEBUG_EXIT_OK = 0x10

READY = re.compile(r"^\[ready\]", re.MULTILINE)
# A key asked for it.
RESTART = re.compile(r"^\[ready\] action=restart", re.MULTILINE)
PANIC = re.compile(r"^\[panic\] code=.*$", re.MULTILINE)
PANIC_CAUSE = re.compile(r"^\[panic\] cause: (.*)$", re.MULTILINE)
# The last line of a panic: nothing follows it.
PANIC_END = re.compile(r"^\[panic\] (?:halted|.* while printing a panic)", re.MULTILINE)
# The loader's report of an error, complete: what cannot be done, with what, and the remedy.
REFUSAL = re.compile(
    r"^.*?\b(?P<number>HL-\d+): *(?P<cause>.*)\n"
    r"(?:.*\n)*? *what: *(?P<what>.*)\n(?:.*\n)*? *remedy: *(?P<remedy>.*)\n",
    re.MULTILINE,
)
LOADER_ERROR = re.compile(r"^.*\bHL-\d+.*$", re.MULTILINE)
# The first line of what the loader's handlers caught.
FAULT = re.compile(r"^\[loader\] (?:fault: .*|kernel entry returned.*)$", re.MULTILINE)
# Something of ours has printed: the loader in the kernel's log, or the kernel. A kernel of others prints
# what it likes, but the loader enters it soon after this line.
KERNEL_BEGAN = re.compile(r"^\[[a-z-]+\] |^screen \d+x\d+, ACPI at ", re.MULTILINE)


@dataclass(frozen=True)
class DeadEnd:
    """What a failed boot prints instead of ending, what that means, and what helps."""

    words: str
    sentence: str
    advice: str


DEAD_ENDS = [
    DeadEnd(
        "Access Denied",
        "the firmware refused the loader: Secure Boot is on, and the loader is not signed",
        "Take firmware without enrolled keys (the installed one, without --firmware and $OVMF), or "
        "switch Secure Boot off in the firmware's setup.",
    ),
    DeadEnd(
        "X64 Exception",
        "the firmware caught a CPU exception before the kernel ran",
        "Try other firmware (--firmware) or the CPU 'max' (--cpu); if it stays, report the lines above.",
    ),
    DeadEnd(
        "Shell>",
        "the firmware found nothing to boot and started its shell",
        "This firmware has no driver for the medium, or no EFI/BOOT/BOOTX64.EFI is on it: try another "
        "one (--medium ahci).",
    ),
    DeadEnd(
        "No bootable",
        "the firmware found no bootable device",
        "This firmware does not see the medium: try another one (--medium ahci).",
    ),
]
SILENCE = (
    "this firmware does not start on this machine: leave out --firmware, $OVMF and --cpu, or give "
    "it more --memory."
)
ADVICE_SILENCE = SILENCE[0].upper() + SILENCE[1:]
ADVICE_TIME = "Give it more time (--timeout), or see in docs/LOG.md what follows that line."
ADVICE_TIME_SILENCE = f"Give it more time (--timeout). If it stays silent, {SILENCE}"
ADVICE_FIRMWARE_RESET = (
    "The firmware or the loader failed before the kernel ran: try the CPU 'max' (--cpu) or other "
    "firmware (--firmware)."
)
ADVICE_KERNEL_RESET = (
    "The kernel faulted where no handler was: make debug stops at its first instruction."
)
# In this order: a panic may follow [ready], and the loader is done once the kernel is ready.
STATES = [("panic", PANIC_END), ("ready", READY), ("fault", FAULT), ("refusal", REFUSAL)]
# Nothing follows but what a person does.
HALTED = ("panic", "fault", "dead end")

# How often serial output is looked at.
POLL_SECONDS = 0.02
# A dead end may still be about to end the machine by itself, and then its code is worth having.
SETTLE_SECONDS = 1.0
# After this much silence what was printed is complete.
QUIET_SECONDS = 0.3
# QEMU gets this long to end by itself, and to give the terminal back.
LEAVE_SECONDS = 5.0

# What QEMU itself writes there when a user leaves it.
QEMU_LEFT = "QEMU: Terminated"

ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;=?]*[A-Za-z]|[()][A-Z0-9]|[=>78])")


class BootError(Exception):
    """The machine could not be started or did not answer, with the reason."""


def clean(raw: bytes):
    """Serial output as plain text: no escape sequences, LF line ends."""
    text = raw.decode("utf-8", errors="replace")
    return ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def panic_codes():
    """The panic codes by name, from the headers that define them."""
    loader = dict(re.findall(r"#define (DEBUG_EXIT_\w+)\s+(0x\w+)",
                             LOADER_HEADER.read_text(encoding="utf-8")))  # fmt: skip
    found = re.findall(r"\bPANIC_(\w+)\s*=\s*(\w+)", PANIC_HEADER.read_text(encoding="utf-8"))
    return {name: int(loader.get(value, value), 16) for name, value in found}


def describe_code(code):
    """A panic code in the kernel's own words."""
    codes = panic_codes()
    names = dict(re.findall(r'\{PANIC_(\w+),\s*"([^"]+)"', PANIC_NAMES.read_text(encoding="utf-8")))
    for name, value in codes.items():
        if value == code and name in names:
            return f"{names[name]} (code {code:#04x})"
    base = codes.get("EXCEPTION_BASE", 0x40)
    if base <= code < base + 32:
        return f"{exception_names()[code - base]} (code {code:#04x})"
    return f"an unknown code {code:#04x}"


def exception_names():
    """The CPU's exceptions by vector."""
    table = re.search(r"names\[\w+\] = \{(.*?)\};", EXCEPTION_NAMES.read_text(encoding="utf-8"), re.S)
    return re.findall(r'"([^"]+)"', table.group(1))


@dataclass(frozen=True)
class Ending:
    """How QEMU came to its end."""

    exit_status: Optional[int] = None  # None: we killed it
    shutdown_reason: Optional[str] = None  # of QMP's SHUTDOWN event
    stopped_because: Optional[str] = None  # why we killed it
    errors: str = ""  # QEMU's own messages


@dataclass(frozen=True)
class Verdict:
    """What became of a boot, in one sentence, with what proves it."""

    success: bool
    sentence: str
    serial: str
    code: Optional[int] = None  # the value written to the debug-exit port
    advice: str = ""

    def has_line(self, pattern):
        """The first match of a pattern at the beginning of a serial line."""
        return re.search("^" + pattern, self.serial, re.MULTILINE)


def last_line(serial):
    lines = [line.strip() for line in serial.split("\n") if line.strip()]
    if lines and lines[-1] == QEMU_LEFT:
        lines.pop()
    return f"the last line was: {lines[-1]}" if lines else "nothing was printed"


def debug_exit_code(exit_status):
    """The value that the guest wrote to the debug-exit port, or None. 1 is QEMU's own failure."""
    if exit_status is None or exit_status < 3 or exit_status % 2 == 0:
        return None
    return (exit_status - 1) // 2


def first_match(pattern, serial):
    match = pattern.search(serial)
    return match.group(0).strip() if match else None


def panic_words(serial):
    """The cause of a panic, or its first line; None without a panic."""
    cause = PANIC_CAUSE.search(serial)
    return cause.group(1).strip() if cause else first_match(PANIC, serial)


def refusal_words(serial):
    """(what the loader refused and why, its remedy), or None."""
    report = REFUSAL.search(serial)
    if report is not None:
        number, cause, what, remedy = report.group("number", "cause", "what", "remedy")
        return f"{number}: {cause.strip()} {what.strip()}", remedy.strip()
    line = first_match(LOADER_ERROR, serial)
    return None if line is None else (line, "")


def find_dead_end(serial):
    """The first of the dead ends that a boot has run into, or None."""
    if READY.search(serial):
        return None
    return next((dead_end for dead_end in DEAD_ENDS if dead_end.words in serial), None)


def line_with(words, serial):
    """The first line that has the words, as a part of a sentence."""
    line = next(line for line in serial.split("\n") if words in line)
    return f"it said: {line.strip()}"


def ending_advice(serial):
    """What helps where the machine reset itself, or ended, without a word from the kernel."""
    if not serial.strip():
        return ADVICE_SILENCE
    return ADVICE_KERNEL_RESET if KERNEL_BEGAN.search(serial) else ADVICE_FIRMWARE_RESET


def verdict_of(serial, ending: Ending) -> Verdict:
    """Turn what was seen into a verdict."""
    code = debug_exit_code(ending.exit_status)
    ready = READY.search(serial) is not None
    panic = panic_words(serial)
    fault = first_match(FAULT, serial)
    refusal = refusal_words(serial)
    named = panic or fault or (refusal[0] if refusal else last_line(serial))

    def failed(sentence, advice=""):
        return Verdict(False, sentence, serial, code, advice)

    if code is not None and code != DEBUG_EXIT_OK:
        what = f"the kernel stopped with {describe_code(code)}"
        return failed(f"{what}; {named}", "The lines above tell more; docs/LOG.md explains the code.")
    if panic is not None:
        return failed(f"the kernel stopped with: {panic}", "The lines above tell more.")
    if fault is not None:
        return failed(f"the machine stopped with: {fault}", "The registers are above.")
    if refusal is not None and not ready:
        return failed(f"the loader stopped with {refusal[0]}", refusal[1])
    if ending.exit_status is not None and ending.exit_status < 0:
        return failed(f"QEMU was ended by signal {-ending.exit_status}; {last_line(serial)}")
    if ending.exit_status == 1 and ending.shutdown_reason is None:
        return failed(f"QEMU did not run: {ending.errors.strip() or 'no message'}")
    ended_by_kernel = code == DEBUG_EXIT_OK or ending.shutdown_reason == "guest-shutdown"
    if ready and ended_by_kernel:
        return Verdict(True, "the kernel reached [ready] and ended the machine", serial, code)
    dead_end = find_dead_end(serial)
    if dead_end is not None:
        return failed(f"{dead_end.sentence}; {line_with(dead_end.words, serial)}", dead_end.advice)
    if ending.stopped_because is not None:
        advice = ADVICE_TIME if serial.strip() else ADVICE_TIME_SILENCE
        return failed(f"{ending.stopped_because}; {last_line(serial)}", advice)
    if ending.shutdown_reason in ("host-qmp-quit", "host-ui", "host-signal"):
        return Verdict(
            ready,
            "QEMU was left by the user after [ready]" if ready
            else f"QEMU was left before the kernel was ready; {last_line(serial)}",
            serial,
        )  # fmt: skip
    if ending.shutdown_reason == "guest-reset" and RESTART.search(serial):
        return Verdict(True, "the kernel reached [ready] and restarted at a key", serial, code)
    if ending.shutdown_reason == "guest-reset":
        return failed(f"the machine reset itself; {last_line(serial)}", ending_advice(serial))
    return failed(f"the machine ended without a word from the kernel; {last_line(serial)}",
                  ending_advice(serial))  # fmt: skip


class Monitor:
    """QEMU's monitor protocol over a socket that QEMU inherited."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""
        self.shutdown_reason = None
        self.events = []
        self.replies = []

    def fileno(self):
        return self.connection.fileno()

    def receive(self):
        """Take in what has arrived. False at the end of the stream."""
        try:
            data = self.connection.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.buffer += data
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            if line.strip():
                self._take(json.loads(line))
        return data != b""

    def pending(self):
        """Whether something has arrived that was not taken in."""
        return bool(select.select([self.connection], [], [], 0)[0])

    def _take(self, message):
        if "event" in message:
            self.events.append(message["event"])
            # The first one counts: a machine that stays at its end is left afterwards.
            if message["event"] == "SHUTDOWN" and self.shutdown_reason is None:
                self.shutdown_reason = message["data"].get("reason")
        elif "return" in message or "error" in message:
            self.replies.append(message)

    def send(self, command, arguments=None):
        request = {"execute": command}
        if arguments is not None:
            request["arguments"] = arguments
        self.connection.sendall(json.dumps(request).encode() + b"\n")


class Boot:
    """One running machine. Use as a context manager: whatever happens, QEMU is gone afterwards."""

    def __init__(self, machine: Machine, on_terminal=False, echo=None, arguments=()):
        """Start the machine. With `on_terminal` the serial port is this terminal; otherwise it is
        ours, and `echo(bytes)` is called with what comes in."""
        self.scratch = Path(tempfile.mkdtemp(prefix="handoff-boot-"))
        self.raw = b""
        self.echo = echo
        self.on_terminal = on_terminal
        self.stays_at_end = machine.stay_at_end
        self.monitor = None
        self.serial_output = None
        self.serial_input = None
        self.error_file = None
        self.process = None
        self.stopped_because = None
        self.started = time.monotonic()
        try:
            self._start(machine, on_terminal, list(arguments))
        except BaseException:
            self.close()
            raise

    def _start(self, machine, on_terminal, extra):
        command = machine.arguments(self.scratch) + extra
        monitor_ours, monitor_theirs = socket.socketpair()
        inherited = [monitor_theirs]
        command += ["-chardev", f"socket,id=monitor,fd={monitor_theirs.fileno()}"]
        command += ["-mon", "chardev=monitor,mode=control"]
        command += self._serial_arguments(on_terminal)
        if machine.serial_port:
            command += ["-serial", "chardev:serial"]
        self.error_file = (self.scratch / "errors").open("w+b")
        try:
            self.process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno() for theirs in inherited],
                stdin=None if on_terminal else subprocess.DEVNULL,
                stdout=None if on_terminal else self.error_file,
                stderr=self.error_file,
            )
        except OSError as error:
            raise BootError(f"{command[0]} cannot be started: {error.strerror}") from error
        finally:
            for theirs in inherited:
                theirs.close()
        monitor_ours.setblocking(False)
        self.monitor = Monitor(monitor_ours)
        self.monitor.send("qmp_capabilities")

    def _serial_arguments(self, on_terminal):
        """Where the serial port leads: this terminal, with a log that we read; or a pair of pipes.
        Not a socket: every byte is a message there, a few hundred fill it, and a guest whose reader
        is late then loses what it prints."""
        if on_terminal:
            log = self.scratch / "serial.log"
            log.touch()
            self.serial_output = os.open(log, os.O_RDONLY)
            backend = f"stdio,id=serial,mux=on,signal=off,logfile={escape(log)}"
            return ["-chardev", backend, "-mon", "chardev=serial"]
        pipe = self.scratch / "serial"
        os.mkfifo(f"{pipe}.in")
        os.mkfifo(f"{pipe}.out")
        # Both directions of both, so that opening waits for nobody.
        self.serial_input = os.open(f"{pipe}.in", os.O_RDWR)
        self.serial_output = os.open(f"{pipe}.out", os.O_RDWR | os.O_NONBLOCK)
        return ["-chardev", f"pipe,id=serial,path={escape(pipe)}"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def serial(self):
        return clean(self.raw)

    def send(self, data: bytes):
        """Type on the serial port."""
        os.write(self.serial_input, data)

    def pump(self, seconds):
        """Take in what arrives within a time. False once QEMU has ended."""
        deadline = time.monotonic() + seconds
        while True:
            before = len(self.raw), len(self.monitor.events), len(self.monitor.replies)
            readable, _, _ = select.select([self.monitor], [], [], POLL_SECONDS)
            connected = self.monitor.receive() if readable else True
            self._take_serial()
            if not connected or self.process.poll() is not None:
                self._drain()
                return False
            after = len(self.raw), len(self.monitor.events), len(self.monitor.replies)
            if after != before or time.monotonic() >= deadline:
                return True

    def _take_serial(self):
        """Take in what the serial port wrote, until there is no more."""
        while True:
            try:
                data = os.read(self.serial_output, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self.raw += data
            if self.echo is not None:
                self.echo(data)

    def _drain(self):
        """Take in what QEMU wrote before it ended."""
        self.process.wait()
        while self.monitor.pending() and self.monitor.receive():
            continue
        self._take_serial()

    def command(self, name, arguments=None, timeout=30):
        """One command of QEMU's monitor protocol; its result."""
        self._await_reply(lambda: len(self.monitor.replies) >= 1, timeout, name)
        count = len(self.monitor.replies)
        self.monitor.send(name, arguments)
        self._await_reply(lambda: len(self.monitor.replies) > count, timeout, name)
        reply = self.monitor.replies[-1]
        if "error" in reply:
            raise BootError(f"QEMU refused {name}: {reply['error'].get('desc')}")
        return reply["return"]

    def _await_reply(self, arrived, timeout, name):
        deadline = time.monotonic() + timeout
        while not arrived():
            if time.monotonic() > deadline or not self.pump(0.2):
                raise BootError(f"QEMU did not answer {name}: {self.errors()}")

    def wait_for(self, pattern, timeout):
        """Run until a serial line matches (multi-line pattern). None if it never did."""
        deadline = time.monotonic() + timeout
        expression = re.compile(pattern, re.MULTILINE)
        alive = True
        while True:
            match = expression.search(self.serial)
            if match or not alive or time.monotonic() > deadline:
                return match
            alive = self.pump(0.1)

    def screenshot(self, path: Path):
        """What the graphics card shows, as a PPM file (every QEMU can write it)."""
        self.command("screendump", {"filename": str(path)})

    def errors(self):
        self.error_file.flush()
        return (self.scratch / "errors").read_text(encoding="utf-8", errors="replace").strip()

    def picture(self, path: Path):
        """What the graphics card shows, as a PNG file."""
        self.command("screendump", {"filename": str(path), "format": "png"})

    def watch(self, timeout=None, notice=None, refusal_ends=False):
        """Run to the end, or to a dead end, or until `timeout` seconds have passed. Without a timeout
        a person is watching, and decides.

        `notice(state)` is called once for each state of _state() that is reached, and for "late",
        when what was printed is complete and the screen can still be seen. With `refusal_ends` an
        error of the loader's ends the machine at once, before the firmware goes on."""
        deadline = None if timeout is None else time.monotonic() + timeout
        noticed = set()
        while self.pump(0.1):
            late = deadline is not None and time.monotonic() > deadline
            state = self._state() or ("late" if late else None)
            ends = late or state == "end" or state == "refusal" and refusal_ends
            # The firmware goes on after a refusal, and may find nothing else to boot.
            halted = state in HALTED or state == "refusal" and find_dead_end(self.serial)
            ends = ends or halted and timeout is not None
            if state is not None and state not in noticed:
                self._settle(SETTLE_SECONDS if state in HALTED else QUIET_SECONDS)
                if not late and self._state() != state:
                    continue  # something has followed at once, a panic for instance
                noticed.add(state)
                if notice is not None and self.process.poll() is None:
                    notice(state)
            if late:
                self.stopped_because = f"the time ran out after {timeout:g} s"
            elif ends and state != "end":
                self.stopped_because = f"it was stopped after {state}"
            if ends:
                break
        return self.finish()

    def _settle(self, seconds):
        deadline = time.monotonic() + seconds
        while self.pump(0.1) and time.monotonic() < deadline:
            continue

    def _state(self):
        """What the boot has come to: "end" (the machine stays there), "panic", "ready", "fault",
        "refusal" (of the loader), "dead end" (of the firmware); None while it goes on."""
        if self.stays_at_end and self.monitor.shutdown_reason is not None:
            return "end"
        serial = self.serial
        for state, pattern in STATES:
            if pattern.search(serial):
                return state
        return "dead end" if find_dead_end(serial) else None

    def finish(self) -> Verdict:
        """Stop the machine if it still runs; the verdict on what was seen."""
        status = None
        if self.process.poll() is None and self.stopped_because is None:
            self.pump(0.5)
        if self.process.poll() is not None:
            status = self.process.returncode
        elif self.stays_at_end and self.monitor.shutdown_reason is not None:
            status, self.stopped_because = 0, None  # it stayed at its end
        else:
            self.stopped_because = self.stopped_because or "the machine was stopped"
        reason = self.monitor.shutdown_reason
        self._leave()
        self._drain()
        reason = reason if status is None else self.monitor.shutdown_reason
        return verdict_of(self.serial, Ending(status, reason, self.stopped_because, self.errors()))

    def _leave(self):
        """End QEMU, in a way that gives the terminal back if it has one."""
        if self.on_terminal and self.monitor is not None and self.process.poll() is None:
            try:
                self.monitor.send("quit")
                self.process.wait(LEAVE_SECONDS)
            except (OSError, subprocess.TimeoutExpired):
                pass  # then it is killed, as without a terminal
        if self.process.poll() is None:
            self.process.kill()

    def close(self):
        """End QEMU and remove everything that this boot left."""
        if self.process is not None:
            self._leave()
            self.process.wait()
        for descriptor in (self.serial_output, self.serial_input):
            if descriptor is not None:
                os.close(descriptor)
        if self.error_file is not None:
            self.error_file.close()
        if self.monitor is not None:
            self.monitor.connection.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


def boot(machine: Machine, timeout=60, **options) -> Verdict:
    """Boot a machine to its end."""
    with Boot(machine, **options) as running:
        return running.watch(timeout)
