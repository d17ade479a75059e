"""Chips for tests of their parts: pristine, four wired as a 2x2 torus where a test asks for it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from spindle.vboard.chip_host import NO_LINKS, ChipOptions, Rig, RigOptions

MakeRig = Callable[..., Rig]
TORUS = (
    (1, 3, 2, 1, 3, 2),
    (0, 2, 3, 0, 2, 3),
    (3, 1, 0, 3, 1, 0),
    (2, 0, 1, 2, 0, 1),
)
"""Chips 0..3 = (0,0), (1,0), (0,1), (1,1); links E NE N W SW S."""


@pytest.fixture
def make_rig() -> Iterator[MakeRig]:
    """Make rigs, closed after the test: make_rig(n_chips=1 or 4, costs={}, **chip options)."""
    rigs: list[Rig] = []

    def make(n_chips: int = 1, costs: dict[str, int] | None = None, **changes: object) -> Rig:
        chip = replace(ChipOptions(), **changes)  # type: ignore[arg-type]
        links = TORUS if n_chips == 4 else (NO_LINKS,) * n_chips
        rigs.append(Rig(RigOptions((chip,) * n_chips, links, cost_changes=costs or {})))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """One pristine chip."""
    return make_rig()
