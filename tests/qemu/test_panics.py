"""Every way for the kernel to stop, provoked on purpose. Each has its own code, and describes the failure in
words (fault catalogue X, and the cases of B, F, K and P that need a CPU)."""

import re
import subprocess

import pytest

from lab import CASE_IMAGE_MIB, NO_SAMPLES, PANIC, ROOT, TIMEOUT_SECONDS, expect_panic, expect_ready

EXCEPTION = PANIC["EXCEPTION_BASE"]

# X3, a page fault of each kind: test_misuse_of_a_mapping_faults in test_address_space.py. Misuse of the
# heap: test_heap_misuse.py.
PROVOCATIONS = [
    # case, name, code, words of the report
    ("X1", "divide", EXCEPTION + 0, "#DE"),
    ("X2", "undefined", EXCEPTION + 6, "#UD"),
    ("X4", "general-protection", EXCEPTION + 13, "is not a canonical address: 0x8000000000000000"),
    ("X5_P8", "stack-overflow", "STACK_OVERFLOW", "more frames in recurse"),
    ("X6", "nested-fault", "NESTED", "while printing a panic"),
    ("X7", "panic-in-panic", "NESTED", "while printing a panic"),
    ("X7", "fault-on-screen", "NESTED", "Press r to restart"),
    ("X8", "loader-fault", "LOADER_FAULT", "fault: #UD invalid opcode, before the kernel's handlers"),
    ("X9", "early-panic", "ASSERTION", "on purpose"),
    ("X11", "unexpected-interrupt", "UNEXPECTED_INTERRUPT", "interrupt vector 32 has no handler"),
    ("X12", "bad-frame-chain", EXCEPTION + 6, "#UD"),
    ("X", "breakpoint", EXCEPTION + 3, "#BP"),
    ("X", "assertion", "ASSERTION", "assertion failed"),
    ("B10", "early-heap-retired", "EARLY_HEAP_RETIRED", "retire"),
    ("B11", "early-heap-exhausted", "EARLY_HEAP_EXHAUSTED", "used"),
    ("B13", "early-heap-free", "EARLY_HEAP_FREE", ""),
    ("F2", "frame-double-free", "FRAME_FREE", "double"),
    ("K", "heap-guard", "GUARD_PAGE", "heap window"),
]


@pytest.mark.parametrize(
    "name, code, words", [row[1:] for row in PROVOCATIONS],
    ids=[f"{row[0]}-{row[1]}" for row in PROVOCATIONS],
)  # fmt: skip
def test_provoked_panic_has_its_own_code(lab, name, code, words):
    verdict = expect_panic(lab.case(command_line=f"provoke={name}"), code)
    assert words.lower() in verdict.serial.lower()
    assert code == "NESTED" or "remedy: " in verdict.serial


@pytest.mark.parametrize("name, code", [
    ("divide", EXCEPTION + 0), pytest.param("loader-fault", "LOADER_FAULT", marks=pytest.mark.full),
])  # fmt: skip
def test_X10_no_serial_and_no_framebuffer(lab, name, code):
    """No output works, and the kernel does not wait for a port that does not answer. The exit code still arrives."""
    machine = {"serial_port": False, "graphics": "none"}
    verdict = expect_panic(lab.cold(command_line=f"provoke={name}", machine=machine), code)
    assert verdict.serial == ""


def test_X_nmi_while_idle(lab):
    """A non-maskable interrupt reaches the kernel while it waits for keys, and is named."""
    disk = lab.disk(words=["debug-exit=0xf4"], plan=[], size_mib=CASE_IMAGE_MIB)
    with lab.restore(disk) as running:
        assert running.wait_for(r"^\[ready\] action=idle", TIMEOUT_SECONDS), running.serial
        # The panic ends QEMU, perhaps before it answers: so do not wait for the answer.
        running.monitor.send("inject-nmi", None)
        verdict = expect_panic(running.watch(TIMEOUT_SECONDS), EXCEPTION + 2)
    assert "non-maskable interrupt" in verdict.serial


def test_panic_names_functions_and_lines(lab):
    """The backtrace is symbolised: it leads from the provocation back to the kernel's start."""
    verdict = expect_panic(lab.case(command_line="provoke=null-write"), "NULL_ACCESS")
    assert verdict.has_line(r"\[panic\] error code 0x2: write in kernel mode, no page is mapped there")
    for start, code in [
        (r"at 0x[0-9a-f]+ null_write\+0x", "*(volatile uint8_t *)address = 1"),
        (r"#\d+ 0x[0-9a-f]+ provoke\+0x", "run(kernel, name)|run_late(kernel"),
        (r"#\d+ 0x[0-9a-f]+ boot_ready\+0x", "provoke(kernel, false)"),
        (r"#\d+ 0x[0-9a-f]+ arch_switch_address_space\+0x", "call"),
    ]:
        place = verdict.has_line(rf"\[panic\] {start}\w+ (\S+):(\d+)$")
        assert place, verdict.serial
        line = (ROOT / place.group(1)).read_text(encoding="utf-8").splitlines()[int(place.group(2)) - 1]
        assert any(part in line for part in code.split("|")), line
    check_symbolized(verdict.serial)


def check_symbolized(report):
    """scripts/symbolize.sh accepts the build id, and adds the functions that are inlined."""
    done = subprocess.run([ROOT / "scripts/symbolize.sh"], input=report, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert re.search(r"^0x[0-9a-f]+ write_at kernel/diagnostics/provoke.c:\d+\n"
                     r"    inlined into null_write\+0x", done.stdout, re.MULTILINE), done.stdout  # fmt: skip
    lines = re.findall(r"^\[panic\] #\d+ (0x\w+) \S+ (\S+)$", report.replace("\r", ""), re.MULTILINE)
    assert len(lines) >= 4
    for address, line in lines:
        assert re.search(rf"^{address} \S+ {re.escape(line)}$", done.stdout, re.MULTILINE), done.stdout


def test_panic_names_the_first_function(lab):
    """The panic must not name the function by the linker script's symbols for the same address."""
    verdict = expect_panic(lab.case(command_line="provoke=early-panic"), "ASSERTION")
    assert verdict.has_line(r"\[panic\] #\d+ 0x[0-9a-f]+ kernel_entry\+0x"), verdict.serial
    # Its last instruction calls a function that does not return: the return address lies in the next function.
    assert verdict.has_line(r"\[panic\] #0 0x[0-9a-f]+ early_panic\+0x"), verdict.serial


def test_panic_names_the_caller_of_a_bad_pointer(lab):
    """The called address has no stack frame yet."""
    verdict = expect_panic(lab.case(command_line="provoke=stack-execute"), "EXECUTE_PROTECTION")
    assert verdict.has_line(r"\[panic\] #0 0x[0-9a-f]+ stack_execute\+0x"), verdict.serial


def test_X12_backtrace_stops_at_corrupt_frame_pointer(lab):
    verdict = expect_panic(lab.case(command_line="provoke=bad-frame-chain"), EXCEPTION + 6)
    assert verdict.has_line(r"\[panic\] halted")


def test_K11_exhaustion_is_a_failed_call(lab):
    """Out of memory is reported with the usage, and the heap goes on."""
    verdict = expect_ready(lab.case(command_line="provoke=out-of-memory"))
    assert verdict.has_line(r"\[provoke\] name=out-of-memory survived=yes")
    assert verdict.has_line(r"\[heap\] warning: .*used")
    blocks = int(verdict.has_line(r"\[provoke\] blocks=(\d+)").group(1))
    assert blocks > 3000  # of 4 KiB, in a window of 16 MiB


@pytest.mark.parametrize("policy", ["fast", "first-fit"])
def test_K10_write_after_free_names_both_callers(lab, policy):
    words = f"provoke=heap-write-after-free heap_debug=on heap={policy} {NO_SAMPLES}"
    verdict = expect_panic(lab.case(command_line=words), "HEAP_CORRUPT")
    assert verdict.has_line(rf"\[heap\] .* policy={policy} debug=on")
    assert verdict.has_line(r"\[panic\] cause: write after free: .* freed block 0x\w+ of 64 bytes")
    places = [verdict.has_line(rf"\[panic\] {role} by 0x[0-9a-f]+ write_after_free\+0x(\w+)")
              for role in ("allocated", "freed")]  # fmt: skip
    assert places[0].group(1) != places[1].group(1)


def test_unknown_words_cause_warnings(lab):
    """An unknown word changes nothing, and the warning suggests a known word."""
    words = "nonsense temp=1 heap=slow heap_debug=on provoke=heap-overun heap_debug=off"
    verdict = expect_ready(lab.case(command_line=words))
    for warning in [
        r'\[command-line\] warning: "nonsense" is not known, .* nearest word is "\w+"',
        r'\[command-line\] warning: "temp=1" is not known, .* did you mean "heap="',
        r"\[command-line\] warning: heap=slow is ignored: .* bump, first-fit, best-fit, fast or",
        r'\[command-line\] warning: "heap_debug=on" and later "heap_debug=off": the later one',
        r'\[provoke\] warning: "heap-overun" is not a name: did you mean "heap-overrun"',
        r"\[heap\] .* policy=fast debug=off ",
    ]:
        assert verdict.has_line(warning), verdict.serial


def test_triple_fault_is_no_success(lab):
    """A machine that resets exits QEMU with 0, as a power-off does."""
    verdict = lab.case(command_line="provoke=triple-fault")
    assert not verdict.success
    assert "reset" in verdict.sentence
