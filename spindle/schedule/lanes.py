"""Share lanes: which lane a task starts at, so that the busiest lane is left least busy.

In: cycles that every lane has so far, tiles of a task. Out: its first lane; the lanes' new cycles.
"""

from __future__ import annotations

from spindle.spec.records import LANES


def first_lane(loads: list[float], n_tiles: int, cycles: float) -> int:
    """Return the first lane for tiles of so many cycles.

    >>> first_lane([9.0] * 12 + [0.0] * 4, 3, 5.0)
    12
    """
    rounds, rest = divmod(n_tiles, LANES)
    if rest == 0:
        return 0
    twice = loads * 2
    least, best = 0, float("inf")
    for first in range(LANES):
        longest = max(twice[first : first + rest]) + (rounds + 1) * cycles
        if rounds:
            others = max(twice[first + rest : first + LANES]) + rounds * cycles
            longest = max(longest, others)
        if longest < best:
            least, best = first, longest
    return least


def add(loads: list[float], n_tiles: int, cycles: float, first: int) -> None:
    """Add tiles from lane `first` on."""
    rounds, rest = divmod(n_tiles, LANES)
    for i in range(LANES if rounds else rest):
        loads[(first + i) % LANES] += (rounds + (i < rest)) * cycles
