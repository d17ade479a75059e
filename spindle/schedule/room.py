"""Room: what a job may use of lanes and DTCM, decided by order.py for the jobs of an epoch."""

from __future__ import annotations

from dataclasses import dataclass

from spindle.spec.chip import HALF_ARENA_BYTES
from spindle.spec.records import LANES

BUDGET_WORDS = HALF_ARENA_BYTES // 4 - 2
"""Of one half; the workspace begins inside it, so that its place tells the half."""
BESIDE_WORDS = 1024
"""What a large task leaves to those before and after it."""


@dataclass(frozen=True)
class Room:
    """What a job may use: lanes to fill, and both halves of the arena where it is by itself.

    exposed: part of the first tile's load during which no other job computes. large: it may take
    more than its half, where its neighbours take less. again: it loads again what lies resident in
    DTCM, so that it may run on other lanes. empty: no resident tile lies in DTCM meanwhile.
    """

    lanes: int = LANES
    alone: bool = False
    exposed: float = 1.0
    large: bool = False
    again: bool = False
    empty: bool = False

    @property
    def words(self) -> int:
        """Words of DTCM beside the place of resident tiles."""
        if self.alone:
            return 2 * BUDGET_WORDS
        return 2 * BUDGET_WORDS - BESIDE_WORDS if self.large else BUDGET_WORDS
