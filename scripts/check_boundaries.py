#!/usr/bin/env python3
"""Check the boundaries between the parts of the project, and print each breach as `file:line: sentence`.

compile   every .c file outside of an arch/ folder compiles freestanding for AArch64 and RISC-V 64
words     no such file includes a header of one CPU, contains assembly, or names a register, an
          instruction, a port or a table of a CPU
circles   no two production object files need each other; it reads the output of `make build lib`
lengths   a function has at most 25 lines between its braces, unless it is one table or one switch

Exit status: 0 without a breach, 1 with one, 2 if the check itself cannot run.
"""

import interrupts  # first of all

import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import arguments
import folders

PORTABLE_FOLDERS = ("bootloader", "kernel", "shared", "lessons")
PRODUCTION_FOLDERS = (*PORTABLE_FOLDERS, "host")
CHECKS = ("compile", "words", "circles", "lengths")


@dataclass(frozen=True, order=True)
class Finding:
    """One breach. Line 0 stands for the whole file."""

    path: str
    line: int
    sentence: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.sentence}"


# --- The tree ---------------------------------------------------------------------------------------
class Tree:
    """The production files below a root folder. Each file is read once."""

    def __init__(self, root):
        self.root = root
        self.texts = {}

    def files(self, folders_, suffixes):
        """Return paths relative to the root, in order."""
        found = []
        for folder in folders_:
            for path in (self.root / folder).rglob("*"):
                if path.suffix in suffixes and path.is_file():
                    found.append(path.relative_to(self.root).as_posix())
        return sorted(found)

    def text(self, path):
        if path not in self.texts:
            self.texts[path] = (self.root / path).read_text(encoding="utf-8", errors="replace")
        return self.texts[path]


def is_of_a_cpu(path):
    """Return whether the file lies in an arch/ folder."""
    return "arch" in path.split("/")[:-1]


TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*" r'|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)


def blank(text):
    """Return spaces of the same length, with the same line ends."""
    return re.sub(r"[^\n]", " ", text)


@dataclass
class Parts:
    """A C file in three layers of the same length: the text of the other layers is blank."""

    code: str
    strings: str
    comments: str


def parts_of(text):
    code, strings, comments, end = [], [], [], 0
    for match in TOKEN.finditer(text):
        gap, token = text[end : match.start()], match.group()
        end = match.end()
        layer = strings if token[0] in "\"'" else comments
        for parts in (code, strings, comments):
            parts.append(gap if parts is code else blank(gap))
            parts.append(token if parts is layer else blank(token))
    rest = text[end:]
    return Parts("".join(code) + rest, "".join(strings) + blank(rest), "".join(comments) + blank(rest))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


# --- Compiling for other CPUs -------------------------------------------------------------------------
TARGETS = {"AArch64": "aarch64-none-elf", "RISC-V 64": "riscv64-none-elf"}
# The loader is a PE image if the compiler has this target for the CPU. Otherwise uint64_t is another type of the same
# size, and the compiler would warn about the loader's formats.
LOADER_FLAGS = {
    "AArch64": ["--target=aarch64-unknown-windows"],
    "RISC-V 64": ["--target=riscv64-none-elf", "-Wno-format"],
}
# The number of files that one process compiles.
BATCH_FILES = 60
# These files are compiled only in a kernel with sanitizers.
CHECKED_KERNELS = {
    "kernel/diagnostics/sanitizer/address": "-DHANDOFF_KASAN",
    "kernel/diagnostics/sanitizer/undefined": "-DHANDOFF_UBSAN",
}
ERROR = re.compile(r"^(?:\./)?(\S+?):(\d+):\d+: (?:fatal )?error: (.*?)(?: \[-W[^\]]*\])?$", re.MULTILINE)


def warnings_of(tree):
    """The warnings of the Makefile."""
    makefile = tree.root / "Makefile"
    text = makefile.read_text(encoding="utf-8") if makefile.exists() else ""
    found = re.search(r"^WARNINGS := (.*)$", text, re.MULTILINE)
    return (found.group(1).split() if found else ["-Wall", "-Wextra"]) + ["-Werror"]


def write_bindings(folder):
    """gnu-efi's package has only the headers of the machine's own CPU: efibind.h (the CPU's types) and pe.h. They are
    equal on every 64-bit CPU, so the other targets use those of x86-64."""
    for name in ("aarch64/efibind.h", "riscv64/efibind.h", "pe.h"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"#include <x86_64/{Path(name).name}>\n", encoding="utf-8")


def compile_flags(path, cpu, options, bindings):
    """Return the compiler and its flags for a file."""
    common = [options.clang, "-ffreestanding", "-fno-builtin", "-std=c17", "-I.", "-fsyntax-only",
              *options.warnings, '-DHANDOFF_VERSION_TEXT="0"', "-fno-caret-diagnostics"]  # fmt: skip
    if path.startswith("bootloader/"):
        efi = ["-fshort-wchar", "-isystem", options.efi_include, "-isystem", str(bindings)]
        return (*common, *LOADER_FLAGS[cpu], *efi)
    defines = [flag for prefix, flag in CHECKED_KERNELS.items() if path.startswith(prefix)]
    return (*common, f"--target={TARGETS[cpu]}", *defines)


def run_compiler(tree, flags, files):
    """Compile the files in one process: to start clang takes longer than to read a file. Clang's driver starts a
    process for each file that it sees, so it sees only the first."""
    others = [word for file in files[1:] for word in ("-Xclang", file)]
    return subprocess.run([*flags, *others, files[0]], cwd=tree.root, text=True, errors="replace",
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)  # fmt: skip


def compile_one(tree, path, cpu, flags):
    process = run_compiler(tree, flags, [path])
    found = [
        Finding(name.removeprefix(f"{tree.root}/"), int(line), f"does not compile for {cpu}: {message}")
        for name, line, message in ERROR.findall(process.stderr)
    ]
    if process.returncode != 0 and not found:
        lines = process.stderr.strip().splitlines() or ["the compiler said nothing"]
        found.append(Finding(path, 0, f"does not compile for {cpu}: {lines[0]}"))
    return found


def compile_batch(tree, files, cpu, flags):
    """If one of the files fails, compile each by itself: clang stops at the first fatal error, or after 20 errors."""
    if run_compiler(tree, flags, files).returncode == 0:
        return []
    return [finding for path in files for finding in compile_one(tree, path, cpu, flags)]


def batches_of(sources, options, bindings):
    """Return (files, CPU, flags) of each batch: files with equal flags, and some batches for each processor."""
    groups = defaultdict(list)
    for cpu in TARGETS:
        for path in sources:
            groups[cpu, compile_flags(path, cpu, options, bindings)].append(path)
    return [(files[start : start + BATCH_FILES], cpu, flags)
            for (cpu, flags), files in groups.items() for start in range(0, len(files), BATCH_FILES)]  # fmt: skip


def check_compile(tree, options):
    sources = [path for path in tree.files(PORTABLE_FOLDERS, (".c",)) if not is_of_a_cpu(path)]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(os.cpu_count()) as pool:
        write_bindings(Path(name))
        jobs = [pool.submit(compile_batch, tree, *batch) for batch in batches_of(sources, options, name)]
        return [finding for job in jobs for finding in job.result()]


# --- Words of a CPU ------------------------------------------------------------------------------------
def words(text):
    return frozenset(text.split())


CPUS = words("x86 amd64 ia32 i386 intel aarch64 arm64 arm riscv riscv64 rv64")
REGISTERS = (
    words("rax rbx rcx rdx rsi rdi rbp rsp rip r8 r9 r10 r11 r12 r13 r14 r15 rflags")
    | words("eax ebx ecx edx esi edi ebp esp eip eflags")
    | words("cr0 cr2 cr3 cr4 cr8 xcr0 dr6 dr7 efer pat msr msrs tsc apicbase mtrr mtrrs")
    | words("ttbr ttbr0 ttbr1 tcr mair sctlr vbar esr elr spsr daif mpidr cntpct cntvct")
    | words("satp stvec sepc scause stval sstatus mstatus")
)
INSTRUCTIONS = (
    words("cpuid invlpg invpcid lidt lgdt lldt sidt sgdt ltr hlt cli sti pushf popf iret iretq int3")
    | words("ud2 outb outw outl inb inw inl rdtsc rdtscp rdrand rdseed rdmsr wrmsr wbinvd clflush")
    | words("mfence lfence swapgs xsave fxsave")
    | words("tlbi dsb isb wfi wfe mrs svc hvc smc eret sfence ecall csrr csrw")
)
TABLES_AND_FEATURES = (
    words("gdt idt ldt tss pml4 pml5 la57 nx nxe smep smap umip pcid pge")
    | words("apic lapic ioapic x2apic i8259 i8254 i8042 gicv2 gicv3 plic clint")
)
PORTS = words("0x3f8 0x2f8 0xcf8 0xcf9 0xcfc 0xf4 0xfee00000 0xc0000080 0x277 0x80000008")
KINDS = [
    (CPUS, "the CPU family"),
    (REGISTERS, "the register"),
    (INSTRUCTIONS, "the instruction"),
    (TABLES_AND_FEATURES, "the table or feature"),
    (PORTS, "the port or register number"),
]
# Headers outside of arch/ that include the headers of a CPU. They may name CPUs, too.
INTERFACES = {
    "shared/page_entry.h": "selects the entry format of the CPU that is compiled for",
    "shared/direct_map.h": "selects where that CPU has the direct map",
    "kernel/mm/layout.h": "selects where that CPU has the kernel's areas",
}
# Files that may use any word, with the reasons.
ALLOWED = {
    "shared/handoff.h": "the contract defines the part of each CPU",
    "lessons/handoff_samples.c": "the samples are handoffs of one kind of machine",
    "bootloader/pure/madt.h": "the signature of the table, on every kind of machine",
    "bootloader/pure/inject_handoff.c": "the mistakes are in the handoff of one kind of machine",
}
ASSEMBLY = re.compile(r"\b(?:asm|__asm|__asm__)\b")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">\n]+)[">]', re.MULTILINE)
IDENTIFIER = re.compile(r"\w+")
EFI_HEADER = re.compile(r"(?:efi|pe\.h|eficon|x86_64/efi)")
EFI_DOOR = "bootloader/firmware/efi.h"


def kind_of(word, path, excepted=frozenset()):
    """Return the kind of the word; None if the word is allowed there."""
    if path in ALLOWED or (path in INTERFACES and word in CPUS):
        return None
    for members, kind in KINDS:
        if word in members and word not in excepted:
            return kind
    return None


def words_in(layer):
    """Yield (offset, identifier, part). The parts of an identifier are between its underscores."""
    for match in IDENTIFIER.finditer(layer):
        identifier = match.group()
        for part in dict.fromkeys(identifier.lower().split("_")):
            if part:
                yield match.start(), identifier, part


def check_layer(path, layer, place, excepted=frozenset()):
    found = []
    for offset, identifier, part in words_in(layer):
        kind = kind_of(part, path, excepted)
        if kind is not None:
            inside = "" if part == identifier.lower() else f" in {identifier}"
            found.append(Finding(path, line_of(layer, offset), f"{place} names {kind} {part}{inside}"))
    return found


def without_includes(text):
    return re.sub(r"^[ \t]*#[ \t]*include.*$", lambda line: blank(line.group()), text, flags=re.MULTILINE)


def check_includes(path, text):
    found = []
    for match in INCLUDE.finditer(text):
        line, name = line_of(text, match.start(2)), match.group(2)
        if is_of_a_cpu(name) and path not in INTERFACES:
            found.append(Finding(path, line, f"includes {name}, which belongs to one CPU"))
        if match.group(1) == "<" and EFI_HEADER.match(name) and path != EFI_DOOR:
            found.append(Finding(path, line, f"includes gnu-efi's <{name}>: only {EFI_DOOR} may"))
    return found


def check_portable_file(path, text):
    """Comments may name a CPU as an example or as a source, but not its registers or tables."""
    parts = parts_of(without_includes(text))
    found = check_includes(path, text)
    found += [Finding(path, line_of(text, match.start()), "contains assembly")
              for match in ASSEMBLY.finditer(parts.code)]  # fmt: skip
    found += check_layer(path, parts.code, "code")
    found += check_layer(path, parts.strings, "a text")
    found += check_layer(path, parts.comments, "a comment", CPUS | PORTS)
    return found


def check_words(tree, _options):
    found = []
    for path in tree.files(PORTABLE_FOLDERS, (".c", ".h", ".S")):
        if is_of_a_cpu(path):
            continue
        if path.endswith(".S"):
            found.append(Finding(path, 0, "is assembly outside of an arch/ folder"))
        else:
            found += check_portable_file(path, tree.text(path))
    return found


# --- Circles ------------------------------------------------------------------------------------------- The links:
# the folder of the objects of each, below the build folder.
LINKS = {"the kernel": "kernel", "the loader": "loader", "the preload library": "host/preload"}


def objects_of(tree, folder):
    """Return {source: object} of one link, without objects of removed sources, and without tests."""
    found = {}
    for path in sorted(folder.rglob("*.o")):
        name = path.relative_to(folder).as_posix().removesuffix(".o")
        source = name if name.endswith(".S") else f"{name}.c"
        if source.split("/")[0] in PRODUCTION_FOLDERS and (tree.root / source).exists():
            found[source] = path
    return found


class BrokenCheck(Exception):
    """The check itself cannot run."""


def read_symbols(objects, nm):
    """Return ({symbol: source that defines it}, {source: symbols that it needs})."""
    sources = {str(path): source for source, path in objects.items()}
    try:
        process = subprocess.run([nm, "--extern-only", "-A", *sources], capture_output=True,
                                 text=True, check=False)  # fmt: skip
    except OSError as error:
        raise BrokenCheck(f"{nm}: {error.strerror}") from error
    defined, needed = {}, defaultdict(set)
    for line in process.stdout.splitlines():
        file, _, rest = line.partition(": ")
        fields = rest.split()
        if len(fields) < 2 or file not in sources:
            continue
        kind, symbol = fields[-2:]
        if kind in "Uw":
            needed[sources[file]].add(symbol)
        else:
            defined[symbol] = sources[file]
    return defined, needed


def needs_of(objects, nm):
    """Return {source: {source that it needs: a symbol}}."""
    defined, needed = read_symbols(objects, nm)
    graph = {source: {} for source in objects}
    for source, symbols in needed.items():
        for symbol in sorted(symbols):
            other = defined.get(symbol, source)
            if other != source:
                graph[source].setdefault(other, symbol)
    return graph


def shortest_way(graph, start, goal):
    """Return the nodes of a path from `start` to `goal`, with both; None if there is no path."""
    before = {start: None}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for following in sorted(graph[node]):
            if following == goal:
                way = [goal]
                while node is not None:
                    way.append(node)
                    node = before[node]
                return way[::-1]
            if following not in before:
                before[following] = node
                queue.append(following)
    return None


def drop_what_is_in_no_circle(graph):
    """Remove files that need no other file, or that no file needs, again and again: they are in no circle."""
    while True:
        used = {other for others in graph.values() for other in others}
        idle = [node for node, others in graph.items() if not others or node not in used]
        if not idle:
            return
        for node in idle:
            del graph[node]
        for others in graph.values():
            for node in idle:
                others.pop(node, None)


def circles_of(graph):
    """Return circles that share no need, the shortest first. If there is any circle, at least one is found."""
    graph = {node: dict(others) for node, others in graph.items()}
    found = []
    while True:
        drop_what_is_in_no_circle(graph)
        ways = [way for node in sorted(graph) if (way := shortest_way(graph, node, node))]
        if not ways:
            return found
        way = min(ways, key=len)
        found.append([(one, graph[one][other], other) for one, other in zip(way, way[1:])])
        for one, other in zip(way, way[1:]):
            del graph[one][other]


def use_of(tree, source, symbol):
    """Return the first line of a file that names the symbol; 0 if a macro hides it."""
    match = re.search(rf"\b{re.escape(symbol)}\b", tree.text(source))
    return line_of(tree.text(source), match.start()) if match else 0


def describe_circle(tree, circle, link):
    first = circle[0][0]
    steps = ", which ".join(f"needs {symbol} of {other}" for _, symbol, other in circle)
    sentence = f"{steps}: a circle of {len(circle)} files in {link}"
    return Finding(first, use_of(tree, first, circle[0][1]), sentence)


def check_circles(tree, options):
    found, missing = {}, []
    for link, folder in LINKS.items():
        objects = objects_of(tree, options.build / folder)
        if not objects:
            missing.append(folder)
            continue
        for circle in circles_of(needs_of(objects, options.nm)):
            found.setdefault(tuple(circle), describe_circle(tree, circle, link))
    if missing:
        raise BrokenCheck(f"no objects in {', '.join(missing)} of {options.build}: run make build lib")
    return list(found.values())


# --- Lengths of functions --------------------------------------------------------------------------------
LONGEST_FUNCTION = 25
NAME = re.compile(r"\b(?!__attribute__|aligned|section)(\w+)\s*\(")
INITIALISER = re.compile(r"^(?:[^=({]*=|return\b)\s*(?:\([^)]*\)\s*)?\{|^return\s*&?\(struct")


def functions_of(code):
    """Yield (name, first line, body) of each function. Its braces are on separate lines."""
    lines = code.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line.rstrip() == "{":
            start = number
        elif line.rstrip() in ("}", "};") and start is not None:
            yield name_before(lines, start), start, lines[start + 1 : number]
            start = None


def name_before(lines, start):
    """Return the name of the function whose body begins at this line."""
    first = start
    while first > 0 and lines[first - 1].strip() and not lines[first - 1].rstrip().endswith((";", "}")):
        first -= 1
    found = NAME.search(" ".join(lines[first:start]))
    return found.group(1) if found else "?"


def statements_of(body):
    """Return the statements of a function, without those inside of other statements. `code` has no comments."""
    depth, start, found = 0, 0, []
    for offset, character in enumerate(body):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        ends_block = character == "}" and not re.match(r"\s*[;,).\[]", body[offset + 1 :])
        if depth == 0 and (character == ";" or ends_block):
            found.append(body[start : offset + 1].strip())
            start = offset + 1
    return found


def is_one_switch(statements):
    return statements[0].startswith("switch") and all(
        statement.startswith("return") for statement in statements[1:2]
    ) and len(statements) <= 2  # fmt: skip


def is_one_table(statements):
    tables = [statement for statement in statements if INITIALISER.match(statement)]
    others = [statement for statement in statements if statement not in tables]
    return len(tables) >= 1 and len(others) <= 1 and all(
        statement.startswith("return") for statement in others
    )  # fmt: skip


def check_function(path, name, start, body):
    if len(body) <= LONGEST_FUNCTION:
        return []
    statements = statements_of("\n".join(body))
    if statements and (is_one_switch(statements) or is_one_table(statements)):
        return []
    sentence = f"{name}() has {len(body)} lines, more than {LONGEST_FUNCTION}"
    return [Finding(path, start + 1, sentence)]


def check_lengths(tree, _options):
    found = []
    for path in tree.files(PRODUCTION_FOLDERS, (".c", ".h")):
        for name, start, body in functions_of(parts_of(tree.text(path)).code):
            found += check_function(path, name, start, body)
    return found


# --- All together ------------------------------------------------------------------------------------------
def parse_arguments():
    parser = arguments.Parser(prog="check_boundaries.py", description=__doc__)
    parser.add_argument("root", nargs="?", type=arguments.folder, default=folders.ROOT, metavar="FOLDER",
                        help="the checkout; otherwise that of this script")
    parser.add_argument("--build", type=Path, metavar="DIR", help="where its objects are; otherwise build/")
    parser.add_argument("--only", choices=CHECKS, metavar="CHECK", help="only one of the checks")
    parser.add_argument("--clang", default="clang", metavar="PROGRAM", help="the compiler")
    parser.add_argument("--nm", default="llvm-nm", metavar="PROGRAM", help="what lists symbols")
    parser.add_argument("--efi-include", default="/usr/include/efi", metavar="DIR", help="gnu-efi's headers")
    options = parser.parse_args()  # fmt: skip
    options.root = options.root.resolve()
    options.build = options.build or options.root / "build"
    return options


def run_check(name, tree, options):
    return sorted(set(globals()[f"check_{name}"](tree, options)))


def main():
    options = parse_arguments()
    interrupts.raise_them()
    arguments.print_anything()
    tree = Tree(options.root)
    options.warnings = warnings_of(tree)
    counts, broken = {}, []
    for name in [options.only] if options.only else CHECKS:
        try:
            findings = run_check(name, tree, options)
        except BrokenCheck as error:
            broken.append(f"check_boundaries.py: {name} was not checked: {error}")
            continue
        counts[name] = len(findings)
        for finding in findings:
            print(finding)
    print("check-boundaries: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    for sentence in broken:
        print(sentence, file=sys.stderr)
    return 2 if broken else 1 if any(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
