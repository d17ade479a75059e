"""The costs of the chip."""

import pytest

from spindle.spec.costs import CHIP_CONSTANTS, costs_hash


@pytest.mark.parametrize("constant", CHIP_CONSTANTS, ids=lambda c: c.name)
def test_chip_constants_are_whole_cycles(constant: object) -> None:
    nominal, pessimistic = constant.nominal, constant.pessimistic  # type: ignore[attr-defined]
    assert nominal == int(nominal) and pessimistic == int(pessimistic) >= nominal


def test_hash_differs_by_set() -> None:
    assert costs_hash("nominal") != costs_hash("pessimistic")
