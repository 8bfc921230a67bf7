"""Static PIE kernels: relocated, at a random address, with their symbols (catalogue N3, N4)."""

import re
import struct
import subprocess

from lab import BUILD, ROOT, enrolled, expect_panic, expect_ready, expect_stop
from machines import PLAIN

OK = 0x10
PIE = BUILD / "small_kernels/pie.elf"
PACKED = BUILD / "small_kernels/pie-relr.elf"
LOWEST, WINDOW_END = 0xFFFFFFFF80000000, 0xFFFFFFFFC0000000


def place_of(verdict):
    """Return the base that the kernel printed. The file is linked at 0, so it is the slide, too."""
    assert verdict.code == OK and verdict.has_line("pie: all is right"), f"{verdict.sentence}\n{verdict.serial}"
    base, slide = (int(text, 16) for text in verdict.has_line(r"base (0x\w+) slide (0x\w+)").groups())
    assert base == slide and base % 4096 == 0
    assert verdict.has_line(rf"kernel at {base:x}: slide {base:x}, 1\d relocations"), verdict.serial
    return base


def test_pie_gets_a_random_base_symbols_and_modules(lab):
    """The configuration of the first boot is complete: a PIE, its symbols, and two modules on one volume."""
    config = b"symbols = on\nmodule = \\one.txt\nmodule = \\two.bin\nmodule_name = second\n"
    verdicts = [lab.case({"kernel.elf": PIE.read_bytes(), "handoff.conf": config, "one.txt": b"!" * 5000, "two.bin": b"?"}),
                lab.case(kernel=PACKED, command_line="symbols=on")]  # fmt: skip
    bases = [place_of(verdict) for verdict in verdicts]
    assert all(LOWEST < base < WINDOW_END for base in bases)
    assert bases[0] != bases[1]
    assert re.search(r"symbols 0x0*[1-9a-f][0-9a-f]* right", verdicts[0].serial), verdicts[0].serial
    assert re.search(r"^module \S*one.txt 0x0*1388 begins with 0x0*21\r?\nmodule second 0x0*1 begins with 0x0*3f\r?$",
                     verdicts[0].serial, re.M), verdicts[0].serial  # fmt: skip
    assert "symbols=on is ignored: \\kernel.elf has no symbol table" in verdicts[1].serial
    assert re.search(r"symbols 0x0+ none", verdicts[1].serial)


def test_N4_without_a_seed_the_base_is_the_first(lab):
    """The machine has no source of random numbers. The file is linked at 0."""
    verdict = lab.case(kernel=PACKED, machine=PLAIN)
    assert place_of(verdict) == LOWEST
    assert "warning: the kernel gets no random address: there is no seed" in verdict.serial


def section_headers(kernel):
    """Return {name: offset of its header} of the sections of an ELF64 file."""
    (table,) = struct.unpack_from("<Q", kernel, 40)
    count, names = struct.unpack_from("<HH", kernel, 60)
    (first_name,) = struct.unpack_from("<Q", kernel, table + 64 * names + 24)
    found = {}
    for header in range(table, table + 64 * count, 64):
        (name,) = struct.unpack_from("<I", kernel, header)
        found[kernel[first_name + name :].split(b"\0", 1)[0].decode()] = header
    return found


def changed_pie(section):
    """Return the PIE whose first relocation is an R_X86_64_IRELATIVE, or whose symbols have no section with names."""
    kernel = bytearray(PIE.read_bytes())
    header = section_headers(kernel)[section]
    if section == ".symtab":
        struct.pack_into("<I", kernel, header + 40, 0)
    else:
        (offset,) = struct.unpack_from("<Q", kernel, header + 24)
        struct.pack_into("<I", kernel, offset + 8, 37)
    return bytes(kernel)


def test_N3_other_kind_is_refused_by_its_name(lab):
    verdict = expect_stop(lab.case({"kernel.elf": changed_pie(".rela.dyn")}), 33)
    assert re.search(r"relocation 0 of DT_RELA \(R_X86_64_IRELATIVE 37\) at 0x\w+: Only relative ones", verdict.serial)


def test_symbols_that_are_damaged_are_refused(lab):
    verdict = expect_stop(lab.case({"kernel.elf": changed_pie(".symtab")}, command_line="symbols=on"), 34)
    assert "\\kernel.elf: .symtab: It has no section with names." in verdict.serial


def test_kaslr_off_is_refused_under_secure_boot(lab):
    """Also if the configuration is enrolled."""
    files = {"handoff.conf": b"kaslr = off\n", "kernel.elf": PIE.read_bytes()}
    verdict = expect_stop(lab.case({**files, **enrolled(files)}, plan=["secure-boot 1"]), 29)
    assert re.search(r"HL-29: .*\n +what: +kaslr=off\n", verdict.serial.replace("\r", "")), verdict.serial


KERNEL = BUILD / "pie/kernel.elf"


def frames(verdict):
    """Return the functions and lines of a panic's backtrace, without addresses and offsets."""
    return re.findall(r"^\[panic\] #\d+ 0x\w+ (\w+)\+0x\w+ (\S+)$", verdict.serial.replace("\r", ""), re.M)


def test_this_kernel_as_pie_has_the_same_backtrace(lab):
    """The panic of the PIE names the functions and lines that the panic of the ordinary kernel names."""
    words = "print-map provoke=null-write"
    slid = expect_panic(lab.case(kernel=KERNEL, command_line=words), "NULL_ACCESS")
    fixed = expect_panic(lab.case(command_line=words), "NULL_ACCESS")
    assert len(frames(fixed)) >= 4 and frames(slid) == frames(fixed), slid.serial
    slide = int(slid.has_line(r"\[kernel\] base=0x\w+ slide=0x(\w+) symbols=0").group(1), 16)
    assert slide != 0 and slid.has_line(rf"\[panic\] version=\S+ build=\w{{16}} slide=0x{slide:x}$")
    assert slid.has_line(rf"\[map\] from=0x{0xFFFFFFFF80000000 + slide:x} .* access=r-x .*owner=\"text\"")
    assert fixed.has_line(r"\[panic\] version=\S+ build=\w{16}$")
    check_symbolized(slid, BUILD / "pie/kernel.debug.elf")


def check_symbolized(verdict, kernel):
    """scripts/symbolize.sh subtracts the slide that the report has."""
    done = subprocess.run([ROOT / "scripts/symbolize.sh", "--kernel", kernel], input=verdict.serial,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0 and done.stderr == "", done.stderr
    for address, line in re.findall(r"#\d+ (0x\w+) \S+ (\S+)$", verdict.serial.replace("\r", ""), re.M):
        assert re.search(rf"^{address} \S+ {re.escape(line)}$", done.stdout, re.M), done.stdout


def test_this_kernel_as_pie_is_ready(lab):
    verdict = expect_ready(lab.case(kernel=KERNEL, command_line="kaslr=off symbols=on once"))
    assert verdict.has_line(r"\[handoff\] version=2\.1 size=768 ")
    assert "slide=" not in verdict.serial and "has no symbol table" in verdict.serial
