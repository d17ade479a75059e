"""Order jobs into epochs: everything between two barriers is independent.

In: a Block. Out: epochs (lists of jobs), and the steps with barriers and lanes set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from spindle.errors import InternalError
from spindle.ir.plan import Step, Task, TaskStep
from spindle.schedule import catalogue
from spindle.schedule.jobs import Block, Job, predecessors
from spindle.spec.chip import HALF_ARENA_BYTES
from spindle.spec.records import LANES


_ROUNDS = 12


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


@dataclass(frozen=True)
class _Layout:
    """Steps of an epoch's jobs with first lanes, and what each lane then has to do (cycles)."""

    made: tuple[tuple[Step, ...], ...]
    loads: tuple[float, ...]
    longest: int  # the job whose share of one lane is largest


def _epoch_steps(group: list[Job]) -> list[Step]:
    out: list[Step] = []
    half = 0
    for step in (step for steps in _balanced(group).made for step in steps):
        if isinstance(step, TaskStep):
            step = TaskStep(_in_half(step.task, half))
            half = 1 - half
        out.append(step)
    if isinstance(out[-1], TaskStep):
        out[-1] = replace(out[-1], barrier=True)
    return out


def _balanced(group: list[Job]) -> _Layout:
    """Share the lanes by work, then give the longest job more while the busiest lane gains."""
    total = sum(job.work for job in group)
    shares = [_share(job, total) for job in group]
    best = _lay_out(group, shares)
    for _ in range(_ROUNDS):
        if shares[best.longest] == LANES:
            break
        tried = list(shares)
        tried[best.longest] = min(LANES, 2 * tried[best.longest])
        layout = _lay_out(group, tried)
        if max(layout.loads) >= max(best.loads):
            break
        best, shares = layout, tried
    return _lay_out(group, shares)


def _share(job: Job, total: float) -> int:
    """Lanes that a job should fill, by its part of the epoch's work."""
    return max(1, min(LANES, round(LANES * job.work / total))) if total else LANES


def _lay_out(group: list[Job], shares: list[int]) -> _Layout:
    """Make the jobs' steps; longest tiles first, so that short ones fill gaps."""
    made = [tuple(job.make(share)) for job, share in zip(group, shares, strict=True)]
    each = [_tile_cycles(steps) for steps in made]
    loads = [0.0] * LANES
    order = sorted(range(len(group)), key=lambda i: -each[i])
    spans = {
        i: max((_rounds(task) * each[i] for task in _tasks(made[i])), default=0.0) for i in order
    }
    laid = tuple(tuple(_with_lane(step, loads) for step in made[i]) for i in order)
    return _Layout(laid, tuple(loads), max(order, key=lambda i: spans[i]))


def _tasks(steps: Sequence[Step]) -> list[Task]:
    return [step.task for step in steps if isinstance(step, TaskStep)]


def _rounds(task: Task) -> int:
    return -(-task.n_tiles // LANES)


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
