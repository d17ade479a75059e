"""Lay epochs out as steps: lanes spread, arena halves alternating, a barrier at each end.

In: epochs (order.py). Out: steps. How the jobs of an epoch share the lanes is searched (search.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spindle.ir.plan import Step, TaskStep
from spindle.schedule import halves, search
from spindle.schedule.jobs import Job
from spindle.schedule.resident import ResidentArena
from spindle.schedule.room import Room


def steps(groups: list[list[Job]], arena: ResidentArena) -> tuple[Step, ...]:
    """Lay out epochs one after another; each begins with its registers and ends with a barrier."""
    arena.begin(groups)
    out: list[Step] = []
    for epoch, group in enumerate(groups):
        out += _epoch_steps(group, arena.is_empty(epoch))
    return tuple(out)


def _epoch_steps(group: list[Job], empty: bool) -> list[Step]:
    sets = [step for job in group if job.sets for step in job.make(Room())]
    laid = search.laid_out([job for job in group if not job.sets], empty)
    settled = [job.settled(made) if job.settled else made for job, made in laid]
    out = [*sets, *_placed([step for made in settled for step in made])]
    if isinstance(out[-1], TaskStep):
        out[-1] = replace(out[-1], barrier=True)
    return out


def _placed(steps: Sequence[Step]) -> list[Step]:
    """Place the tasks in the arena."""
    places = iter(halves.place([step.task for step in steps if isinstance(step, TaskStep)]))
    return [TaskStep(next(places)) if isinstance(step, TaskStep) else step for step in steps]
