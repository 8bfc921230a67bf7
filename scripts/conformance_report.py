"""Print the results of the conformance kit: text, JSON, JUnit's XML, or TAP (the Test Anything Protocol).

Only the text appears while the cases run. The other forms are for programs, and appear at the end.
"""

import json
import re
import shutil
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

NAME_CHARACTERS = 28
# XML 1.0 has no way to write these characters.
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Finished:
    """A case with its result, the serial output, and the time of its boot."""

    case: object
    result: object
    serial: str = ""
    seconds: float = 0.0

    @property
    def word(self):
        if self.result.skipped:
            return "skipped"
        return "ok" if self.result.passed else "FAILED"


def counts(finished):
    """Return the numbers of cases that passed, failed, and were skipped."""
    words = [one.word for one in finished]
    return words.count("ok"), words.count("FAILED"), words.count("skipped")


def summary(finished):
    passed, failed, skipped = counts(finished)
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


class Progress:
    """A line on a terminal, with the running cases and the time left. It is on standard error: standard output has only
    results."""

    def __init__(self, total, jobs, stream=sys.stderr):
        self.total = total
        self.jobs = jobs
        self.stream = stream
        self.done = 0
        self.started = time.monotonic()

    def show(self, running=()):
        if not self.stream.isatty():
            return
        seconds = time.monotonic() - self.started
        left = f", {seconds / self.done * (self.total - self.done):.0f} s left" if self.done else ""
        line = f"{self.done} of {self.total} cases{left}: {', '.join(running)}"
        self.stream.write(f"\r\033[K{line[:shutil.get_terminal_size().columns - 1]}")
        self.stream.flush()

    def clear(self):
        if self.stream.isatty():
            self.stream.write("\r\033[K")
            self.stream.flush()


def text_line(one):
    """Return the line of a case. Each promise that a loader broke follows on a line of its own."""
    head = f"{one.word:8}{one.case.name:{NAME_CHARACTERS}}"
    if one.word != "FAILED":
        return f"{head}{one.result.verdict}: {one.result.sentence} ({one.seconds:.1f} s)"
    if not one.result.broken:
        return f"{head}{one.result.verdict}: {one.result.sentence}"
    count = len(one.result.broken)
    words = f"{count} promise{'s' if count != 1 else ''} of the loader"
    return "\n".join([f"{head}{one.result.verdict}: {words}"] + [f"        {promise}" for promise in one.result.broken])


def as_json(subject, finished):
    passed, failed, skipped = counts(finished)
    rows = [{
        "name": one.case.name, "about": one.case.about, "expected": one.case.expected, "result": one.word.lower(),
        "verdict": one.result.verdict, "sentence": one.result.sentence, "seconds": round(one.seconds, 3),
        "broken": [{"promise": promise.name, "section": promise.section, "details": promise.details}
                   for promise in one.result.broken],
    } for one in finished]  # fmt: skip
    return json.dumps({"subject": subject, "passed": passed, "failed": failed, "skipped": skipped, "cases": rows},
                      indent=2)  # fmt: skip


def xml_text(text):
    return NOT_XML.sub("?", text)


def as_junit(subject, finished):
    _, failed, skipped = counts(finished)
    suite = ElementTree.Element(
        "testsuite", name="conformance", tests=str(len(finished)), failures=str(failed), errors="0",
        skipped=str(skipped), time=f"{sum(one.seconds for one in finished):.3f}")  # fmt: skip
    for one in finished:
        case = ElementTree.SubElement(suite, "testcase", classname=xml_text(f"conformance.{subject}"),
                                      name=one.case.name, time=f"{one.seconds:.3f}")  # fmt: skip
        sentence = xml_text(one.result.sentence)
        if one.word == "FAILED":
            failure = ElementTree.SubElement(case, "failure", type=one.result.verdict, message=sentence)
            failure.text = xml_text(f"{one.case.about}\n{sentence}")
            ElementTree.SubElement(case, "system-out").text = xml_text(one.serial)
        elif one.word == "skipped":
            ElementTree.SubElement(case, "skipped", message=sentence)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def one_line(text):
    """In a description of TAP, `#` begins a directive."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("#", "\\#")


def as_tap(_, finished):
    lines = ["TAP version 13", f"1..{len(finished)}"]
    for number, one in enumerate(finished, 1):
        word = "not ok" if one.word == "FAILED" else "ok"
        directive = f" # SKIP {one_line(one.result.sentence)}" if one.word == "skipped" else ""
        lines.append(f"{word} {number} - {one.case.name}{directive}")
        if one.word == "FAILED":
            lines += ["  ---", f"  verdict: {one.result.verdict}", f"  sentence: {json.dumps(one.result.sentence)}", "  ..."]
    return "\n".join(lines)


FORMS = {"json": as_json, "junit": as_junit, "tap": as_tap}
