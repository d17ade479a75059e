"""The binding of the chip: costs of both languages agree."""

import pytest

from spindle.spec.costs import CHIP_CONSTANTS, costs_hash
from spindle.vboard.chip_host import chip_costs, costs_by_name, nominal_costs_in_c


def test_nominal_costs_of_c_are_those_of_the_spec() -> None:
    assert nominal_costs_in_c() == costs_by_name(chip_costs("nominal"))


@pytest.mark.parametrize("constant", CHIP_CONSTANTS, ids=lambda c: c.name)
def test_chip_constants_are_whole_cycles(constant: object) -> None:
    nominal, pessimistic = constant.nominal, constant.pessimistic  # type: ignore[attr-defined]
    assert nominal == int(nominal) and pessimistic == int(pessimistic) >= nominal


def test_hash_differs_by_set() -> None:
    assert costs_hash("nominal") != costs_hash("pessimistic")
