"""CPUs that firmware or a hypervisor has changed (catalogue L4, L5).

No confidential guest runs in QEMU's emulator: tests/unit/test_confidential.c has the decision. Here CPUs that could
be such a guest, and are none, boot.
"""

import pytest

from lab import expect_ready, expect_stop
from machines import EXECUTABLE
from test_kernel_notes import NEEDS, NO_EXECUTE, with_notes
from test_probe import boot_probe

INTEL = {"cpu": "Nehalem,-nx"}
OFF = ["no-execute-off"]


FULL = pytest.mark.full


@pytest.mark.parametrize("cpu", [
    pytest.param("EPYC", marks=FULL), pytest.param("EPYC-Rome", marks=FULL),
    # Both leaves of CPUID that can name a confidential guest, filled with zeros.
    "EPYC-Milan,level=0x21,xlevel=0x8000001f",
])  # fmt: skip
def test_L4_ordinary_machine_with_a_cpu_of_amd(lab, cpu):
    expect_ready(lab.cold(machine={"cpu": cpu}))


def test_L5_no_execute_is_switched_on(lab, tmp_path):
    """The kernel needs NX, which QEMU's CPU does not get back. So the loader returns, and the conductor looks at the
    bit."""
    kernel = tmp_path / "kernel.elf"
    kernel.write_bytes(with_notes({NEEDS: NO_EXECUTE}))
    verdict = expect_stop(boot_probe(lab, kernel=kernel, plan=OFF, machine=INTEL), 25)
    assert verdict.has_line("conductor: no-execute is switched off")
    assert "warning: the firmware switched no-execute pages off: the CPU keeps them off" in verdict.serial
    assert verdict.serial.rindex("is switched on") > verdict.serial.rindex("is switched off")


@pytest.mark.parametrize("machine, plan", [(INTEL, []), (EXECUTABLE, OFF)], ids=["not-off", "other-vendor"])
def test_L5_no_execute_that_is_not_switched_off(lab, machine, plan):
    """An AMD CPU has no such switch. There, the bit is only QEMU's."""
    verdict = expect_ready(lab.case(machine=machine, plan=plan))
    assert "switched no-execute pages off" not in verdict.serial
