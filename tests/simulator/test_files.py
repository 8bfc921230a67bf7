"""Files as users have them: compressed, in folders, through pipes, with names in any script."""

import base64
import bz2
import gzip
import json
import lzma
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from lab import FOLDER, NO_INPUT, PROGRAM, READY, ROOT, simulate, simulate_json

TEXT = "usable 0x0 0x9ffff\nusable 0x100000 0x3fffffff\n"
ROWS = "# columns: type base pages attr\n7 0x0 160 0xf\n7 0x100000 261888 0xf\n"
SIMULATE = [sys.executable, str(ROOT / "host/simulator/simulate.py")]
NAMES = ["ü.txt", "карта.txt", "地図.txt", "🗺.txt", "مخطط.txt", 'a"b<c>&\\.txt']
# ASCII only. In the second environment, Python itself also knows only ASCII.
ENVIRONMENTS = [{"PYTHONIOENCODING": "ascii"},
                {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]  # fmt: skip


def shell(command, **environment):
    """Run a command in bash. In it, `simulate` is the program."""
    program = shlex.join(SIMULATE)
    return subprocess.run(["bash", "-c", f'simulate() {{ {program} "$@"; }}; {command}'], cwd=ROOT,
                          capture_output=True, env={**os.environ, **environment}, check=False)  # fmt: skip


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


COMPRESS = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zst": zstd}


@pytest.mark.parametrize("ending", COMPRESS)
def test_compressed_file_is_unpacked(ending, tmp_path):
    path = tmp_path / f"dmesg.0.{ending}"
    path.write_bytes(COMPRESS[ending](TEXT.encode()))
    assert simulate(path, "--print-map").output == ROWS
    path.rename(tmp_path / "dmesg")
    assert simulate(tmp_path / "dmesg", "--print-map").output == ROWS, "with any name"


@pytest.mark.parametrize("ending", COMPRESS)
def test_compressed_file_that_is_cut_off_is_a_sentence(ending, tmp_path):
    path = tmp_path / "cut"
    path.write_bytes(COMPRESS[ending](TEXT.encode() * 50)[:-9])
    result = simulate(path)
    assert result.status == NO_INPUT and "damaged, or not complete" in result.errors
    assert result.errors.count("\n") == 1


def test_file_that_unpacks_to_too_much_is_a_sentence(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(70 << 20), 1))
    assert "is larger than 64 MiB" in simulate(path).errors


def test_zstd_that_is_not_installed_is_named(tmp_path, monkeypatch):
    path = tmp_path / "map.zst"
    path.write_bytes(zstd(TEXT.encode()))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install the package zstd" in simulate(path).errors


def test_raw_mail_in_base64_is_decoded(tmp_path):
    mail = ("From: a@b.c\nContent-Type: multipart/mixed; boundary=xx\n\n--xx\nContent-Type: text/plain\n"
            "Content-Transfer-Encoding: base64\nContent-Disposition: inline\n\n")  # fmt: skip
    path = tmp_path / "mail.mbox"
    for line_end in ("\n", "\r\n"):
        text = mail + base64.encodebytes(("Hello,\n\n" + TEXT * 3).encode()).decode() + "\n--xx--\n"
        path.write_bytes(text.replace("\n", line_end).encode())
        assert simulate(path, "--print-map").output.count("\n") == 7
    path.write_text(mail + "AAA\n")
    assert simulate(path).status == NO_INPUT


def make_entry(folder, number, start, end, kind):
    entry = folder / str(number)
    entry.mkdir(parents=True)
    for name, value in (("start", f"{start:#x}"), ("end", f"{end:#x}"), ("type", kind)):
        (entry / name).write_text(value + "\n")


def test_folder_of_sys_firmware_memmap_is_read(tmp_path):
    folder = tmp_path / "memmap"
    for number in range(11):
        kind = "System RAM" if number % 2 else "Reserved"
        make_entry(folder, number, number << 20, (number << 20) + 0xFFFF, kind)
    output = simulate(folder, "--print-map").output
    assert output.splitlines()[1:4] == ["0 0x0 16 0xf", "7 0x100000 16 0xf", "0 0x200000 16 0xf"]
    assert output.splitlines()[-1] == "0 0xa00000 16 0xf", "in the order of the numbers"
    assert "it is a folder, but not a memory map" in simulate(tmp_path).errors


@pytest.mark.parametrize("command", [
    "simulate <(printf '%b' \"$TEXT\")", "printf '%b' \"$TEXT\" | simulate /dev/stdin",
    "printf '%b' \"$TEXT\" | simulate -"])  # fmt: skip
def test_map_may_come_through_a_pipe(command):
    done = shell(command + " --print-map", TEXT=TEXT)
    assert done.stdout.decode() == ROWS and done.stderr == b""


def test_map_may_come_through_a_fifo(tmp_path):
    done = shell('mkfifo "$FIFO"; printf "%b" "$TEXT" > "$FIFO" & simulate "$FIFO" --print-map',
                 TEXT=TEXT, FIFO=str(tmp_path / "fifo"))  # fmt: skip
    assert done.stdout.decode() == ROWS


@pytest.mark.parametrize("options", ["", "--json", "--help"])
def test_pipe_that_closes_ends_it_without_a_word(options, tmp_path):
    (tmp_path / "map.txt").write_text(TEXT)
    done = shell(f'simulate {shlex.quote(str(tmp_path))}/map.txt {options} | head -1; exit "${{PIPESTATUS[0]}}"',
                 TMPDIR=str(tmp_path))  # fmt: skip
    assert done.stdout.count(b"\n") == 1 and done.stderr == b""
    assert done.returncode in (0, 128 + signal.SIGPIPE)
    assert [path.name for path in tmp_path.iterdir()] == ["map.txt"], "no temporary file remains"


def test_reader_that_is_gone_before_the_end_is_seen():
    done = shell('printf "%b" "$TEXT" | simulate - | true; exit "${PIPESTATUS[1]}"', TEXT=TEXT)
    assert done.returncode == 128 + signal.SIGPIPE and done.stderr == b""


def test_output_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "map.txt").write_text(TEXT)
    done = shell(f"simulate {shlex.quote(str(tmp_path))}/map.txt --json > /dev/full")
    assert done.stderr == b"simulate: the output cannot be written: No space left on device\n"
    assert shell(f"simulate {shlex.quote(str(tmp_path))}/map.txt >&-").returncode == READY
    assert b"standard input is closed" in shell("simulate - <&-").stderr
    done = shell(f"simulate {shlex.quote(str(tmp_path))}/map.txt", TMPDIR="/nonexistent", HOME="/nonexistent")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("name, environment", [(name, {}) for name in NAMES] + [
    ("ü.txt", environment) for environment in ENVIRONMENTS])  # fmt: skip
def test_name_in_any_script_is_shown(name, environment, tmp_path):
    path = tmp_path / name
    path.write_text(TEXT)
    picture = tmp_path / "picture.svg"
    done = subprocess.run([*SIMULATE, path, "--svg", picture], capture_output=True, check=False,
                          env={**os.environ, **environment})  # fmt: skip
    assert done.returncode == READY and done.stderr == b""
    shown = f"{path}: 1024 MiB of RAM; boots"
    assert (shown.encode("ascii", "backslashreplace") if environment else shown.encode()) in done.stdout
    assert name in "".join(ElementTree.parse(picture).getroot().itertext()).replace("…", "")
    assert simulate_json(path).report["map"]["source"] == str(path)


@pytest.mark.parametrize("name", [b"bad\xff.txt", b"new\nline.txt", b"esc\x1b[31m.txt", b"--load.txt"])
def test_name_that_is_no_text_does_no_harm(name, tmp_path):
    path = os.path.join(os.fsencode(tmp_path), name)
    with open(path, "wb") as file:
        file.write(TEXT.encode())
    done = subprocess.run([*SIMULATE, path, "--json"], capture_output=True, check=False)
    source = json.loads(done.stdout)["map"]["source"]
    assert done.returncode == READY and source.endswith(".txt") and source.isprintable()
    missing = subprocess.run([*SIMULATE, path + b"x"], capture_output=True, check=False)
    assert missing.returncode == NO_INPUT and b"cannot be opened: No such file" in missing.stderr
    assert missing.stderr.count(b"\n") == 1


@pytest.mark.parametrize("option, words", [
    ("--lod", "unknown option --lod: did you mean --load?"), ("--xyzzy", "unknown option --xyzzy"),
    ("-q", "unknown option -q"), ("--gen", "unknown option --gen"), ("other.txt", "only one FILE"),
    ("--map", "--map needs a value"), ("--print-map=x", "--print-map takes no value"),
    ("--load=x", "'x' is not one of: boot, random")])  # fmt: skip
def test_unknown_option_is_one_sentence(option, words):
    result = simulate("map.txt", option)
    assert result.status == NO_INPUT and words in result.errors
    assert result.errors.count("\n") == 1 and result.errors.startswith("simulate: ")


def test_empty_name_is_no_folder():
    assert simulate("").errors.startswith("simulate: the name of the file is empty; ")


def test_help_names_every_option_and_form():
    output = simulate("--help").output
    for word in ("FILE", "--generate", "--map N", "--load", "--heap-policy", "--heap-debug", "--temp-heap",
                 "--old-cpu", "--seed", "--svg", "--json", "--print-map", "lsefimmap", "/proc/iomem",
                 "xl dmesg", "gz, xz, zst"):  # fmt: skip
        assert word in output
    assert max(map(len, output.splitlines())) <= 100


def test_script_hands_everything_on(tmp_path):
    """Test scripts/simulate.sh itself, with a name and a pipe."""
    path = tmp_path / "ü.txt"
    path.write_text(TEXT)
    done = subprocess.run([ROOT / "scripts/simulate.sh", path, "--print-map"], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.stdout == ROWS and done.returncode == READY


def is_open(place):
    """Return whether all users can reach a folder."""
    return place.is_dir() and all(folder.stat().st_mode & 1 for folder in (place, *place.resolve().parents))


@pytest.fixture(name="open_folder")
def folder_for_everybody():
    """Return a folder that all users can read. A folder of pytest is only for its user, and so may be that of TMPDIR."""
    places = [place for place in (tempfile.gettempdir(), "/tmp", "/var/tmp") if is_open(Path(place))]
    with tempfile.TemporaryDirectory(dir=places[0]) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_built_checkout_that_cannot_be_written_is_used_unchanged(open_folder):
    """The scripts are in a folder that all users can read, because the checkout may be in a private folder."""
    (open_folder / "map.txt").write_text(TEXT)
    for part in ("scripts", "host/simulator"):
        shutil.copytree(ROOT / part, open_folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", open_folder)
    build = open_folder / "build"
    (build / "simulator").mkdir(parents=True)
    shutil.copy(PROGRAM, build / "simulator")
    subprocess.run(["chmod", "-R", "a+rX", open_folder], check=True)  # the checkout may be of a user with umask 077
    build.chmod(0o555)
    (open_folder / "empty").mkdir(mode=0o555)

    def run_in(folder):
        """Run as a user other than root: root may write everywhere."""
        user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.run([open_folder / "scripts/simulate.sh", open_folder / "map.txt", "--print-map"],
                              cwd=open_folder, env={**os.environ, "BUILD": str(folder)}, capture_output=True,
                              text=True, check=False, **user)  # fmt: skip

    done = run_in(build)
    assert done.stdout == ROWS and done.stderr == ""
    done = run_in(open_folder / "empty")
    assert done.returncode == NO_INPUT and "BUILD=DIR names another folder" in done.stderr
