"""A debugger at QEMU's gdb stub. It has only the part of the remote protocol that the tests need: they stop
the machine at an address, and change its memory and registers there.

(GDB manual, "GDB Remote Serial Protocol": a packet is `$data#checksum`, acknowledged with `+`.)
"""

import socket
import time

# The places of registers, of eight bytes each, among all of them (gdb's i386:x86-64).
RDI, RSP, RIP = 5, 7, 16
# One packet holds at most 4096 bytes, of two hexadecimal digits each.
CHUNK_BYTES = 1024
TIMEOUT_SECONDS = 300


class GdbStub:
    """One connection. While it is open the machine is stopped, except inside of run_to()."""

    def __init__(self, running):
        """Start the stub in a running Boot, and stop the machine."""
        path = running.scratch / "gdb"
        command = f"gdbserver unix:{path},server=on,wait=off"
        running.command("human-monitor-command", {"command-line": command})
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(TIMEOUT_SECONDS)
        self._connect(str(path))
        self.received = b""
        self.ask("?")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def _connect(self, path):
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            try:
                self.connection.connect(path)
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _send(self, text):
        data = text.encode("ascii")
        self.connection.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))

    def _receive(self):
        while b"#" not in self.received[:-2]:
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("QEMU closed the connection of the debugger")
            self.received += data
        begin = self.received.index(b"$") + 1
        end = self.received.index(b"#", begin)
        reply = self.received[begin:end].decode("ascii")
        self.received = self.received[end + 3 :]
        self.connection.sendall(b"+")
        return reply

    def ask(self, text):
        """Send a packet and return the answer. When a debugger connects, QEMU may report without a request that the
        machine stopped (`T…`). Only `?` requests that."""
        self._send(text)
        reply = self._receive()
        while reply.startswith("T") and text != "?":
            reply = self._receive()
        if reply.startswith("E"):
            raise ValueError(f"QEMU refused the debugger's packet {text[:40]}: {reply}")
        return reply

    def run_to(self, address, start):
        """Let the machine run up to the instruction at `address`. `start()` is called when it runs."""
        self.ask(f"Z1,{address:x},1")
        self._send("c")
        start()
        self._receive()
        self.ask(f"z1,{address:x},1")

    def run_to_any(self, addresses):
        """Execute one instruction. Then let the machine run until it is about to execute one at one of the addresses;
        return which."""
        self._send("s")
        self._receive()
        for address in addresses:
            self.ask(f"Z1,{address:x},1")
        self._send("c")
        self._receive()
        for address in addresses:
            self.ask(f"z1,{address:x},1")
        return self.register(RIP)

    def leave(self):
        """Let the machine run without the debugger."""
        self.ask("D")

    def registers(self):
        return bytearray.fromhex(self.ask("g"))

    def register(self, number):
        return int.from_bytes(self.registers()[8 * number : 8 * number + 8], "little")

    def set_register(self, number, value):
        registers = self.registers()
        registers[8 * number : 8 * number + 8] = value.to_bytes(8, "little")
        self.ask("G" + registers.hex())

    def read(self, address, size_bytes):
        """Return memory at a virtual address."""
        chunks = [
            bytes.fromhex(self.ask(f"m{address + at:x},{min(CHUNK_BYTES, size_bytes - at):x}"))
            for at in range(0, size_bytes, CHUNK_BYTES)
        ]
        return b"".join(chunks)

    def write(self, address, data):
        for at in range(0, len(data), CHUNK_BYTES):
            chunk = data[at : at + CHUNK_BYTES]
            self.ask(f"M{address + at:x},{len(chunk):x}:{chunk.hex()}")
