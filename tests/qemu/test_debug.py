"""scripts/debug.sh with a gdb that leaves at once: QEMU must be gone with it. And gdb's commands in a running kernel."""

import os
import re
import socket
import subprocess

from lab import BUILD, ROOT, TIMEOUT_SECONDS
from test_monitor import READY, Dialogue, staying


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# Attaches (a packet is answered), lets the machine go on and leaves. debug.sh asks for the version
# first, so that gdb checks its options.
GDB = """#!/bin/sh
[ "$1" != --version ] || exit 0
exec python3 - "$@" <<'PYTHON'
import socket, sys, time
deadline = time.monotonic() + 300
while True:
    try:
        connection = socket.create_connection(("127.0.0.1", {port}), timeout=300)
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.1)
connection.sendall(b"$D#44")
print("gdb:", *sys.argv[1:], flush=True)
answer = b""
while b"#" not in answer:
    answer += connection.recv(100)
print("answer:", answer, flush=True)
PYTHON
"""


def test_gdb_that_detaches_leaves_nothing_behind(tmp_path):
    port = free_port()
    gdb = tmp_path / "gdb"
    gdb.write_text(GDB.format(port=port), encoding="utf-8")
    gdb.chmod(0o755)
    environment = dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}", PORT=str(port))
    done = subprocess.run(
        [ROOT / "scripts/debug.sh"], env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "hbreak kernel_entry" in done.stdout
    assert "OK" in done.stdout.split("answer:")[1]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "QEMU still listens"


def ask_gdb(running, *commands, symbols=BUILD / "kernel.debug.elf"):
    """Attach the real gdb to a running machine, and return the answer to each command. Then the machine goes on."""
    socket_path = running.scratch / "gdb"
    server = f"gdbserver unix:{socket_path},server=on,wait=off"
    running.command("human-monitor-command", {"command-line": server})
    words = [word for command in commands for word in ("-ex", "echo === \\n", "-ex", command)]
    command = ["gdb", "-q", "-nx", "-batch", "-x", ROOT / "scripts/gdb/handoff_gdb.py",
               "-ex", f"target remote {socket_path}", *words, "-ex", "echo === \\n", "-ex", "detach", symbols]  # fmt: skip
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
                          check=True)  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.split("=== \n")[1:-1]


def test_printers_show_a_running_kernel(lab):
    """One machine: gdb and the monitor's commands say the same about the heap, the page tables and the regions."""
    text, null = "0xffffffff80000000", "0"
    with staying(lab, READY) as running:
        dialogue = Dialogue(running)
        dialogue.ask("alloc 100; alloc 5K; alloc 4K 64K")
        heap, pages, regions, null_pages, printed, frames, again = ask_gdb(
            running, "handoff-heap all", f"handoff-pages {text}", "handoff-regions", f"handoff-pages {null}",
            "print *kernel.heap", "backtrace", "frame apply all -q -s handoff-regions")  # fmt: skip
        walked = dialogue.ask("heap walk")
        steps = dialogue.ask(f"pages {text}")
        rows = dialogue.ask("map format=kv")
    pieces = r"^ *(0x\w+) (\w+) +(\d+) bytes"
    printed_pieces = re.findall(pieces, heap, re.M)
    walked_pieces = re.findall(pieces, walked, re.M)  # the monitor shows the first 40
    assert len(walked_pieces) > 10 and walked_pieces == printed_pieces[:len(walked_pieces)]
    live = [int(size) for _, state, size in printed_pieces if state == "live"]
    assert sorted(live)[-2:] == [4096, 5120] and 100 in live, live
    entries = r"^level (\d), entry +(\d+) of (0x\w+): (0x\w+)"
    ours, theirs = re.findall(entries, pages, re.M), re.findall(entries, steps, re.M)
    # The accessed bit may be set in between.
    assert len(ours) in (4, 5) and [row[:3] for row in ours] == [row[:3] for row in theirs]
    assert re.search(r"^level 1, .* present .*page 0x", pages, re.M) and 'It belongs to "text".' in pages
    assert "r-x, kernel only" in pages
    assert "The address is not mapped: an access faults." in null_pages
    assert 'It is a guard page of "null pointer".' in null_pages
    assert len(re.findall(r"^\[0x", regions, re.M)) == len(re.findall(r"^\[region\] base=", rows, re.M)) > 20
    assert ", kernel-image, reuse never\n" in regions
    assert "policy fast; see handoff-heap" in printed
    assert re.search(r"\bkernel=", frames), "an argument hides the variable of the same name in this frame"
    assert again == regions * frames.count("#"), (frames, again)


def test_symbols_of_a_pie_move_to_its_address(lab):
    symbols = BUILD / "pie/kernel.debug.elf"
    with staying(lab, READY, kernel=symbols.with_name("kernel.elf")) as running:
        slide, regions, where = ask_gdb(running, "handoff-slide", "handoff-regions", "info symbol $rip", symbols=symbols)
        logged = re.search(r"\[kernel\] base=0x\w+ slide=0x(\w+) ", running.serial)
    assert slide == f"The slide is 0x{logged.group(1)}.\n"
    assert ", kernel-image, reuse never\n" in regions and " in section .text" in where
