"""The kernel's address space on machines: print-map compared with the tables, four and five levels, and forbidden
accesses to every kind of mapping."""

import re
from itertools import groupby

import pytest

import guest_tables
from guest_tables import monitor, qemu_walk, registers, walk
from lab import CASE_MEMORY, PANIC, TIMEOUT_SECONDS, boot, expect_panic, expect_ready
from machine import DEBUG_EXIT_PORT, parse_size
from machines import DISC, MODERN, PLAIN
from test_probe import boot_probe, expect_complete, expect_kept

FULL = pytest.mark.full
IDLE_WORDS = [f"debug-exit={DEBUG_EXIT_PORT:#x}"]
SIZES = {"4K": 4096, "2M": 2 * 1024**2, "1G": 1024**3}
DIRECT_MAP = {4: 0xFFFF800000000000, 5: 0xFF00000000000000}
MIB = 1024**2

# --- print-map compared with the tables -------------------------------------------------------------------


def fields(line):
    """{key: value} of a line of docs/LOG.md."""
    return {key: value.strip('"') for key, value in re.findall(r'([\w-]+)=("[^"]*"|\S+)', line)}


def map_lines(serial):
    return [fields(line) for line in re.findall(r"^\[map\] (from=.*)$", serial, re.MULTILINE)]


def place(line):
    return range(int(line["from"], 16), int(line["to"], 16))


def page_counts(line):
    return {SIZES[size]: int(count) for count, size in
            (part.split("x") for part in line["pages"].split(","))}  # fmt: skip


def expect_line_is_its_pages(line, pages, contiguous_physical):
    """Check that the pages of the tables agree with the line."""
    access = f"r{'w' if pages[0].write else '-'}{'x' if pages[0].execute else '-'}"
    for page in pages:
        assert not page.user
        assert (page.write, page.execute) == (pages[0].write, pages[0].execute)
        assert page.memory == line["memory"], line
        assert page.is_global == (line["global"] == "yes"), line
    assert access == line["access"], line
    assert pages[0].virtual == place(line).start
    assert pages[-1].virtual + pages[-1].size == place(line).stop
    assert int(line["size_kib"]) * 1024 == sum(page.size for page in pages)
    counted = {size: len(list(group)) for size, group in
               groupby(sorted(page.size for page in pages))}  # fmt: skip
    assert counted == page_counts(line), line
    assert line["physical"] == (hex(pages[0].physical) if contiguous_physical else "scattered")


def expect_map_is_true(serial, pages):
    """Check that every page is in exactly one line, that a line has no other pages, and that guards have no page."""
    lines = map_lines(serial)
    assert len(lines) > 15, serial
    left = {page.virtual: page for page in pages}
    assert len(left) == len(pages)
    for line in lines:
        inside = [page for address, page in sorted(left.items()) if address in place(line)]
        if line["access"] == "none":
            assert not inside and line["owner"].startswith("guard: "), line
            continue
        assert inside, f"nothing is mapped there: {line}"
        for before, page in zip(inside, inside[1:]):
            assert page.virtual == before.virtual + before.size, line
        follows = all(page.physical == before.physical + before.size
                      for before, page in zip(inside, inside[1:]))  # fmt: skip
        expect_line_is_its_pages(line, inside, follows)
        for page in inside:
            del left[page.virtual]
    assert not left, f"in no line: {sorted(left.items())[:5]}"


def expect_rules(pages, levels, lines):
    """Check from outside the rules that the audit checks from inside."""
    executable = {page.physical for page in pages if page.execute}
    ram = DIRECT_MAP[levels]
    direct = [page for page in pages if ram <= page.virtual < ram + (1 << (47 if levels == 4 else 52))
              and page.virtual - ram == page.physical]  # fmt: skip
    others = [page for page in pages if page not in direct]
    assert not any(page.write and page.execute for page in pages)
    assert not any(page.user for page in pages)
    assert all(page.virtual >> 63 for page in pages), "the lower half is empty"
    for page in direct:
        assert not page.execute
        if page.write:
            assert not any(page.physical <= frame < page.physical + page.size
                           for frame in executable), "a frame that is executed can be written"
    written = [page.physical for page in others if page.write]
    assert len(written) == len(set(written)), "a frame is mapped writable twice"
    names = {line["owner"] for line in lines}
    assert {"text", "rodata", "data", "symbols", "heap", "main stack", "direct map of RAM",
            "direct map of text", "direct map of rodata", "guard: null pointer",
            "guard: main stack", "guard: double-fault stack", "guard: heap window's start",
            "guard: heap window's end", "guard: guarded heap's start",
            "guard: guarded heap's end"} <= names  # fmt: skip


def expect_same_as_qemu(running, pages):
    """QEMU's own walk of the tables has the same result."""
    seen = qemu_walk(running)
    assert set(seen) == {page.virtual for page in pages}
    for page in pages:
        assert seen[page.virtual] == (page.physical, page.write, page.execute, page.user)


def look_from_outside(running, levels, memory=CASE_MEMORY):
    """Wait for the idle kernel, and compare its lines with its tables."""
    assert running.wait_for(r"^\[ready\]", TIMEOUT_SECONDS), running.serial
    seen_mib = int(re.search(r"^\[frames\] .*ram_mib=(\d+)", running.serial, re.MULTILINE).group(1))
    asked_mib = parse_size(memory) // MIB
    assert asked_mib * 0.95 - 4 <= seen_mib <= asked_mib, "nearly all of the memory is known"
    state = registers(running)
    summary = fields(re.search(r"^\[map\] (audit=.*)$", running.serial, re.MULTILINE).group(1))
    pages = walk(running)
    assert summary["audit"] == "passed" and int(summary["levels"]) == levels
    assert int(summary["root"], 16) == state["CR3"]
    assert int(summary["pages"]) == len(pages)
    assert bool(state["CR4"] & guest_tables.CR4_LA57) == (levels == 5)
    assert state["CR0"] & guest_tables.CR0_WRITE_PROTECT
    assert state["EFER"] & guest_tables.EFER_NO_EXECUTE
    expect_map_is_true(running.serial, pages)
    expect_rules(pages, levels, map_lines(running.serial))
    expect_same_as_qemu(running, pages)
    return pages, state


@pytest.mark.parametrize("levels", [4, 5])
def test_map_agrees_with_the_tables(lab, levels):
    disk = lab.case_disk(MODERN, words=IDLE_WORDS, command_line=f"print-map paging={levels} heap_sample=1")
    with lab.restore(disk, machine=MODERN) as running:
        pages, state = look_from_outside(running, levels)
        owners = [line["owner"] for line in map_lines(running.serial)]
    assert "guarded heap" in owners, "of which the records stay"
    for bit in (guest_tables.CR4_PGE, guest_tables.CR4_UMIP, guest_tables.CR4_SMEP,
                guest_tables.CR4_SMAP):  # fmt: skip
        assert state["CR4"] & bit, "-cpu max has all of them"
    assert any(page.memory == "write-combining" for page in pages), "the framebuffer"


@pytest.mark.parametrize("machine, words, levels", [
    pytest.param({"memory": "52M"}, "", 4, id="machine0--4"),  # the fallback region, whose pages leave the image
    pytest.param({"memory": "64M", "cpu": "qemu64"}, "", 4, id="machine1--4", marks=FULL),
    pytest.param(PLAIN, "", 4, id="machine2--4", marks=FULL),  # no 1 GiB pages
    pytest.param({"memory": "16G"}, "", 4, id="machine3--4", marks=FULL),
    pytest.param({"memory": "16G"}, "paging=5", 5, id="machine4-paging=5-5"),
    pytest.param({"memory": "256G", "graphics": "none"}, "", 4, id="machine5--4", marks=FULL),
])  # fmt: skip
def test_map_of_machines(lab, machine, words, levels):
    small = {"temp_heap": "6M"} if machine["memory"] == "52M" else {}  # more than the direct map has room for
    words = {"words": IDLE_WORDS, "command_line": f"print-map {words}", **small}
    if machine is PLAIN:
        running = lab.start_machine(machine, {"memory": "3G", "cpu": "qemu64"}, **words)
    else:
        running = boot.Boot(lab.machine(lab.disk(**words), **machine))
    with running:
        pages, _ = look_from_outside(running, levels, machine["memory"])
        assert ("source=fallback" in running.serial) == bool(small), running.serial
    sizes = {page.size for page in pages}
    assert (SIZES["1G"] in sizes) == (machine["memory"] in ("16G", "256G"))


# --- Five levels ------------------------------------------------------------------------------------


def test_P11_probe_finds_every_promise_kept_with_five_levels(lab):
    seen = expect_complete(boot_probe(lab, "paging=5"))
    assert int(seen["flags"], 0) == 7


@FULL
def test_P11_five_levels_on_a_large_machine(lab):
    machine = {"memory": "256G", "cpu_count": 4}
    verdict = expect_ready(lab.cold(machine=machine, command_line="paging=5"))
    assert verdict.has_line(r"\[paging\] levels=5 wx=0 audit=passed")


def test_P11_five_levels_with_strict_memory_protection(lab):
    """The switch runs code that the firmware did not load, where the firmware forbids that."""
    verdict = expect_ready(lab.case(plan=["strict-nx"], command_line="paging=5"))
    assert verdict.has_line("conductor: strict-nx: on")
    assert verdict.has_line(r"\[paging\] levels=5")


@pytest.mark.parametrize("cpu, machine", [
    pytest.param("qemu64", PLAIN, id="qemu64"),
    pytest.param("max,la57=off", DISC, id="max,la57=off", marks=FULL),
])  # fmt: skip
def test_P11_L2_cpu_without_five_levels_warns(lab, cpu, machine):
    verdict = expect_ready(lab.boot_machine(machine, {"cpu": cpu}, command_line="paging=5"))
    assert verdict.has_line(r"\[loader\] warning: four paging levels: no LA57")
    assert verdict.has_line(r"\[paging\] levels=4")


FIVE = ["five-levels"]


def expect_five_levels_of_firmware(verdict):
    assert verdict.has_line("conductor: five-levels: on"), verdict.serial
    return verdict


@pytest.mark.parametrize("plan", [FIVE, ["strict-nx", *FIVE]], ids=["plain", "strict-nx"])
def test_L1_firmware_with_five_levels_and_a_kernel_with_four(lab, plan):
    verdict = expect_five_levels_of_firmware(boot_probe(lab, "paging=4", plan=plan))
    assert int(expect_complete(verdict)["flags"], 0) == 3


def test_L1_kernel_runs_with_four_levels_on_firmware_with_five(lab):
    """It also powers off through that firmware."""
    verdict = expect_five_levels_of_firmware(expect_ready(lab.case(plan=FIVE, command_line="paging=4")))
    assert verdict.has_line(r"\[paging\] levels=4 wx=0 audit=passed")
    assert "[loader] warning" not in verdict.serial


def test_kernel_runs_with_five_levels_on_firmware_with_five(lab):
    verdict = expect_five_levels_of_firmware(expect_ready(lab.case(plan=FIVE)))
    assert verdict.has_line(r"\[paging\] levels=5 wx=0 audit=passed")


@pytest.mark.parametrize("words, plan, levels", [("paging=5", [], "four"), ("paging=4", FIVE, "five")],
                         ids=["five", "four"])  # fmt: skip
def test_L2_no_memory_for_the_switch_of_levels(lab, words, plan, levels):
    verdict = expect_ready(lab.case(plan=[*plan, "fail-size 2"], command_line=words))
    assert verdict.has_line(rf"\[loader\] warning: {levels} paging levels: no memory below 4 GiB for the switch")


@pytest.mark.parametrize("words", ["", "paging=any", "paging=5"])
def test_firmware_with_five_levels_keeps_them(lab, words):
    verdict = expect_five_levels_of_firmware(boot_probe(lab, words, plan=FIVE))
    assert int(expect_complete(verdict)["flags"], 0) == 7


def test_X8_loader_names_the_fault_after_the_switch_to_four_levels(lab):
    verdict = boot_probe(lab, "paging=4 probe=stack-overflow", plan=FIVE)
    expect_kept(verdict)
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(r"\[loader\] fault: #(?:DF|PF)"), verdict.serial


@pytest.mark.parametrize("words", ["", "paging=4", "paging=any"])
def test_four_levels_by_default(lab, words):
    verdict = expect_ready(lab.case(command_line=words))
    assert verdict.has_line(r"\[paging\] levels=4")
    assert "warning: paging" not in verdict.serial


@pytest.mark.parametrize("value", ["6", "45"])
def test_unknown_number_of_levels_warns(lab, value):
    verdict = expect_ready(lab.case(command_line=f"paging={value}"))
    assert verdict.has_line(r"\[loader\] warning: paging= is ignored: the value must be 4, 5 or any")
    assert verdict.has_line(r"\[paging\] levels=4")


@pytest.mark.parametrize("name, report", [("undefined", "#UD"), ("stack-overflow", "#(?:DF|PF)"),
                                          ("page-zero", "#PF")])  # fmt: skip
def test_X8_loader_names_the_fault_with_five_levels(lab, name, report):
    """During the step the CPU loses its task register and descriptor table. Both are loaded again."""
    verdict = boot_probe(lab, f"paging=5 probe={name}")
    expect_kept(verdict)
    assert verdict.code == PANIC["LOADER_FAULT"], f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(rf"\[loader\] fault: {report}"), verdict.serial


# --- Forbidden accesses to every kind of mapping --------------------------------------------------

NO_PAGE = PANIC["EXCEPTION_BASE"] + 14

MISUSES = [
    # case, provocation, code, words of the cause
    ("X3_P7", "null-read", "NULL_ACCESS", "read of 0x10: a null pointer"),
    ("X3_P7", "null-write", "NULL_ACCESS", "write to 0x10: a null pointer"),
    ("X3_P7", "null-execute", "NULL_ACCESS", "instruction fetch from 0x0: a null pointer"),
    ("P9", "identity-read", NO_PAGE, "no page is mapped there"),
    ("X3_P13", "text-write", "WRITE_PROTECTION", "write to 0xffffffff80000000"),
    ("X3_P13", "rodata-write", "WRITE_PROTECTION", "the page is read-only"),
    ("P13", "symbols-write", "WRITE_PROTECTION", "the page is read-only"),
    ("P5", "rodata-execute", "EXECUTE_PROTECTION", "the page is not executable"),
    ("P5", "data-execute", "EXECUTE_PROTECTION", "the page is not executable"),
    ("X3_P5", "heap-execute", "EXECUTE_PROTECTION", "instruction fetch from 0xffffd"),
    ("P5", "stack-execute", "EXECUTE_PROTECTION", "instruction fetch from 0xffffe0"),
    ("P5", "direct-map-execute", "EXECUTE_PROTECTION", "the page is not executable"),
    ("P5", "text-alias-write", "WRITE_PROTECTION", "the page is read-only"),
    ("P5", "text-alias-execute", "EXECUTE_PROTECTION", "the page is not executable"),
    ("P13", "rodata-alias-write", "WRITE_PROTECTION", "the page is read-only"),
    ("P14", "framebuffer-execute", "EXECUTE_PROTECTION", "the page is not executable"),
    ("P14", "device-execute", "EXECUTE_PROTECTION", "instruction fetch from 0xffffd8"),
    ("P6", "device-unmapped", NO_PAGE, "read of 0xffffd8"),
    ("P8", "stack-guard", "STACK_OVERFLOW", "the guard page of the main stack"),
    ("P8", "stack-overflow", "STACK_OVERFLOW", "the guard page of the main stack"),
    ("P8", "heap-guard", "GUARD_PAGE", "the guard page of the heap window's start"),
    ("P8", "heap-end-guard", "GUARD_PAGE", "the guard page of the heap window's end"),
    ("P", "heap-beyond", NO_PAGE, "no page is mapped there"),
    ("P", "direct-map-beyond", NO_PAGE, "no page is mapped there"),
]


@pytest.mark.parametrize("levels", [4, 5])
@pytest.mark.parametrize("name, code, words", [row[1:] for row in MISUSES],
                         ids=[f"{row[0]}-{row[1]}" for row in MISUSES])  # fmt: skip
def test_misuse_of_a_mapping_faults(lab, name, code, words, levels):
    """The audit passed. Each forbidden access still faults, and its panic has the right name."""
    verdict = lab.case(command_line=f"paging={levels} provoke={name}")
    expect_panic(verdict, code)
    assert verdict.has_line(rf"\[paging\] levels={levels} wx=0 audit=passed")
    assert verdict.has_line(rf"\[provoke\] name={name}$")
    cause = verdict.has_line(r"\[panic\] cause: (.*)$").group(1)
    assert words in cause, cause
    assert "survived" not in verdict.serial
