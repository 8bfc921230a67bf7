"""fork() and similar functions at difficult moments: they work, or the program ends with a message. An alarm in forks.c
ends a deadlock."""

import pytest
from on_heap import BUILD, replay, run

NO_FIGURES = "heap: no figures, no last check and no end of the trace: a signal handler that interrupted the heap "


def run_case(name, **options):
    return run([BUILD / "forks", name], **options)


@pytest.mark.parametrize("policy", ["fast", "best-fit", "first-fit"])
def test_fork_in_a_handler_beside_threads_that_fork_and_flush(policy):
    """Threads fork, flush all streams and allocate with a stream locked, while a handler forks at each instruction."""
    printed, said = run_case("beside-threads", policy=policy)
    assert printed.count("forks: passed") == 1
    assert said.count("check=passed") > 100 and "heap: no figures" not in said


def test_child_of_a_handler_does_not_write_into_the_trace_of_its_parent(tmp_path):
    """The child returns into the interrupted call of its parent, which is being recorded, and ends with exit()."""
    run_case("spawn", environment={"HANDOFF_HEAP_TRACE": str(tmp_path / "trace")})
    assert sum(replay(path)[1] > 0 for path in tmp_path.iterdir()) >= 1


@pytest.mark.parametrize("name", ["spawn", "in-fork", "alone"])
def test_relatives_of_fork_work(name):
    printed, said = run_case(name)
    assert printed == "forks: passed\n"
    assert "heap: no figures" not in said


def test_child_without_the_thread_that_has_the_heap_is_refused():
    _, said = run_case("orphan")
    assert "heap: this process was made by _Fork() or clone() while another thread was in the heap" in said


@pytest.mark.parametrize("name, status", [("exit-inside", 3), ("exit-beside", 4)])
def test_program_that_ends_in_a_handler_keeps_its_status(name, status):
    """The heap cannot be checked any more. It prints this once."""
    _, said = run_case(name, status=status)
    assert said.count(NO_FIGURES) == 1
    _, said = run_case(name, status=status, environment={"HANDOFF_HEAP_STATS": "off"})
    assert NO_FIGURES not in said


@pytest.mark.parametrize("name, sentence", [
    ("end-inside", "left the heap by longjmp() or by its end"),
    ("daemon-inside", "daemon() and forkpty() cannot run in a signal handler"),
])  # fmt: skip
def test_endless_wait_is_reported(name, sentence):
    _, said = run_case(name, status=-6)
    assert sentence in said.splitlines()[-1]
