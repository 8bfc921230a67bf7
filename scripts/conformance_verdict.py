"""The verdict on one case of the conformance kit, from the serial output and the end of the machine.

docs/CONFORMANCE.md has the line protocol, and the meaning of each verdict.
"""

import re
from dataclasses import dataclass

import boot
import conformance_cases as cases
import conformance_promises as promises

# Verdicts that pass, those that count as skipped, and those that fail.
PASSING = {
    "ready": "the kernel accepted the handoff, and ended as passed",
    "refused": "the kernel refused the damaged handoff",
    "kept": "the loader kept every promise",
}
SKIPPED = "skipped"
FAILING = {
    "accepted": "the kernel was ready with a damaged handoff",
    "rejected": "the kernel refused a good handoff",
    "failed": "the kernel's own tests failed",
    "fault": "the CPU raised an exception, which the loader reported",
    "returned": "the kernel's entry returned",
    "reset": "the machine reset itself",
    "no-end": "the kernel was ready, but did not say how it ended",
    "timeout": "the kernel said neither `ready` nor `refused` in time",
    "silent": "the machine ended before the kernel said `ready` or `refused`",
    "protocol": "a line of the protocol is wrong, or comes too early",
    "loader": "the loader stopped with an error",
    "firmware": "the firmware did not start the loader",
    "broken": "the loader broke a promise",
    "qemu": "QEMU did not run the machine",
}
# The codes with which a loader ends QEMU (docs/HANDOFF.md).
CODE_FAULT, CODE_RETURNED = 0x2B, 0x2C
PANIC_OF_A_REFUSAL = 0x11

LINE = re.compile(r"^conformance: *(.*)$")
REFUSAL = re.compile(r"refused (\S+) (\S.*)$")
END = re.compile(r"end (?:(passed)|failed (\S.*))$")
# The log of this project's kernel (docs/LOG.md) says the same in its own words.
OWN_READY = re.compile(r"^\[ready\] action=(power-off|idle)\b")
OWN_PANIC = re.compile(r"^\[panic\] code=(0x[0-9a-f]+)")
OWN_CAUSE = re.compile(r"^\[panic\] cause: (.*)$")
ANNOUNCED = "inject={} is on"
# The report of the loader's handlers, and the lines of it that name the place.
FAULT = re.compile(r"^\[loader\] (?:fault: )?((?<=fault: ).*|kernel entry returned.*)$", re.MULTILINE)
FAULT_DETAILS = re.compile(r"^  (cr2:|rip) +([^\n]*?)(?=  |$)", re.MULTILINE)
# QEMU's messages about a device or a CPU that it was built without, and about memory that the host refuses.
HOST_LACKS = re.compile(
    r"is not a valid device model name|unable to find CPU model|cannot set up guest memory|Cannot allocate memory"
)


@dataclass(frozen=True)
class Result:
    """The verdict on a case: its name (a key of the tables above), and a sentence with the details."""

    verdict: str
    sentence: str
    broken: tuple = ()  # the promises that a loader broke

    @property
    def passed(self):
        return self.verdict in PASSING

    @property
    def skipped(self):
        return self.verdict == SKIPPED


def own_events(line, code):
    """Return the events of a line of this project's kernel. `code` is that of the panic before it, or None."""
    ready = OWN_READY.match(line)
    if ready:
        return [("ready", "")] + [("passed", "")] * (ready.group(1) == "power-off")
    cause = OWN_CAUSE.match(line)
    if cause and code is not None:
        kind = "refused" if code == PANIC_OF_A_REFUSAL else "failed"
        return [(kind, f"{code:#04x} {cause.group(1)}")]
    return []


def protocol_event(words):
    """Return the event of a line of the protocol."""
    refusal, end = REFUSAL.match(words), END.match(words)
    if words == "ready":
        return "ready", ""
    if refusal:
        return "refused", f"{refusal.group(1)} {refusal.group(2)}"
    if end:
        return ("passed", "") if end.group(1) else ("failed", end.group(2))
    return "wrong", words


def events(serial, complete=True):
    """Return [(kind, details)] of the lines in order: "ready", "refused", "passed", "failed", or "wrong". A last line
    without its line feed counts only if the output is complete."""
    found, code = [], None
    lines = serial.split("\n")
    for line in lines if complete else lines[:-1]:
        line = line.rstrip()
        own = LINE.match(line)
        panic = OWN_PANIC.match(line)
        code = int(panic.group(1), 16) if panic else code
        found += [protocol_event(own.group(1))] if own else own_events(line, code)
    return found


def is_final(case, serial):
    """Return whether no later output can change the verdict for the better."""
    kinds = [kind for kind, _ in events(serial, complete=False)]
    if FAULT.search(serial) or {"passed", "failed", "refused", "wrong"} & set(kinds):
        return True
    if case.expected == cases.REFUSED and "ready" in kinds:
        return True
    if promises.PLAN.search(serial) and case.expected not in (cases.READY, cases.REFUSED):
        return True
    return bool(boot.REFUSAL.search(serial) or boot.find_dead_end(serial)) and not kinds


def result_of(case, serial, ending):
    """Return the result of a case. `ending` is a boot.Ending."""
    if ending.exit_status == 1 and ending.shutdown_reason is None:
        if HOST_LACKS.search(ending.errors):
            return Result(SKIPPED, f"this host cannot run the machine: {ending.errors.strip()}")
        return Result("qemu", f"QEMU did not run: {ending.errors.strip() or 'no message'}")
    if ending.exit_status is not None and ending.exit_status < 0:
        return Result("qemu", f"QEMU was ended by signal {-ending.exit_status}")
    if case.injected and ANNOUNCED.format(case.injected) not in serial and is_started(serial):
        return Result(SKIPPED, f"this loader does not know inject={case.injected}")
    if case.expected in (cases.READY, cases.REFUSED):
        return kernel_result(case, serial, ending)
    return loader_result(case, serial, ending)


def is_started(serial):
    """Return whether the kernel has said a line."""
    return bool(events(serial))


def kernel_result(case, serial, ending):
    found = events(serial)
    kinds = [kind for kind, _ in found]
    details = dict(reversed(found))
    if "wrong" in kinds:
        return Result("protocol", f"this line is unknown: `conformance: {details['wrong']}`")
    accident = accident_of(serial, ending)
    if accident is not None:
        return accident
    if not found:
        return absence_of(serial, ending)
    if "refused" in kinds:
        return refused_result(case, kinds, details["refused"])
    return ready_result(case, kinds, details, ending)


def accident_of(serial, ending):
    """Return the result of a fault or a reset, or None."""
    fault = FAULT.search(serial)
    if fault is not None:
        details = [f"{name} {value.strip()}" for name, value in FAULT_DETAILS.findall(serial, fault.end())]
        return Result("returned" if "entry returned" in fault.group(0) else "fault",
                      "; ".join([fault.group(1), *details]))  # fmt: skip
    if ending.triple_fault or ending.shutdown_reason == "guest-reset":
        how = "by a triple fault" if ending.triple_fault else "without a report"
        return Result("reset", f"the machine reset itself {how}; {boot.last_line(serial)}")
    return None


def absence_of(serial, ending):
    """Return the result of a boot in which the kernel said nothing."""
    refusal, dead_end = boot.refusal_words(serial), boot.find_dead_end(serial)
    if refusal is not None:
        return Result("loader", f"the loader stopped with {refusal[0]} {refusal[1]}".strip())
    if dead_end is not None:
        return Result("firmware", f"{dead_end.sentence_for(ending.medium)}; {boot.line_with(dead_end.words, serial)}")
    if ending.stopped_because is not None:
        return Result("timeout", f"{ending.stopped_because}; {boot.last_line(serial)}")
    return Result("silent", f"the machine ended without a line of the protocol; {boot.last_line(serial)}")


def refused_result(case, kinds, reason):
    if "ready" in kinds:
        return Result("protocol", f"the kernel said `ready` and `refused {reason}`")
    if case.expected == cases.REFUSED:
        return Result("refused", reason)
    return Result("rejected", f"the kernel refused a good handoff ({case.about}): {reason}")


def ready_result(case, kinds, details, ending):
    if "ready" not in kinds:
        if "failed" in kinds:
            return Result("failed", f"the kernel ended before it was ready: {details['failed']}")
        return Result("protocol", "the kernel said `end passed` before `ready`")
    if case.expected == cases.REFUSED:
        return Result("accepted", f"the kernel was ready although {case.about}")
    if "failed" in kinds:
        return Result("failed", details["failed"])
    if "passed" in kinds:
        return Result("ready", "the kernel was ready, and ended as passed")
    how = ending.stopped_because or "the machine ended"
    return Result("no-end", f"the kernel was ready, and then {how} without a line `conformance: end`")


def loader_result(case, serial, ending):
    """Return the result of another loader, from the lines of the probe."""
    broken = promises.broken_in(serial) + promises.broken_figures(case, serial)
    if broken:
        return Result("broken", "; ".join(map(str, broken)), tuple(broken))
    if case.expected in (cases.FAULT, cases.RETURNED):
        return handler_result(case, serial, ending)
    if promises.is_complete(serial):
        return Result("kept", f"{promises.count(serial)} promises are kept")
    accident = accident_of(serial, ending)
    if accident is not None:
        return accident
    if promises.count(serial) == 0:
        return absence_of(serial, ending)
    how = ending.stopped_because or "the machine ended"
    return Result("silent", f"{how} after {promises.count(serial)} promises; {boot.last_line(serial)}")


def handler_result(case, serial, ending):
    """The probe made a mistake on purpose. The loader must end the machine with the code for it."""
    expected = CODE_FAULT if case.expected == cases.FAULT else CODE_RETURNED
    code = boot.debug_exit_code(ending.exit_status)
    if promises.count(serial) == 0:
        return accident_of(serial, ending) or absence_of(serial, ending)
    if code == expected:
        return Result("kept", f"{case.about}, with code {code:#04x}")
    found = "no exit code" if code is None else f"{code:#04x}"
    promise = promises.Promise("faults-are-reported", f"expected exit code {expected:#04x}, found {found}")
    return Result("broken", f"{promise}; {boot.last_line(serial)}", (promise,))
