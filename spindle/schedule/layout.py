"""Lay epochs out as steps: lanes spread, arena halves alternating, a barrier at each end.

In: epochs (order.py). Out: steps. How the jobs of an epoch share the lanes is searched; what an
epoch costs is asked of the board that estimates whole Images (kernels_host/epoch.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from spindle.ir.plan import Step, Task, TaskStep
from spindle.ir.task_record import pack_task
from spindle.kernels_host.epoch import epoch_cycles
from spindle.schedule import catalogue, halves
from spindle.schedule.jobs import Job
from spindle.schedule.resident import ResidentArena
from spindle.schedule.room import Room
from spindle.spec.records import LANES

_TRIES = 160
_ENOUGH = 1.01
"""The search ends where no lane works so many times longer than all do on average."""


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
    """One way to lay an epoch out. rooms: of each job. lead: the job that comes first, or None.

    lanes: first lane of each job, or None: where the lanes have least to do.
    """

    rooms: tuple[Room, ...]
    lead: int | None = None
    lanes: tuple[int | None, ...] = ()


_Laid = list[tuple[Job, list[Step]]]


class _Epoch:
    """The jobs of an epoch, and what was found out about ways to lay them out."""

    def __init__(self, group: list[Job]) -> None:
        self.group = group
        self.made: dict[tuple[int, Room], list[Step]] = {}
        self.packed: dict[tuple[int, Room, int, int], bytes] = {}
        self.known: dict[_Choice, float] = {}

    def best(self) -> _Laid:
        """Search from two starts, ends at a local best or after _TRIES ways."""
        best = min(self._starts(), key=self.cycles)
        if self._plain(best):
            better = self._improved(best)
            while better != best and len(self.known) < _TRIES:
                best, better = better, self._improved(better)
        return self._in_order(best, self._lay_out(best)[0])

    def _plain(self, choice: _Choice) -> bool:
        """Whether the epoch has tasks alone, and a choice."""
        made = [self._make(i, room) for i, room in enumerate(choice.rooms)]
        return all(not _controls(one) or _tasks(one) for one in made)

    def _starts(self) -> list[_Choice]:
        alone, total = len(self.group) == 1, sum(job.work for job in self.group)
        by_work = [Room(_share(job, total), alone, not alone) for job in self.group]
        everywhere = [Room(LANES, alone, not alone)] * len(self.group)
        free = (None,) * len(self.group)
        return [_Choice(tuple(rooms), None, free) for rooms in (by_work, everywhere)]

    def _improved(self, best: _Choice) -> _Choice:
        """Take every change of a job that makes the epoch shorter; the same where none does."""
        for i in range(len(self.group)):
            for change in _changes(best, i):
                if len(self.known) >= _TRIES:
                    return best
                if self.cycles(change) < self.cycles(best):
                    best = change
        return best

    def cycles(self, choice: _Choice) -> float:
        """Cycles of the epoch as the estimate counts them."""
        if choice not in self.known:
            laid, loads = self._lay_out(choice)
            self.known[choice] = self._walked(choice, laid) or max(loads)
        return self.known[choice]

    def _walked(self, choice: _Choice, laid: _Laid) -> int | None:
        tasks, keys = [], []
        for job, made in self._in_order(choice, laid):
            i = self.group.index(job)
            tasks += _tasks(made)
            keys += [(i, choice.rooms[i], number) for number in range(len(_tasks(made)))]
        placed = halves.place(tasks)
        packed = [self._pack(key, task) for key, task in zip(keys, placed, strict=True)]
        return epoch_cycles(packed, [task.lane_first for task in tasks]) if tasks else None

    def _pack(self, key: tuple[int, Room, int], task: Task) -> bytes:
        place = (*key, task.work)
        if place not in self.packed:
            self.packed[place] = pack_task(task)
        return self.packed[place]

    def _make(self, i: int, room: Room) -> list[Step]:
        if (i, room) not in self.made:
            self.made[i, room] = list(self.group[i].make(room))
        return self.made[i, room]

    def _lay_out(self, choice: _Choice) -> tuple[_Laid, list[float]]:
        """Choose first lanes, longest tiles first, so that short ones fill gaps; cycles per lane."""
        loads = [0.0] * LANES
        made = [
            (job, self._make(i, room), choice.lanes[i] if job.lane() is None else job.lane())
            for i, (job, room) in enumerate(zip(self.group, choice.rooms, strict=True))
        ]
        ordered = sorted(made, key=lambda one: (one[2] is not None, _tile_cycles(one[1])))
        laid = {
            job: [_with_lane(step, loads, lane) for step in found]
            for job, found, lane in reversed(ordered)
        }
        return [(job, laid[job]) for job in self.group], loads

    def _in_order(self, choice: _Choice, laid: _Laid) -> _Laid:
        """The lead comes first, then what loads little before its first tile."""
        lead = None if choice.lead is None else self.group[choice.lead]
        return sorted(laid, key=lambda pair: (pair[0] is not lead, _first_load(pair[1])))


def _changes(choice: _Choice, i: int) -> Iterator[_Choice]:
    """Change one job: its lanes doubled or halved, its tiles, its place or its first lane."""
    room = choice.rooms[i]
    for lanes in {min(LANES, 2 * room.lanes), max(1, room.lanes // 2)} - {room.lanes}:
        yield _with_room(choice, i, replace(room, lanes=lanes))
    kinds = [(hidden, large) for hidden in (False, True) for large in (False, not room.alone)]
    for hidden, large in dict.fromkeys(kinds):
        if (hidden, large) != (room.hidden, room.large):
            yield _with_room(choice, i, replace(room, hidden=hidden, large=large))
    if len(choice.rooms) > 1:
        yield replace(choice, lead=i)


def _with_room(choice: _Choice, i: int, room: Room) -> _Choice:
    return replace(choice, rooms=(*choice.rooms[:i], room, *choice.rooms[i + 1 :]))


def _controls(made: Sequence[Step]) -> bool:
    return any(not isinstance(step, TaskStep) for step in made)


def _share(job: Job, total: float) -> int:
    """Lanes by the job's part of the epoch's work."""
    return max(1, min(LANES, round(LANES * job.work / total))) if total else LANES


def _first_load(steps: Sequence[Step]) -> float:
    """Cycles of the first tile's transfers, which nothing hides; control steps lead."""
    tasks = _tasks(steps)
    return catalogue.first_load_cycles(tasks[0]) if tasks else 0.0


def _tasks(steps: Sequence[Step]) -> list[Task]:
    return [step.task for step in steps if isinstance(step, TaskStep)]


def _tile_cycles(steps: Sequence[Step]) -> float:
    """Cycles of the longest tile; control steps lead."""
    return max((catalogue.tile_cycles(task) for task in _tasks(steps)), default=float("inf"))


def _with_lane(step: Step, loads: list[float], first: int | None) -> Step:
    """Start a task at `first`, or where the busiest lane is left least busy; adds to `loads`."""
    if not isinstance(step, TaskStep):
        return step
    task = step.task
    each = catalogue.tile_cycles(task)
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
