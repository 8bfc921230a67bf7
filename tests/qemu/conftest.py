"""Fixtures of the tests on virtual machines."""

import pytest

import lab as workbench


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """One bench for all tests of a worker, so that its snapshot is taken once."""
    return workbench.Lab(tmp_path_factory.mktemp("lab"))
