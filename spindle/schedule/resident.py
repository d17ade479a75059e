"""Resident tiles: an operand that one task loaded stays in DTCM for a later task of the same lanes.

A dot's operand is read twice, by scan and by quantise, with a barrier between them. Where both use
the same tiles, one per lane, the second read is saved on cores that run a single lane.

In: epochs, and the pairs of jobs that quantise.py found. Out: places among the resident tiles.
"""

from __future__ import annotations

from dataclasses import dataclass

from spindle.schedule.jobs import Job
from spindle.schedule.memory import RESIDENT_START, RESIDENT_WORDS


@dataclass(eq=False)
class Residence:
    """One tile per lane: `words` of it, loaded by `first`, used by `last`.

    place: word of the tile arena, None where there was no room. lane: of tile 0, once known.
    """

    words: int
    first: Job | None = None
    last: Job | None = None
    place: int | None = None
    lane: int | None = None


def assign(groups: list[list[Job]], residences: list[Residence]) -> None:
    """Give places to residences whose epochs do not meet, first come first served."""
    epoch_of = {job: epoch for epoch, group in enumerate(groups) for job in group}
    alone = {epoch_of[job] for job in epoch_of if job.alone}
    placed: list[tuple[Residence, int, int]] = []
    spans = []
    for residence in residences:
        if residence.first is not None and residence.last is not None:
            spans.append((epoch_of[residence.first], epoch_of[residence.last], residence))
    for start, end, residence in sorted(spans, key=lambda span: span[:2]):
        if any(start < epoch < end for epoch in alone):
            continue
        busy = [r for r, low, high in placed if low <= end and start <= high]
        residence.place = _first_fit(residence.words, busy)
        if residence.place is not None:
            placed.append((residence, start, end))


def _first_fit(words: int, busy: list[Residence]) -> int | None:
    at = RESIDENT_START
    for other in sorted(busy, key=lambda r: r.place or 0):
        assert other.place is not None
        if at + words <= other.place:
            break
        at = max(at, other.place + _even(other.words))
    return at if at + words <= RESIDENT_START + RESIDENT_WORDS else None


def _even(words: int) -> int:
    return words + words % 2
