"""Memory maps in the forms in which people have them: the same machine gives the same rows in each form."""

import pytest
from lab import FOLDER, MAPS, NO_INPUT, rows_of, run_program

PAGE = 4096
EFI_MAPS = ["clevo-p65xsg-intel-ami-laptop.txt", "hp-superdome2-16s-12TiB.txt",
            "apple-macbookpro-attr-bit59-partial.txt", "phoenix-zero-length-rows.txt"]  # fmt: skip
LONG_NAMES = ["Reserved", "Loader Code", "Loader Data", "Boot Code", "Boot Data", "Runtime Code",
              "Runtime Data", "Conventional Memory", "Unusable Memory", "ACPI Reclaim Memory",
              "ACPI Memory NVS", "Memory Mapped I/O", "MMIO Port Space", "PAL Code"]  # fmt: skip
SHORT_NAMES = ["Reserved", "Loader Code", "Loader Data", "Boot Code", "Boot Data", "Runtime Code",
               "Runtime Data", "Conventional", "Unusable", "ACPI Reclaim", "ACPI Mem NVS", "MMIO",
               "MMIO Port", "PAL Code", "Persistent", "Unaccepted"]  # fmt: skip
SHELL_NAMES = ["Reserved", "LoaderCode", "LoaderData", "BS_Code", "BS_Data", "RT_Code", "RT_Data",
               "Available", "Unusable", "ACPI_Recl", "ACPI_NVS", "MMIO", "MMIO_Port", "PalCode",
               "Persistent", "Unaccepted"]  # fmt: skip
ATTRIBUTES = [("RUN", 1 << 63), ("MR", 1 << 16), ("SP", 1 << 18), ("NV", 1 << 15), ("XP", 1 << 14),
              ("RP", 1 << 13), ("WP", 1 << 12), ("RO", 1 << 17), ("UCE", 1 << 4), ("WB", 8),
              ("WT", 4), ("WC", 2), ("UC", 1)]  # fmt: skip


def data_rows(name):
    """Return the rows of a file of tests/data/memory-maps, read without the code under test."""
    lines = (MAPS / name).read_text(encoding="utf-8").splitlines()
    fields = [line.split() for line in lines if line and not line.startswith("#")]
    return [(int(f[0]), int(f[1], 16), int(f[2]), int(f[3], 16)) for f in fields]


# --- The same rows, as other programs print them --------------------------------------------------


def last_byte(base, pages):
    return (base + pages * PAGE - 1) % (1 << 64)


def as_old_linux(rows):
    return "".join(
        f"[    0.000000] efi: mem{number:02}: type={kind}, attr={attributes:#x}, "
        f"range=[{base:#018x}-{base + pages * PAGE:#018x}) ({pages * PAGE >> 20}MB)\n"
        for number, (kind, base, pages, attributes) in enumerate(rows)
    )


def bracket(kind, attributes, names):
    known = sum(bit for _, bit in ATTRIBUTES)
    name = names[kind] if kind < len(names) else f"type={kind}"
    if attributes & ~known:
        return f"[{name:19}|attr={attributes:#018x}]"
    return f"[{name:19}|" + "|".join(
        short if attributes & bit else " " * len(short) for short, bit in ATTRIBUTES
    ) + "]"  # fmt: skip


def as_new_linux(rows, names=LONG_NAMES):
    return "".join(
        f"[    0.000000] efi: mem{number:02}: {bracket(kind, attributes, names)} "
        f"range=[{base:#018x}-{last_byte(base, pages):#018x}] ({pages * PAGE >> 20}MB)\n"
        for number, (kind, base, pages, attributes) in enumerate(rows)
    )


def as_half_open_linux(rows):
    """Kernels around 4.0 already print names, but still print half-open ranges."""
    return "".join(
        f"[    0.000000] efi: mem{number:02}: {bracket(kind, attributes, LONG_NAMES)} "
        f"range=[{base:#018x}-{base + pages * PAGE:#018x}) ({pages * PAGE >> 20}MB)\n"
        for number, (kind, base, pages, attributes) in enumerate(rows)
    )


def as_shell(rows):
    head = "Type       Start            End              # Pages          Attributes\n"
    table = "".join(
        f"{SHELL_NAMES[kind]:10} {base:016X}-{last_byte(base, pages):016X} {pages:016X} "
        f"{attributes:016X}\n"
        for kind, base, pages, attributes in rows
    )
    sums = "".join(
        f"  {name:10}: {sum(row[2] for row in rows if row[0] == kind):>14,} Pages "
        f"({sum(row[2] for row in rows if row[0] == kind) * PAGE:,} Bytes)\n"
        for kind, name in enumerate(SHELL_NAMES)
    )
    return f"Shell> memmap\n{head}{table} \n{sums}              -------------- \nTotal Memory: 1 MB\n"


def as_quoted_shell(rows):
    names = ["Reserved", "LoaderCode", "LoaderData", "BootServiceCode", "BootServiceData",
             "RuntimeCode", "RuntimeData", "Available", "UnusableMemory", "ACPIReclaimMemory",
             "ACPIMemoryNVS", "MemoryMappedIO", "MemoryMappedIOPortSpace", "PalCode"]  # fmt: skip
    return 'ShellCommand,"memmap"\n' + "".join(
        f'MemoryMap,"{names[kind]}","{base:X}","{last_byte(base, pages):X}","{pages:X}",'
        f'"{attributes:X}"\n'
        for kind, base, pages, attributes in rows
    )


def as_kernel_log(rows):
    return "[handoff] version=2.0\n" + "".join(
        f"[region] base={base:#x} size={pages * PAGE} type=usable facts=0x7 reuse=1 efi_type={kind} "
        f"attributes={attributes:#x}\n"
        for kind, base, pages, attributes in rows
    )


def as_old_kernel_log(rows):
    """The log of handoff 1.0: a region has neither facts nor reuse."""
    return as_kernel_log(rows).replace("version=2.0", "version=1.0").replace(" facts=0x7 reuse=1", "")


FORMS = [as_old_linux, as_new_linux, lambda rows: as_new_linux(rows, SHORT_NAMES),
         as_half_open_linux, as_shell, as_quoted_shell, as_kernel_log, as_old_kernel_log]  # fmt: skip
FORM_NAMES = ["old-linux", "new-linux", "newest-linux", "half-open-linux", "shell", "shell-sfo",
              "kernel-log", "old-kernel-log"]  # fmt: skip


@pytest.mark.parametrize("name", EFI_MAPS)
@pytest.mark.parametrize("write", FORMS, ids=FORM_NAMES)
def test_every_form_gives_the_same_rows(write, name):
    rows = data_rows(name)
    assert rows_of(write(rows)) == rows


def test_data_rows_of_e820_are_whole_pages():
    text = "usable 0x0 0x9fbff\nreserved 0x9fc00 0x9ffff\nacpi 0x100000 0x1007ff\n"
    assert rows_of(text) == [(7, 0, 0x9F, 0xF), (0, 0x9F000, 1, 0xF), (9, 0x100000, 1, 0xF)]


E820 = [(7, 0, 0x9F, 0xF), (0, 0x9F000, 1, 0xF), (10, 0x100000, 0x100, 0xF), (7, 0x200000, 0xE00, 0xF)]
E820_FORMS = {
    "plain": """
[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009f3ff] usable
[    0.000000] BIOS-e820: [mem 0x000000000009f400-0x000000000009ffff] reserved
[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x00000000001fffff] ACPI NVS
[    0.000000] BIOS-e820: [mem 0x0000000000200000-0x0000000000ffffff] usable
[    0.000000] e820: update [mem 0x00000000-0x00000fff] usable ==> reserved
""",
    "half-open": """
 BIOS-e820: 0000000000000000 - 000000000009f400 (usable)
 BIOS-e820: 000000000009f400 - 00000000000a0000 (reserved)
 BIOS-e820: 0000000000100000 - 0000000000200000 (ACPI NVS)
 BIOS-e820: 0000000000200000 - 0000000001000000 (usable)
""",
    "with gaps": """
[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009f3ff]  System RAM
[    0.000000] BIOS-e820: [mem 0x000000000009f400-0x000000000009ffff]  device reserved
[    0.000000] BIOS-e820: [gap 0x00000000000a0000-0x00000000000fffff]
[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x00000000001fffff]  ACPI NVS
[    0.000000] BIOS-e820: [mem 0x0000000000200000-0x0000000000ffffff]  System RAM
""",
    "with sizes": """
BIOS-e820: [mem 0x0000000000000000-0x000000000009f3ff]  637   KB kernel usable RAM
BIOS-e820: [mem 0x000000000009f400-0x000000000009ffff]    3   KB reserved
BIOS-e820: [gap 0x00000000000a0000-0x00000000000fffff]  384   KB ...
BIOS-e820: [mem 0x0000000000100000-0x00000000001fffff]    1   MB ACPI NVS
BIOS-e820: [mem 0x0000000000200000-0x0000000000ffffff]   14   MB kernel usable RAM
""",
}


@pytest.mark.parametrize("text", E820_FORMS.values(), ids=E820_FORMS.keys())
def test_every_form_of_e820_gives_the_same_rows(text):
    assert rows_of(text) == E820


# --- Text around the rows -------------------------------------------------------------------------


def clevo():
    return data_rows("clevo-p65xsg-intel-ami-laptop.txt")


@pytest.mark.parametrize("prefix", ["", "    ", "> > ", "<6>", "Jun 12 10:49:44 host kernel: ",
                                    "[Fri May  1 09:46:33 2026] ", "kern  :info  : "])  # fmt: skip
def test_prefixes_are_passed_over(prefix):
    lines = as_new_linux(clevo()).replace("[    0.000000] ", prefix).splitlines()
    noise = ["efi: EFI v2.40 by American Megatrends", "efi: Remove mem63: MMIO range=[0xe0000000-0x"
             "efffffff] (256MB) from e820 map", "NUMA: Node 0 [mem 0x0-0x9f]"]  # fmt: skip
    assert rows_of("\n".join(noise + lines + noise)) == clevo()


def test_line_ends_byte_order_marks_and_colours_do_not_matter():
    text = as_shell(clevo())
    assert rows_of(text.replace("\n", "\r\n")) == clevo()
    assert rows_of(b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")) == clevo()
    assert rows_of(b"\xef\xbb\xbf" + text.encode()) == clevo()
    assert rows_of(text.replace("Available", "\033[1m\033[37mAvailable\033[0m")) == clevo()


def test_firmware_s_rows_are_preferred_to_e820():
    assert rows_of(E820_FORMS["plain"] + as_new_linux(clevo())) == clevo()


@pytest.mark.parametrize("name", ["shell-memmap.txt", "shell-memmap-sfo.txt"])
def test_real_output_of_the_shell_is_read_without_a_doubt(name):
    """Both files are from one boot of OVMF with 3 GiB. The shell took and freed a few pages between them."""
    text = (FOLDER / "maps" / name).read_bytes()
    assert run_program(text, "--print-map").errors == ""
    rows = rows_of(text)
    assert rows[:2] == [(3, 0, 1, 0xF), (7, 0x1000, 0x9F, 0xF)]
    assert rows[-2:] == [(7, 0x100000000, 262144, 0xF), (0, 0xB0000000, 65536, 1)]
    assert sum(pages for kind, _, pages, _ in rows if kind != 0) == 786208


@pytest.mark.parametrize("name", ["kernel-log.txt", "kernel-log-2.0.txt"])
def test_real_log_of_our_kernel_gives_the_loader_s_memory_back(name):
    rows = rows_of((FOLDER / "maps" / name).read_bytes())
    log = (FOLDER / "maps" / name).read_text(encoding="utf-8")
    assert len(rows) == log.count("[region]") - 1, "all except the framebuffer, for which EFI had no row"
    assert {row[0] for row in rows} <= set(range(16))
    assert [row for row in rows if row[0] == 2] == [], "no page of ours is still LoaderData"


@pytest.mark.parametrize("words, efi_type", [
    ("type=newer-block facts=0x8f reuse=0", 7),
    ("type=temp-heap facts=0x7 reuse=5", 2),
    ("type=temp-heap", 7),
    ("type=usable", 2),
])  # fmt: skip
def test_facts_say_what_the_loader_placed_and_before_them_the_type_did(words, efi_type):
    text = f"[region] base=0x100000 size=4096 {words} efi_type=2 attributes=0xf\n"
    assert rows_of(text) == [(efi_type, 0x100000, 1, 0xF)]


# --- Errors and warnings --------------------------------------------------------------------------

GOOD = "efi: mem00: type=7, attr=0xf, range=[0x0-0x1000) (0MB)\n"
ERRORS = [
    ("", 0, "no row"),
    ("\n\n# nothing\n", 0, "no row"),
    ("hello\n", 1, "no line is a row of a memory map in a known form; the closest line is: \"hello\""),
    ("7 0x0 88 0xf\nwhat is this\n", 2, "this is not a row of a memory map in any known form"),
    ("7 0x0 88\n", 1, "attributes"),
    ("7 0x0 88 0xf 12\n", 1, "more text than a row"),
    ("7 0x0 99999999999999999999 0xf\n", 1, "number of pages"),
    ("7 0x10000000000000000 1 0xf\n", 1, "base"),
    ("4294967296 0x0 1 0xf\n", 1, "type"),
    ("usable 0x5000 0x3fff0\nusable 0x5000 0x3000\n", 2, "ends before it begins"),
    ("usable 0x5000 0x1ffffffffffffffff\n", 1, "64 bits"),
    (GOOD + "efi: mem01: type=7, attr=0xf, range=[0x1000-0x1800) (0MB)\n", 2, "whole number"),
    (GOOD + "efi: mem01: type=7, attr=0xf, range=[0x2000-0x1000) (0MB)\n", 2, "before it begins"),
    (GOOD + "efi: mem01: type=7, attr=0xf, range=[0x1000-0x2000 (0MB)\n", 2, "bracket"),
    (GOOD + "efi: mem01: type=7, range=[0x1000-0x2000)\n", 2, "attributes"),
    (GOOD + "efi: mem01: [Konventional|WB|UC] range=[0x1000-0x1fff]\n", 2, "unknown name"),
    (GOOD + "efi: mem01: [Conventional|WB|UX] range=[0x1000-0x1fff]\n", 2, "attribute"),
    (GOOD + "efi: mem01: [Conventional|WB|UC] range=[0x1000-0x11111111111111111]\n", 2, "64 bits"),
    ("BIOS-e820: [mem 0x0-0x9ffff] usable\nBIOS-e820: [mem 0x100000-0x1fffff] wood\n", 2, "kind"),
    ("BIOS-e820: [mem 0x0-0x9ffff\n", 1, "range"),
    ("Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F\n"
     "Available  0000000000100000-00000000007FFFFF 0000000000000701 000000000000000F\n", 2,
     "contradict"),
    ("Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F\n"
     "Availab1e  0000000000100000-00000000007FFFFF 0000000000000700 000000000000000F\n", 2,
     "unknown name"),
    ("Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F\n"
     "Available  OOOOOOOOOO100000-00000000007FFFFF 0000000000000700 000000000000000F\n", 2,
     "not a row of the shell"),
    ("[region] base=0x1000 size=651264 type=usable efi_type=7\n", 1, "attributes"),
    ("[region] base=0x1000 size=651265 type=usable efi_type=7 attributes=0xf\n", 1, "pages"),
    ("[region] base=0x1000 size=4096 type=usable facts=RAM reuse=1 efi_type=7 attributes=0xf\n", 1,
     "facts="),
    ("[region] base=0x1000 size=4096 type=usable facts=0x7 efi_type=7 attributes=0xf\n", 1, "reuse="),
    ("[region] base=0x1000 size=4096 type=usable facts=0x7 reuse=4294967296 efi_type=7 "
     "attributes=0xf\n", 1, "reuse="),
]  # fmt: skip


@pytest.mark.parametrize("text, line, words", ERRORS, ids=range(len(ERRORS)))
def test_unreadable_text_is_an_error_with_its_line(text, line, words):
    result = run_program(text, "--name", "photograph.txt")
    assert result.status == NO_INPUT
    place = f"photograph.txt:{line}: " if line else "photograph.txt: "
    assert place in result.errors and words in result.errors
    assert result.output == ""


def test_missing_row_is_reported():
    lines = as_new_linux(clevo()).splitlines(keepends=True)
    result = run_program("".join(lines[:5] + lines[6:]))
    assert ":6: warning: rows are missing: mem06 follows where mem05 is expected" in result.errors


def test_wrong_sum_is_reported():
    text = as_shell(clevo()).replace("Available ", "Reserved  ", 1)
    assert "warning: the rows have" in run_program(text).errors


@pytest.mark.parametrize("write", FORMS, ids=FORM_NAMES)
def test_second_boot_in_a_log_is_not_read(write):
    result = run_program(write(clevo()) + write(clevo()), "--print-map")
    assert "warning: a second map begins here" in result.errors
    assert rows_of(write(clevo()) + write(clevo())) == clevo()
