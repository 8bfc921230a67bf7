"""The matrix of machines: firmware, medium, memory, CPU, display.

All combinations would be thousands. Here every pair of two values is on at least one machine, in about fifty machines.
The first ones have the most new pairs, and then the most new values, so the first tenth is the most telling one.
"""

import itertools

# How many of all machines a run without --all takes: one in so many.
TELLING_SHARE = 10


def pairs_of(machine):
    """Return the pairs of values on a machine."""
    return itertools.combinations(sorted(machine.items()), 2)


def machines(dimensions, is_possible):
    """Return machines, as {dimension: value}, with every pair of values that is on a possible machine. `dimensions` is
    {dimension: its values}. The most new pairs come first, then the most new values."""
    names = list(dimensions)
    possible = [machine for values in itertools.product(*dimensions.values())
                if is_possible(machine := dict(zip(names, values)))]  # fmt: skip
    bits = {}
    masks = []
    for machine in possible:
        masks.append(sum(1 << bits.setdefault(pair, len(bits)) for pair in pairs_of(machine)))
    missing = (1 << len(bits)) - 1
    chosen, values = [], set()

    def gain(index):
        return bin(masks[index] & missing).count("1"), len(set(possible[index].items()) - values)

    while missing:
        best = max(range(len(possible)), key=gain)
        missing &= ~masks[best]
        values |= set(possible[best].items())
        chosen.append(possible[best])
    return chosen


def telling_count(chosen):
    """Return the number of machines in the most telling tenth."""
    return -(-len(chosen) // TELLING_SHARE)
