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

from spindle.ir.plan import Task
from spindle.schedule.memory import RESIDENT_START
from spindle.spec.chip import HALF_ARENA_BYTES

HALF_WORDS = HALF_ARENA_BYTES // 4


def place(tasks: Sequence[Task]) -> list[Task]:
    """Move every task to its place; of both ways to begin, the one that hides more loads."""
    return max((_placed(tasks, upper) for upper in (False, True)), key=_hidden)


def _hidden(tasks: list[Task]) -> int:
    """Tasks that are loaded while the one before computes."""
    pairs = pairwise(tasks)
    return sum(_alternate(a, b) for a, b in pairs if not (a.exclusive or b.exclusive))


def _alternate(a: Task, b: Task) -> bool:
    return (a.work < HALF_WORDS) != (b.work < HALF_WORDS)


def _placed(tasks: Sequence[Task], upper: bool) -> list[Task]:
    """Alternate, beginning at `upper`; one that fits nowhere owns the arena."""
    out: list[Task] = []
    for task in tasks:
        before = out[-1] if out and not out[-1].exclusive else None
        other = upper if before is None else before.work < HALF_WORDS
        sides = [side for side in (other, not other) if _fits(task, side, before)]
        if task.exclusive or not sides:
            out.append(replace(task, exclusive=True))
        else:
            out.append(moved(task, _top(task) if sides[0] else 0))
    return out


def _fits(task: Task, upper: bool, before: Task | None) -> bool:
    """Whether a task may lie there: its workspace on its side, its loads beside the task before."""
    if (_top(task) + task.work < HALF_WORDS) if upper else (task.work >= HALF_WORDS):
        return False
    same = before is not None and (before.work >= HALF_WORDS) == upper
    return before is None or same or before.words + task.words <= RESIDENT_START


def _top(task: Task) -> int:
    """Words that an upper task moves up: it ends where the resident tiles begin."""
    return RESIDENT_START - task.words


def moved(task: Task, shift: int) -> Task:
    """Move a task's buffers, but for resident tiles, and its workspace."""
    operands = tuple(
        op if op.dtcm >= RESIDENT_START else replace(op, dtcm=op.dtcm + shift)
        for op in task.operands
    )
    return replace(task, operands=operands, work=task.work + shift)
