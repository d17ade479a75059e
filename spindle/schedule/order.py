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
from spindle.spec.chip import HALF_ARENA_BYTES
from spindle.spec.records import LANES

_TRIES = 200


def epochs(block: Block) -> list[list[Job]]:
    """Give each job the earliest epoch after its predecessors; an `alone` job gets its own.

    Raises InternalError when jobs wait for each other (an overwrite that was not allowed).
    """
    before = predecessors(block)
    done: set[Job] = set()
    left = list(block.jobs)
    result: list[list[Job]] = []
    while left:
        ready = [job for job in left if before[job] <= done]
        if not ready:
            names = [buf.name for job in left for buf in job.writes]
            raise InternalError(f"jobs wait for each other; they write {names[:4]}")
        shared = [job for job in ready if not job.alone]
        chosen = shared or ready[:1]
        result.append(chosen)
        done |= set(chosen)
        left = [job for job in left if job not in done]
    return result


def steps(groups: list[list[Job]]) -> tuple[Step, ...]:
    """Lay out epochs as steps: lanes spread, arena halves alternating, a barrier at each end."""
    out: list[Step] = []
    for group in groups:
        out += _epoch_steps(group)
    return tuple(out)


Shares = tuple[int, ...]
"""Lanes that each job of an epoch should fill."""


def _epoch_steps(group: list[Job]) -> list[Step]:
    out: list[Step] = []
    half = 0
    for step in _lay_out(group, _balanced(group))[0]:
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
            known[shares] = max(_lay_out(group, shares)[1])
        return known[shares]

    starts: list[Shares] = [tuple(_share(job, total) for job in group), (LANES,) * len(group)]
    best = min(starts, key=busiest)
    while len(group) > 1 and len(known) < _TRIES:
        better = min(_neighbours(best), key=busiest)
        if busiest(better) >= busiest(best):
            break
        best = better
    return best


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


def _lay_out(group: list[Job], shares: Shares) -> tuple[list[Step], list[float]]:
    """Make the jobs' steps, longest tiles first, so that short ones fill gaps; cycles per lane."""
    made = [job.make(share) for job, share in zip(group, shares, strict=True)]
    loads = [0.0] * LANES
    ordered = sorted(made, key=_tile_cycles, reverse=True)
    return [_with_lane(step, loads) for steps in ordered for step in steps], loads


def _tasks(steps: Sequence[Step]) -> list[Task]:
    return [step.task for step in steps if isinstance(step, TaskStep)]


def _tile_cycles(steps: Sequence[Step]) -> float:
    """Cycles of the longest tile; control steps lead."""
    return max((catalogue.tile_cycles(task) for task in _tasks(steps)), default=float("inf"))


def _with_lane(step: Step, loads: list[float]) -> Step:
    """Start a task at the lane that leaves the busiest one least busy; adds to `loads`."""
    if not isinstance(step, TaskStep):
        return step
    task = step.task
    each = catalogue.tile_cycles(task)
    tiles = [task.n_tiles // LANES + (lane < task.n_tiles % LANES) for lane in range(LANES)]

    def busiest(first: int) -> float:
        return max(loads[(first + i) % LANES] + n * each for i, n in enumerate(tiles) if n)

    first = min(range(LANES), key=busiest) if task.n_tiles % LANES else 0
    for i, n in enumerate(tiles):
        loads[(first + i) % LANES] += n * each
    return replace(step, task=replace(task, lane_first=first))


def _in_half(task: Task, half: int) -> Task:
    """Move a task to one half of the arena, unless it owns it all."""
    shift = 0 if task.exclusive else half * HALF_ARENA_BYTES // 4
    operands = tuple(replace(op, dtcm=op.dtcm + shift) for op in task.operands)
    return replace(task, operands=operands, work=task.work + shift)
