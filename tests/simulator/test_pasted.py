"""Memory maps as people paste and mail them. Text around the rows does not prevent reading them, and two maps never
become one."""

import html
import json
import quopri
import re
import textwrap

import pytest
from lab import FOLDER, NO_INPUT, READY, rows_of, run_program

PASTED = FOLDER / "maps/pasted"
RUNTIME = 0x800000000000000F

E820 = """\
[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable
[    0.000000] BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved
[    0.000000] BIOS-e820: [mem 0x00000000000d0000-0x00000000000effff] ACPI NVS
[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable
[    0.000000] BIOS-e820: [mem 0x0000000040000000-0x000000004000ffff] ACPI data
"""
E820_ROWS = [(7, 0, 0x9F, 0xF), (0, 0x9F000, 1, 0xF), (10, 0xD0000, 0x20, 0xF),
             (7, 0x100000, 0x3FF00, 0xF), (9, 0x40000000, 0x10, 0xF)]  # fmt: skip
SHELL = """\
Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F
Reserved   00000000000A0000-00000000000FFFFF 0000000000000060 0000000000000001
RT_Data    0000000000100000-000000000010FFFF 0000000000000010 800000000000000F
"""
SHELL_ROWS = [(7, 0x1000, 0x9F, 0xF), (0, 0xA0000, 0x60, 1), (6, 0x100000, 0x10, RUNTIME)]
LINUX = """\
[    0.000000] efi: mem00: [Boot Code   |   |  |  |   |WB|WT|WC|UC] range=[0x0000000000000000-0x0000000000000fff] (0MB)
[    0.000000] efi: mem01: [Conventional|   |  |  |   |WB|WT|WC|UC] range=[0x0000000000001000-0x000000000009efff] (0MB)
[    0.000000] efi: mem02: [Runtime Data|RUN|  |  |   |WB|WT|WC|UC] range=[0x000000000009f000-0x000000000009ffff] (0MB)
"""  # noqa: E501
LINUX_ROWS = [(3, 0, 1, 0xF), (7, 0x1000, 0x9E, 0xF), (6, 0x9F000, 1, RUNTIME)]
GRUB = """\
Type      Physical start  - end             #Pages        Size Attributes
BS-code   0000000000000000-0000000000000fff 00000001      4KiB UC WC WT WB
conv-mem  0000000000001000-000000000009ffff 0000009f    636KiB UC WC WT WB
Unk 0f    00000000000a0000-00000000000a0fff 00000001      4KiB UC
RT-data   0000000000100000-000000000010ffff 00000010     64KiB RT UC WC WT WB
"""
GRUB_ROWS = [(3, 0, 1, 0xF), (7, 0x1000, 0x9F, 0xF), (15, 0xA0000, 1, 1),
             (6, 0x100000, 0x10, RUNTIME)]  # fmt: skip
TEXTS = {"e820": (E820, E820_ROWS), "shell": (SHELL, SHELL_ROWS), "linux": (LINUX, LINUX_ROWS),
         "grub": (GRUB, GRUB_ROWS)}  # fmt: skip


def require_same(change, names=TEXTS):
    """After any change of the texts, the rows are the same."""
    for name in names:
        text, rows = TEXTS[name]
        assert rows_of(change(text)) == rows, name


def on_each_line(change):
    return lambda text: "".join(change(line) + "\n" for line in text.splitlines())


# --- Real pasted texts ----------------------------------------------------------------------------

MIB_1023 = [(7, 0, 0xA0, 0xF), (7, 0x100000, 0x3FF00, 0xF)]
PASTED_ROWS = {
    "two-e820-maps.txt": [(7, 0, 0x9F, 0xF), (7, 0x100000, 0x3FF00, 0xF)],
    "doubled-lines.txt": MIB_1023,
    "old-notation-type-9.txt": [
        (7, 0, 0x9A, 0xF), (0, 0x9A000, 6, 0xF), (7, 0x100000, 0xDFD90, 0xF),
        (0, 0xDFE9E000, 2, 0xF), (9, 0xDFEA0000, 0x12, 0xF), (7, 0x100000000, 0x120000, 0xF)],
    "bios-e801.txt": [(7, 0, 0x9F, 0xF), (7, 0x100000, 0x7F00, 0xF)],
    "code-fence-behind-row.txt": MIB_1023,
    "journal-json.txt": MIB_1023,
    "mail-wrapped.txt": [(7, 0, 0x9F, 0xF), (0, 0x9F000, 1, 0xF), (7, 0x100000, 0x3FF00, 0xF)],
    "quoted-printable.txt": [(7, 0, 0x9F, 0xF), (0, 0x9F000, 1, 0xF), (10, 0xD0000, 0x20, 0xF),
                             (7, 0x100000, 0x3FF00, 0xF)],
    "shell-table-then-prose.txt": [
        (7, 0, 0x8F, 0xF), (10, 0x8F000, 1, 0xF), (7, 0x90000, 0x10, 0xF),
        (7, 0x100000, 0x7C550, 0xF), (4, 0x7C650000, 0x48, 0xF), (2, 0x7CEAA000, 0x19, 0xF),
        (1, 0x7CEC3000, 0x113, 0xF)],
    "grub-lsefimmap.txt": [(3, 0, 1, 0xF), (7, 0x1000, 0x9F, 0xF), (7, 0x100000, 0x3FF00, 0xF),
                           (6, 0x40000000, 0x10, RUNTIME)],
    "xen-dom0.txt": [(7, 0, 0x99 + 1, 0xF), (0, 0x9A000, 0x66, 0xF), (7, 0x100000, 0x3FF80, 0xF)],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(path.name for path in PASTED.iterdir()))
def test_pasted_file_is_read(name):
    assert rows_of((PASTED / name).read_bytes()) == PASTED_ROWS[name]


# --- After and before a row -----------------------------------------------------------------------


@pytest.mark.parametrize("behind", [
    "```", "`", "[/FONT]", "<br>", "<br/>", "</p>", '"', '",', '","PRIORITY":"6"}', "\\n", "#015",
    "#012", "^M", "</span>", "&lt;/code&gt;", "\t", " |", "\\", "\r", "\0", "&nbsp;", "\u00a0",
    "\u200b", ";", " [    0.000000] NX (Execute Disable) protection: active",
    "[    0.000000] DMI not present or invalid."])  # fmt: skip
def test_text_behind_a_row_is_ignored(behind):
    require_same(on_each_line(lambda line: line + behind))


@pytest.mark.parametrize("before", [
    "> ", "> > ", ">> ", "| ", "`", "```", "    ", "+", "* ", "- ", "<6>", "<30>Jun 12 10:49:44 host kernel: ",
    "2024-01-02T10:11:12.123456+00:00 host kernel: ", "Jun 12 10:49:44 host kernel[123]: ", '{"MESSAGE":"',
    "MESSAGE=", "12:", "I/kernel (0): ", "[2024-01-02 10:11:12] ", "[Fri May  1 09:46:33 2026] ",
    "\u00a0\u00a0", "<li>", '<span class="c">', "\x1b[32m", "\x1b]0;title\x07", "^[[0m", "#033[0m",
    "\ufeff"])  # fmt: skip
def test_text_before_a_row_is_ignored(before):
    require_same(on_each_line(lambda line: before + line))


def test_rows_of_one_line_are_all_read():
    assert rows_of(E820.replace("\n", " ")) == E820_ROWS
    assert rows_of('{"log": ' + json.dumps(E820) + "}") == E820_ROWS
    assert rows_of(E820.replace("\n", "")) == E820_ROWS
    assert rows_of(re.sub(r"\[    0.000000\] ", "", E820).replace("\n", "")) == E820_ROWS
    assert rows_of(E820.replace("reserved\n", "reservedNX (Execute Disable) protection: active\n")) == E820_ROWS
    assert rows_of(re.sub(r"\] (.*)", r"] _\1_", E820)) == E820_ROWS
    assert rows_of(re.sub(r"\] (.*)", r"] **\1**", E820)) == E820_ROWS
    assert rows_of(re.sub(r"(\[mem .*?\]) (.*)", r"`\1` | `\2`", E820)) == E820_ROWS
    assert rows_of('{"log": ' + json.dumps(SHELL) + "}") == SHELL_ROWS


def test_rows_in_pretty_json_are_read():
    require_same(on_each_line(lambda line: f'{{\n\t"MESSAGE" : "{line}",\n\t"PRIORITY" : "6"\n}}'))


# --- Encodings ------------------------------------------------------------------------------------


def quoted(text):
    return quopri.encodestring(text.encode())


MAIL = ("DKIM-Signature: v=1; bh=abc=;\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: quoted-printable\n\n")  # fmt: skip
ENCODINGS = {
    "CR LF": lambda text: text.replace("\n", "\r\n"),
    "CR CR LF": lambda text: text.replace("\n", "\r\r\n"),
    "LF CR": lambda text: text.replace("\n", "\n\r"),
    "CR": lambda text: text.replace("\n", "\r"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "UTF-16 big endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "quoted-printable": quoted,
    "quoted-printable with CR LF": lambda text: quoted(text).replace(b"\n", b"\r\n"),
    "quoted-printable in a reply": lambda text: quoted("> " + text.replace("\n", "\n> ")),
    "quoted-printable no-break spaces": lambda text: quoted(text.replace(" ", "\u00a0")),
    "quoted-printable behind a header": lambda text: MAIL.encode() + quoted(text),
    "HTML": lambda text: "<pre>" + html.escape(text) + "</pre>",
    "HTML escaped twice": lambda text: html.escape(html.escape(text)),
    "HTML with references": lambda text: text.replace("[", "&#91;").replace("]", "&#x5D;"),
    "HTML lines": lambda text: text.replace("\n", "<br>"),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "no-break spaces in Latin-1": lambda text: text.replace(" ", "\u00a0").encode("latin-1"),
    "dashes": lambda text: re.sub(r"(?<=[0-9a-fA-F]{16})-", "\u2013", text),
    "dashes of Windows": lambda text: re.sub(r"(?<=[0-9a-fA-F]{16})-", "\x96", text).encode("latin-1"),
    "JSON's escapes": lambda text: text.replace("[", "\\u005b").replace(" ", "\\u00A0"),
    "colours inside a row": lambda text: re.sub(r"(BIOS-e820: |mem..: )", "\x1b[33m\\1\x1b[0m", text),
    "spelled colours": lambda text: re.sub(r"(BIOS-e820: |mem..: )", r"#033[33m\1#033[0m", text),
}  # fmt: skip


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_encoding_does_not_matter(encode):
    require_same(encode)


def test_line_numbers_are_those_of_the_file():
    bad = E820 + "BIOS-e820: [mem 0x0000000050000000-0x000000005fffffff] wood, stone and a long line\n"
    assert "-:6: " in run_program(bad).errors
    encoded = quoted("=\n" + bad)
    line = next(number for number, text in enumerate(encoded.split(b"\n"), 1) if b"50000000" in text)
    assert f"-:{line}: " in run_program(encoded).errors
    assert "-:1: " in run_program(bad.replace("\n", "<br>")).errors


# --- Wrapped rows ---------------------------------------------------------------------------------


def wrapped(width, prefix):
    return on_each_line(lambda line: "\n".join(
        prefix + part for part in textwrap.wrap(line, width, break_long_words=False,
                                                break_on_hyphens=False)))  # fmt: skip


@pytest.mark.parametrize("width", [78, 76, 72, 68, 64, 60, 50])
@pytest.mark.parametrize("prefix", ["", "> ", "> > "])
def test_row_that_a_mailer_wrapped_is_joined(width, prefix):
    require_same(wrapped(width, prefix))


@pytest.mark.parametrize("width", [46, 52, 58, 63, 71, 76, 80])
def test_row_that_a_terminal_cut_is_joined(width):
    require_same(on_each_line(lambda line: "\n".join(re.findall(f".{{1,{width}}}", line))),
                 ["e820", "shell", "linux"])  # fmt: skip


def test_doubts_about_a_wrapped_row_name_its_first_line():
    text = wrapped(60, "> ")(LINUX.replace("mem02", "mem05"))
    line = next(number for number, part in enumerate(text.splitlines(), 1) if "mem05" in part)
    assert f"-:{line}: warning: rows are missing" in run_program(text).errors


def test_incomplete_row_does_not_swallow_the_next_line():
    result = run_program(E820.replace("] reserved", "]"))
    assert result.status == NO_INPUT and "-:2: the kind of memory is not known" in result.errors
    result = run_program(LINUX.replace("range=[0x0000000000001000-0x000000000009efff] (0MB)", ""))
    assert result.status == NO_INPUT and "-:2: the range is missing" in result.errors


# --- Prose ----------------------------------------------------------------------------------------


def test_prose_around_a_table_does_not_stop_it():
    require_same(lambda text: "Hello, 2 bad things: 0xdeadbeef.\n\n" + text + "\nThanks,\nJohn +49 1234\n")
    require_same(lambda text: "My map:\n" + text + "Thanks a lot\n-- \nJohn\n")
    require_same(lambda text: "the lines with BIOS-e820: say it\n" + text + "does BIOS-e820:\nmean RAM?\n")
    rows = "7 0x0 88 0xf\n7 0x100000 256 0xf\n"
    assert len(rows_of("Hello,\nthis is it:\n" + rows + "\nThanks,\n2 of us\n")) == 2


def test_blank_line_inside_a_table_does_not_cut_it():
    require_same(on_each_line(lambda line: line + "\n"))
    unsorted = SHELL + "\nAvailable  0000000000200000-0000000000200FFF 0000000000000001 000000000000000F\n"
    assert len(rows_of(unsorted)) == 4


def test_row_that_was_copied_wrongly_is_no_prose():
    result = run_program(SHELL.replace("Reserved   00000000000A0000", "Reserved   OOOOOOOOOOOA0000"))
    assert result.status == NO_INPUT and "-:2: this is not a row of the shell's memmap" in result.errors


DMESG = f"""\
[    0.000000] Linux version 6.1.0
[    0.000000] BIOS-provided physical RAM map:
{E820}[    0.000000] NX (Execute Disable) protection: active
[    0.000000] e820: update [mem 0x00000000-0x00000fff] usable ==> reserved
[    0.000000] e820: remove [mem 0x000a0000-0x000fffff] usable
[    0.000000] e820 update range: 0000000000000000 - 0000000000001000 (usable) ==> (reserved)
[    0.000000] e820 remove range: 00000000000a0000 - 0000000000100000 (usable)
[    0.000000] init_memory_mapping: 0000000000000000-00000000dfe90000
[    0.000000]   DMA      [mem 0x0000000000001000-0x0000000000ffffff]
[    0.000000]   node   0: [mem 0x0000000000001000-0x000000000009efff]
[    0.000000] PM: hibernation: Registered nosave memory: [mem 0x00000000-0x00000fff]
[    0.000000] PM: Registered nosave memory: 000000000009f000 - 00000000000a0000
[    0.000000] [mem 0xd0000000-0xdfffffff] available for PCI devices
[    0.004608] crashkernel reserved: 0x0000000055000000 - 0x0000000075000000 (512 MB)
[    0.100000] DMAR: dmar0: reg_base_addr fed90000 ver 4:0 cap 1c0000c40660462 ecap 49e2ff0505e
[    0.500000] system 00:01: [mem 0xfed1c000-0xfed1ffff] has been reserved
[    0.500000] PCI: MMCONFIG at [mem 0xe0000000-0xefffffff] reserved in E820
[    0.600000] pci 0000:00:02.0: reg 0x10: [mem 0xf0000000-0xf0ffffff 64bit]
"""


def test_other_ranges_of_a_kernel_s_log_are_no_rows():
    result = run_program(DMESG, "--print-map")
    assert rows_of(DMESG) == E820_ROWS and result.errors == ""
    without = "".join(line for line in DMESG.splitlines(True) if "BIOS-e820" not in line)
    assert run_program(without).status == NO_INPUT


# --- Several maps ---------------------------------------------------------------------------------

ABOVE = "BIOS-e820: [mem 0x0000000100000000-0x0000000100000fff] usable\n"
ABOVE_SHELL = "Available  0000000100000000-0000000100000FFF 0000000000000001 000000000000000F\n"
ABOVE_GRUB = "conv-mem  0000000100000000-0000000100000fff 00000001      4KiB UC WC WT WB\n"
ABOVE_ROWS = [(7, 0x100000000, 1, 0xF)]
SUMS = "  Reserved  :             96 Pages (393,216 Bytes)\n  Available :            159 Pages\n"
ENTRY = "0/start:0x0\n0/end:0x3fffff\n0/type:System RAM\n"
SECOND_MAPS = {
    "an address goes back": (E820, "BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable\n"),
    "a heading": (E820, "BIOS-provided physical RAM map:\n" + ABOVE),
    "another kernel": (E820, "[    0.000000] Linux version 2.6.32\n" + ABOVE),
    "a time goes back": (E820 + "[    5.100000] usb 1-1: new device\n", "[    0.000000] " + ABOVE),
    "a row's time goes back": (E820.replace("0.000000", "1.000000"), "[    0.000000] " + ABOVE),
    "journalctl": (E820, "-- Reboot --\n" + ABOVE),
    "the journal's boots": (E820, "-- Boot 4ac05f6ac7e64d7fa7b2d0b7f5b1e6aa --\n" + ABOVE),
    "the shell's prompt": (SHELL, "Shell> memmap\n" + ABOVE_SHELL),
    "the prompt of a volume": (SHELL, "FS0:\\> memmap\n" + ABOVE_SHELL),
    "the shell's heading": (SHELL, "Type       Start            End              # Pages          Attributes\n" + ABOVE_SHELL),
    "the shell's sums": (SHELL, SUMS + ABOVE_SHELL),
    "a row of the shell again": (SHELL, SHELL.splitlines(True)[0]),
    "a row that overlaps": (SHELL, "Available  0000000000000000-0000000000001FFF 0000000000000002 000000000000000F\n"),
    "a blank line and a lower row": (SHELL, "\nBS_Code    0000000000000000-0000000000000FFF 0000000000000001 000000000000000F\n"),
    "GRUB's prompt": (GRUB, "grub> lsefimmap\n" + ABOVE_GRUB),
    "numbers go back": (LINUX, "efi: mem00: type=7, attr=0xf, range=[0x100000000-0x100001000) (0MB)\n"),
    "Xen's domain": ("(XEN)  [0000000000000000, 000000000009fbff] (usable)\n",
                     "(XEN) Dom0 memory map:\n(XEN)  [0000000100000000, 0000000100000fff] (usable)\n"),
    "entries of sysfs again": (ENTRY, ENTRY.replace("0x0", "0x200000")),
    "data rows": ("# columns: type base pages attr\n7 0x0 88 0xf\n", "# columns: type base pages attr\n7 0x0 99 0xf\n"),
}  # fmt: skip


@pytest.mark.parametrize("first, second", SECOND_MAPS.values(), ids=SECOND_MAPS.keys())
def test_two_maps_are_never_merged(first, second):
    assert rows_of(first + second) == rows_of(first)
    result = run_program(first + second, "--print-map")
    assert "warning: a second map begins here: map 1 of 2 is read, --map 2 reads this one" in result.errors
    assert " has 2 maps: 1 from line" in result.errors
    chosen = run_program(first + second, "--print-map", "--map", "2")
    assert chosen.output == run_program(second, "--print-map").output


def test_map_that_is_not_there_is_refused():
    for number, words in [("3", "it has no map 3: the number of its maps is 2"), ("0", "counted from 1"),
                          ("x", "counted from 1")]:  # fmt: skip
        result = run_program(E820 + E820, "--map", number)
        assert result.status == NO_INPUT and words in result.errors


def test_second_map_that_cannot_be_read_does_not_spoil_the_first():
    text = E820 + "BIOS-provided physical RAM map:\nBIOS-e820: [mem 0x0-0x9ffff] wood\n"
    assert rows_of(text) == E820_ROWS
    assert "-:7: the kind of memory is not known" in run_program(text, "--map", "2").errors


@pytest.mark.parametrize("copies", [2, 3])
def test_line_that_repeats_the_one_before_counts_once(copies):
    require_same(on_each_line(lambda line: "\n".join([line] * copies)))
    require_same(on_each_line(lambda line: line + "\n" + re.sub(r"^\[.{14}", "", line)),
                 ["e820", "linux"])  # fmt: skip


def test_lists_that_linux_derives_are_maps_of_their_own():
    text = DMESG + "user-defined physical RAM map:\n"
    text += " user: [mem 0x0000000000000000-0x000000000000ffff] usable\n"
    text += "reserve setup_data: [mem 0x0000000000000000-0x0000000000007fff] usable\n"
    assert rows_of(text) == E820_ROWS
    errors = run_program(text, "--print-map", "--map", "2").errors
    assert " has 3 maps: " in errors
    assert "the kernel has changed this list" in errors
    assert run_program(text, "--print-map", "--map", "3").output.endswith("\n7 0x0 8 0xf\n")


# --- Notations ------------------------------------------------------------------------------------

OLD = """\
 BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)
 BIOS-e820: 000000000009fc00 - 00000000000a0000 (reserved)
 BIOS-e820: 00000000000d0000 - 00000000000f0000 (ACPI NVS)
 BIOS-e820: 0000000000100000 - 0000000040000000 (usable)
 BIOS-e820: 0000000040000000 - 0000000040010000 (ACPI data)
"""
XEN = "(XEN) Xen-e820 RAM map:\n" + re.sub(
    r"\[    0.000000\] BIOS-e820: \[mem 0x(\w+)-0x(\w+)\] (.*)", r"(XEN)  [\1, \2] (\3)", E820)


@pytest.mark.parametrize("mark", ["BIOS-e820", "BIOS-e801", "BIOS-88", "user", "Xen", "modified",
                                  "reserve setup_data"])  # fmt: skip
def test_every_mark_of_linux_is_known_in_both_notations(mark):
    assert rows_of(OLD.replace("BIOS-e820", mark)) == E820_ROWS
    assert rows_of(E820.replace("BIOS-e820", mark)) == E820_ROWS


@pytest.mark.parametrize("text", [
    XEN, XEN.replace("(XEN) ", "(XEN) [0000001b4a3297f3] "), XEN.replace("(XEN) ", ""),
    OLD.replace("BIOS-e820:", "(XEN)"), OLD.replace(" BIOS-e820:", ""),
    re.sub(r"^.*?\[mem", "[mem", E820, flags=re.M)])  # fmt: skip
def test_list_of_xen_and_rows_without_a_mark_are_read(text):
    assert rows_of(text) == E820_ROWS


def test_list_without_a_mark_drops_no_row():
    coreboot = "0. 0000000000000000-0000000000000fff: CONFIGURATION TABLES\n1. 0000000000001000-000000000009ffff: RAM\n"
    assert rows_of(coreboot) == [(0, 0, 1, 0xF), (7, 0x1000, 0x9F, 0xF)]
    for text in (coreboot.replace("CONFIGURATION TABLES", "WOOD"), XEN.replace("(reserved)", "(wood)")):
        result = run_program(text)
        assert result.status == NO_INPUT and "the kind of memory is not known" in result.errors


def test_kinds_of_every_age_are_known():
    kinds = [("usable", 7), ("System RAM", 7), ("kernel usable RAM", 7), ("usable; crypto-capable", 7),
             ("ACPI data", 9), ("ACPI NVS", 10), ("unusable", 8), ("persistent (type 7)", 14),
             ("persistent (type 12)", 14), ("persistent", 14), ("soft reserved", 0),
             ("device reserved", 0), ("application reserved", 0), ("type 20", 0), ("type 9", 0)]  # fmt: skip
    text = "".join(f"BIOS-e820: [mem {n * 4096:#018x}-{n * 4096 + 4095:#018x}] {kind}\n"
                   for n, (kind, _) in enumerate(kinds))  # fmt: skip
    assert [row[0] for row in rows_of(text)] == [kind for _, kind in kinds]


LSMMAP = """\
grub> lsmmap
base_addr = 0x0, length = 0x9fc00, available RAM
base_addr = 0x9fc00, length = 0x400, reserved RAM
base_addr = 0xd0000, length = 0x20000, ACPI non-volatile storage RAM
base_addr = 0x100000, length = 0x3ff00000, available RAM
base_addr = 0x40000000, length = 0x10000, ACPI reclaimable RAM
"""


def test_lsmmap_of_grub_is_read():
    numbers = {"available RAM": "0x1", "reserved RAM": "0x2", "ACPI reclaimable RAM": "0x3",
               "ACPI non-volatile storage RAM": "0x4"}  # fmt: skip
    old = re.sub("|".join(numbers), lambda match: "type = " + numbers[match[0]], LSMMAP)
    for text in (LSMMAP, old, wrapped(40, "> ")(LSMMAP)):
        assert rows_of(text) == E820_ROWS
    result = run_program("base_addr = 0x1000, length = 0xffffffffffffffff, available RAM\n")
    assert result.status == NO_INPUT and "ends before it begins" in result.errors


ENTRIES = [(0, 0x9FBFF, "System RAM"), (0x9FC00, 0x9FFFF, "Reserved"),
           (0xD0000, 0xEFFFF, "ACPI Non-volatile Storage"), (0x100000, 0x3FFFFFFF, "System RAM"),
           (0x40000000, 0x4000FFFF, "ACPI Tables")]  # fmt: skip
PATH = "/sys/firmware/memmap/"
SYSFS = {
    "grep -r": "{path}{n}/end:{end:#x}\n{path}{n}/start:{start:#x}\n{path}{n}/type:{kind}\n",
    "grep .": "{n}/start:{start:#x}\n{n}/end:{end:#x}\n{n}/type:{kind}\n",
    "a reply": "> {n}/start:{start:#x}\n> {n}/end:{end:#x}\n> {n}/type:{kind}\n",
    "tail": "==> {path}{n}/end <==\n{end:#x}\n\n==> {path}{n}/start <==\n{start:#x}\n\n"
            "==> {path}{n}/type <==\n{kind}\n\n",
    "more": "::::::::\n{n}/end\n::::::::\n{end:#x}\n::::::::\n{n}/start\n::::::::\n{start:#x}\n"
            "::::::::\n{n}/type\n::::::::\n{kind}\n",
    "cat": "{end:#x}\n{start:#x}\n{kind}\n",
    "cat by name": "{start:#x}\n{end:#x}\n{kind}\n\n",
    "a loop": "{start:#x} {end:#x} {kind}\n",
    "a loop that counts": "{n}: {start:#x} - {end:#x} {kind}\n",
    "a loop, kind first": "{kind}: {start:#x}-{end:#x}\n",
    "last bytes in the same way": "{start:016x}-{end:016x} ({kind})\n",
    "the kernel's own example": "{start:016x}-{behind:016x} ({kind})\n",
}  # fmt: skip


def sysfs(form):
    return "".join(form.format(path=PATH, n=n, start=start, end=end, behind=end + 1, kind=kind)
                   for n, (start, end, kind) in enumerate(ENTRIES))  # fmt: skip


@pytest.mark.parametrize("form", SYSFS.values(), ids=SYSFS.keys())
def test_sys_firmware_memmap_is_read_as_it_is_printed(form):
    assert rows_of(sysfs(form)) == E820_ROWS


def test_files_of_sys_firmware_memmap_may_come_in_any_order():
    text = sysfs("{n}/start:{start:#x}\n") + sysfs("{n}/end:{end:#x}\n") + sysfs("{n}/type:{kind}\n")
    assert rows_of(text) == E820_ROWS
    entries = sysfs(SYSFS["tail"]).split("==> " + PATH)[1:]
    backwards = "".join("==> " + PATH + entry for entry in reversed(entries))
    assert sorted(rows_of(backwards)) == sorted(E820_ROWS)
    result = run_program(text.replace("3/end:0x3fffffff\n", ""))
    assert result.status == NO_INPUT and "an entry lacks its start, its end or its type" in result.errors
    other = sysfs(SYSFS["grep ."]).replace("0x9fbff", "0x9ebff")
    assert rows_of(sysfs(SYSFS["grep -r"]) + other) == E820_ROWS


IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
0009fc00-0009ffff : Reserved
000a0000-000bffff : PCI Bus 0000:00
00100000-3fffffff : System RAM
  01000000-01c00e70 : Kernel code
e0000000-efffffff : PCI MMCONFIG 0000 [bus 00-ff]
  e0000000-efffffff : Reserved
fee00000-fee00fff : Local APIC
100000000-1ffffffff : System RAM
200000000-27fffffff : Soft Reserved
    200000000-27fffffff : System RAM (kmem)
"""
IOMEM_ROWS = [(0, 0, 1, 0xF), (7, 0x1000, 0x9E, 0xF), (0, 0x9F000, 1, 0xF), (7, 0x100000, 0x3FF00, 0xF),
              (0, 0xE0000000, 0x10000, 0xF), (7, 0x100000000, 0x100000, 0xF),
              (0, 0x200000000, 0x80000, 0xF)]  # fmt: skip


@pytest.mark.parametrize("change", [
    lambda text: text, on_each_line(lambda line: "> " + line), on_each_line(lambda line: "    " + line),
    lambda text: "$ sudo cat /proc/iomem\n```\n" + text.rstrip() + "```\n", html.escape])  # fmt: skip
def test_proc_iomem_is_read_with_a_warning(change):
    assert rows_of(change(IOMEM)) == IOMEM_ROWS
    assert "/proc/iomem does not show EFI types" in run_program(change(IOMEM), "--print-map").errors


def test_proc_iomem_as_others_than_root_see_it_is_refused():
    result = run_program(re.sub(r"[0-9a-f]{8,9}-[0-9a-f]{8,9}", "00000000-00000000", IOMEM))
    assert result.status == NO_INPUT and "sudo cat /proc/iomem" in result.errors


def test_lists_of_efi_without_e820_are_read():
    itanium = LINUX.replace("efi: ", "")
    assert rows_of(itanium) == LINUX_ROWS
    arm = ("efi: Processing EFI memory map:\n"
           "efi:   0x000040000000-0x00004000ffff [Conventional Memory|   |  |  |WB|WT|WC|UC]\n"
           "efi:   0x000040010000-0x000040010fff [Runtime Data       |RUN|  |  |WB|WT|WC|UC]*\n")  # fmt: skip
    assert rows_of(arm) == [(7, 0x40000000, 0x10, 0xF), (6, 0x40010000, 1, RUNTIME)]


def test_efi_map_of_xen_is_preferred_to_its_list():
    rows = [(3, 0, 8, 0xF), (7, 0x8000, 0x35, 0xF), (10, 0x3F000, 1, RUNTIME)]
    text = "(XEN) EFI memory map:\n" + "".join(
        f"(XEN)  {base:013x}-{base + pages * 4096 - 1:013x} type={kind} attr={attributes:016x}\n"
        for kind, base, pages, attributes in rows)  # fmt: skip
    assert rows_of(XEN + text) == rows
    assert rows_of(quoted(XEN + text)) == rows
    assert rows_of(text.replace("\n", "\n\n")) == rows
    assert rows_of(wrapped(50, "> ")(text)) == rows
    assert rows_of(text + text.replace("0008000", "0100000")) == rows


def test_grub_s_errors_are_errors():
    result = run_program(GRUB.replace(" 0000009f ", " 0000009e "))
    assert result.status == NO_INPUT and "-:3: last address and number of pages contradict" in result.errors


# --- Texts without a map --------------------------------------------------------------------------


def test_unknown_form_names_the_closest_line_the_forms_and_a_command():
    result = run_program("SMAP type=01\nSMAP base=0000000000000000 len=000000000009fc00\nbye\n")
    assert result.status == NO_INPUT
    assert result.errors.count("\n") == 1
    for words in ('-:2: ', '"SMAP base=0000000000000000 len=000000000009fc00"', "lsefimmap", "/proc/iomem",
                  "sudo dmesg > map.txt"):  # fmt: skip
        assert words in result.errors


@pytest.mark.parametrize("text", [
    b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 9, b"\0", b"\0" * 99, b"a\0b", b"=", b"&amp;" * 9,
    b"\xff\xfe", b"<", b"\x1b[", b"\x1b]", b"==> 0/end <=="])  # fmt: skip
def test_bytes_of_any_kind_are_refused_with_a_sentence(text):
    result = run_program(text)
    assert result.status == NO_INPUT and result.errors.startswith("simulate: -:")


def test_report_says_which_map_was_read(tmp_path):
    result = run_program(E820 + E820, "--map", "2", report_path=tmp_path / "report.json")
    assert result.status == READY
    assert result.report["map"]["number"] == 2
    assert [entry["line"] for entry in result.report["map"]["maps"]] == [1, 6]
