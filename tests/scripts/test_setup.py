"""Test the table of tools and the scripts that read it."""

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "scripts/tools.txt"
SHELL_SCRIPTS = sorted([*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci/run"])


def rows():
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split()


def test_every_row_has_a_package_for_each_manager():
    for row in rows():
        assert len(row) == 6, row
        assert row[0] in ("build", "host", "test", "develop"), row


def test_commands_of_the_daily_targets_are_in_their_sets():
    sets = {name: row[0] for row in rows() for name in row[1].split(":")[-1].split(",")}
    assert sets["xorriso"] == "build", "make iso, run.sh --medium iso"
    assert sets["gdb"] == "test", "make debug, and the tests of its commands"
    assert sets["compiler-rt"] == sets["zstd"] == "host", "scripts/simulate.sh installs nothing more"
    for name in ("clang-format", "clang-tidy", "cppcheck"):
        assert sets[name] == "develop"


@pytest.fixture(name="bare")
def make_bare_system(tmp_path):
    """Run a script as an ordinary user on a system with the shell's tools only. `commands` adds commands, as
    {name: shell script}."""
    tools = "apt-cache awk bash cat cut dirname env grep head mkdir mktemp rm sed sh sleep sort tail touch tr uname"

    def run(script, *arguments, commands=None, stderr=subprocess.PIPE):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in tools.split():
            if shutil.which(name):
                (folder / name).symlink_to(shutil.which(name))
        for name, text in {"id": "echo 1000", **(commands or {})}.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
        return subprocess.run(
            [shutil.which("bash"), ROOT / "scripts" / script, *arguments], stdout=subprocess.PIPE,
            stderr=stderr, text=True, check=False, env={"PATH": str(folder)}, timeout=300,
        )  # fmt: skip

    return run


def test_setup_without_root_or_sudo_prints_every_command(bare):
    done = bare("setup.sh", "build", commands={"apt-get": "echo it was run >&2"})
    assert done.returncode == 1
    assert "it was run" not in done.stderr
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert "apt-get update" in lines
    install = next(line for line in lines if "install" in line and "clang" in line)
    assert install.startswith("apt-get install --no-install-recommends ")
    named = set(install.split()[3:])
    # These are found outside of PATH, or are needed only with a display.
    elsewhere = {"gnu-efi", "dosfstools", "qemu-system-gui"}
    assert named >= {row[2] for row in rows() if row[0] == "build"} - elsewhere


# As apt-get does, it writes its status only when it is asked to. The script of a package writes to the output.
APT = """case "$*" in
*install*) echo "Selecting a package"
    case "$*" in *Status-Fd=3*) echo "dlstatus:1:20.5:Retrieving file 1 of 2" >&3; sleep 0.7
        echo "pmstatus:gcc:amd64:62.5:Unpacking gcc (amd64)" >&3 ;; esac
    exit 7 ;;
esac"""


@pytest.mark.parametrize(("smaller", "larger"), [("build", "host"), ("host", "test"), ("test", "develop")])
def test_set_installs_nothing_of_the_next_one(bare, smaller, larger):
    """The simulator installs the set `host`: no compiler of another language, and no tool of a test."""
    done = bare("setup.sh", smaller, commands={"apt-get": ""})
    assert not {row[2] for row in rows() if row[0] == larger} & set(done.stderr.split())


def test_setup_shows_the_progress_of_apt_on_a_terminal(bare):
    ours, theirs = pty.openpty()
    done = bare("setup.sh", "build", commands={"apt-get": APT, "id": "echo 0"}, stderr=theirs)
    os.close(theirs)
    seen = os.read(ours, 10000).decode()
    os.close(ours)
    assert done.returncode == 7, "the status of apt-get stays"
    assert "setup.sh: installing " in seen and done.stdout == ""
    assert "setup.sh: 20 %: Retrieving file 1 of 2" in seen
    assert "setup.sh: 62 %: Unpacking gcc (amd64)\r\033[K" in seen


def test_setup_shows_no_progress_in_a_file(bare):
    done = bare("setup.sh", "build", commands={"apt-get": APT, "id": "echo 0"})
    assert done.returncode == 7 and done.stdout == ""
    assert done.stderr.startswith("setup.sh: installing ") and done.stderr.count("\n") == 1


def test_setup_names_the_tools_without_a_package(bare):
    done = bare("setup.sh", "build", commands={"brew": ""})
    assert done.returncode == 1
    assert "brew install " in done.stderr
    assert re.search(r"brew has no package for: .*\bfont ", done.stderr)
    assert not re.search(r"brew install.* -", done.stderr)


@pytest.mark.parametrize("command", ["gdb", "clang-format", "no-such-tool"])
def test_missing_tool_is_named_in_one_sentence(bare, command):
    done = bare("require.sh", command, commands={"apt-get": ""})
    package = "" if command == "no-such-tool" else f": its package is {command}"
    assert (done.returncode, done.stderr) == (1, f"{command} is not installed{package}.\n")


def test_debugging_without_gdb_is_one_sentence(bare):
    done = bare("debug.sh", commands={"apt-get": ""})
    assert done.returncode == 1
    assert done.stderr.startswith("gdb is not installed: its package is gdb.\n")


def test_doctor_on_a_bare_system(bare):
    """Each missing tool is named. The tools for make format and make lint count as absent, not as missing."""
    done = bare("doctor.sh", commands={"apt-get": ""})
    assert done.returncode == 1
    assert re.search(r"^MISSING  clang .* apt: clang; dnf: clang;", done.stdout, re.MULTILINE)
    assert re.search(r"^absent   clang-format .* apt: clang-format;", done.stdout, re.MULTILINE)
    assert "scripts/setup.sh develop" in done.stdout


def test_setup_is_silent_when_nothing_is_missing():
    done = subprocess.run(
        [ROOT / "scripts/setup.sh", "test"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_doctor_names_every_tool():
    done = subprocess.run(
        [ROOT / "scripts/doctor.sh"], capture_output=True, text=True, check=False
    )
    for row in rows():
        assert row[1].split(":")[-1] in done.stdout
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_are_clean(script):
    done = subprocess.run(
        ["shellcheck", "-x", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_help_lists_the_daily_targets():
    done = subprocess.run(
        ["make", "-C", ROOT, "--no-print-directory", "help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    listed = {line.split()[0] for line in done.stdout.splitlines() if line}
    daily = "build run test test-unit test-qemu image iso usb debug doctor format lint clean"
    assert set(daily.split()) | {"compile_commands.json"} <= listed
    assert all(len(line.split(None, 1)) == 2 for line in done.stdout.splitlines())


@pytest.fixture(name="apt")
def make_apt(tmp_path):
    """Run firmware-builds.sh where apt has these versions of ovmf. Return the folder, and what was printed."""

    def run(*versions, download="touch ovmf_1_all.deb"):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        lines = "".join(f"echo 'ovmf | {version} | anywhere'\n" for version in versions)
        commands = {"apt-cache": lines, "apt-get": download,
                    "dpkg": '[ "$1" = -x ] || exec /usr/bin/dpkg "$@"\nmkdir -p "$3/usr/share/OVMF"'}  # fmt: skip
        for name, text in commands.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
        environment = {"PATH": f"{folder}:/usr/bin:/bin", "BUILD": str(tmp_path / "build")}
        done = subprocess.run([ROOT / "scripts/firmware-builds.sh"], capture_output=True, text=True,
                              check=True, env=environment, timeout=300)  # fmt: skip
        return tmp_path / "build/firmware", done.stdout + done.stderr

    return run


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="there is no dpkg here, which compares versions")
def test_new_firmware_of_apt_is_unpacked_once(apt):
    folder, text = apt("2022.11-6+deb12u2", "2025.02-8+deb13u1", "2024.05-1")
    assert "unpacking ovmf 2025.02-8+deb13u1 to" in text
    assert (folder / "ovmf-2025.02-8+deb13u1/usr/share/OVMF").is_dir()
    assert apt("2025.02-8+deb13u1")[1] == "", "it does not look again"


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="there is no dpkg here, which compares versions")
def test_old_firmware_of_apt_is_left_out_silently(apt):
    folder, text = apt("2022.11-6+deb12u2", "2022.11-6+deb12u1")
    assert text == "" and [path.name for path in folder.iterdir()] == ["looked"]


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="there is no dpkg here, which compares versions")
def test_firmware_that_cannot_be_downloaded_is_no_error(apt):
    folder, text = apt("2025.02-8", download="exit 100")
    assert "ovmf 2025.02-8 cannot be downloaded; the tests leave it out" in text
    assert not (folder / "ovmf-2025.02-8").exists()
