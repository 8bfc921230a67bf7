"""The files of .vscode: each file, target, task and option that they name exists, and gdb accepts their commands."""

import json
import os
import re
import subprocess
import sys

import folders
import run as runner

ROOT = folders.ROOT
LAUNCH = json.loads((ROOT / ".vscode/launch.json").read_text(encoding="utf-8"))["configurations"]
TASKS = {task["label"]: task for task in json.loads((ROOT / ".vscode/tasks.json").read_text(encoding="utf-8"))["tasks"]}


def path_of(text):
    return ROOT / text.removeprefix("${workspaceFolder}/")


def test_each_task_runs_a_script_with_options_that_it_accepts():
    for task in TASKS.values():
        script = path_of(task["command"])
        assert script.is_file() and script.stat().st_mode & 0o100
        done = subprocess.run([sys.executable, script.with_suffix(".py"), *task["args"], "--check-only"],
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_launch_waits_for_the_line_of_its_task(capsys):
    """The editor attaches when a line of the task matches `endsPattern`."""
    for launch in LAUNCH:
        task = TASKS[launch["preLaunchTask"]]
        port = task["args"][task["args"].index("--gdb") + 1]
        assert launch["miDebuggerServerAddress"] == f"127.0.0.1:{port}"

        class Pc:
            memory, medium = "512M", "virtio"
            uses_kvm = staticmethod(lambda: False)
            firmware = type("Firmware", (), {"code": "OVMF.fd"})

        runner.introduce(Pc, False, port)
        background = task["problemMatcher"]["background"]
        assert re.search(background["endsPattern"], capsys.readouterr().err)
        assert task["isBackground"] and re.search(background["beginsPattern"], "  CC      build/kernel/main.o")


def test_the_symbols_are_built_by_the_task():
    """run.sh builds the boot volume, which has kernel.elf, which is made from the file with the symbols."""
    for launch in LAUNCH:
        program = path_of(launch["program"])
        usual = {name: value for name, value in os.environ.items() if name not in ("BUILD", "MAKEFLAGS")}
        rule = subprocess.run(["make", "--no-print-directory", "-n", "--what-if=VERSION", "build"], cwd=ROOT, env=usual,
                              capture_output=True, text=True, check=True).stdout  # fmt: skip
        assert program.name == "kernel.debug.elf" and f"build/{program.name}" in rule


def test_gdb_accepts_the_commands():
    for launch in LAUNCH:
        commands = [command["text"].replace("${workspaceFolder}", str(ROOT)).replace("hbreak", "break")
                    for command in launch["setupCommands"] + launch["postRemoteConnectCommands"]]  # fmt: skip
        words = [word for command in commands for word in ("-ex", command)]
        done = subprocess.run([launch["miDebuggerPath"], "-nx", "-q", "-batch", *words, "-ex", "handoff-help",
                               folders.build_folder() / "kernel.debug.elf"], capture_output=True, text=True,
                              check=False)  # fmt: skip
        assert "handoff-heap" in done.stdout and done.stderr == "", done.stderr
        assert re.search(r"^Breakpoint 1 at 0xffffffff80\w+", done.stdout, re.MULTILINE)
