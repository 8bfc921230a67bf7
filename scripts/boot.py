"""Run one boot in QEMU, watch it, and return a verdict.

The verdict is strict. A boot succeeds only if the kernel prints its [ready] line, does not panic, and then ends the
machine itself. QEMU's exit status 0 is not enough, because other ends have it, too: a triple fault, a reset, or a
power-off by the firmware's shell. So QEMU logs triple faults. A kernel of another author need not print [ready]: it
may also end as docs/YOUR-KERNEL.md says.
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

import absent_tpm
from firmware import escape
from machine import Machine

ROOT = Path(__file__).resolve().parent.parent
PANIC_HEADER = ROOT / "kernel" / "core" / "panic.h"
PANIC_NAMES = ROOT / "kernel" / "core" / "panic_names.c"
EXCEPTION_NAMES = ROOT / "shared" / "arch" / "x86_64" / "exception_names.c"
# The exit codes of the loader, which are among the kernel's panic codes.
LOADER_HEADER = ROOT / "shared" / "debug_exit.h"
# The value that a kernel which reached [ready] writes to the debug-exit port.
DEBUG_EXIT_OK = 0x10

READY = re.compile(r"^\[ready\]", re.MULTILINE)
# The monitor of this kernel waits for a command. Another kernel may have none.
PROMPT = "handoff> "
# The user has typed the command for a restart.
RESTART = re.compile(r"^\[ready\] action=restart", re.MULTILINE)
# The kernel was about to switch the machine off.
POWER_OFF = re.compile(r"^\[ready\] action=power-off", re.MULTILINE)
PANIC = re.compile(r"^\[panic\] code=.*$", re.MULTILINE)
PANIC_CAUSE = re.compile(r"^\[panic\] cause: (.*)$", re.MULTILINE)
# The last line of a panic.
PANIC_END = re.compile(r"^\[panic\] (?:halted|.* while printing a panic)", re.MULTILINE)
# The loader's complete report of an error: the step that failed, its object, and the remedy.
REFUSAL = re.compile(
    r"^.*?\b(?P<number>HL-\d+): *(?P<cause>.*)\n"
    r"(?:.*\n)*? *what: *(?P<what>.*)\n(?:.*\n)*? *remedy: *(?P<remedy>.*)\n",
    re.MULTILINE,
)
LOADER_ERROR = re.compile(r"^.*\bHL-\d+.*$", re.MULTILINE)
# The first line of a report by the loader's handlers.
FAULT = re.compile(r"^\[loader\] (?:fault: .*|kernel entry returned.*)$", re.MULTILINE)
# The line of a kernel of another author (docs/YOUR-KERNEL.md): it refuses the handoff, or it has ended.
KERNEL_END = re.compile(r"^conformance: (?P<word>refused|end passed|end failed)\b *(?P<reason>.*)\n", re.MULTILINE)
# A step of the loader that began (docs/LOG.md). The last step is the kernel itself.
MARK = re.compile(r"^\[loader\] progress: (\w+)", re.MULTILINE)
LAST_MARK = "kernel"
# Without marks: this project's kernel has printed a line, or the loader was about to enter a kernel. Another kernel
# may print anything, but the loader enters it soon after this line.
KERNEL_BEGAN = re.compile(r"^\[[a-z-]+\] |^screen \d+x\d+, ACPI at ", re.MULTILINE)


@dataclass(frozen=True)
class DeadEnd:
    """A failed boot that does not end the machine: the text that it prints, its meaning, and a remedy. MEDIUM in the
    sentence stands for the medium of the machine."""

    words: str
    sentence: str
    advice: str

    def sentence_for(self, medium):
        return self.sentence.replace("MEDIUM", f"the medium {medium}" if medium else "the medium")


DEAD_ENDS = [
    DeadEnd(
        "Access Denied",
        "the firmware refused the loader: Secure Boot is on, and the loader is not signed",
        "Use firmware without enrolled keys (the installed one, without --firmware and $OVMF), or "
        "switch Secure Boot off in the firmware's setup.",
    ),
    DeadEnd(
        "Image not authenticated",
        "the firmware refused the loader: Secure Boot is on, and the loader is not signed",
        "Use firmware without enrolled keys, or switch Secure Boot off: delete the variable PK.",
    ),
    # U-Boot asks for old IDE disks after it has tried all others. This machine has none.
    DeadEnd(
        "Reset IDE: Bus",
        "U-Boot found no loader: it has no driver for MEDIUM, or the medium has no EFI/BOOT/BOOTX64.EFI",
        "U-Boot's usual build reads AHCI disks only: use --medium ahci.",
    ),
    DeadEnd(
        "## Application failed",
        "U-Boot started the loader, and the loader failed",
        "See the lines above.",
    ),
    DeadEnd(
        "X64 Exception",
        "the firmware caught a CPU exception before the kernel ran",
        "Try other firmware (--firmware) or the CPU 'max' (--cpu). If the error stays, report the lines above.",
    ),
    DeadEnd(
        "Shell>",
        "the firmware found nothing to boot and started its shell",
        "The firmware has no driver for the medium, or the medium has no EFI/BOOT/BOOTX64.EFI: try another "
        "medium (--medium ahci).",
    ),
    DeadEnd(
        "No bootable",
        "the firmware found no bootable device",
        "The firmware does not find the medium: try another medium (--medium ahci).",
    ),
]
SILENCE = (
    "the firmware does not start on this machine: leave out --firmware, $OVMF, --cpu and --display, or "
    "use more --memory."
)
ADVICE_SILENCE = SILENCE[0].upper() + SILENCE[1:]
ADVICE_TIME = "Use a longer --timeout, or see docs/LOG.md for the step after that line."
ADVICE_TIME_SILENCE = f"Use a longer --timeout. If nothing is printed then, {SILENCE}"
ADVICE_FIRMWARE_RESET = (
    "The firmware or the loader failed before the kernel ran: try the CPU 'max' (--cpu) or other "
    "firmware (--firmware)."
)
ADVICE_KERNEL_RESET = (
    "The kernel faulted without a handler: use make debug, which stops at its first instruction."
)
ADVICE_RESTART = (
    "This firmware's ResetSystem restarts the machine, and its ACPI tables have no way to switch it off: "
    "switch it off by hand."
)
# The order matters: a panic may follow [ready], and the loader has no errors after [ready].
STATES = [("panic", PANIC_END), ("ready", READY), ("kernel end", KERNEL_END), ("fault", FAULT), ("refusal", REFUSAL)]
# In these states the machine waits for a person.
HALTED = ("panic", "kernel end", "fault", "dead end")

# The interval for reading the serial output.
POLL_SECONDS = 0.02
# After a halt the machine may still end by itself within this time, with an exit code.
HALT_SECONDS = 1.0
# Without new output for this time, the output is complete.
QUIET_SECONDS = 0.3
# QEMU gets this time to end by itself, and to restore the terminal.
LEAVE_SECONDS = 5.0

# QEMU's own line on the serial output when a user leaves it.
QEMU_LEFT = "QEMU: Terminated"

ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;=?]*[A-Za-z]|[()][A-Z0-9]|[=>78])")


class BootError(Exception):
    """The machine cannot be started, or it does not answer. The text has the reason."""


def clean(raw: bytes):
    """Return serial output as plain text, without escape sequences and with LF line ends."""
    text = raw.decode("utf-8", errors="replace")
    return ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def panic_codes():
    """Return the panic codes by name, from the headers that define them."""
    loader = dict(re.findall(r"#define (DEBUG_EXIT_\w+)\s+(0x\w+)",
                             LOADER_HEADER.read_text(encoding="utf-8")))  # fmt: skip
    found = re.findall(r"\bPANIC_(\w+)\s*=\s*(\w+)", PANIC_HEADER.read_text(encoding="utf-8"))
    return {name: int(loader.get(value, value), 16) for name, value in found}


def describe_code(code):
    """Return the kernel's name of a panic code."""
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
    """Return the names of the CPU's exceptions by vector."""
    table = re.search(r"names\[\w+\][^=]* = \{(.*?)\};", EXCEPTION_NAMES.read_text(encoding="utf-8"), re.S)
    return re.findall(r'"([^"]+)"', table.group(1))


@dataclass(frozen=True)
class Ending:
    """The end of QEMU."""

    exit_status: Optional[int] = None  # None: this program killed it
    shutdown_reason: Optional[str] = None  # of QMP's SHUTDOWN event
    stopped_because: Optional[str] = None  # the reason why this program killed it
    errors: str = ""  # QEMU's own messages
    triple_fault: bool = False  # the CPU's, as QEMU has logged it; never with KVM
    medium: str = ""  # of the machine
    other_kernel: bool = False  # of another author: it need not print [ready]


@dataclass(frozen=True)
class Verdict:
    """The result of a boot, in one sentence, with the evidence."""

    success: bool
    sentence: str
    serial: str
    code: Optional[int] = None  # the value written to the debug-exit port
    advice: str = ""

    def has_line(self, pattern):
        """Return the first match of a pattern at the beginning of a serial line."""
        return re.search("^" + pattern, self.serial, re.MULTILINE)


def last_line(serial):
    lines = [line.strip() for line in serial.split("\n") if line.strip()]
    if lines and lines[-1] == QEMU_LEFT:
        lines.pop()
    return f"the last line was: {lines[-1]}" if lines else "nothing was printed"


def debug_exit_code(exit_status):
    """Return the value that the guest wrote to the debug-exit port, or None. Status 1 is an error of QEMU."""
    if exit_status is None or exit_status < 3 or exit_status % 2 == 0:
        return None
    return (exit_status - 1) // 2


def first_match(pattern, serial):
    match = pattern.search(serial)
    return match.group(0).strip() if match else None


def panic_words(serial):
    """Return the cause of a panic, or its first line. None without a panic."""
    cause = PANIC_CAUSE.search(serial)
    return cause.group(1).strip() if cause else first_match(PANIC, serial)


def refusal_words(serial):
    """Return (the loader's error, its remedy), or None without an error."""
    report = REFUSAL.search(serial)
    if report is not None:
        number, cause, what, remedy = report.group("number", "cause", "what", "remedy")
        return f"{number}: {cause.strip()} {what.strip()}", remedy.strip()
    line = first_match(LOADER_ERROR, serial)
    return None if line is None else (line, "")


def find_dead_end(serial):
    """Return the first dead end of a boot, or None."""
    if READY.search(serial):
        return None
    return next((dead_end for dead_end in DEAD_ENDS if dead_end.words in serial), None)


def line_with(words, serial):
    """Return the first line with these words, as a part of a sentence."""
    line = next(line for line in serial.split("\n") if words in line)
    return f"it printed: {line.strip()}"


def ending_advice(serial):
    """Return advice for a machine that has reset itself or ended without a message of the kernel."""
    if not serial.strip():
        return ADVICE_SILENCE
    marks = MARK.findall(serial)
    began = LAST_MARK in marks if marks else KERNEL_BEGAN.search(serial)
    return ADVICE_KERNEL_RESET if began else ADVICE_FIRMWARE_RESET


def verdict_of(serial, ending: Ending) -> Verdict:
    """Return the verdict on a boot from its output and its end."""
    code = debug_exit_code(ending.exit_status)
    ready = READY.search(serial) is not None
    panic = panic_words(serial)
    fault = first_match(FAULT, serial)
    refusal = refusal_words(serial)
    named = panic or fault or (refusal[0] if refusal else last_line(serial))

    def failed(sentence, advice=""):
        return Verdict(False, sentence, serial, code, advice)

    if ending.other_kernel and not (ready or panic or fault):
        verdict = verdict_of_other_kernel(serial, ending, code)
        if verdict is not None:
            return verdict
    if code is not None and code != DEBUG_EXIT_OK:
        what = f"the kernel stopped with {describe_code(code)}"
        return failed(f"{what}; {named}", "See the lines above; docs/LOG.md explains the code.")
    if panic is not None:
        return failed(f"the kernel stopped with: {panic}", "See the lines above.")
    if fault is not None:
        return failed(f"the machine stopped with: {fault}", "See the registers above.")
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
        sentence = dead_end.sentence_for(ending.medium)
        return failed(f"{sentence}; {line_with(dead_end.words, serial)}", dead_end.advice)
    if ending.stopped_because is not None:
        advice = ADVICE_TIME if serial.strip() else ADVICE_TIME_SILENCE
        return failed(f"{ending.stopped_because}; {last_line(serial)}", advice)
    if ending.shutdown_reason in ("host-qmp-quit", "host-ui", "host-signal"):
        return Verdict(
            ready,
            "the user left QEMU after [ready]" if ready
            else f"the user left QEMU before the kernel was ready; {last_line(serial)}",
            serial,
        )  # fmt: skip
    if ending.shutdown_reason == "guest-reset":
        return verdict_of_reset(serial, ending)
    return failed(f"the machine ended without a message of the kernel; {last_line(serial)}",
                  ending_advice(serial))  # fmt: skip


def verdict_of_other_kernel(serial, ending, code):
    """Return the verdict on a kernel of another author that has reported its end, or has ended the machine. None if it
    has done neither."""
    said = KERNEL_END.search(serial)
    word = said and said.group("word")
    by_code = code is not None and code != DEBUG_EXIT_OK
    if word == "refused":
        return Verdict(False, f"the kernel refused the handoff: {said.group('reason')}", serial, code)
    if word == "end failed":
        return Verdict(False, f"the kernel ended with an error: {said.group('reason')}", serial, code)
    if by_code and LAST_MARK in MARK.findall(serial):
        return Verdict(False, f"the kernel ended QEMU with the code {code:#04x}; {last_line(serial)}", serial, code,
                       f"The code for success is {DEBUG_EXIT_OK:#04x} (docs/YOUR-KERNEL.md).")  # fmt: skip
    if word == "end passed" and not ending.triple_fault:
        return Verdict(True, "the kernel says that it ended well", serial, code)
    ended_by_kernel = code == DEBUG_EXIT_OK or ending.shutdown_reason == "guest-shutdown"
    if ended_by_kernel and LAST_MARK in MARK.findall(serial):
        return Verdict(True, "the kernel ended the machine", serial, code)
    return None


def verdict_of_reset(serial, ending):
    """Return the verdict on a machine that has reset itself, without any report."""
    if ending.triple_fault:
        return Verdict(False, f"the machine reset itself by a triple fault; {last_line(serial)}", serial,
                       advice=ending_advice(serial))  # fmt: skip
    if RESTART.search(serial):
        return Verdict(True, "the kernel reached [ready], and the machine was restarted", serial)
    if POWER_OFF.search(serial):
        return Verdict(False, "the kernel reached [ready], but the machine restarted instead of switching off; "
                       f"{last_line(serial)}", serial, advice=ADVICE_RESTART)  # fmt: skip
    return Verdict(False, f"the machine reset itself; {last_line(serial)}", serial,
                   advice=ending_advice(serial))  # fmt: skip


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
        """Read all data that has arrived. Return False at the end of the stream."""
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
        """Return whether data has arrived that was not read yet."""
        return bool(select.select([self.connection], [], [], 0)[0])

    def _take(self, message):
        if "event" in message:
            self.events.append(message["event"])
            # The first reason counts. A machine that stays at its end gets a second one when this program leaves it.
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
    """One running machine. Use it as a context manager. At its end QEMU does not run any more, in every case."""

    def __init__(self, machine: Machine, on_terminal=False, echo=None, arguments=(), other_kernel=False):
        """Start the machine. With `on_terminal` the serial port is this terminal. Otherwise this program reads it, and
        calls `echo(bytes)` with its output. `other_kernel`: the kernel may be of another author."""
        self.scratch = Path(tempfile.mkdtemp(prefix="handoff-boot-"))
        self.raw = b""
        self.echo = echo
        self.on_terminal = on_terminal
        self.stays_at_end = machine.stay_at_end
        self.medium = machine.medium
        self.other_kernel = other_kernel
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
        waits_for_tpm = absent_tpm.is_awaited(machine, extra)
        command = machine.arguments(self.scratch) + extra + ["-S"] * waits_for_tpm
        monitor_ours, monitor_theirs = socket.socketpair()
        inherited = [monitor_theirs]
        command += ["-chardev", f"socket,id=monitor,fd={monitor_theirs.fileno()}"]
        command += ["-mon", "chardev=monitor,mode=control"]
        command += self._serial_arguments(on_terminal)
        if machine.serial_port:
            command += ["-serial", "chardev:serial"]
        command += ["-d", "cpu_reset", "-D", str(self.scratch / "resets")]
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
        if waits_for_tpm:
            self.start_without_tpm()

    def start_without_tpm(self):
        """Start the CPU of a machine, from power-on or after a reset. The firmware sees that there is no TPM."""
        try:
            try:
                absent_tpm.show_absence(lambda line: self.command("human-monitor-command", {"command-line": line}))
            except absent_tpm.NotPossible:
                pass  # the firmware waits
            self.command("cont")
        except BootError:
            pass  # QEMU has ended, and the verdict says why

    def _serial_arguments(self, on_terminal):
        """Return QEMU's arguments for the serial port: this terminal, with a log that this program reads, or a pair of
        pipes. A socket would lose data: it treats each byte as a message, and is full after a few hundred. Then a guest
        loses output if this program reads late."""
        if on_terminal:
            log = self.scratch / "serial.log"
            log.touch()
            self.serial_output = os.open(log, os.O_RDONLY)
            backend = f"stdio,id=serial,mux=on,signal=off,logfile={escape(log)}"
            return ["-chardev", backend, "-mon", "chardev=serial"]
        pipe = self.scratch / "serial"
        os.mkfifo(f"{pipe}.in")
        os.mkfifo(f"{pipe}.out")
        # Open each pipe for both directions, so that the call does not wait for the other side.
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
        """Send bytes to the serial port."""
        os.write(self.serial_input, data)

    def pump(self, seconds):
        """Read the data that arrives within a time. Return False if QEMU has ended."""
        deadline = time.monotonic() + seconds
        while True:
            before = len(self.raw), len(self.monitor.events), len(self.monitor.replies)
            readable, _, _ = select.select([self.monitor], [], [], POLL_SECONDS)
            connected = self.monitor.receive() if readable else True
            self.take_serial()
            if not connected or self.process.poll() is not None:
                self._drain()
                return False
            after = len(self.raw), len(self.monitor.events), len(self.monitor.replies)
            if after != before or time.monotonic() >= deadline:
                return True

    def take_serial(self):
        """Read all output of the serial port."""
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
        """Read the rest of QEMU's output after its end."""
        self.process.wait()
        while self.monitor.pending() and self.monitor.receive():
            continue
        self.take_serial()

    def command(self, name, arguments=None, timeout=30):
        """Run a command of QEMU's monitor protocol. Return its result."""
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
            alive = self.pump(0.2)
            # The last reply may have arrived together with the end.
            if not arrived() and (not alive or time.monotonic() > deadline):
                raise BootError(f"QEMU did not answer {name}: {self.errors()}")

    def wait_for(self, pattern, timeout):
        """Run until a serial line matches (multi-line pattern). Return None if no line matches."""
        deadline = time.monotonic() + timeout
        expression = re.compile(pattern, re.MULTILINE)
        alive = True
        while True:
            match = expression.search(self.serial)
            if match or not alive or time.monotonic() > deadline:
                return match
            alive = self.pump(0.1)

    def screenshot(self, path: Path):
        """Save the screen as a PPM file, which every QEMU can write."""
        self.command("screendump", {"filename": str(path)})

    def errors(self):
        self.error_file.flush()
        return (self.scratch / "errors").read_text(encoding="utf-8", errors="replace").strip()

    def had_triple_fault(self):
        """Return whether QEMU has logged a triple fault. With KVM it logs none."""
        log = self.scratch / "resets"
        return log.is_file() and b"Triple fault" in log.read_bytes()

    def picture(self, path: Path):
        """Save the screen as a PNG file."""
        self.command("screendump", {"filename": str(path), "format": "png"})

    def watch(self, timeout=None, notice=None, refusal_ends=False, panic_seconds=HALT_SECONDS):
        """Run to the end, or to a dead end, or until `timeout` seconds have passed. Without a timeout a person watches
        the machine and ends it.

        `notice(state)` is called once for each new state of _state(), and for "late". At that time the output is
        complete, and the screen still exists. With `refusal_ends` an error of the loader ends the machine at once,
        before the firmware goes on. A panic gets `panic_seconds` to end the machine with its exit code."""
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
                halt_seconds = panic_seconds if state == "panic" else HALT_SECONDS
                self._pump_for(halt_seconds if state in HALTED else QUIET_SECONDS)
                if not late and self._state() != state:
                    continue  # another state has followed at once, for example a panic
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

    def _pump_for(self, seconds):
        deadline = time.monotonic() + seconds
        while self.pump(0.1) and time.monotonic() < deadline:
            continue

    def _state(self):
        """Return the state of the boot, or None while it goes on. The states: "end" (the machine stays there), "panic",
        "ready", "kernel end" (another author's kernel reports it), "fault", "refusal" (an error of the loader), "dead
        end" (of the firmware)."""
        if self.stays_at_end and self.monitor.shutdown_reason is not None:
            return "end"
        serial = self.serial
        for state, pattern in STATES:
            found = pattern.search(serial)
            # After a fault of its own the loader refuses the boot, and returns to the firmware.
            if found and not (state == "fault" and REFUSAL.search(serial, found.end())):
                return state
        return "dead end" if find_dead_end(serial) else None

    def finish(self) -> Verdict:
        """Stop the machine if it still runs. Return the verdict."""
        ending = self.end()
        return verdict_of(self.serial, ending)

    def end(self) -> Ending:
        """Stop the machine if it still runs. Return how it ended."""
        status = None
        if self.process.poll() is None and self.stopped_because is None:
            self.pump(0.5)
        if self.process.poll() is not None:
            status = self.process.returncode
        elif self.stays_at_end and self.monitor.shutdown_reason is not None:
            status, self.stopped_because = 0, None  # the machine stayed at its end
        else:
            self.stopped_because = self.stopped_because or "the machine was stopped"
        reason = self.monitor.shutdown_reason
        self._leave()
        self._drain()
        reason = reason if status is None else self.monitor.shutdown_reason
        return Ending(status, reason, self.stopped_because, self.errors(), self.had_triple_fault(), self.medium,
                      self.other_kernel)  # fmt: skip

    def _leave(self):
        """End QEMU. If it has the terminal, let it restore the terminal first."""
        if self.on_terminal and self.monitor is not None and self.process.poll() is None:
            try:
                self.monitor.send("quit")
                self.process.wait(LEAVE_SECONDS)
            except (OSError, subprocess.TimeoutExpired):
                pass  # QEMU is killed below
        if self.process.poll() is None:
            self.process.kill()

    def close(self):
        """End QEMU and remove all files of this boot."""
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
    """Boot a machine to its end. Return the verdict."""
    with Boot(machine, **options) as running:
        return running.watch(timeout)
