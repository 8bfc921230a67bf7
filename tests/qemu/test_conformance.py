"""The conformance kit with real machines: three kernels, and two loaders that are wrong on purpose.
tests/scripts/test_conformance.py has the verdicts, without QEMU."""

import json
import subprocess
import sys

import pytest

from lab import BUILD, ROOT, volume

KERNELS = BUILD / "small_kernels"
LOADERS = BUILD / "wrong_loaders"
FULL = pytest.mark.full


def kit(*words, timeout=600):
    """Run the kit. Return {case: (result, verdict, row)}."""
    command = [sys.executable, ROOT / "scripts/conformance.py", "--json", "--jobs", "1", *words]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode in (0, 1) and done.stderr == "", done.stderr
    read = json.loads(done.stdout)
    assert (done.returncode == 0) == (read["failed"] == 0)
    return {row["name"]: row for row in read["cases"]}


def verdicts(rows):
    return {name: row["verdict"] for name, row in rows.items()}


def test_kernel_that_follows_the_documents_passes():
    rows = kit(KERNELS / "conformance.elf", "--case", "usual", "--case", "inject-bad-version")
    assert verdicts(rows) == {"usual": "ready", "inject-bad-version": "refused"}
    assert rows["inject-bad-version"]["sentence"] == "3 this kernel reads version 2 only"


def test_kernel_that_trusts_every_handoff_is_found():
    rows = kit(KERNELS / "trusting.elf", "--case", "inject-bad-checksum")
    assert verdicts(rows) == {"inject-bad-checksum": "accepted"}


@FULL  # test_inject.py has our kernel with a damaged handoff, the other cases have the kit
def test_our_kernel_passes():
    assert verdicts(kit(volume.ESP / "kernel.elf", "--case", "inject-bad-machine")) == {"inject-bad-machine": "refused"}


@pytest.mark.parametrize("loader, promise, section", [
    ("lost_checksum", "structure-checksum", "The structure"),
    ("free_reserved", "regions-follow-from-efi-map", "The rules from the firmware's map to the regions"),
])  # fmt: skip
def test_broken_promise_of_a_loader_is_named(loader, promise, section):
    row = kit("--loader", LOADERS / f"{loader}.EFI", "--case", "usual")["usual"]
    assert row["verdict"] == "broken"
    assert [(broken["promise"], broken["section"]) for broken in row["broken"]] == [(promise, section)]


@FULL
@pytest.mark.parametrize("kernel", [volume.ESP / "kernel.elf", KERNELS / "conformance.elf"], ids=["ours", "small"])
def test_whole_matrix(kernel):
    rows = kit(kernel, "--full", timeout=3600)
    expected = {name for name, row in rows.items() if row["result"] == "failed"}
    deep = {"inject-bad-root", "inject-bad-array", "inject-bad-regions"}
    assert expected == (deep if kernel.name == "conformance.elf" else set()), verdicts(rows)


@FULL
def test_our_loader_keeps_its_promises_on_all_machines():
    rows = kit("--loader", BUILD / "BOOTX64.EFI", "--full", timeout=3600)
    assert set(verdicts(rows).values()) <= {"kept", "skipped"}, verdicts(rows)


@FULL
def test_kernel_with_a_loader_that_knows_no_failures():
    """The damage is skipped, because nothing was damaged."""
    rows = kit(KERNELS / "conformance.elf", "--loader", LOADERS / "free_reserved.EFI", "--case", "usual",
               "--case", "inject-bad-magic")  # fmt: skip
    assert verdicts(rows) == {"usual": "ready", "inject-bad-magic": "skipped"}
