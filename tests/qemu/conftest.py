"""Fixtures of the tests on virtual machines."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

import lab as workbench
from screen import Console

# The folder of the snapshots, which all workers share. The process that starts them makes and removes it.
SNAPSHOTS = "HANDOFF_TEST_SNAPSHOTS"


def is_worker(config):
    return hasattr(config, "workerinput")


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="also the cases that are marked `full`")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: a case that only --all takes, as make test-all does")
    if not is_worker(config):
        os.environ[SNAPSHOTS] = tempfile.mkdtemp(prefix="handoff-snapshots-")


def pytest_unconfigure(config):
    if not is_worker(config):
        shutil.rmtree(os.environ.pop(SNAPSHOTS), ignore_errors=True)


def pytest_collection_modifyitems(config, items):
    """Leave out the cases that only `make test-all` runs."""
    if config.getoption("--all"):
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def lab(tmp_path_factory, pytestconfig):
    """One bench for all tests of a worker."""
    scratch = tmp_path_factory.mktemp("lab")
    return workbench.Lab(scratch, Path(os.environ[SNAPSHOTS]), pytestconfig.getoption("--all"))


@pytest.fixture(scope="session")
def console(lab):
    """The firmware's console of the ordinary machine. It has learned the glyphs."""
    with lab.restore(lab.case_disk(None, plan=["show-letters"])) as running:
        line = running.wait_for(r"conductor: letters on (\d+) columns, (\d+) rows", workbench.TIMEOUT_SECONDS)
        assert line, running.serial
        learned = Console(*map(int, line.groups()))
        running.screenshot(running.scratch / "letters.ppm")
        learned.learn(running.scratch / "letters.ppm")
    return learned
