"""Machines of all sizes boot with the production code, or the simulator gives the reason why they do not boot."""

import random
import re
from concurrent.futures import ThreadPoolExecutor

import generate
import pytest
from lab import DOES_NOT_BOOT, FOLDER, MAPS, READY, ROOT, run_program, simulate

GIB = 1 << 30
TIB = 1 << 40
# The limit of the host's memory, for a machine of any size. Records use host memory only after the first touch.
TOUCHED_MAX = 32 << 20
LOADS = ["boot", "random", "exhaustion", "fragmentation"]
# These files are incomplete, as their first lines say: they have almost no RAM.
WITHOUT_RAM = {
    "phoenix-zero-length-rows.txt": "The firmware's memory map has no usable row.",
    "apple-macbookpro-attr-bit59-partial.txt": "The firmware has no free memory for",
}
REAL_MAPS = sorted(path.name for path in MAPS.glob("*.txt"))


def run(text, tmp_path, *options):
    return run_program(text, *options, report_path=tmp_path / "report.json")


def require_closed(report):
    """Check again that the owners of memory add up to all of it."""
    ram = sum(region["size_bytes"] for region in report["regions"] if region["ram"])
    owners = report["ownership"]
    assert report["total_frames"] * 4096 == ram
    assert sum(owner["entry_frames"] for owner in owners) == report["total_frames"]
    assert sum(owner["now_frames"] for owner in owners) == report["total_frames"]
    assert min(owner["now_frames"] for owner in owners) >= 0


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("name", [name for name in REAL_MAPS if name not in WITHOUT_RAM])
def test_real_machine_comes_up(name, load, tmp_path):
    result = run((MAPS / name).read_bytes(), tmp_path, "--load", load)
    assert result.status == READY, result.output + result.errors
    assert result.errors == ""
    assert result.report["load"]["name"] == load
    require_closed(result.report)


@pytest.mark.parametrize("name", WITHOUT_RAM)
def test_M01_part_of_a_map_without_ram_stops_with_a_sentence(name, tmp_path):
    result = run((MAPS / name).read_bytes(), tmp_path)
    assert result.status == DOES_NOT_BOOT
    assert f"[simulator] stop: {WITHOUT_RAM[name]}" in result.output
    assert result.report["outcome"] == "stop"


@pytest.mark.parametrize("name", ["shell-memmap.txt", "shell-memmap-sfo.txt", "kernel-log.txt",
                                  "kernel-log-2.0.txt"])
def test_map_in_another_form_comes_up(name, tmp_path):
    result = run((FOLDER / "maps" / name).read_bytes(), tmp_path, "--load", "random")
    assert result.status == READY and result.errors == ""
    require_closed(result.report)


def test_framebuffer_of_a_log_is_mapped_write_combining(tmp_path):
    result = run((FOLDER / "maps/kernel-log.txt").read_bytes(), tmp_path)
    areas = {area["name"]: area for area in result.report["address_space"]}
    assert areas["framebuffer"]["permissions"] == "rw- write-combining"
    assert "no screen" not in result.output


def test_framebuffer_in_ram_is_left_out(tmp_path):
    text = "".join(f"[region] base={base:#x} size={size} type={kind} efi_type=7 attributes=0xf\n"
                   for base, size, kind in [(0x1000, GIB, "usable"), (GIB + 0x1000, 1 << 20, "framebuffer")]
                   )  # fmt: skip
    result = run(text, tmp_path)
    assert result.status == READY
    assert "[simulator] warning: the framebuffer at 0x40001000 lies in RAM: left out" in result.output


# --- The meaning of a region, and its allowed uses --------------------------------------------------

RAM, MAPPED, WRITABLE, PLACED = 1, 2, 4, 8
NEVER, AT_ENTRY = 0, 1


def test_regions_are_those_of_the_real_machine(tmp_path):
    """Replay a log of handoff 2.0. The firmware's memory and the memory below 1 MiB are the same as in the log of
    the real loader. Memory that the loader took from free memory has another size in a replay."""
    text = (FOLDER / "maps/kernel-log-2.0.txt").read_text(encoding="utf-8")
    row = r"^\[region\] base=(\w+) size=(\d+) type=(\S+) facts=(\w+) reuse=(\d)"
    real = [(int(base, 16), int(size), kind, int(facts, 16), int(reuse))
            for base, size, kind, facts, reuse in re.findall(row, text, re.M)]  # fmt: skip
    regions = run(text, tmp_path).report["regions"]
    replayed = [(r["base"], r["size_bytes"], r["type"], r["facts"], r["reuse"]) for r in regions]
    # The log is of a loader without a boot record.
    taken_or_free = {"usable", "loader", "stack", "page-tables", "handoff-data", "temp-heap",
                         "kernel-image", "boot-record"}  # fmt: skip
    kept = [[row for row in rows if row[2] not in taken_or_free] for rows in (real, replayed)]
    assert len(kept[0]) > 100 and kept[0] == kept[1]
    assert {"low-memory", "processor-start", "boot-services"} <= {row[2] for row in kept[0]}
    assert {row[2:] for row in real} <= {row[2:] for row in replayed}, "facts and reuse of each type"


# Only the end of a list was published: there is no row below 1 MiB.
WITHOUT_LOW_MEMORY = {*WITHOUT_RAM, "am4-ami-apu-tail-e820.txt"}


@pytest.mark.parametrize("name", [name for name in REAL_MAPS if name not in WITHOUT_LOW_MEMORY])
def test_T05_memory_below_1_MiB_is_never_free(name, tmp_path):
    result = run((MAPS / name).read_bytes(), tmp_path, "--load", "exhaustion")
    low = [r for r in result.report["regions"] if r["base"] < 1 << 20]
    assert any(r["ram"] for r in low)
    assert all(r["base"] + r["size_bytes"] <= 1 << 20 for r in low if r["ram"])
    assert {r["reuse"] for r in low} == {NEVER}
    owners = {owner["name"]: owner for owner in result.report["ownership"]}
    kept = owners["low-memory"]
    assert kept["entry_frames"] == kept["now_frames"] > 0


def test_page_for_starting_processors_is_the_loader_s_and_below_1_MiB(tmp_path):
    regions = run(generate.generate(GIB), tmp_path).report["regions"]
    pages = [r for r in regions if r["type"] == "processor-start"]
    assert [(r["size_bytes"], r["facts"], r["reuse"]) for r in pages] == [
        (4096, RAM | MAPPED | WRITABLE | PLACED, NEVER)
    ]
    assert 0 < pages[0]["base"] < 1 << 20


# As the loader asks for them (bootloader/pure/boot_record_place.h).
RECORD_PLACES = [0x1FE000, 0x7FE000]


def record_regions(result):
    return [(r["base"], r["size_bytes"], r["reuse"]) for r in result.report["regions"]
            if r["type"] == "boot-record"]  # fmt: skip


@pytest.mark.parametrize("load", ["random", "exhaustion", "fragmentation"])
def test_I8_boot_record_survives_the_boot_and_a_load(load, tmp_path):
    """The checks after the load read the record: the kernel was ready."""
    result = run(generate.generate(GIB), tmp_path, "--load", load)
    assert result.status == READY, result.output
    assert record_regions(result) == [(RECORD_PLACES[0], 8192, NEVER)]
    owners = {owner["name"]: owner for owner in result.report["ownership"]}
    assert owners["boot-record"]["entry_frames"] == owners["boot-record"]["now_frames"] == 2


@pytest.mark.parametrize("taken, expected", [
    (RECORD_PLACES[:1], [(RECORD_PLACES[1], 8192, NEVER)]), (RECORD_PLACES, []),
], ids=["first", "both"])  # fmt: skip
def test_I8_places_of_the_boot_record_that_the_firmware_uses(taken, expected, tmp_path):
    rows, start = "", 1 << 20
    for place in taken:
        rows += f"7 {start:#x} {(place + 4096 - start) // 4096} 0xf\n0 {place + 4096:#x} 1 0xf\n"
        start = place + 8192
    result = run(f"7 0x1000 128 0xf\n{rows}7 {start:#x} {(GIB - start) // 4096} 0xf\n", tmp_path)
    assert result.status == READY, result.output
    assert record_regions(result) == expected
    warning = "[loader] warning: no boot record: the firmware uses the pages at 1fe000 and 7fe000"
    assert (warning in result.output) == (expected == [])
    require_closed(result.report)


def test_T04_machine_without_free_low_memory_comes_up_without_that_page(tmp_path):
    result = run(f"0 0x0 256 0xf\n7 {1 << 20:#x} {GIB // 4096} 0xf\n", tmp_path)
    assert result.status == READY
    assert "[loader] warning: no page below 1 MiB is free" in result.output
    assert "processor-start" not in {r["type"] for r in result.report["regions"]}
    require_closed(result.report)


def test_loader_below_1_MiB_is_accepted(tmp_path):
    """Below 4 GiB, only the memory below 1 MiB has room for the loader. The kernel's image fits only above 4 GiB."""
    result = run(f"7 0x1000 140 0xf\n7 {1 << 32:#x} {GIB // 4096} 0xf\n", tmp_path)
    assert result.status == READY, result.output
    assert "loader" not in {r["type"] for r in result.report["regions"]}
    require_closed(result.report)


def test_memory_of_boot_services_is_free_at_entry(tmp_path):
    result = run("7 0x100000 8192 0xf\n4 0x2100000 1024 0xf\n3 0x2500000 512 0xf\n", tmp_path)
    held = [r for r in result.report["regions"] if r["type"] == "boot-services"]
    assert [(r["base"], r["size_bytes"], r["reuse"]) for r in held] == [
        (0x2100000, 1024 * 4096, AT_ENTRY), (0x2500000, 512 * 4096, AT_ENTRY)]  # fmt: skip
    free = sum(r["size_bytes"] for r in result.report["regions"] if r["reuse"] == AT_ENTRY) // 4096
    owners = {owner["name"]: owner for owner in result.report["ownership"]}
    assert owners["free"]["entry_frames"] == free
    assert int(re.search(r"free=(\d+)", result.lines("frames")[0])[1]) <= free
    assert "boot-services" not in owners


def test_memory_lines_name_the_longest_free_run_and_the_reserve(tmp_path):
    # With one of these heaps the frames come in whole words, and the reserve is empty at the end.
    reserves = []
    for options in ([], ["--heap-debug"]):
        result = run("7 0x100000 8192 0xf\n4 0x2100000 1024 0xf\n", tmp_path, *options)
        run_line, sum_line = result.lines("memory")[-2:]
        assert run_line == f"largest_run={result.report['load']['figures']['largest_run_frames']}"
        reserve = [owner for owner in result.report["ownership"] if owner["name"] == "cpu-reserve"]
        assert f" cached={sum(owner['now_frames'] for owner in reserve)} " in sum_line
        reserves += reserve
    assert reserves and all(owner["state"] == "cached" and 0 < owner["now_frames"] <= 64 for owner in reserves)


# --- Sizes ----------------------------------------------------------------------------------------


def test_M18_records_follow_the_ram_and_not_the_highest_address(tmp_path):
    """12 TiB with device registers at 16 TiB: at most 1.021 bits for each frame."""
    result = run((MAPS / "hp-superdome2-16s-12TiB.txt").read_bytes(), tmp_path)
    report = result.report
    assert max(r["base"] for r in report["regions"]) >= 0xFE000000000
    owners = {owner["name"]: owner["now_frames"] * 4096 for owner in report["ownership"]}
    assert owners["frame-records"] <= report["total_frames"] * 1.021 / 8 + 65536
    assert report["resident_bytes"] <= TOUCHED_MAX


@pytest.mark.parametrize("size", ["24M", "48M", "64M", "256M", "3G", "16G", "256G", "1T", "12T"])
def test_generated_machine_comes_up(size):
    for load in LOADS:
        result = simulate("--generate", size, "--load", load)
        assert result.status == READY, result.output + result.errors


def test_64_TiB_boot_and_memory_beyond_stays_reserved(tmp_path):
    result = run(generate.generate(64 * TIB), tmp_path)
    assert result.status == READY
    assert "[loader] warning: 2048 MiB of RAM at or above 65536 GiB stay reserved" in result.output
    require_closed(result.report)
    assert result.report["total_frames"] * 4096 > 64 * TIB - 3 * GIB
    assert result.report["resident_bytes"] <= TOUCHED_MAX


def test_M19_too_little_ram_is_a_panic_with_the_figures(tmp_path):
    result = run(generate.generate(16 << 20), tmp_path)
    assert result.status == DOES_NOT_BOOT
    assert re.search(r"\[panic\] cause: too little RAM: \d+ KiB of RAM are usable, 16384 KiB are",
                     result.output)  # fmt: skip
    assert result.report["outcome"] == "panic"


def test_P12_old_cpu_maps_with_2_MiB_pages(tmp_path):
    result = run(generate.generate(16 * GIB), tmp_path, "--old-cpu")
    area = next(a for a in result.report["address_space"] if a["name"] == "direct map")
    assert result.status == READY and area["pages_1gib"] == 0 and area["pages_2mib"] > 8000
    assert "pages_1gib=no" in result.output


def test_H06_without_temporary_heap_the_fallback_region_is_used(tmp_path):
    result = run(generate.generate(GIB), tmp_path, "--temp-heap", "0", "--load", "exhaustion")
    assert result.status == READY
    assert result.lines("early-heap")[0].startswith("source=fallback base=0xffffffff8")
    assert "the early heap uses the fallback region: the loader could not reserve one" in result.output
    require_closed(result.report)


def test_H09_temporary_heap_below_the_minimum_is_refused_and_becomes_free(tmp_path):
    result = run(generate.generate(GIB), tmp_path, "--temp-heap", "4K")
    owners = {owner["name"]: owner for owner in result.report["ownership"]}
    assert "the early heap uses the fallback region: below the minimum size" in result.output
    assert (owners["temp-heap"]["entry_frames"], owners["temp-heap"]["now_frames"]) == (1, 0)
    require_closed(result.report)


# --- Hostile maps ---------------------------------------------------------------------------------


def hostile_map(seed):
    """Return rows that overlap, wrap, have any address and any type."""
    pick = random.Random(seed)
    near = pick.random() < 0.5
    rows = []
    for _ in range(pick.choice([1, 3, 10, 40, 700])):
        base = pick.choice([pick.randrange(1 << pick.choice([20, 24, 30, 34])) & ~0xFFF,
                            pick.randrange(1 << pick.choice([36, 44, 48, 52])) & ~0xFFF,
                            pick.randrange(1 << 64)])  # fmt: skip
        pages = pick.choice([pick.randrange(1 << pick.choice([4, 10, 14, 18])),
                             pick.randrange(1 << pick.choice([20, 28, 52, 64])), 0])  # fmt: skip
        if near:
            base, pages = base % (1 << 36), pages % (1 << 20)
        kind = pick.choice([7, 7, 7, 7, 7, pick.randrange(20), pick.randrange(1 << 32)])
        attributes = pick.choice([0xF] * 6 + [0, 8, 1 << 63, 0x4000F, (1 << 64) - 1])
        rows.append(f"{kind} {base:#x} {pages} {attributes:#x}\n")
    return "".join(rows)


def run_hostile(seed):
    heap = ["1M", "0", "64K", "4K"][seed // 4 % 4]
    result = run_program(hostile_map(seed), "--load", LOADS[seed % 4], "--temp-heap", heap)
    sentence = re.search(r"^\[simulator\] (stop|panic): .{12,}$", result.output, re.M)
    fine = result.errors == "" and (
        result.status == READY or (result.status == DOES_NOT_BOOT and sentence)
    )
    return None if fine else (seed, result.status, result.output[-600:], result.errors[-600:])


def test_M20_hostile_maps_come_up_or_end_in_a_sentence():
    with ThreadPoolExecutor(2) as pool:
        assert not [problem for problem in pool.map(run_hostile, range(120)) if problem]


def test_more_rows_than_any_machine_has_are_read(tmp_path):
    text = "".join(f"{7 if n % 2 else 4} {n * 0x10000:#x} 16 0xf\n" for n in range(20000))
    text += f"7 {20000 * 0x10000:#x} {GIB // 4096} 0xf\n"
    result = run(text, tmp_path, "--temp-heap", "16M")
    assert result.status == READY and len(result.report["regions"]) >= 20000
    require_closed(result.report)


# --- The lines ------------------------------------------------------------------------------------


def kernel_keys():
    """Return {stage: [keys of each of its lines, in order]} from the kernel's source."""
    header = (ROOT / "kernel/boot/boot.h").read_text()
    stages = re.findall(r"^(?:_Noreturn )?void (boot_\w+)\(", header, re.M)
    source = "".join((ROOT / f"kernel/boot/{stage}.c").read_text() for stage in stages)
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.S)
    calls = re.findall(r'log_line\("([\w-]+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', source)
    keys = {}
    for stage, literals in calls:
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))
        keys.setdefault(stage, []).append(re.findall(r"(?:^| )([\w-]+)=", text))
    return keys


def test_stage_lines_are_the_kernel_s(tmp_path):
    """The simulator has a copy of the order of kernel/boot/. This test keeps both the same."""
    result = run(generate.generate(GIB), tmp_path)
    expected = kernel_keys()
    order = [match for match in re.findall(r"^\[([\w-]+)\] (?!warning)", result.output, re.M)
             if match not in ("simulator", "loader", "timeline", "memory", "load")]  # fmt: skip
    assert order == ["handoff", "early-heap", "cpu", "frames", "paging", "heap", "self-test",
                     "early-heap", "ready"]  # fmt: skip
    assert result.lines("memory")[-1].endswith("closes=yes")
    for stage in set(order) - {"cpu"}:
        printed = [re.findall(r"(?:^| )([\w-]+)=", line) for line in result.lines(stage)]
        assert printed == expected[stage], f"[{stage}]"
    assert result.lines("cpu") == ["wp=on nx=on smep=on smap=on umip=on global=on pages_1gib=yes"]


def test_heap_debug_is_the_kernel_s(tmp_path):
    result = run(generate.generate(GIB), tmp_path, "--heap-debug", "--load", "random")
    assert result.status == READY and "debug=on" in result.lines("heap")[0]


def test_same_map_and_seed_give_the_same_figures(tmp_path):
    """A bug report can be replayed."""
    first, second = (run(generate.generate(GIB), tmp_path, "--load", "random", "--seed", "7").report
                     for _ in range(2))  # fmt: skip
    for key in ("regions", "ownership", "address_space", "heap", "load"):
        assert first[key] == second[key]


