"""Real programs on this project's heap, and the misuses that the heap must name."""

import re
import shutil
import signal
import subprocess
import sys

import pytest
from on_heap import BUILD, ROOT, assert_sound, replay, run

POLICIES = ["fast", "best-fit", "first-fit"]


PYTHON_WORK = """
import json, re, subprocess, sys, threading
data = [{"key %d" % i: [i, str(i)] * 20} for i in range(int(sys.argv[1]))]
assert json.loads(json.dumps(data)) == data
words = {}
def count(text):
    for word in re.findall(r"\\w+", text * 50):
        words.setdefault(word + str(len(words) % 997), bytearray(len(word) * 100))
threads = [threading.Thread(target=count, args=("some words to count %d " % i * 20,)) for i in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert subprocess.run(["echo", "child"], stdout=subprocess.PIPE).stdout == b"child\\n"
big = bytearray(50_000_000); big.extend(bytes(10_000_000)); del big
print("done", len(words) > 100)
"""


@pytest.mark.parametrize("policy, amount", [("fast", 4000), ("best-fit", 400), ("first-fit", 100)])
def test_python(policy, amount):
    """Two policies search all free blocks, so they are slow and get less work."""
    printed, said = run([sys.executable, "-c", PYTHON_WORK, str(amount)], policy,
                        environment={"PYTHONMALLOC": "malloc"})  # fmt: skip
    assert printed == "done True\n"
    assert_sound(said, policy)


CALLOC_WORK = """
import ctypes, resource, sys
library = ctypes.CDLL(None)
library.calloc.restype, library.calloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t, ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
def zeros(count, size):
    blocks = [library.calloc(1, size) for _ in range(count)]
    assert all(ctypes.string_at(block + size // 2, 100) == bytes(100) for block in blocks)
    return blocks
before = resident()
blocks = zeros(int(sys.argv[1]), 2**30 // int(sys.argv[1]))
print((resident() - before) >> 20)
for block in blocks:
    ctypes.memset(block, 0xcd, 1_000_000)
    library.free(block)
zeros(20, 5_000_000)
"""


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("count", [1, 512])
def test_zeroed_memory_takes_no_pages(policy, count):
    """1 GiB of calloc() uses no RAM, except for the data between the blocks."""
    printed, _ = run([sys.executable, "-c", CALLOC_WORK, str(count)], policy)
    assert int(printed) <= 16


@pytest.mark.parametrize("policy", POLICIES)
def test_family_threads_and_forks(policy):
    printed, said = run([BUILD / "family"], policy)
    assert printed == "family: passed\n"
    assert_sound(said, policy)


def test_git(tmp_path):
    settings = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]

    def git(*words):
        return run(["git", *settings, *words], cwd=tmp_path,
                   environment={"GIT_CONFIG_GLOBAL": "/dev/null"})  # fmt: skip

    git("init", "-q")
    for i in range(3):
        for name in range(20):
            (tmp_path / f"file {name}").write_text(f"line {i}\n" * (100 + name))
        git("add", ".")
        git("commit", "-q", "-m", f"commit {i}")
    git("gc", "-q", "--aggressive")
    printed, said = git("log", "-p", "--stat")
    assert printed.count("commit ") >= 3 and "line 2" in printed
    assert_sound(said, "fast")
    git("fsck", "--full")


@pytest.mark.parametrize("policy", ["fast", "best-fit"])
def test_sqlite(policy, tmp_path):
    statements = """
        create table t(id integer primary key, name text, value real);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
            insert into t select i, 'name ' || (i * 7919 % 100003), i / 3.0 from n;
        create index by_name on t(name);
        delete from t where id % 3 = 0;
        select count(*), count(distinct name), round(sum(value)) from t;
        pragma integrity_check;
    """
    printed, said = run(["sqlite3", tmp_path / "data"], policy, input=statements)
    assert printed.splitlines() == ["66667|66667|1111122222.0", "ok"]
    assert_sound(said, policy)


def test_compiler(tmp_path):
    """A compiler produces the same object file with either heap."""
    compiler = shutil.which("clang") or shutil.which("clang-14")
    command = [compiler, "-std=c17", "-O2", "-I", ".", "-c", "kernel/mm/heap/policies/fast.c", "-o"]
    subprocess.run([*command, tmp_path / "plain.o"], cwd=ROOT, check=True)
    _, said = run([*command, tmp_path / "ours.o"], cwd=ROOT)
    assert_sound(said, "fast")
    assert (tmp_path / "plain.o").read_bytes() == (tmp_path / "ours.o").read_bytes()


MISUSES = {
    "double-free": "double free",
    "interior": "bad pointer",
    "foreign": "bad pointer",
    "overflow": "overrun",
    "underflow": "overrun|corrupt",
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("misuse", list(MISUSES))
def test_misuse_is_named_and_ends_the_program(misuse, policy):
    _, said = run([BUILD / "misuse", misuse], policy, status=-6)
    assert re.search(rf"^heap: [\w ]*({MISUSES[misuse]})[\w ]*: .*found in a call from 0x", said, re.M), said


def test_signal_handler_inside_the_heap_is_named():
    _, said = run([BUILD / "misuse", "handler"], status=-6)
    assert re.match("heap: a signal handler that interrupted the heap called it .*: allocate and free outside", said)


@pytest.mark.parametrize("policy", POLICIES)
def test_heap_that_lost_its_own_memory_says_so(policy):
    _, said = run([BUILD / "misuse", "wild-overflow"], policy, status=-6)
    assert re.match(r"heap: (corrupt|overrun): ", said), said
    _, said = run([BUILD / "misuse", "taken-away"], policy, status=-11)
    assert re.match(r"heap: corrupt: the heap's own memory was overwritten or unmapped; the heap accessed 0x\w+\n$", said), said


def test_segfault_of_the_program_itself_is_its_own():
    _, said = run([BUILD / "misuse", "own-segfault"], status=-11)
    assert said == ""


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGBUS])
def test_signal_that_was_sent_ends_the_program(number):
    send = f"import os; os.kill(os.getpid(), {int(number)}); print('goes on')"
    printed, said = run([sys.executable, "-c", send], status=-number)
    assert (printed, said) == ("", "")
    ignored = f"import signal; signal.signal({int(number)}, signal.SIG_IGN); "
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {send!r}], restore_signals=False, check=True)"
    printed, _ = run([sys.executable, "-c", ignored + start])
    assert printed == "goes on\n"


@pytest.mark.parametrize("policy", POLICIES)
def test_debug_names_both_callers(policy):
    debug = {"HANDOFF_HEAP_DEBUG": "1"}
    _, said = run([BUILD / "misuse", "write-after-free"], policy, environment=debug, status=-6)
    assert re.search(r"^heap: write after free: .* of 40 bytes, allocated by 0x\w+, freed by 0x", said, re.M), said
    _, said = run([BUILD / "misuse", "double-free"], policy, environment=debug, status=-6)
    assert re.search(r"^heap: double free: .* of 40 bytes, allocated by 0x\w+, freed by 0x", said, re.M), said
    printed, said = run([BUILD / "family"], policy, environment=debug)
    assert printed == "family: passed\n"
    assert_sound(said, policy)


def test_trace_has_all_calls(tmp_path):
    """The records of the trace are consistent, and the heap counted at least as many allocations."""
    _, said = run([sys.executable, "-c", "print([str(i) for i in range(1000)][0])"],
                  environment={"HANDOFF_HEAP_TRACE": str(tmp_path / "trace"), "PYTHONMALLOC": "malloc"})
    (path,) = tmp_path.glob("trace.*")
    counts = replay(path)
    allocations = int(re.search(r"allocations=(\d+)", said).group(1))
    assert 1000 < counts[1] <= allocations


def test_thread_is_not_cancelled_while_it_records(tmp_path):
    _, said = run([BUILD / "misuse", "cancelled-thread"],
                  environment={"HANDOFF_HEAP_TRACE": str(tmp_path / "trace")})  # fmt: skip
    assert said.endswith("check=passed\n")
    (path,) = tmp_path.glob("trace.*")
    assert replay(path)[1] >= 10000
