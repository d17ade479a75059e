"""Ways to make a job: its steps for few lanes or many, loading much or little, with their cycles.

In: a job, whether it is alone in its epoch. Out: Ways, which search.py chooses from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from spindle.ir.plan import Loop, Step, Task, TaskStep, While
from spindle.schedule import tile_cost
from spindle.schedule.jobs import Job
from spindle.schedule.room import Room

_LANES = (16, 8, 4, 2, 1)
_MORE_LANES = (14, 12, 11, 10, 9, 7, 6, 5, 3)
"""To fill; the latter only where other jobs may take the rest, and with much room."""
_EXPOSED = (0.5, 1.0, 0.2, 0.0)
"""What the ways to make a job are for; the first is where the search begins."""


@dataclass(frozen=True, eq=False)
class Way:
    """Steps of a job.

    tasks: those among them. cycles: of a tile of each. lane: the first lane that the tasks must
    have, or None. first_load: cycles of the first tile's transfers.
    """

    steps: Sequence[Step]
    tasks: tuple[Task, ...]
    cycles: tuple[float, ...]
    n_tiles: tuple[int, ...]
    lane: int | None
    first_load: float

    @property
    def is_timed(self) -> bool:
        """Whether the walk can time it: loops are laid out already."""
        return not any(isinstance(step, Loop | While) for step in self.steps)

    @property
    def work(self) -> float:
        """Cycles of all tiles."""
        return sum(n * cycles for n, cycles in zip(self.n_tiles, self.cycles, strict=True))

    @property
    def rank(self) -> tuple[bool, float]:
        """Greater: lanes are chosen earlier. Fixed ones, control steps, then long tiles."""
        return self.lane is not None, max(self.cycles, default=float("inf"))


def ways(job: Job, alone: bool, empty: bool = False) -> list[Way]:
    """Different ways to make a job's steps; what uses resident tiles may also load them again.

    empty: no resident tile lies in DTCM meanwhile.
    """
    lane = job.lane()
    found = [_way(steps, lane) for steps in _made(job, _rooms(alone, empty, again=False))]
    if any(op.resident for way in found for task in way.tasks for op in task.operands):
        found += [_way(steps, None) for steps in _made(job, _rooms(alone, empty, again=True))]
    return found


def _made(job: Job, rooms: Iterable[Room]) -> list[Sequence[Step]]:
    found: list[Sequence[Step]] = []
    for room in rooms:
        made = list(job.make(room))
        if made not in found:
            found.append(made)
        if not _tasks(made):
            break
    return found


def _rooms(alone: bool, empty: bool, again: bool) -> Iterator[Room]:
    sizes = (False,) if alone else (False, True)
    for lanes in _LANES:
        for exposed in _EXPOSED:
            for large in sizes:
                yield Room(lanes, alone, exposed, large, again, empty)
    for lanes in () if alone else _MORE_LANES:
        yield Room(lanes, alone, _EXPOSED[0], True, again)


def _way(steps: Sequence[Step], lane: int | None) -> Way:
    tasks = _tasks(steps)
    return Way(
        steps,
        tasks,
        tuple(tile_cost.tile_cycles(task) for task in tasks),
        tuple(task.n_tiles for task in tasks),
        lane,
        tile_cost.first_load_cycles(tasks[0]) if tasks else 0.0,
    )


def _tasks(steps: Sequence[Step]) -> tuple[Task, ...]:
    return tuple(step.task for step in steps if isinstance(step, TaskStep))
