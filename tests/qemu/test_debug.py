"""scripts/debug.sh with a gdb that leaves at once: QEMU must be gone with it."""

import os
import socket
import subprocess

from lab import ROOT, TIMEOUT_SECONDS


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
