"""The checker of resident tiles: whoever reads one finds what an earlier task of the lane left.

In: the steps of a Plan. Out: nothing, or InternalError naming the task. Between the task that
loads a tile and the one that reads it as RESIDENT lies no loop (its body has tiles of its own) and
no other tile in the same words. docs/spec/image.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spindle.errors import InternalError
from spindle.ir.plan import Loop, Operand, Step, Task, TaskStep, While


@dataclass(frozen=True)
class _Tile:
    """A tile in the words low..high - 1 of each lane that has one."""

    task: Task
    operand: Operand
    low: int
    high: int


def check_residents(
    steps: tuple[Step, ...], start: int, words: Callable[[Task, Operand], int]
) -> None:
    """Raise InternalError where a RESIDENT operand is not what stands in DTCM.

    start: first word of the resident tiles. words: DTCM words of an operand's tile.
    """
    held: list[_Tile] = []
    for step in steps:
        if isinstance(step, TaskStep):
            held = _after(step.task, held, start, words)
        elif isinstance(step, (Loop, While)):
            held = []
            check_residents(step.body, start, words)
        if isinstance(step, While):
            check_residents(step.cond, start, words)


def _after(
    task: Task, held: list[_Tile], start: int, words: Callable[[Task, Operand], int]
) -> list[_Tile]:
    if task.exclusive:
        held = [tile for tile in held if tile.low >= task.words]
    for operand in task.operands:
        if operand.dtcm < start or operand.lazy:
            continue
        tile = _Tile(task, operand, operand.dtcm, operand.dtcm + words(task, operand))
        if operand.resident:
            _find(tile, held)
        else:
            held = [other for other in held if other.high <= tile.low or tile.high <= other.low]
            held.append(tile)
    return held


def _find(tile: _Tile, held: list[_Tile]) -> None:
    if not any(_same(tile, other) for other in held):
        raise InternalError(
            f"{tile.task.label}: {tile.operand.name} is said to be in DTCM from word {tile.low}, "
            "but no earlier task left it there"
        )


def _same(a: _Tile, b: _Tile) -> bool:
    where = (a.operand.addr, a.operand.stride, a.low) == (b.operand.addr, b.operand.stride, b.low)
    lanes = (a.task.lane_first, a.task.n_tiles) == (b.task.lane_first, b.task.n_tiles)
    return where and lanes and a.task.extent == b.task.extent and _rows(a.task) == _rows(b.task)


def _rows(task: Task) -> int:
    return min(task.tile[1], task.extent[1])
