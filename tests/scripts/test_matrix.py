"""Test the choice of machines for the matrix of the tests in QEMU."""

import itertools

import matrix

DIMENSIONS = {"firmware": ["a", "b", "u"], "medium": ["x", "y", "z"], "cpu": [1, 2], "memory": [3, 4, 5]}


def is_possible(machine):
    return machine["firmware"] != "u" or machine["medium"] == "x"


def test_every_possible_pair_is_on_a_machine():
    chosen = matrix.machines(DIMENSIONS, is_possible)
    seen = {pair for machine in chosen for pair in matrix.pairs_of(machine)}
    every = {pair for values in itertools.product(*DIMENSIONS.values())
             if is_possible(machine := dict(zip(DIMENSIONS, values))) for pair in matrix.pairs_of(machine)}  # fmt: skip
    assert seen == every and all(is_possible(machine) for machine in chosen)
    assert (("firmware", "u"), ("medium", "y")) not in seen
    assert len(chosen) < 15, "of 42 combinations"


def test_the_first_machines_have_the_most_new_pairs():
    seen, news = set(), []
    for machine in matrix.machines(DIMENSIONS, is_possible):
        new = set(matrix.pairs_of(machine)) - seen
        news.append(len(new))
        seen |= new
    assert news == sorted(news, reverse=True) and news[-1] > 0
    assert matrix.telling_count(news) == 2
