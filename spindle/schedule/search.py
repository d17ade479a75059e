"""Search how the jobs of an epoch share the lanes: their ways, first lanes and order.

In: the jobs of an epoch. Out: their steps in order, first lanes set. What an epoch costs is asked
of the board that estimates whole Images (kernels_host/epoch.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from spindle.ir.plan import Step, Task, TaskStep
from spindle.ir.task_record import pack_task
from spindle.kernels_host.epoch import epoch_cycles
from spindle.schedule import halves, lanes
from spindle.schedule.jobs import Job
from spindle.schedule.ways import Way, ways
from spindle.spec.records import LANES

_SHAKES = 800
"""Random tries for an epoch, at most."""
_TILES = 100_000
"""Tiles that an epoch's walks may go through in all: each takes some microseconds."""
_WORTH = 40
"""Cycles to win for each fruitless try, below which the search ends."""
_EVEN = 1.01
"""It also ends where the busiest lane has so many times its share of the least possible work."""

_T = TypeVar("_T")
_Part = tuple[int, int, int]
"""Number of a job, of its way, of a task among the way's."""
_Shared = tuple[list[list[int]], list[float]]
"""First lanes of every job's tasks; cycles per lane."""
_Cycles = tuple[float, float]
"""Of the whole epoch, and of its average lane."""


@dataclass(frozen=True)
class _Choice:
    """One way to lay an epoch out.

    ways: number of each job's way. lanes: its first lane, or None: where least is to do. order: of
    the jobs on every lane.
    """

    ways: tuple[int, ...]
    lanes: tuple[int | None, ...]
    order: tuple[int, ...]


def laid_out(group: list[Job], empty: bool = False) -> list[tuple[Job, list[Step]]]:
    """Return the jobs of an epoch in order with their steps, as they take the least time.

    empty: no resident tile lies in DTCM meanwhile.
    """
    if not group:
        return []
    epoch = _Epoch(group, empty)
    best = epoch.best()
    firsts, _ = epoch.first_lanes(best)
    chosen = [epoch.ways[i][best.ways[i]] for i in range(len(group))]
    return [(group[i], _with_lanes(chosen[i], firsts[i])) for i in best.order]


class _Epoch:
    """The jobs of an epoch, and what was found out about ways to lay them out."""

    def __init__(self, group: list[Job], empty: bool) -> None:
        self.group = group
        self.ways = [ways(job, len(group) == 1, empty) for job in group]
        numbers = {job: i for i, job in enumerate(group)}
        self.beside = [numbers.get(job.beside) if job.beside else None for job in group]
        self.packed: dict[tuple[_Part, halves.Place], bytes] = {}
        self.shared: dict[tuple[object, ...], _Shared] = {}
        self.known: dict[_Choice, _Cycles] = {}
        self.walked: dict[tuple[object, ...], _Cycles | None] = {}
        self.tiles_left = _TILES

    def best(self) -> _Choice:
        """Change one job after the other while the epoch gets shorter, then several at once."""
        quick = [0] * len(self.group)
        if not all(found[0].is_timed for found in self.ways):
            return self._start(quick)
        little = [min(range(len(found)), key=lambda way: found[way].work) for found in self.ways]
        starts = [quick] if len(self.group) == 1 else [quick, little]
        return self._shaken(min((self._descended(s) for s in starts), key=self.longest))

    def _start(self, ways: Sequence[int]) -> _Choice:
        """First what loads little before its first tile."""
        numbers = range(len(self.group))
        order = sorted(numbers, key=lambda i: self.ways[i][ways[i]].first_load)
        return _Choice(tuple(ways), (None,) * len(numbers), tuple(order))

    def _descended(self, ways: Sequence[int]) -> _Choice:
        best = self._start(ways)
        better = self._improved(best)
        while better != best:
            best, better = better, self._improved(better)
        return best

    def _improved(self, best: _Choice) -> _Choice:
        """Take every change of a job that makes the epoch shorter; the same where none does."""
        for i in range(len(self.group)):
            for change in self._changes(best, i):
                if self.tiles_left > 0 and self.longest(change) < self.longest(best):
                    best = change
        return best

    def _shaken(self, best: _Choice) -> _Choice:
        """Try random changes of some jobs at once until the lanes are about equally busy."""
        rng = random.Random(0)
        least = sum(min(way.work for way in found) for found in self.ways) / LANES
        fruitless = 0
        for _ in range(_SHAKES if len(self.group) > 1 else 0):
            longest = self.longest(best)
            if longest <= _EVEN * least or longest - least <= _WORTH * fruitless:
                break
            if self.tiles_left <= 0:
                break
            change = best
            for _ in range(rng.randint(1, 3)):
                change = self._changed(change, rng)
            fruitless += 1
            if self._is_hopeful(change, best) and self.longest(change) <= self.longest(best):
                fruitless *= self.longest(change) == self.longest(best)
                best = change
        return best

    def _is_hopeful(self, change: _Choice, best: _Choice) -> bool:
        """Whether the change is worth a walk: its tiles alone do not take longer."""
        return max(self.first_lanes(change)[1]) <= self.longest(best)

    def longest(self, choice: _Choice) -> float:
        """Cycles of the epoch as the estimate counts them."""
        return self.cycles(choice)[0]

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

    def cycles(self, choice: _Choice) -> _Cycles:
        """Cycles of the epoch as the estimate counts them; those of its average lane."""
        if choice not in self.known:
            firsts, loads = self.first_lanes(choice)
            walked = self._walked(choice, firsts)
            self.known[choice] = walked or (max(loads), sum(loads) / LANES)
        return self.known[choice]

    def _walked(self, choice: _Choice, firsts: list[list[int]]) -> _Cycles | None:
        parts = [
            (i, choice.ways[i], number) for i in choice.order for number in range(len(firsts[i]))
        ]
        lanes_of = [first for i in choice.order for first in firsts[i]]
        key = (*parts, *lanes_of)
        if parts and key not in self.walked:
            tasks = [self._task(part) for part in parts]
            places = halves.places(tasks)
            self.tiles_left -= sum(task.n_tiles for task in tasks)
            packed = [self._pack(*one) for one in zip(parts, places, strict=True)]
            self.walked[key] = epoch_cycles(packed, lanes_of)
        return self.walked.get(key)

    def _task(self, part: _Part) -> Task:
        i, way, number = part
        return self.ways[i][way].tasks[number]

    def _pack(self, part: _Part, place: halves.Place) -> bytes:
        if (part, place) not in self.packed:
            self.packed[part, place] = pack_task(halves.put(self._task(part), place))
        return self.packed[part, place]

    def first_lanes(self, choice: _Choice) -> _Shared:
        """Choose first lanes, longest tiles first: short ones fill gaps."""
        key = (choice.ways, choice.lanes)
        if key not in self.shared:
            self.shared[key] = self._share(choice)
        return self.shared[key]

    def _share(self, choice: _Choice) -> _Shared:
        loads = [0.0] * LANES
        chosen = [found[way] for found, way in zip(self.ways, choice.ways, strict=True)]
        order = sorted(range(len(chosen)), key=lambda i: chosen[i].rank)
        firsts: list[list[int]] = [[] for _ in chosen]
        for i in reversed(order):
            lane = chosen[i].lane if chosen[i].lane is not None else choice.lanes[i]
            other = self.beside[i]
            if other is not None and firsts[other]:
                lane = (firsts[other][0] + chosen[other].n_tiles[0]) % LANES
            firsts[i] = _shared_out(chosen[i], loads, lane)
        return firsts, loads


def _shared_out(way: Way, loads: list[float], lane: int | None) -> list[int]:
    """First lanes of a way's tasks: `lane`, or where least is to do; adds to `loads`."""
    firsts = []
    for n_tiles, cycles in zip(way.n_tiles, way.cycles, strict=True):
        first = lanes.first_lane(loads, n_tiles, cycles) if lane is None else lane
        lanes.add(loads, n_tiles, cycles, first)
        firsts.append(first)
    return firsts


def _with_lanes(way: Way, firsts: Sequence[int]) -> list[Step]:
    left = iter(firsts)
    return [
        replace(step, task=replace(step.task, lane_first=next(left)))
        if isinstance(step, TaskStep)
        else step
        for step in way.steps
    ]


def _moved(choice: _Choice, i: int, place: int) -> _Choice:
    others = [j for j in choice.order if j != i]
    return replace(choice, order=(*others[:place], i, *others[place:]))


def _put(items: tuple[_T, ...], i: int, item: _T) -> tuple[_T, ...]:
    return (*items[:i], item, *items[i + 1 :])
