"""Order jobs into epochs: everything between two barriers is independent.

In: a Block. Out: epochs (lists of jobs), and the steps with barriers and lanes set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spindle.errors import InternalError
from spindle.ir.plan import Step, Task, TaskStep
from spindle.schedule import catalogue
from spindle.schedule.jobs import Block, Job, predecessors
from spindle.schedule.memory import RESIDENT_START
from spindle.schedule.resident import ResidentArena
from spindle.schedule.room import Room
from spindle.spec.chip import HALF_ARENA_BYTES
from spindle.spec.records import LANES

_TRIES = 200
_HEAVY = 3
"""A job moves into an epoch of so many times its work."""


def epochs(block: Block) -> list[list[Job]]:
    """Put jobs into epochs: the earliest, or a later one whose computing hides a job's transfers.

    An `alone` job gets its own. Raises InternalError when jobs wait for each other (an overwrite
    that was not allowed).
    """
    before = predecessors(block)
    earliest = _earliest(block, before)
    return _relaxed(block, before, earliest)


def _earliest(block: Block, before: dict[Job, set[Job]]) -> dict[Job, int]:
    epoch_of: dict[Job, int] = {}
    left = list(block.jobs)
    number = 0
    while left:
        ready = [job for job in left if before[job] <= epoch_of.keys()]
        if not ready:
            names = [buf.name for job in left for buf in job.writes]
            raise InternalError(f"jobs wait for each other; they write {names[:4]}")
        chosen = [job for job in ready if not job.alone] or ready[:1]
        epoch_of |= dict.fromkeys(chosen, number)
        left = [job for job in left if job not in epoch_of]
        number += 1
    return epoch_of


def _relaxed(
    block: Block, before: dict[Job, set[Job]], earliest: dict[Job, int]
) -> list[list[Job]]:
    """Move light jobs that can wait to the epoch with most work that they can reach."""
    count = max(earliest.values(), default=-1) + 1
    work = [0.0] * count
    for job, epoch in earliest.items():
        work[epoch] += float("-inf") if job.alone else job.work
    latest = _latest(block, before, earliest, count)
    taken = {earliest[job] for job in block.jobs if job.alone}
    chosen: dict[Job, int] = {}
    for job in sorted(block.jobs, key=lambda j: earliest[j]):
        low = max([earliest[job], *(chosen[other] + 1 for other in before[job])])
        reach = [e for e in range(low, latest[job] + 1) if job.alone or e not in taken]
        best = max(reach, key=lambda epoch: (work[epoch], -epoch))
        hidden = not job.alone and work[best] > _HEAVY * job.work
        chosen[job] = best if hidden else reach[0]
    groups: list[list[Job]] = [[] for _ in range(count)]
    for job in block.jobs:
        groups[chosen[job]].append(job)
    return [group for group in groups if group]


def _latest(
    block: Block, before: dict[Job, set[Job]], earliest: dict[Job, int], count: int
) -> dict[Job, int]:
    """Last epoch of each job that delays none of those after it, and is no `alone` job's."""
    taken = {earliest[job] for job in block.jobs if job.alone}
    latest = dict.fromkeys(block.jobs, count - 1)
    for job in sorted(block.jobs, key=lambda j: -earliest[j]):
        if job.alone:
            latest[job] = earliest[job]
        while not job.alone and latest[job] in taken:
            latest[job] -= 1
        for other in before[job]:
            latest[other] = min(latest[other], latest[job] - 1)
    return latest


def steps(groups: list[list[Job]], arena: ResidentArena) -> tuple[Step, ...]:
    """Lay out epochs as steps: lanes spread, arena halves alternating, a barrier at each end."""
    arena.begin(groups)
    out: list[Step] = []
    for group in groups:
        out += _epoch_steps(group)
    return tuple(out)


Shares = tuple[int, ...]
"""Lanes that each job of an epoch should fill."""

_Laid = list[tuple[Job, list[Step]]]


def _epoch_steps(group: list[Job]) -> list[Step]:
    out: list[Step] = []
    half = 0
    laid, _ = _lay_out(group, _balanced(group))
    settled = [job.settled(job_steps) if job.settled else job_steps for job, job_steps in laid]
    for step in (step for job_steps in settled for step in job_steps):
        if isinstance(step, TaskStep):
            step = TaskStep(_in_half(step.task, half))
            half = 1 - half
        out.append(step)
    if isinstance(out[-1], TaskStep):
        out[-1] = replace(out[-1], barrier=True)
    return out


def _balanced(group: list[Job]) -> Shares:
    """Search lanes per job so that the busiest lane has least to do; ends at a local best."""
    total = sum(job.work for job in group)
    known: dict[Shares, float] = {}

    def busiest(shares: Shares) -> float:
        if shares not in known:
            laid, loads = _lay_out(group, shares)
            known[shares] = max(max(loads) + _first_load(laid[0][1]), _bus_cycles(laid))
        return known[shares]

    starts: list[Shares] = [tuple(_share(job, total) for job in group), (LANES,) * len(group)]
    best = min(starts, key=busiest)
    while len(group) > 1 and len(known) < _TRIES:
        better = min(_neighbours(best), key=busiest)
        if busiest(better) >= busiest(best):
            break
        best = better
    return best


def _bus_cycles(laid: _Laid) -> float:
    """What the SDRAM needs for all that the epoch moves."""
    return sum(catalogue.bus_cycles(task) for _, steps in laid for task in _tasks(steps))


def _neighbours(shares: Shares) -> list[Shares]:
    """Shares with one job's lanes doubled or halved."""
    found = []
    for i, share in enumerate(shares):
        for other in {min(LANES, 2 * share), max(1, share // 2)} - {share}:
            found.append((*shares[:i], other, *shares[i + 1 :]))
    return found


def _share(job: Job, total: float) -> int:
    """Lanes by the job's part of the epoch's work."""
    return max(1, min(LANES, round(LANES * job.work / total))) if total else LANES


def _lay_out(group: list[Job], shares: Shares) -> tuple[_Laid, list[float]]:
    """Make the jobs' steps, longest tiles first, so that short ones fill gaps; cycles per lane."""
    alone = len(group) == 1
    made = [(job, job.make(Room(share, alone))) for job, share in zip(group, shares, strict=True)]
    loads = [0.0] * LANES
    ordered = sorted(made, key=lambda pair: (pair[0].lane() is not None, _tile_cycles(pair[1])))
    laid = [
        (job, [_with_lane(step, loads, job.lane()) for step in steps])
        for job, steps in reversed(ordered)
    ]
    return sorted(laid, key=lambda pair: _first_load(pair[1])), loads


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


def _in_half(task: Task, half: int) -> Task:
    """Move a task to one half of the arena, unless it owns it all."""
    shift = 0 if task.exclusive else half * HALF_ARENA_BYTES // 4
    operands = tuple(
        op if op.dtcm >= RESIDENT_START else replace(op, dtcm=op.dtcm + shift)
        for op in task.operands
    )
    return replace(task, operands=operands, work=task.work + shift)
