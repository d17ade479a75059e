"""Lay epochs out as steps: lanes spread, arena halves alternating, a barrier at each end.

In: epochs (order.py). Out: steps. How the jobs of an epoch share the lanes is searched; what an
epoch costs is asked of the board that estimates whole Images (kernels_host/epoch.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from spindle.ir.plan import Loop, Step, Task, TaskStep, While
from spindle.ir.task_record import pack_task
from spindle.kernels_host.epoch import epoch_cycles
from spindle.schedule import halves, tile_cost
from spindle.schedule.jobs import Job
from spindle.schedule.resident import ResidentArena
from spindle.schedule.room import Room
from spindle.spec.records import LANES

_SHAKES = 200
"""Random tries for an epoch."""
_EVEN = 1.01
"""The search ends where the busiest lane has so many times the average work."""
_LANES = (16, 8, 4, 2, 1)
_EXPOSED = (0.5, 1.0, 0.2, 0.0)
"""What the ways to make a job are for; the first is where the search begins."""


def steps(groups: list[list[Job]], arena: ResidentArena) -> tuple[Step, ...]:
    """Lay out epochs one after another; each ends with a barrier."""
    arena.begin(groups)
    out: list[Step] = []
    for group in groups:
        out += _epoch_steps(group)
    return tuple(out)


def _epoch_steps(group: list[Job]) -> list[Step]:
    laid = _Epoch(group).best()
    settled = [job.settled(made) if job.settled else made for job, made in laid]
    out = _placed([step for made in settled for step in made])
    if isinstance(out[-1], TaskStep):
        out[-1] = replace(out[-1], barrier=True)
    return out


@dataclass(frozen=True)
class _Choice:
    """One way to lay an epoch out.

    ways: number of each job's way. lanes: its first lane, or None: where least is to do. order: of
    the jobs on every lane.
    """

    ways: tuple[int, ...]
    lanes: tuple[int | None, ...]
    order: tuple[int, ...]


_T = TypeVar("_T")
_Laid = list[tuple[Job, list[Step]]]


class _Epoch:
    """The jobs of an epoch, and what was found out about ways to lay them out."""

    def __init__(self, group: list[Job]) -> None:
        self.group = group
        self.ways = [_ways(job, len(group) == 1) for job in group]
        self.packed: dict[tuple[int, int, int, int, bool], bytes] = {}
        self.known: dict[_Choice, tuple[float, float]] = {}

    def best(self) -> _Laid:
        """Change one job after the other while the epoch gets shorter, then several at once."""
        best = self._start()
        if all(map(_is_timed, self.ways)):
            better = self._improved(best)
            while better != best:
                best, better = better, self._improved(better)
            best = self._shaken(best)
        laid = self._lay_out(best)[0]
        return [laid[i] for i in best.order]

    def _start(self) -> _Choice:
        """First what loads little before its first tile."""
        numbers = range(len(self.group))
        order = sorted(numbers, key=lambda i: _first_load(self.ways[i][0]))
        return _Choice((0,) * len(numbers), (None,) * len(numbers), tuple(order))

    def _improved(self, best: _Choice) -> _Choice:
        """Take every change of a job that makes the epoch shorter; the same where none does."""
        for i in range(len(self.group)):
            for change in self._changes(best, i):
                if self.cycles(change)[0] < self.cycles(best)[0]:
                    best = change
        return best

    def _shaken(self, best: _Choice) -> _Choice:
        """Try random changes of some jobs at once until the lanes are about equally busy."""
        rng = random.Random(0)
        for _ in range(_SHAKES):
            if len(self.group) == 1 or self._is_even(best):
                break
            change = best
            for _ in range(rng.randint(1, 3)):
                change = self._changed(change, rng)
            if self.cycles(change)[0] <= self.cycles(best)[0]:
                best = change
        return best

    def _is_even(self, choice: _Choice) -> bool:
        longest, average = self.cycles(choice)
        return longest <= _EVEN * average

    def _changed(self, choice: _Choice, rng: random.Random) -> _Choice:
        i = rng.randrange(len(self.group))
        kind = rng.randrange(3)
        if kind == 0:
            return _moved(choice, i, rng.randrange(len(self.group)))
        if kind == 1:
            return replace(choice, lanes=_put(choice.lanes, i, rng.choice((None, *range(LANES)))))
        return replace(choice, ways=_put(choice.ways, i, rng.randrange(len(self.ways[i]))))

    def _changes(self, choice: _Choice, i: int) -> Iterator[_Choice]:
        """Another way for job i, or its place in front."""
        for way in range(len(self.ways[i])):
            if way != choice.ways[i]:
                yield replace(choice, ways=_put(choice.ways, i, way))
        if len(self.group) > 1:
            yield _moved(choice, i, 0)

    def cycles(self, choice: _Choice) -> tuple[float, float]:
        """Cycles of the epoch as the estimate counts them; those of its average lane."""
        if choice not in self.known:
            laid, loads = self._lay_out(choice)
            self.known[choice] = self._walked(choice, laid) or (max(loads), sum(loads) / LANES)
        return self.known[choice]

    def _walked(self, choice: _Choice, laid: _Laid) -> tuple[float, float] | None:
        made = [(i, _tasks(laid[i][1])) for i in choice.order]
        keys = [(i, choice.ways[i], number) for i, tasks in made for number in range(len(tasks))]
        tasks = [task for _, tasks in made for task in tasks]
        placed = halves.place(tasks)
        packed = [self._pack(key, task) for key, task in zip(keys, placed, strict=True)]
        return epoch_cycles(packed, [task.lane_first for task in tasks]) if tasks else None

    def _pack(self, key: tuple[int, int, int], task: Task) -> bytes:
        place = (*key, task.work, task.exclusive)
        if place not in self.packed:
            self.packed[place] = pack_task(task)
        return self.packed[place]

    def _lay_out(self, choice: _Choice) -> tuple[_Laid, list[float]]:
        """Choose first lanes, longest tiles first: short ones fill gaps; cycles per lane."""
        loads = [0.0] * LANES
        made = [
            (job, ways[way])
            for job, ways, way in zip(self.group, self.ways, choice.ways, strict=True)
        ]
        ordered = sorted(made, key=lambda one: (one[0].lane() is not None, _tile_cycles(one[1])))
        laid: dict[Job, list[Step]] = {}
        for job, found in reversed(ordered):
            lane = _lane(job, laid, choice.lanes[self.group.index(job)])
            laid[job] = [_with_lane(step, loads, lane) for step in found]
        return [(job, laid[job]) for job in self.group], loads


def _moved(choice: _Choice, i: int, place: int) -> _Choice:
    others = [j for j in choice.order if j != i]
    return replace(choice, order=(*others[:place], i, *others[place:]))


def _put(items: tuple[_T, ...], i: int, item: _T) -> tuple[_T, ...]:
    return (*items[:i], item, *items[i + 1 :])


def _lane(job: Job, laid: dict[Job, list[Step]], wish: int | None) -> int | None:
    """First lane that a job must have, or should have beside another."""
    if job.beside in laid:
        (task,) = _tasks(laid[job.beside])
        return (task.lane_first + task.n_tiles) % LANES
    return wish if job.lane() is None else job.lane()


def _ways(job: Job, alone: bool) -> list[list[Step]]:
    """Different ways to make a job's steps: for few lanes or many, loading much or little."""
    rooms = [
        Room(lanes, alone, exposed, large)
        for lanes in _LANES
        for exposed in _EXPOSED
        for large in ((False,) if alone else (False, True))
    ]
    ways: list[list[Step]] = []
    for room in rooms:
        made = list(job.make(room))
        if made not in ways:
            ways.append(made)
        if not _tasks(made):
            break
    return ways


def _is_timed(ways: list[list[Step]]) -> bool:
    """Whether the walk can time a job: loops are laid out already."""
    return not any(isinstance(step, Loop | While) for step in ways[0])


def _first_load(steps: Sequence[Step]) -> float:
    """Cycles of the first tile's transfers, which nothing hides; control steps lead."""
    tasks = _tasks(steps)
    return tile_cost.first_load_cycles(tasks[0]) if tasks else 0.0


def _tasks(steps: Sequence[Step]) -> list[Task]:
    return [step.task for step in steps if isinstance(step, TaskStep)]


def _tile_cycles(steps: Sequence[Step]) -> float:
    """Cycles of the longest tile; control steps lead."""
    return max((tile_cost.tile_cycles(task) for task in _tasks(steps)), default=float("inf"))


def _with_lane(step: Step, loads: list[float], first: int | None) -> Step:
    """Start a task at `first`, or where the busiest lane is left least busy; adds to `loads`."""
    if not isinstance(step, TaskStep):
        return step
    task = step.task
    each = tile_cost.tile_cycles(task)
    tiles = [task.n_tiles // LANES + (lane < task.n_tiles % LANES) for lane in range(LANES)]

    def busiest(first: int) -> float:
        return max(loads[(first + i) % LANES] + n * each for i, n in enumerate(tiles) if n)

    if first is None:
        first = min(range(LANES), key=busiest) if task.n_tiles % LANES else 0
    for i, n in enumerate(tiles):
        loads[(first + i) % LANES] += n * each
    return replace(step, task=replace(task, lane_first=first))


def _placed(steps: Sequence[Step]) -> list[Step]:
    """Place the tasks in the arena."""
    places = iter(halves.place(_tasks(steps)))
    return [TaskStep(next(places)) if isinstance(step, TaskStep) else step for step in steps]
