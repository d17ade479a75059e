"""Which chip of a board runs programs, and which of its cores are places and service core.

In: the board as SpiNNMan describes it, a limit of cores. Out: a Layout. An Image knows 16 lanes;
place p of n runs lanes p, p + n, ... (docs/spec/barrier.md), so any number of cores will do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spindle.errors import MachineError, UserError
from spindle.spec import chip as chip_spec
from spindle.spec import records

ENOUGH_CORES = 8
"""A chip with fewer healthy cores is taken only where no chip has as many."""


@dataclass(frozen=True)
class Layout:
    """A chip and its virtual cores: of each place, and the service core; `note` for the report."""

    chip: tuple[int, int]
    place_cores: tuple[int, ...]
    service: int
    note: str = ""

    @property
    def cores(self) -> tuple[int, ...]:
        """All virtual cores that take part."""
        return tuple(sorted({*self.place_cores, self.service}))


def choose_layout(chips: Sequence[Mapping[str, Any]], limit: int | None) -> Layout:
    """The root chip if it has enough healthy cores, else the chip that has most.

    limit: use at most so many cores. Raises UserError for a limit out of range, MachineError where
    no core is free.
    """
    if limit is not None and not 1 <= limit <= chip_spec.APPLICATION_CORES:
        raise UserError(
            f"{limit} cores cannot be used",
            limit=f"a chip has 1 to {chip_spec.APPLICATION_CORES} application cores",
        )
    best = max(chips, key=lambda chip: (_worth(chip), (chip["x"], chip["y"]) == (0, 0)))
    if not best["cores"]:
        raise MachineError("no chip of the board has a free core; see spindle doctor")
    cores = best["cores"][:limit]
    places = tuple(cores[: records.LANES])
    service = cores[records.LANES] if len(cores) > records.LANES else cores[0]
    return Layout((best["x"], best["y"]), places, service, _note(chips, best))


def _worth(chip: Mapping[str, Any]) -> int:
    """The root chip, nearest to the host, is as good as any once it has enough cores."""
    n = len(chip["cores"])
    return chip_spec.CORES_PER_CHIP if (chip["x"], chip["y"]) == (0, 0) and n >= ENOUGH_CORES else n


def _note(chips: Sequence[Mapping[str, Any]], best: Mapping[str, Any]) -> str:
    n = len(best["cores"])
    left = [chip for chip in chips if chip is not best and len(chip["cores"]) < ENOUGH_CORES]
    dead = chip_spec.APPLICATION_CORES - n
    parts = [f"{dead} of {chip_spec.APPLICATION_CORES} cores of the chip are missing"] * (dead > 0)
    parts += [f"chip ({chip['x']}, {chip['y']}) left out" for chip in left]
    return ", ".join(parts)
