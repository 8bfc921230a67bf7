"""gdb's commands and printers (scripts/gdb) over a program of this machine, and over a kernel that has not started.

Compare each heap that gdb reads with the heap's own walk. tests/qemu/test_debug.py does this in a running kernel."""

import re
import subprocess

import pytest

import folders

ROOT = folders.ROOT
BUILD = folders.build_folder()
PRINTERS = ROOT / "scripts/gdb/handoff_gdb.py"
LINE = re.compile(r"^0x(\w+) (live|free|own|quarantined) +(\d+) bytes?(?:, by (.*))?$", re.MULTILINE)
KINDS = ["bump plain", "bump debug", "first-fit plain", "first-fit debug", "best-fit plain", "best-fit debug",
         "fast plain", "fast debug"]  # fmt: skip


def gdb(program, *commands):
    words = [word for command in commands for word in ("-ex", command)]
    return subprocess.run(["gdb", "-q", "-nx", "-batch", "-x", PRINTERS, *words, program], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=True)  # fmt: skip


@pytest.fixture(scope="module")
def session():
    """The text of one run of gdb: a part for each stop of the program."""
    stops = ["echo next stop\\n", "handoff-heap all heap", "print *heap", "continue"]
    done = gdb(BUILD / "host/gdb_heaps", "break heap_is_ready", "run", *stops * (1 + len(KINDS)))
    assert "Traceback" not in done.stderr and "Error" not in done.stderr, done.stderr
    return done.stdout.split("next stop\n")


def test_heap_that_is_not_set_up_is_a_sentence(session):
    assert re.search(r"^The heap at 0x\w+ is not set up yet\.$", session[1], re.MULTILINE), session[1]
    assert "heap, not set up yet" in session[1]


@pytest.mark.parametrize("kind", KINDS)
def test_gdb_reads_the_blocks_that_the_heap_walks(session, kind):
    index = 1 + KINDS.index(kind)
    policy, layer = kind.split()
    before, stop = session[index], session[index + 1]
    assert f"heap: {kind}\n" in before
    walked = [(int(start, 16), what, int(size)) for start, what, size in
              re.findall(r"^walk: 0x(\w+) (\w+) (\d+)$", before, re.MULTILINE)]  # fmt: skip
    read = [(int(start, 16), what, int(size)) for start, what, size, _ in LINE.findall(stop)]
    if layer == "plain":
        assert len(walked) > 20 and read == walked
    else:  # the layer shows freed blocks of its quarantine as the heap's own
        assert [row for row in read if row[1] == "live"] == [row for row in walked if row[1] == "live"]
        assert all(caller.startswith("main + ") for _, what, _, caller in LINE.findall(stop)
                   if what == "live")  # fmt: skip
        assert policy == "bump" or any(row[1] == "quarantined" for row in read)
    used, peak, frees = re.search(r"^figures: (\d+) (\d+) (\d+)$", before, re.MULTILINE).groups()
    assert f"used       {used} bytes; the peak was {peak} bytes\n" in stop
    assert f"calls      {frees} frees, 0 failed requests, 0 faults\n" in stop
    assert f"policy     {policy}; layers: {'none' if layer == 'plain' else 'debug'}\n" in stop
    assert f"policy {policy}; see handoff-heap" in stop


def test_overwritten_header_ends_the_walk_with_a_sentence():
    # The last heap but one is that of fast, without the layer.
    stops = ["continue"] * 7
    done = gdb(BUILD / "host/gdb_heaps", "break heap_is_ready", "run", *stops,
               "set var *(unsigned long *)(((struct fast_state *)heap->policy_state)->core.first - 8) = 0",
               "handoff-heap heap", "kill")  # fmt: skip
    assert "policy     fast" in done.stdout and "this header is not sound" in done.stdout, done.stdout
    assert "Traceback" not in done.stderr


def test_kernel_that_has_not_started_gets_sentences():
    """Without a running machine there is nothing to read. Each command says which thing is missing."""
    sentences = {
        "handoff-regions": "The kernel has not checked the handoff yet",
        "handoff-regions all": "handoff-regions takes no argument.",
        "handoff-heap": "There is no permanent heap yet",
        "handoff-heap nonsense": 'No symbol "nonsense" in current context.',
        "handoff-heap 5": "5 is not a pointer to a struct heap.",
        "handoff-pages": "handoff-pages needs an address.",
        "handoff-pages 0": "The target shows no control registers",
        "print kernel.view.regions": "= 0 regions",
        "print kernel.early_heap": "= early heap, not set up yet",
        "print kernel.address_space.table": "= page table, not set up yet",
        "print kernel.segments[0].virtual": "= virtual [0x0, 0x0) empty",
        "print kernel.layout.physical_base": "= physical 0x0",
        "print (struct frame_range){1, 3}": "= frames [1, 3) 2 frames",
        "print (struct frame_range){3, 1}": "is not a range",
        "print (struct phys_range){{4096}, {12288}}": "= physical [0x1000, 0x3000) 8 KiB",
        "print (struct virt_range){{4096}, {0}}": "is not a range",
        "print (struct handoff_region){4096, 8192, HANDOFF_REGION_USABLE}": "0x3000) 8 KiB, usable, reuse never",
        "print (struct handoff_region){4096, 8192, 99}": "8 KiB, 99, reuse never",
        "handoff-help": "handoff-pages ADDRESS",
    }
    parts = [word for command in sentences for word in (f"echo === {command}\\n", command)]
    done = gdb(BUILD / "kernel.debug.elf", *parts)
    answers = dict(part.split("\n", 1) for part in done.stdout.split("=== ")[1:])
    for command, sentence in sentences.items():
        assert sentence in answers[command], (command, answers[command], done.stderr)
    assert "Traceback" not in done.stderr


def test_program_without_a_kernel_gets_a_sentence():
    done = gdb("/bin/true", "handoff-regions", "handoff-heap", "handoff-pages 0")
    assert done.stdout.count("This program has no struct kernel") == 2, done.stdout
