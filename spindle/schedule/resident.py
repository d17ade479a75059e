"""Resident tiles: an operand that one task loaded stays in DTCM for a later task of the same lanes.

A dot's operand is read twice, by scan and by quantise, with a barrier between them. Where both use
the same tiles, one per lane, the second read is saved on cores that run a single lane.

In: pairs of jobs (quantise.py), epochs (order.py). Out: places among the resident tiles.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from spindle.ir.plan import Task
from spindle.schedule.jobs import Job
from spindle.schedule.memory import RESIDENT_START, RESIDENT_WORDS
from spindle.spec.records import LANES


@dataclass(eq=False)
class Residence:
    """A tile per lane, of one of these numbers of rows, that job `first` loads and job `last` uses.

    task: the loading task as it stays, once known; None where the tile does not stay. partner: the
    dot's other operand, which takes the other lanes.
    """

    rows: tuple[int, ...]
    first: Job | None = None
    last: Job | None = None
    task: Task | None = None
    partner: Residence | None = None

    def beside(self) -> int | None:
        """First lane behind those of the partner, where it is known."""
        other = self.partner.task if self.partner else None
        return (other.lane_first + other.n_tiles) % LANES if other else None


@dataclass
class ResidentArena:
    """Who lies among the resident tiles, and from which epoch to which."""

    epoch_of: dict[Job, int] = field(default_factory=dict)
    taken: list[tuple[int, int, int, int]] = field(default_factory=list)  # place, end, epochs

    def begin(self, groups: list[list[Job]]) -> None:
        """Note the epochs, before any is laid out."""
        self.epoch_of = {job: epoch for epoch, group in enumerate(groups) for job in group}

    def is_empty(self, epoch: int) -> bool:
        """Whether no tile placed so far is there in this epoch; later ones begin later."""
        return not any(first <= epoch <= last for _, _, first, last in self.taken)

    def place(self, residence: Residence, words: int) -> int | None:
        """First word for a tile of `words`, or None where there is no room all the time.

        A loop between the two jobs has resident tiles of its own: then there is no room.
        """
        if residence.first is None or residence.last is None:
            return None
        start, end = self.epoch_of[residence.first], self.epoch_of[residence.last]
        if any(job.alone and start < epoch < end for job, epoch in self.epoch_of.items()):
            return None
        at, words = RESIDENT_START, words + words % 2
        for low, high, first, last in sorted(self.taken):
            if first <= end and start <= last:
                if at + words <= low:
                    break
                at = max(at, high)
        if at + words > RESIDENT_START + RESIDENT_WORDS:
            return None
        self.taken.append((at, at + words, start, end))
        return at
