"""Test the conformance kit without QEMU: the verdicts, the forms of its output, and its refusals."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from argparse import Namespace
from pathlib import Path

import boot
import conformance
import conformance_cases as cases
import conformance_promises as promises
import conformance_report as report
import conformance_verdict as verdict
import folders
import pytest

ROOT = Path(__file__).resolve().parents[2]
KERNEL = folders.volume_folder() / "kernel.elf"
KIT = ROOT / "scripts/conformance.py"
FAKE = Path(__file__).with_name("fake_qemu.py")
PAGE = (ROOT / "docs/CONFORMANCE.md").read_text(encoding="utf-8")

READY = "conformance: ready\n"
PASSED = READY + "conformance: end passed\n"
REFUSED = "conformance: refused 5 the checksum is wrong\n"
ON = "warning: inject=bad-checksum is on: this boot misbehaves on purpose\n"
LOADER_ERROR = "HL-04: The file is not on the volume.\n  what:   \\kernel.elf\n  remedy: Copy it there.\n"
FAULT = "[loader] fault: #PF page fault, before the kernel's handlers\n"
OWN_REFUSAL = '[panic] code=0x11 name="bad handoff"\n[panic] cause: the handoff is refused: bad checksum\n'
OFF = boot.Ending(0, "guest-shutdown")
EXITED = boot.Ending(33)
KILLED = boot.Ending(None, None, "the time ran out after 120 s")
RESET = boot.Ending(0, "guest-reset")
TRIPLE = boot.Ending(0, "guest-reset", triple_fault=True)
PROBE = "TAP version 13\nok cpu-cr0\nok cpu-cr3\n1..2\n"


def case(expected, inject="", **options):
    return cases.Case("name", "about it", expected, keys={"inject": inject} if inject else {}, **options)


GOOD = case(cases.READY)
DAMAGED = case(cases.REFUSED, "bad-checksum")
PROMISED = case(cases.PROMISES)
HANDLER = case(cases.FAULT, words="probe=undefined")
RETURNING = case(cases.RETURNED, words="probe=return")

ROWS = [
    (GOOD, PASSED, OFF, "ready"),
    (GOOD, PASSED, EXITED, "ready"),
    (GOOD, PASSED.replace("\n", "\r\n"), KILLED, "ready"),
    (GOOD, PASSED.rstrip("\n"), EXITED, "ready"),
    (GOOD, "noise conformance: ready\n" + PASSED, KILLED, "ready"),
    (GOOD, "[ready] action=power-off\n", OFF, "ready"),
    (GOOD, "noise conformance: ready\n", KILLED, "timeout"),
    (DAMAGED, ON + REFUSED, KILLED, "refused"),
    (DAMAGED, ON + OWN_REFUSAL, KILLED, "refused"),
    (DAMAGED, REFUSED, KILLED, "skipped"),
    (DAMAGED, PASSED, OFF, "skipped"),
    (GOOD, "", boot.Ending(1, errors="qemu: 'ramfb' is not a valid device model name"), "skipped"),
    (GOOD, "", boot.Ending(1, errors="qemu: cannot set up guest memory 'pc.ram': Cannot allocate memory"), "skipped"),
    (DAMAGED, ON + READY, KILLED, "accepted"),
    (DAMAGED, ON + PASSED, OFF, "accepted"),
    (DAMAGED, ON + "[ready] action=power-off\n", OFF, "accepted"),
    (GOOD, REFUSED, KILLED, "rejected"),
    (GOOD, OWN_REFUSAL, KILLED, "rejected"),
    (GOOD, READY + "conformance: end failed no heap\n", OFF, "failed"),
    (GOOD, "conformance: end failed no memory\n", OFF, "failed"),
    (GOOD, '[panic] code=0x1e name="x"\n[panic] cause: a double free\n', EXITED, "failed"),
    (GOOD, FAULT, boot.Ending(2 * 0x2B + 1), "fault"),
    (GOOD, READY + FAULT, boot.Ending(2 * 0x2B + 1), "fault"),
    (DAMAGED, ON + FAULT, boot.Ending(2 * 0x2B + 1), "fault"),
    (GOOD, "[loader] kernel entry returned, at 0x10\n", boot.Ending(2 * 0x2C + 1), "returned"),
    (GOOD, "hello\n", TRIPLE, "reset"),
    (GOOD, PASSED, RESET, "reset"),
    (DAMAGED, ON + REFUSED, RESET, "reset"),
    (GOOD, READY, KILLED, "no-end"),
    (GOOD, READY, OFF, "no-end"),
    (GOOD, "[ready] action=idle\n", KILLED, "no-end"),
    (GOOD, "hello\n", KILLED, "timeout"),
    (DAMAGED, ON + "hello\n", KILLED, "timeout"),
    (GOOD, "hello\n", OFF, "silent"),
    (GOOD, "conformance: redy\n", KILLED, "protocol"),
    (GOOD, "conformance: refused 5\n", KILLED, "protocol"),
    (GOOD, "conformance: end failed\n", KILLED, "protocol"),
    (GOOD, "conformance: end passed\n", KILLED, "protocol"),
    (GOOD, READY + REFUSED, KILLED, "protocol"),
    (GOOD, LOADER_ERROR, KILLED, "loader"),
    (DAMAGED, LOADER_ERROR, KILLED, "loader"),
    (GOOD, "Shell> ", KILLED, "firmware"),
    (GOOD, "", boot.Ending(1, errors="no such disk"), "qemu"),
    (GOOD, "", boot.Ending(-9), "qemu"),
    (PROMISED, PROBE, boot.Ending(33), "kept"),
    (HANDLER, PROBE.replace("1..2\n", FAULT), boot.Ending(2 * 0x2B + 1), "kept"),
    (RETURNING, PROBE.replace("1..2\n", ""), boot.Ending(2 * 0x2C + 1), "kept"),
    (PROMISED, PROBE.replace("ok cpu-cr3", "not ok cpu-cr3: expected 0x1, found 0x2"), boot.Ending(35), "broken"),
    (PROMISED, "# command_line=other\n" + PROBE, boot.Ending(33), "ready?"),
    (PROMISED, "# ram_bytes=0x1000\n" + PROBE, boot.Ending(33), "broken"),
    (HANDLER, PROBE.replace("1..2\n", ""), RESET, "broken"),
    (HANDLER, PROBE, boot.Ending(33), "broken"),
    (RETURNING, PROBE.replace("1..2\n", FAULT), boot.Ending(2 * 0x2B + 1), "broken"),
    (PROMISED, PROBE.replace("ok cpu-cr3\n", ""), boot.Ending(33), "silent"),
    (PROMISED, "", KILLED, "timeout"),
    (PROMISED, FAULT, boot.Ending(2 * 0x2B + 1), "fault"),
    (HANDLER, "", TRIPLE, "reset"),
]  # fmt: skip
ROWS = [(one, serial, ending, "kept" if name == "ready?" else name) for one, serial, ending, name in ROWS]


@pytest.mark.parametrize("one, serial, ending, name", ROWS, ids=[f"{n}-{row[3]}" for n, row in enumerate(ROWS)])
def test_verdict(one, serial, ending, name):
    result = verdict.result_of(one, serial, ending)
    assert result.verdict == name, result.sentence
    assert result.sentence and result.passed == (name in verdict.PASSING)


def test_every_verdict_has_a_test():
    known = set(verdict.PASSING) | set(verdict.FAILING) | {verdict.SKIPPED}
    assert {row[3] for row in ROWS} == known


def test_fault_names_the_place():
    serial = FAULT + "  code:   0x2: write\n  cr2:    in page 0: a null pointer\n  rip ffffffff8000114c  cs 0008\n"
    sentence = verdict.result_of(GOOD, serial, boot.Ending(2 * 0x2B + 1)).sentence
    assert sentence == ("#PF page fault, before the kernel's handlers; cr2: in page 0: a null pointer; "
                        "rip ffffffff8000114c")


def test_words_of_the_command_line_are_compared():
    wrong = "# command_line=debug-exit=0xf4 probe=other\n" + PROBE
    result = verdict.result_of(HANDLER, wrong, boot.Ending(2 * 0x2B + 1))
    assert [promise.name for promise in result.broken] == ["command-line-is-handed-over"]


@pytest.mark.parametrize("one, serial, final", [
    (GOOD, READY, False), (GOOD, "conformance: end pas", False), (GOOD, "conformance: end passed", False),
    (GOOD, PASSED, True), (GOOD, REFUSED, True), (DAMAGED, READY, True), (DAMAGED, ON, False), (GOOD, FAULT, True),
    (GOOD, "conformance: x\n", True), (GOOD, LOADER_ERROR, True), (PROMISED, PROBE, True),
    (PROMISED, PROBE.replace("1..2\n", ""), False),
])  # fmt: skip
def test_a_boot_ends_when_its_verdict_is_certain(one, serial, final):
    assert verdict.is_final(one, serial) == final


# --- Documents -----------------------------------------------------------------------------------------


def test_verdicts_in_the_document_are_the_code_s():
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (?:yes|no|–) \| (.*) \|$", PAGE, re.MULTILINE))
    del rows["skipped"]
    assert rows == {**verdict.PASSING, **verdict.FAILING}


def test_every_promise_of_the_probe_has_a_section_of_the_contract():
    contract = (ROOT / "docs/HANDOFF.md").read_text(encoding="utf-8")
    headings = re.findall(r"^##+ (.*)$", contract, re.MULTILINE)
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "tests/qemu/probe").rglob("*.c"))
    names = set(re.findall(r'"([a-z][a-z0-9]*(?:-[a-zA-Z0-9]+)*)"', sources))
    assert len(names) > 70
    starts = [start for start, _ in promises.SECTIONS]
    for _, section in promises.SECTIONS:
        assert section in headings, section
    names |= {"faults-are-reported", "ram-is-handed-over", "command-line-is-handed-over"}
    used = {next(start for start in starts if name.startswith(start)) for name in names}
    assert used == set(starts), "a section without a promise"


def test_every_injected_word_is_one_of_the_loader():
    source = (ROOT / "bootloader/pure/inject.c").read_text(encoding="utf-8")
    known = set(re.findall(r'\[INJECT_\w+\] = "([\w-]+)"', source))
    used = {case.injected for case in cases.kernel_cases("full") if case.injected}
    # These stop the loader or the machine, so a kernel has no part in them.
    assert known - used == {"fail-pages", "hang", "bad-jump"} and used < known


def test_cases_have_names_of_their_own():
    for choose in (cases.kernel_cases, cases.loader_cases):
        names = [case.name for case in choose("full")]
        assert len(names) == len(set(names))
        assert {case.name for case in choose("quick")} < {case.name for case in choose("usual")} < set(names)


# --- Forms ---------------------------------------------------------------------------------------------

FINISHED = [
    report.Finished(GOOD, verdict.Result("ready", "fine"), PASSED, 1.25),
    report.Finished(DAMAGED, verdict.Result("accepted", "it was\nready # <&> \\ \x1b"), "serial <\x00\x1b>", 2.0),
    report.Finished(PROMISED, verdict.Result("broken", "x", (promises.Promise("cpu-cr0", "expected 1"),)), "", 1.0),
    report.Finished(HANDLER, verdict.Result("skipped", "no device # here")),
]


def test_summary():
    assert report.summary(FINISHED) == "1 passed, 2 failed, 1 skipped"
    assert report.summary(FINISHED[:1]) == "1 passed, 0 failed"


def test_broken_promises_have_lines_with_their_section():
    head, *promised = report.text_line(FINISHED[2]).splitlines()
    assert head.endswith("broken: 1 promise of the loader")
    assert promised == [
        '        cpu-cr0 (HANDOFF.md, "The CPU at entry (x86-64)"): expected 1']


def test_json():
    read = json.loads(report.as_json("k.elf", FINISHED))
    assert (read["subject"], read["passed"], read["failed"], read["skipped"]) == ("k.elf", 1, 2, 1)
    assert [row["result"] for row in read["cases"]] == ["ok", "failed", "failed", "skipped"]
    assert read["cases"][2]["broken"] == [
        {"promise": "cpu-cr0", "section": "The CPU at entry (x86-64)", "details": "expected 1"}]


def test_junit():
    suite = ElementTree.fromstring(report.as_junit("k\x01.elf", FINISHED).encode()).find("testsuite")
    assert [suite.get(name) for name in ("tests", "failures", "skipped", "errors")] == ["4", "2", "1", "0"]
    rows = suite.findall("testcase")
    assert len(rows) == 4 and all(row.get("name") and row.get("classname") and row.get("time") for row in rows)
    assert rows[1].find("failure").get("type") == "accepted" and "serial <" in rows[1].find("system-out").text
    assert rows[0].find("failure") is None and rows[3].find("skipped") is not None


def parse_tap(text):
    """Return [(ok, number, description, directive)] of a text in TAP 13, or fail."""
    lines = text.splitlines()
    assert lines[0] == "TAP version 13"
    plan = int(re.fullmatch(r"1\.\.(\d+)", lines[1]).group(1))
    rows, block = [], False
    for line in lines[2:]:
        if block or line == "  ---":
            assert line.startswith("  "), line
            block = line != "  ..."
            continue
        match = re.fullmatch(r"(ok|not ok) (\d+) - ((?:[^#\\]|\\[#\\])*?)(?: # (SKIP .*))?", line)
        assert match, line
        rows.append((match.group(1) == "ok", int(match.group(2)), match.group(3), match.group(4)))
    assert not block and [row[1] for row in rows] == list(range(1, plan + 1))
    return rows


def test_tap():
    rows = parse_tap(report.as_tap("k.elf", FINISHED))
    assert [row[0] for row in rows] == [True, False, False, True]
    assert rows[3][3] == "SKIP no device \\# here"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_progress_is_on_a_terminal_only():
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        progress = report.Progress(10, 2, stream)
        progress.started -= 8
        progress.show(["usual"])
        progress.done = 4
        progress.show(["memory-1G", "cpu-old"])
        progress.clear()
    lines = terminal.getvalue().split("\r\033[K")
    assert lines[1:] == ["0 of 10 cases: usual", "4 of 10 cases, 12 s left: memory-1G, cpu-old", ""]
    assert pipe.getvalue() == ""


# --- The command line ----------------------------------------------------------------------------------


def kit(*words, **options):
    return subprocess.run([sys.executable, KIT, *map(str, words)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=300, **options)  # fmt: skip


@pytest.mark.parametrize("words, sentence", [
    ([], "name a KERNEL, or a --loader, or both"),
    (["no-such-file"], "'no-such-file' does not exist"),
    ([ROOT / "README.md"], "is not an ELF file: name the linked kernel"),
    (["--loader", ROOT / "README.md"], "is not an EFI application: it does not begin with MZ"),
    (["KERNEL", "--json", "--tap"], "--json and --tap do not fit together"),
    (["KERNEL", "--quick", "--full"], "--quick and --full do not fit together"),
    (["KERNEL", "--case", "memory-1K"], "--case 'memory-1K' is not a case"),
    (["KERNEL", "--case"], "--case needs a value"),
    (["KERNEL", "--jobs", "0"], "'0' is not a whole number from 1 to 64"),
    (["KERNEL", "--timeout", "soon"], "'soon' is not a number"),
    (["KERNEL", "--logs", "/no-such-folder/x"], "'/no-such-folder' is not a folder"),
    (["KERNEL", "--logs", "/proc/x"], "'/proc/x' cannot be written"),
    (["KERNEL", "--cmdline", '"open'], "each quote in it must be closed"),
    (["KERNEL", "--firmware", "/bin/sh"], "has no code in a firmware volume"),
    (["KERNEL", "other"], "unknown word 'other'"),
])  # fmt: skip
def test_wrong_words_are_refused_in_one_sentence(words, sentence):
    done = kit("--check-only", *[KERNEL if word == "KERNEL" else word for word in words])
    assert done.returncode == 2 and done.stdout == "", done.stdout
    assert sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("conformance.sh: ")


def test_kernel_that_the_loader_refuses_is_refused_before_the_first_boot(tmp_path):
    kernel = tmp_path / "kernel.elf"
    kernel.write_bytes(b"\x7fELF" + bytes(200))
    done = kit(kernel)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"conformance.sh: {kernel}: "), done.stderr


def test_list_needs_no_kernel():
    done = kit("--list")
    assert done.returncode == 0 and done.stderr == ""
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names == [case.name for case in cases.kernel_cases("usual")]
    assert kit("--list", "--case", "medium-*").stdout.count("\n") == 6


def test_volume_of_a_case(tmp_path):
    """Only the case and the words of the user decide, not the handoff.conf of the checkout."""
    loader = tmp_path / "OTHER.EFI"
    loader.write_bytes(b"MZ other")
    options = Namespace(kernel=ROOT / "LICENSE", loader=loader, cmdline="a=b")
    one = case(cases.READY, "stale-key:2", words="paging=5")
    tree = conformance.make_volume(one, options, tmp_path)
    assert (tree / "handoff.conf").read_text(encoding="utf-8").splitlines() == [
        "kernel = \\kernel.elf", "cmdline = debug-exit=0xf4 once unattended a=b paging=5", "inject = stale-key:2"]
    assert (tree / "kernel.elf").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (tree / "EFI/BOOT/BOOTX64.EFI").read_bytes() == b"MZ other"


# --- Whole runs, with a program in QEMU's place --------------------------------------------------------


@pytest.fixture(name="fake")
def make_fake(tmp_path):
    """Return the environment of a run in which each machine prints `serial` and then ends."""
    program = tmp_path / "qemu"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return lambda serial, end="stay": {**os.environ, "QEMU": str(program), "FAKE_SERIAL": serial, "FAKE_END": end}


def test_run_with_logs(fake, tmp_path):
    logs = tmp_path / "logs"
    done = kit(KERNEL, "--case", "usual", "--case", "inject-bad-checksum", "--logs", logs, "--jobs", 2,
               env=fake(ON + READY + "|conformance: end passed\n", "33"))  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok      usual ") and lines[1].startswith("FAILED  inject-bad-checksum ")
    assert "accepted: the kernel was ready although the checksum" in lines[1]
    assert lines[2] == "1 passed, 1 failed" and done.stderr == ""
    assert sorted(path.name for path in logs.iterdir()) == ["inject-bad-checksum.log", "usual.log"]
    assert READY in (logs / "usual.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["--json", "--junit", "--tap"])
def test_standard_output_has_only_the_form(fake, form):
    done = kit(KERNEL, "--case", "usual", form, env=fake(PASSED, "off"))
    assert done.returncode == 0, done.stdout + done.stderr
    read = {"--json": json.loads, "--junit": ElementTree.fromstring, "--tap": parse_tap}[form]
    assert read(done.stdout) and done.stderr == ""


def test_kernel_that_hangs_is_ended(fake):
    done = kit(KERNEL, "--case", "usual", "--timeout", "0.5", env=fake("hello\n"))
    assert done.returncode == 1 and "--logs FOLDER keeps the serial output" in done.stderr
    assert "timeout: the time ran out after 0.501 s" in done.stdout and "the last line was: hello" in done.stdout


def test_QEMU_that_does_not_start_is_a_verdict(fake):
    done = kit(KERNEL, "--case", "usual", env=fake("", "1"))
    assert done.returncode == 1 and "qemu: QEMU did not run" in done.stdout


def test_interrupted_run_leaves_no_machine(fake):
    environment = fake("hello\n")
    process = subprocess.Popen([sys.executable, KIT, KERNEL, "--jobs", "2", "--case", "memory-*"], env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)  # fmt: skip

    def machines():
        listed = subprocess.run(["pgrep", "-f", "-P", str(process.pid), "fake_qemu"], capture_output=True, text=True,
                                check=False)  # fmt: skip
        return listed.stdout.split()

    deadline = time.monotonic() + 60
    while len(machines()) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    ours = machines()
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=15)  # a machine would end by itself after 20 s
    assert process.returncode == 130 and errors == "conformance.sh: interrupted\n", errors
    assert out == "" and not any(Path(f"/proc/{number}").exists() for number in ours)
