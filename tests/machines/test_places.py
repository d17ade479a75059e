"""Which chip and which cores a board's machine takes."""

from __future__ import annotations

from typing import Any

import pytest

from spindle.errors import MachineError, UserError
from spindle.machines.places import choose_layout


def chip(x: int, y: int, n_cores: int) -> dict[str, Any]:
    return {"x": x, "y": y, "cores": list(range(1, n_cores + 1))}


@pytest.mark.parametrize(
    ("n_cores", "n_places", "service"), [(17, 16, 17), (16, 16, 1), (9, 9, 1), (1, 1, 1)]
)
def test_places_and_service(n_cores: int, n_places: int, service: int) -> None:
    layout = choose_layout([chip(0, 0, n_cores)], None)
    assert (len(layout.place_cores), layout.service) == (n_places, service)
    assert layout.cores == tuple(range(1, n_cores + 1))


def test_the_root_chip_is_taken_while_it_has_enough() -> None:
    assert choose_layout([chip(1, 1, 17), chip(0, 0, 8)], None).chip == (0, 0)
    layout = choose_layout([chip(1, 1, 16), chip(0, 0, 7), chip(0, 1, 17)], None)
    assert layout.chip == (0, 1) and layout.note == "chip (0, 0) left out"


def test_a_limit_of_cores() -> None:
    layout = choose_layout([chip(0, 0, 12)], 5)
    assert layout.place_cores == (1, 2, 3, 4, 5) and layout.service == 1
    assert layout.note == "5 of 17 cores of the chip are missing"
    for limit in (0, 18):
        with pytest.raises(UserError, match=f"{limit} cores cannot be used"):
            choose_layout([chip(0, 0, 12)], limit)


def test_no_free_core() -> None:
    with pytest.raises(MachineError, match="no chip of the board has a free core"):
        choose_layout([chip(0, 0, 0), chip(1, 0, 0)], None)
