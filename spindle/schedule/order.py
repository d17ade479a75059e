"""Order jobs into epochs: everything between two barriers is independent.

In: a Block. Out: epochs (lists of jobs), and the steps with barriers and lanes set.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.errors import InternalError
from spindle.ir.plan import Step, Task, TaskStep
from spindle.schedule.jobs import Block, Job, predecessors
from spindle.spec.chip import HALF_ARENA_BYTES
from spindle.spec.records import LANES


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
            raise InternalError(f"jobs wait for each other: {[_label(job) for job in left][:4]}")
        shared = [job for job in ready if not job.alone]
        chosen = shared or ready[:1]
        result.append(chosen)
        done |= set(chosen)
        left = [job for job in left if job not in done]
    return result


def _label(job: Job) -> str:
    step = job.steps[-1]
    return step.task.label if isinstance(step, TaskStep) else type(step).__name__


def steps(groups: list[list[Job]]) -> tuple[Step, ...]:
    """Lay out epochs as steps: lanes spread, arena halves alternating, a barrier at each end."""
    out: list[Step] = []
    for group in groups:
        out += _epoch_steps(group)
    return tuple(out)


def _epoch_steps(group: list[Job]) -> list[Step]:
    out: list[Step] = []
    lane, half = 0, 0
    for job in sorted(group, key=_weight, reverse=True):
        for step in job.steps:
            if isinstance(step, TaskStep):
                step = replace(step, barrier=False, task=_settle(step.task, lane, half))
                lane = (lane + step.task.n_tiles) % LANES
                half = 1 - half
            out.append(step)
    last = out[-1]
    if isinstance(last, TaskStep):
        out[-1] = replace(last, barrier=True)
    return out


def _weight(job: Job) -> int:
    """Elements of the widest tile: long tiles first, so that short ones fill gaps."""
    tasks = [step.task for step in job.steps if isinstance(step, TaskStep)]
    return max((t.tile[1] * t.tile[2] * t.extent[3] for t in tasks), default=0)


def _settle(task: Task, lane: int, half: int) -> Task:
    """Start at `lane`, in this half of the arena unless the task owns it all."""
    shift = 0 if task.exclusive else half * HALF_ARENA_BYTES // 4
    operands = tuple(replace(op, dtcm=op.dtcm + shift) for op in task.operands)
    return replace(task, lane_first=lane, operands=operands, work=task.work + shift)
