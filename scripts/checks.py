"""Find mistakes in a machine with which QEMU would start, but the boot would hang.

Each check raises a MachineError with the cause and the remedy in one sentence. The checks of the first half do
not run QEMU.
"""

import difflib
import errno
import json
import math
import os
import shutil
import socket
import subprocess

import machine
from machine import QEMU, Machine, MachineError

# QEMU does not work if it needs more time than this for an answer.
QEMU_SECONDS = 30
# QEMU's names of 64-bit mode, the width of addresses, and 1 GiB pages.
CPU_FIGURES = ("lm", "phys-bits", "pdpe1gb")


def check_port(port):
    """Check that QEMU's gdb server can listen on a TCP port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise MachineError(f"port {port} is for root only: use a port from 1024 on")
            raise MachineError(f"port {port} is in use: use another port") from error


def check_seconds(text):
    """Return the time to wait: more than 0, and finite."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 1e9:
        raise MachineError(f"{text!r} is not a number of seconds above 0")
    return seconds


def check_qemu():
    if shutil.which(QEMU) is None:
        raise MachineError(f"{QEMU} is not installed: run make doctor, which names its package")


def check_accelerator(name):
    obstacle = machine.kvm_obstacle() if name == "kvm" else None
    if obstacle is not None:
        raise MachineError(f"KVM does not work: {obstacle}; use --accelerator tcg")


def check_window(name):
    """Check the kind of QEMU's window that the user named."""
    kind = name.split(",")[0].split("=")[0]
    if kind == "curses":
        raise MachineError("--display curses needs the terminal, which is the serial console here")
    windows = [backend for backend in machine.window_backends() if backend != "none"]
    if kind not in windows and kind != "vnc":
        raise MachineError(
            f"--display {name!r} is not a graphics card (--help lists them), and this QEMU opens only these "
            f"windows: {', '.join(windows)}"
        )
    if name.split(",")[0] in ("vnc", "vnc="):
        raise MachineError("--display vnc needs the number of its display: --display vnc=:1")
    if kind in ("gtk", "sdl") and not machine.has_display():
        raise MachineError(f"--display {name} needs $DISPLAY, which is not set: use --display none")


def ask_cpu(pc: Machine):
    """Return QEMU's figures of the machine's CPU: {name of CPU_FIGURES: value}."""
    accelerator = "kvm" if pc.uses_kvm() else "tcg"
    command = [
        QEMU, "-nodefaults", "-machine", f"q35,accel={accelerator}", "-m", "64", "-display", "none",
        "-S", "-qmp", "stdio", "-cpu", pc.cpu_model(), "-smp", str(pc.cpu_count),
    ]  # fmt: skip
    path = "/machine/unattached/device[0]"
    requests = [{"execute": "qmp_capabilities"}]
    requests += [{"execute": "qom-get", "arguments": {"path": path, "property": name}}
                 for name in CPU_FIGURES]  # fmt: skip
    requests += [{"execute": "quit"}]
    try:
        answer = subprocess.run(
            command, input="".join(json.dumps(request) + "\n" for request in requests),
            capture_output=True, text=True, timeout=QEMU_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MachineError(f"{QEMU} does not answer: {error}") from error
    if answer.returncode != 0:
        raise MachineError(qemu_words(answer.stderr))
    replies = [json.loads(line) for line in answer.stdout.splitlines()]
    values = [reply["return"] for reply in replies if "return" in reply]
    return dict(zip(CPU_FIGURES, values[1:]))


def qemu_words(text):
    """Return QEMU's last message without the name of the program."""
    lines = [line for line in text.splitlines() if line.strip() and "warning:" not in line]
    message = lines[-1] if lines else "QEMU ended without a message"
    return message.removeprefix(f"{os.path.basename(QEMU)}: ").removeprefix("-cpu ")


def similar_cpu(name):
    """Return the name of the CPU that is most similar to a wrong name, as the end of a sentence."""
    listed = subprocess.run([QEMU, "-cpu", "help"], capture_output=True, text=True, check=False)
    models = {line.split()[1].lower(): line.split()[1]
              for line in listed.stdout.splitlines() if line.startswith("x86 ")}  # fmt: skip
    wanted = (name or "").split(",")[0].lower()
    near = difflib.get_close_matches(wanted, models, 1)
    if wanted in models or not near:
        return f" ({QEMU} -cpu help lists all CPUs)"
    return f": did you mean {models[near[0]]}?"


def check_cpu(pc: Machine):
    """Check that the CPU runs 64-bit firmware and can address all of the memory."""
    if pc.cpu is not None and pc.cpu.split(",")[0] == "host" and not pc.uses_kvm():
        raise MachineError("--cpu host needs KVM, which is not used here: use --cpu max")
    try:
        figures = ask_cpu(pc)
    except MachineError as error:
        raise MachineError(f"--cpu {pc.cpu_model()}: {error}{similar_cpu(pc.cpu)}") from error
    if figures.get("lm") is False:
        raise MachineError(f"--cpu {pc.cpu} is a 32-bit CPU, and the firmware needs a 64-bit CPU: use --cpu max")
    size_bytes = machine.memory_bytes(pc.memory)
    if figures.get("pdpe1gb") is False and size_bytes > machine.WIDE_ADDRESSES_FROM_BYTES:
        raise MachineError(
            f"--cpu {pc.cpu} has no 1 GiB pages, so the firmware would need minutes for {pc.memory} of memory: "
            "use at most 512G, or --cpu max"
        )
    bits = figures.get("phys-bits", 0)
    if bits and size_bytes + machine.MEMORY_HOLE_BYTES > 1 << bits:
        raise MachineError(
            f"{pc.memory} of memory does not fit into the {bits} address bits of the CPU: "
            "use less --memory, or a --cpu with more phys-bits"
        )
