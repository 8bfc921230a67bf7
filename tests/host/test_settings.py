"""The settings of the preload library in the environment, and the file to which its messages go."""

import os
import re
import resource
import subprocess
import sys

import pytest
from on_heap import LIBRARY, run

FIGURES = re.compile(r"^heap: policy=fast .* check=passed$", re.M)
SWITCHES = ["HANDOFF_HEAP_STATS", "HANDOFF_HEAP_DEBUG"]


def figures_of(command, **options):
    return FIGURES.findall(run(command, **options)[1])


@pytest.mark.parametrize("word", ["1", "on", "yes", "true"])
def test_words_for_on(word):
    assert len(figures_of(["true"], environment={"HANDOFF_HEAP_STATS": word})) == 1


@pytest.mark.parametrize("word", ["", "0", "off", "no", "false"])
@pytest.mark.parametrize("name", SWITCHES)
def test_words_for_off(name, word):
    _, said = run(["true"], environment={"HANDOFF_HEAP_STATS": "0"} | {name: word})
    assert said == ""


@pytest.mark.parametrize("word, shown", [
    ("2", "2"), ("1 ", "1 "), ("On", "On"), ("01", "01"), ("a\nb\x1b", "a?b?"), ("x" * 5000, "x" * 37 + "..."),
])  # fmt: skip
@pytest.mark.parametrize("name", SWITCHES)
def test_other_words_are_warned_of_and_count_as_off(name, word, shown):
    _, said = run(["true"], environment={"HANDOFF_HEAP_STATS": "0"} | {name: word})
    assert said == (f'heap: {name}="{shown}" is neither on (1, on, yes, true) nor off (0, off, no, false, or empty), '
                    "and counts as off\n")  # fmt: skip


@pytest.mark.parametrize("name", ["HANDOFF_HEAP_STAT", "HANDOFF_HEAP_DEBUGS", "HANDOFF_HEAPS"])
def test_unknown_names_are_warned_of(name):
    _, said = run(["true"], environment={name: "1", "HANDOFF_HEAP_STATS": "0"})
    assert re.fullmatch(rf"heap: {name} is not a setting, and is ignored: .*HANDOFF_HEAP_TRACE\n", said)


@pytest.mark.parametrize("policy, sentence", [
    ("bump", "HANDOFF_HEAP=bump frees only in reverse order, and no program does that: use fast"),
    ("magic", 'HANDOFF_HEAP="magic" is not a policy: use fast, best-fit or first-fit'),
    ("fast ", 'HANDOFF_HEAP="fast " is not a policy'),
    ("FAST", 'HANDOFF_HEAP="FAST" is not a policy'),
])  # fmt: skip
def test_policy_that_cannot_serve_is_refused(policy, sentence):
    _, said = run(["true"], policy, status=-6)
    assert said.startswith("heap: " + sentence)


def test_settings_are_those_of_the_start():
    change = "import os; os.environ['HANDOFF_HEAP_STATS'] = {!r}; os.unsetenv('HANDOFF_HEAP')"
    assert len(figures_of([sys.executable, "-c", change.format("0")])) == 1
    assert not figures_of([sys.executable, "-c", change.format("1")], environment={"HANDOFF_HEAP_STATS": "0"})


def test_no_setting_is_needed():
    assert figures_of(["env", "-u", "HANDOFF_HEAP", "true"]) != []
    _, said = run(["env", "-i", f"LD_PRELOAD={LIBRARY}", "true"], environment={"HANDOFF_HEAP_STATS": "0"})
    assert said == ""


# --- The file for messages ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["sort"], ["ls", "/"], ["grep", "x"], ["cat"]], ids=lambda command: command[0])
def test_figures_of_programs_that_close_standard_error(command):
    assert len(figures_of(command, input="x\n")) == 1


def test_fault_at_the_end_is_named_where_standard_error_is_closed():
    write_after_free = """
import ctypes, os
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
block = c.malloc(ctypes.c_size_t(2000))
c.free(ctypes.c_void_p(block))
ctypes.memset(block + 1000, 7, 8)
os.close(2)
"""
    _, said = run([sys.executable, "-c", write_after_free], status=-6, environment={"HANDOFF_HEAP_DEBUG": "1"})
    assert "heap: write after free: " in said


CLOSE_AND_FILL = """
import os, sys
os.closerange(2, 4096)
for i in range(1100):
    try:
        os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:
        break
"""


@pytest.mark.parametrize("limit", [64, 1024, 4096])
def test_no_other_file_of_the_program_gets_the_figures(limit, tmp_path):
    """The program closes both descriptors, and later opens its own files under the same numbers."""

    def set_limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    other = tmp_path / "other"
    _, said = run([sys.executable, "-c", CLOSE_AND_FILL, other], preexec_fn=set_limit)
    assert said == "" and other.read_text() == ""


@pytest.mark.parametrize("limit", [12, 64, 1024])
def test_descriptor_that_is_kept_is_high_and_not_inherited(limit):
    def set_limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    code = ("import os; print(os.listdir('/proc/self/fd'), flush=True); "
            "os.execvp('ls', ['ls', '/proc/self/fd'])")  # fmt: skip
    printed, _ = run([sys.executable, "-c", code], preexec_fn=set_limit,
                     environment={"HANDOFF_HEAP_DEBUG": "1", "HANDOFF_HEAP_STATS": "0"})  # fmt: skip
    before, *after = printed.splitlines()
    kept = [int(number) for number in re.findall(r"\d+", before) if int(number) >= 10]
    assert len(kept) == 1 and kept[0] < limit
    _, said = run(["sh", "-c", "ls /proc/self/fd >&2"], environment={"HANDOFF_HEAP_STATS": "0"})
    assert len(after) == len(re.findall(r"^\d+$", said, re.M)) + 1


def test_figures_that_nothing_reads_do_not_end_the_program():
    """The figures go to a pipe without a reader."""
    reader, writer = os.pipe()
    os.close(reader)
    environment = os.environ | {"LD_PRELOAD": str(LIBRARY), "HANDOFF_HEAP_STATS": "1"}
    done = subprocess.run(["ls", "/"], env=environment, stderr=writer, stdout=subprocess.DEVNULL, check=False)
    os.close(writer)
    assert done.returncode == 0


def test_process_that_starts_without_standard_error(tmp_path):
    """The program opens a file as descriptor 2. The heap's messages must not go into this file."""
    other = tmp_path / "other"
    code = f"""
import ctypes, os
assert os.open({str(other)!r}, os.O_WRONLY | os.O_CREAT) == 2
c = ctypes.CDLL(None)
c.free(ctypes.c_void_p(4096))
"""
    program = ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-c", code]
    environment = os.environ | {"LD_PRELOAD": str(LIBRARY), "HANDOFF_HEAP_STATS": "1", "HANDOFF_HEAP_DEBUG": "what"}
    assert subprocess.run(program, env=environment, check=False).returncode == -6
    assert other.read_text() == ""


# --- The file of the trace ---------------------------------------------------------------------------


def test_trace_says_where_it_is(tmp_path):
    _, said = run(["sort"], input="", environment={"HANDOFF_HEAP_TRACE": str(tmp_path / "trace")})
    (path,) = tmp_path.iterdir()
    assert f"heap: the trace of this process is in {path}\n" in said


def test_no_trace_without_a_name(tmp_path):
    _, said = run(["sort"], input="", cwd=tmp_path, environment={"HANDOFF_HEAP_TRACE": "", "HANDOFF_HEAP_STATS": ""})
    assert said == "" and not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder, reason", [
    ("missing/", "No such file or directory"),
    ("file/", "Not a directory"),
    ("long" * 1100, "File name too long"),
    ("long" * 80, "File name too long"),
])  # fmt: skip
def test_trace_that_cannot_be_written_is_reported(folder, reason, tmp_path):
    (tmp_path / "file").touch()
    _, said = run(["sort"], input="", environment={"HANDOFF_HEAP_TRACE": f"{tmp_path}/{folder}trace"})
    assert re.search(rf"^heap: nothing is recorded: .*cannot be created: {reason}$", said, re.M)


def test_trace_does_not_go_into_a_file_of_the_program(tmp_path):
    other = tmp_path / "other"
    code = CLOSE_AND_FILL.replace("closerange(2", "closerange(3") + "blocks = [bytes(i + 600) for i in range(5000)]"
    _, said = run([sys.executable, "-c", code, other], environment={"HANDOFF_HEAP_TRACE": str(tmp_path / "trace")})
    assert other.read_text() == ""
    assert "heap: the trace ends here: the program closed its file, or the file cannot grow\n" in said


@pytest.mark.parametrize("program", [
    [sys.executable, "-c", "blocks = [bytes(i + 600) for i in range(5000)]; print('done')"],  # ignores SIGXFSZ
    ["awk", "BEGIN { for (i = 0; i < 20000; i++) words[i] = i \"word\"; print \"done\" }"],
], ids=["python3", "awk"])  # fmt: skip
def test_full_disk_ends_the_trace_with_a_sentence(program, tmp_path):
    """This test limits the size of the file. The program must continue."""

    def set_limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    printed, said = run(program, preexec_fn=set_limit, environment={"HANDOFF_HEAP_TRACE": str(tmp_path / "trace")})
    assert printed == "done\n"
    assert "heap: the trace ends here: the program closed its file, or the file cannot grow\n" in said
