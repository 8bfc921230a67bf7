"""Fixtures of the tests on virtual machines."""

import pytest

import lab as workbench


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="also the cases that are marked `full`")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: a case that only --all takes, as make test-all does")


def pytest_collection_modifyitems(config, items):
    """Leave out what only `make test-all` runs."""
    if config.getoption("--all"):
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """One bench for all tests of a worker, so that its snapshot is taken once."""
    return workbench.Lab(tmp_path_factory.mktemp("lab"))
