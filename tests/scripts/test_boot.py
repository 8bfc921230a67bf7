"""Test the verdict on a boot: only the [ready] line of the kernel counts as success."""

import re

import boot
import pytest
from boot import Ending, verdict_of

READY = "BdsDxe: starting\n[handoff] version=1.0\n[ready] action=power-off\n"
PANIC = '[panic] code=0x1e name="heap double free"\n[panic] cause: block at 0x10\n[panic] halted\n'


def status(code):
    return 2 * code + 1


def test_ready_and_debug_exit_is_success():
    assert verdict_of(READY, Ending(exit_status=status(boot.DEBUG_EXIT_OK))).success


def test_ready_and_power_off_is_success():
    assert verdict_of(READY, Ending(exit_status=0, shutdown_reason="guest-shutdown")).success


@pytest.mark.parametrize(
    "serial, ending",
    [
        ("", Ending(exit_status=0)),
        (READY, Ending(exit_status=0)),
        (READY, Ending(exit_status=0, shutdown_reason="guest-reset")),
        (READY, Ending(exit_status=0, shutdown_reason="guest-panic")),
        (READY, Ending(exit_status=status(0x1E))),
        (READY, Ending(exit_status=1)),
        (READY, Ending(exit_status=-9)),
        (READY, Ending(stopped_because="nothing more happened")),
        (READY + PANIC, Ending(exit_status=status(boot.DEBUG_EXIT_OK))),
        (READY + PANIC, Ending(exit_status=0, shutdown_reason="guest-shutdown")),
        ("  [ready] in the middle\n", Ending(exit_status=status(boot.DEBUG_EXIT_OK))),
        ("no ready line\n", Ending(exit_status=status(boot.DEBUG_EXIT_OK))),
        ("no ready line\n", Ending(exit_status=0, shutdown_reason="guest-shutdown")),
    ],
)
def test_everything_else_is_failure(serial, ending):
    verdict = verdict_of(serial, ending)
    assert not verdict.success
    assert verdict.sentence


def reset(serial, **facts):
    return verdict_of(serial, Ending(exit_status=0, shutdown_reason="guest-reset", **facts))


def test_restart_in_place_of_a_power_off_is_no_triple_fault():
    restarted = reset(READY)
    assert not restarted.success and "restarted instead of switching off" in restarted.sentence
    assert restarted.advice == boot.ADVICE_RESTART
    faulted = reset(READY, triple_fault=True)
    assert not faulted.success and "by a triple fault" in faulted.sentence
    assert faulted.advice == boot.ADVICE_KERNEL_RESET
    assert not reset(READY.replace("power-off", "restart"), triple_fault=True).success
    assert reset(READY.replace("power-off", "restart")).success


@pytest.mark.parametrize("words, sentence", [
    ("load failed: Access Denied\n", "the firmware refused the loader: Secure Boot is on, and the loader is not signed"),
    ("Image not authenticated\n", "the firmware refused the loader: Secure Boot is on, and the loader is not signed"),
    ("Reset IDE: Bus 0: ....", "U-Boot found no loader: it has no driver for the medium nvme"),
])  # fmt: skip
def test_dead_ends_have_a_sentence_and_advice(words, sentence):
    verdict = verdict_of(words, Ending(stopped_because="it was stopped", medium="nvme"))
    assert verdict.sentence.startswith(sentence) and verdict.advice


def test_user_may_leave_after_ready():
    assert verdict_of(READY, Ending(exit_status=0, shutdown_reason="host-qmp-quit")).success
    assert not verdict_of("[cpu] x\n", Ending(exit_status=0, shutdown_reason="host-qmp-quit")).success


def test_panic_is_named_by_its_code_and_cause():
    verdict = verdict_of(PANIC, Ending(exit_status=status(0x1E)))
    assert verdict.code == 0x1E
    assert "heap double free (code 0x1e)" in verdict.sentence
    assert "block at 0x10" in verdict.sentence


def test_every_report_of_the_loader_s_handlers_is_known():
    source = (boot.ROOT / "bootloader/fault_report.c").read_text(encoding="utf-8")
    reports = re.findall(r'"\\n(\[loader\] [^"\\]+)', source)
    assert len(reports) == 2
    for report in reports:
        verdict = verdict_of(f"{report}\n", Ending(stopped_because="the machine stopped (fault)"))
        assert verdict.sentence == f"the machine stopped with: {report}"


def test_reset_by_another_kernel_is_not_the_firmware_s():
    """The loader has printed its last line before it enters the kernel."""
    entered = "Handoff loader 1.0\nscreen 1280x800, ACPI at 7f7e014, SMBIOS at 7f5a000, TSC at 2600 MHz\n"
    reset = Ending(exit_status=0, shutdown_reason="guest-reset")
    assert verdict_of(entered, reset).advice == boot.ADVICE_KERNEL_RESET
    assert verdict_of("Handoff loader 1.0\n", reset).advice == boot.ADVICE_FIRMWARE_RESET


def test_reset_after_a_mark_names_whose_it_is():
    """The last mark says whether the kernel has begun."""
    entered = "Handoff loader 1.0\nscreen 1280x800, ACPI at 7f7e014, SMBIOS at 7f5a000, TSC at 2600 MHz\n"
    reset = Ending(exit_status=0, shutdown_reason="guest-reset")
    begun = entered + "[loader] progress: exit\n[loader] progress: switch\n"
    assert verdict_of(begun, reset).advice == boot.ADVICE_FIRMWARE_RESET
    assert verdict_of(begun + "[loader] progress: kernel\n", reset).advice == boot.ADVICE_KERNEL_RESET


def test_marks_are_the_loader_s():
    sources = "".join((boot.ROOT / f"bootloader/{name}.c").read_text(encoding="utf-8")
                      for name in ("leave", "hand_over", "post_exit"))  # fmt: skip
    assert f'"{boot.LAST_MARK}"' in sources and '"[loader] progress: "' in sources
    assert sources.count(f'post_exit_mark(context, "{boot.LAST_MARK}")') == 1


@pytest.mark.parametrize("code", sorted(set(boot.panic_codes().values()) - {0x40}))
def test_every_code_has_the_kernel_s_name(code):
    assert "unknown" not in boot.describe_code(code)


def test_one_fault_has_one_name():
    assert boot.describe_code(0x20) == "heap overrun (code 0x20)"


def test_a_restart_by_a_key_is_success():
    asked = READY + "[ready] action=restart\n"
    assert verdict_of(asked, Ending(exit_status=0, shutdown_reason="guest-reset")).success


def test_cpu_exception_is_named_by_its_vector():
    assert "#GP general protection (code 0x4d)" in verdict_of("", Ending(exit_status=status(0x4D))).sentence


def test_loader_error_is_in_the_sentence():
    verdict = verdict_of("HL-04: The file is missing.\n", Ending(stopped_because="the shell started"))
    assert "HL-04: The file is missing." in verdict.sentence


REFUSAL = """
HL-11: The kernel file cannot be loaded.
  what:   \\kernel.elf: Two segments with different permissions share a page.
  remedy: Build it as a static x86-64 ELF.
UEFI Interactive Shell v2.2
Shell> """
FAULT = """
[loader] fault: #PF page fault, error code 0x2,
before the kernel had handlers of its own
  r13 0000000000000000  r14 0000000000000000
"""


def test_verdict_has_the_loader_s_reason_and_remedy():
    verdict = verdict_of(REFUSAL, Ending(stopped_because="it was stopped"))
    assert verdict.sentence == (
        "the loader stopped with HL-11: The kernel file cannot be loaded. "
        "\\kernel.elf: Two segments with different permissions share a page."
    )
    assert verdict.advice == "Build it as a static x86-64 ELF."


@pytest.mark.parametrize("ending", [Ending(exit_status=status(0x2B)), Ending(stopped_because="late")])
def test_verdict_has_the_first_line_of_a_fault(ending):
    verdict = verdict_of(FAULT, ending)
    assert "[loader] fault: #PF page fault, error code 0x2," in verdict.sentence
    assert "r13" not in verdict.sentence


def test_refusal_without_its_end_is_named_all_the_same():
    verdict = verdict_of("HL-12: No memory left.\n  what: 4 K", Ending(stopped_because="late"))
    assert "HL-12: No memory left." in verdict.sentence


@pytest.mark.parametrize("serial, ending, cause, advice", [
    ("Boot0001: Access Denied\nShell> ", Ending(stopped_because="x"), "Secure Boot is on", "enrolled keys"),
    ("Shell> ", Ending(stopped_because="x"), "found nothing to boot", "--medium"),
    ("!!!! X64 Exception Type - 0E", Ending(stopped_because="x"), "0E", "--cpu"),
    ("No bootable option or device", Ending(stopped_because="x"), "no bootable device", "--medium"),
    ("", Ending(stopped_because="the time ran out"), "nothing was printed", "--firmware"),
    ("BdsDxe", Ending(stopped_because="the time ran out"), "the time ran out", "--timeout"),
    ("", Ending(exit_status=0, shutdown_reason="guest-reset"), "reset itself", "--firmware"),
    ("BdsDxe", Ending(exit_status=0, shutdown_reason="guest-reset"), "reset itself", "before the kernel"),
    ("[handoff] x", Ending(exit_status=0, shutdown_reason="guest-reset"), "reset itself", "make debug"),
    ("[handoff] x", Ending(exit_status=0), "without a message", "make debug"),
])  # fmt: skip
def test_each_dead_end_has_its_own_advice(serial, ending, cause, advice):
    verdict = verdict_of(serial, ending)
    assert not verdict.success
    assert cause in verdict.sentence and advice in verdict.advice


def test_text_of_QEMU_at_its_end_is_not_the_last_line():
    verdict = verdict_of("one\nQEMU: Terminated\n", Ending(exit_status=0, shutdown_reason="host-qmp-quit"))
    assert verdict.sentence.endswith("the last line was: one")


def test_last_line_is_in_the_sentence():
    verdict = verdict_of("one\ntwo\n\n", Ending(stopped_because="nothing more happened"))
    assert verdict.sentence.endswith("the last line was: two")


def test_qemu_that_did_not_run_says_why():
    verdict = verdict_of("", Ending(exit_status=1, errors="qemu: no such machine"))
    assert "no such machine" in verdict.sentence


def test_codes_are_unique_and_leave_room_for_exceptions():
    codes = boot.panic_codes()
    assert len(set(codes.values())) == len(codes) > 20
    assert boot.DEBUG_EXIT_OK not in codes.values()
    base = codes["EXCEPTION_BASE"]
    assert all(code == base or not base <= code < base + 32 for code in codes.values())
    # The conductor of the QEMU tests uses the highest three.
    assert all(code < 0x7D for code in codes.values()), "QEMU's exit status has eight bits"


def test_debug_exit_value_is_the_kernels():
    text = boot.PANIC_HEADER.read_text(encoding="utf-8")
    assert f"#define DEBUG_EXIT_OK {boot.DEBUG_EXIT_OK:#x}u" in text


def test_escape_sequences_are_removed():
    assert boot.clean(b"\x1b[2J\x1b[01;01H\x1b[=3hone\r\ntwo\r") == "one\ntwo\n"


# --- Kernels of other authors (docs/YOUR-KERNEL.md) -------------------------------------------------------------------

ENTERED = "Handoff loader 1.0\n[loader] progress: exit\n[loader] progress: kernel\n"
POWERED_OFF = {"exit_status": 0, "shutdown_reason": "guest-shutdown"}
SUCCESS = {"exit_status": status(boot.DEBUG_EXIT_OK)}
HALTED = {"stopped_because": "it was stopped after kernel end"}


def other(serial, **facts):
    return verdict_of(serial, Ending(other_kernel=True, **facts))


@pytest.mark.parametrize("serial, facts", [
    (ENTERED + "hello\n", POWERED_OFF),
    (ENTERED, SUCCESS),
    (ENTERED + "conformance: ready\nconformance: end passed\n", HALTED),
    (ENTERED + "conformance: end passed\n", POWERED_OFF),
])  # fmt: skip
def test_another_kernel_ends_well_without_ready(serial, facts):
    assert other(serial, **facts).success
    assert serial.endswith("passed\n") or not verdict_of(serial, Ending(**facts)).success


@pytest.mark.parametrize("serial, facts, sentence", [
    (ENTERED + "conformance: end failed no disk\n", POWERED_OFF, "the kernel ended with an error: no disk"),
    (ENTERED + "conformance: refused 3 too small\n", SUCCESS, "the kernel refused the handoff: 3 too small"),
    (ENTERED + "hello\n", {"exit_status": status(0x12)}, "the kernel ended QEMU with the code 0x12"),
    (ENTERED + "conformance: end passed\n", {"exit_status": status(0x12)}, "the kernel ended QEMU with the code"),
    (ENTERED + "conformance: ready\n", HALTED, "it was stopped"),
    (ENTERED + "conformance: end passed\n", {"exit_status": 0, "shutdown_reason": "guest-reset", "triple_fault": True},
     "the machine reset itself by a triple fault"),
    (ENTERED + "[loader] fault: #PF page fault\n", POWERED_OFF, "the machine stopped with: [loader] fault: #PF"),
    ("Shell> \n", POWERED_OFF, "the firmware found nothing to boot"),
    ("no line of the loader\n", POWERED_OFF, "the machine ended without a message"),
])  # fmt: skip
def test_another_kernel_s_failure_is_named(serial, facts, sentence):
    verdict = other(serial, **facts)
    assert not verdict.success and verdict.sentence.startswith(sentence)


def test_this_project_s_kernel_must_be_ready_also_as_another_kernel():
    """run.sh --kernel starts it, too, for example with checks of undefined behaviour."""
    assert other(READY, **POWERED_OFF).success
    assert not other(ENTERED + PANIC, **POWERED_OFF).success
