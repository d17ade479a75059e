"""First lanes: rounds of 16 tiles take all lanes, the rest the ones with least to do."""

from __future__ import annotations

import pytest

from spindle.schedule import lanes
from spindle.spec.records import LANES


def after(loads: list[float], n_tiles: int, cycles: float, first: int) -> list[float]:
    out = list(loads)
    for tile in range(n_tiles):
        out[(first + tile) % LANES] += cycles
    return out


@pytest.mark.parametrize("n_tiles", (1, 5, 15, 16, 17, 33, 47))
def test_no_other_first_lane_is_better(n_tiles: int) -> None:
    loads = [float(i * 37 % 11) for i in range(LANES)]
    first = lanes.first_lane(loads, n_tiles, 4.0)

    def busiest(first: int) -> float:
        """Of the lanes that get a tile."""
        new = after(loads, n_tiles, 4.0, first)
        return max(b for a, b in zip(loads, new, strict=True) if b != a)

    assert busiest(first) == min(busiest(other) for other in range(LANES))


@pytest.mark.parametrize("n_tiles", (1, 15, 16, 17, 47))
def test_add(n_tiles: int) -> None:
    loads = [float(i) for i in range(LANES)]
    expected = after(loads, n_tiles, 2.0, 13)
    lanes.add(loads, n_tiles, 2.0, 13)
    assert loads == expected
