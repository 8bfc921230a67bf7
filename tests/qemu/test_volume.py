"""The boot volume: files that are missing, damaged or elsewhere (catalogue ES, CF)."""

import struct

import pytest

from lab import TIMEOUT_SECONDS, expect_ready, expect_stop, random_places, volume

KIB = 1024
# ELF_FILE_LIMIT_BYTES of bootloader/pure/elf.h.
KERNEL_LIMIT_BYTES = 256 * KIB * KIB
KERNEL = volume.ESP / "kernel.elf"
PT_LOAD, PT_NOTE = 1, 4


def config(lab_text):
    """Return a handoff.conf with the lines that end the boot, and then the lines of the test."""
    return {"handoff.conf": lab_text.encode("latin-1")}


ENDING = "cmdline = debug-exit=0xf4 once unattended\n"


def test_ES1_kernel_missing(lab):
    verdict = expect_stop(lab.case({"kernel.elf": None}), 4)
    assert r"\kernel.elf" in verdict.serial


def test_ES2_kernel_empty(lab):
    expect_stop(lab.case({"kernel.elf": b""}), 7)


@pytest.mark.parametrize("size", [1, 3, 4, 15, 16, 63])
def test_ES3_kernel_shorter_than_its_header(lab, size):
    expect_stop(lab.case({"kernel.elf": KERNEL.read_bytes()[:size]}), 11)


@pytest.mark.full
def test_ES4_kernel_above_the_size_cap(lab):
    """The loader refuses the file by its size. It does not read the first bytes, which are not ELF either."""
    changes = {"kernel.elf": KERNEL_LIMIT_BYTES + 1}
    verdict = expect_stop(lab.cold(changes, plan=[], fat_bits=32), 8)
    assert "conductor: calls: AllocatePages 2," in verdict.serial, "for the boot record and handoff.conf"


@pytest.mark.parametrize("plan", [["read-at-most 512"], ["read-at-most 4093"]])
def test_ES5_short_reads_are_continued(lab, plan):
    expect_ready(lab.case(plan=plan))


@pytest.mark.parametrize("nth", [2, 3])
def test_ES5_file_that_ends_early(lab, nth):
    expect_stop(lab.case(plan=["read-at-most 4096", f"read-ends-at {nth}"]), 9)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_ES6_device_error_while_reading(lab, nth):
    expect_stop(lab.case(plan=["read-at-most 4096", f"read-fails-at {nth}"]), 10)


def test_ES7_kernel_is_a_directory(lab):
    expect_stop(lab.case({"kernel.elf": "directory"}), 6)


def test_ES7_config_is_a_directory(lab):
    expect_stop(lab.case({"handoff.conf": "directory"}), 6)


@pytest.mark.parametrize("plan, path", [
    (["open-fails 1"], r"\EFI\HANDOFF\handoff.conf"), (["open-fails 2"], r"\handoff.conf"),
    (["open-fails 4"], r"\kernel.elf"), (["information-fails"], r"\handoff.conf"),
])  # fmt: skip
def test_ES8_file_that_cannot_be_opened(lab, plan, path):
    verdict = expect_stop(lab.case(plan=plan), 5)
    assert f"what:   {path}" in verdict.serial and "(firmware: device error, " in verdict.serial


def test_ES8_file_information_grows(lab):
    expect_ready(lab.case(plan=["information-grows"]))


def test_ES9_path_in_other_case(lab):
    expect_ready(lab.case(config(ENDING + "kernel = \\KERNEL.ELF\n")))


def test_kernel_elsewhere_with_slashes(lab):
    kernel = KERNEL.read_bytes()
    changes = {"kernel.elf": None, "boot/other.elf": kernel}
    changes.update(config(ENDING + "kernel = /boot/other.elf\n"))
    expect_ready(lab.case(changes))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_E22_truncated_kernel(lab, share):
    kernel = KERNEL.read_bytes()
    expect_stop(lab.case({"kernel.elf": kernel[: int(len(kernel) * share)]}), 11)


def needed_bytes(kernel):
    """Return the end of the headers, the segments and the notes. Without the bytes behind it the file still boots."""
    table, count = int.from_bytes(kernel[32:40], "little"), int.from_bytes(kernel[56:58], "little")
    ends = [table + 56 * count]
    for row in range(count):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", kernel, table + 56 * row)
        ends += [offset + size] if kind in (PT_LOAD, PT_NOTE) else []
    return max(ends)


@pytest.mark.full
def test_E22_kernel_truncated_at_random_places(lab):
    """One in three places is in the headers or close behind them."""
    kernel = KERNEL.read_bytes()
    needed = needed_bytes(kernel)
    random = random_places()
    for turn in range(30):
        size = random.randrange(1, 8 * KIB if turn % 3 == 0 else len(kernel))
        print(f"{size} of {len(kernel)} bytes, of which {needed} are needed")
        verdict = lab.case({"kernel.elf": kernel[:size]})
        if size < needed:
            expect_stop(verdict, 11)
        else:
            expect_ready(verdict)


def test_E1_not_an_elf(lab):
    expect_stop(lab.case({"kernel.elf": bytes(64 * KIB)}), 11)


@pytest.mark.parametrize(
    "case, offset, value",
    [("E1", 4, 1), ("E1", 5, 2), ("E1", 18, 3), ("E2", 54, 55), ("E3", 56, 0), ("E17", 24, 0)],
)
def test_E_damaged_header(lab, case, offset, value):
    """Class, byte order, machine, size and number of program headers, entry."""
    kernel = bytearray(KERNEL.read_bytes())
    width = 8 if case == "E17" else 2 if offset >= 16 else 1
    kernel[offset : offset + width] = value.to_bytes(width, "little")
    expect_stop(lab.case({"kernel.elf": bytes(kernel)}), 11)


def test_E21_garbage_in_physical_addresses_is_ignored(lab):
    kernel = bytearray(KERNEL.read_bytes())
    table = int.from_bytes(kernel[32:40], "little")
    count = int.from_bytes(kernel[56:58], "little")
    for row in range(count):
        kernel[table + row * 56 + 24 : table + row * 56 + 32] = b"\xa5" * 8
    expect_ready(lab.case({"kernel.elf": bytes(kernel)}))


def test_CF1_no_config_means_defaults(lab):
    """Without debug-exit and once on a command line the kernel idles; the harness sees [ready]."""
    disk = lab.disk({"handoff.conf": None}, plan=[], size_mib=24)
    with lab.restore(disk) as running:
        assert running.wait_for(r"^\[ready\] action=idle", TIMEOUT_SECONDS), running.serial


@pytest.mark.parametrize(
    "text",
    [
        ENDING.rstrip("\n"),
        ENDING.replace("\n", "\r\n"),
        "\xef\xbb\xbf" + ENDING,
        "# a comment\n\n" + ENDING,
        'cmdline = "debug-exit=0xf4 once unattended"\n',
    ],
    ids=["CF2-no-final-newline", "CF4-CRLF", "CF4-BOM", "comment", "quotes"],
)
def test_CF_config_forms_that_are_accepted(lab, text):
    expect_ready(lab.case(config(text)))


@pytest.mark.parametrize(
    "text",
    [
        "cmdline = " + "x" * 5000 + "\n",
        "kernel = a\0b\n",
        "temp_heap = 1M\ntemp_heap = 2M\n",
        "temp_heap = 99999999999999999999\n",
        "temp_heap = -1\n",
        "temp_heap = 1Mx\n",
        "kernel = \\" + "k" * 300 + "\n",
        "kernel = \\..\\kernel.elf\n",
        "no equals sign\n",
        'cmdline = title="never closed\n',
    ],
    ids=["CF3", "CF4-NUL", "CF5", "CF7-overflow", "CF7-negative", "CF7-junk", "CF8-long",
         "CF8-dots", "form", "open-quote"],
)  # fmt: skip
def test_CF_config_errors_stop(lab, text):
    ending = "" if text.startswith("cmdline") else ENDING
    verdict = expect_stop(lab.case(config(ending + text)), 3)
    assert "handoff.conf" in verdict.serial


def test_CF6_unknown_key_is_a_warning(lab):
    verdict = expect_ready(lab.case(config(ENDING + "colour = blue\n")))
    assert "unknown key" in verdict.serial


def test_CF9_huge_config_is_refused(lab):
    expect_stop(lab.case({"handoff.conf": b"#" * KIB * KIB}), 8)
