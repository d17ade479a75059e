"""Place the tasks of an epoch in the arena, so that each loads while the one before computes.

In: tasks in order, each laid out from word 0. Out: how many words each moves up.

    words 0 ..                                                        2 * HALF_WORDS
    | lower task ->            | free                  <- upper task | resident tiles

Lower and upper tasks alternate. The workspace of a lower task begins below HALF_WORDS, that of an
upper one at HALF_WORDS or above: the firmware tells them so. Where two neighbours meet is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from spindle.ir.plan import Task
from spindle.schedule.memory import RESIDENT_START
from spindle.spec.chip import HALF_ARENA_BYTES

HALF_WORDS = HALF_ARENA_BYTES // 4


class Place(NamedTuple):
    """How many words a task moves up; exclusive: it owns the arena."""

    shift: int
    exclusive: bool


def place(tasks: Sequence[Task]) -> list[Task]:
    """Move every task to its place."""
    return [put(task, at) for task, at in zip(tasks, places(tasks), strict=True)]


def places(tasks: Sequence[Task]) -> list[Place]:
    """Return every task's place; of both ways to begin, the one that hides more loads."""
    found = [_places(tasks, upper) for upper in (False, True)]
    return max(found, key=lambda places: _hidden(tasks, places))


def put(task: Task, at: Place) -> Task:
    """Move a task to its place: buffers, but for resident tiles, and workspace."""
    if at.exclusive:
        return replace(task, exclusive=True)
    operands = tuple(
        op if op.dtcm >= RESIDENT_START else replace(op, dtcm=op.dtcm + at.shift)
        for op in task.operands
    )
    return replace(task, operands=operands, work=task.work + at.shift)


def _hidden(tasks: Sequence[Task], places: list[Place]) -> int:
    """Tasks that are loaded while the one before computes."""
    uppers = [task.work + at.shift >= HALF_WORDS for task, at in zip(tasks, places, strict=True)]
    pairs = pairwise(zip(uppers, places, strict=True))
    return sum(a != b for (a, at), (b, to) in pairs if not (at.exclusive or to.exclusive))


def _places(tasks: Sequence[Task], upper: bool) -> list[Place]:
    """Alternate, beginning at `upper`; one that fits nowhere owns the arena."""
    out: list[Place] = []
    before: tuple[Task, bool] | None = None
    for task in tasks:
        other = upper if before is None else not before[1]
        sides = [side for side in (other, not other) if _fits(task, side, before)]
        if task.exclusive or not sides:
            out.append(Place(0, True))
            before = None
        else:
            out.append(Place(_top(task) if sides[0] else 0, False))
            before = (task, sides[0])
    return out


def _fits(task: Task, upper: bool, before: tuple[Task, bool] | None) -> bool:
    """Whether a task may lie there: its workspace on its side, its loads beside the task before."""
    if (_top(task) + task.work < HALF_WORDS) if upper else (task.work >= HALF_WORDS):
        return False
    same = before is not None and before[1] == upper
    return before is None or same or before[0].words + task.words <= RESIDENT_START


def _top(task: Task) -> int:
    """Words that an upper task moves up: it ends where the resident tiles begin."""
    return RESIDENT_START - task.words
