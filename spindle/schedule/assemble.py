"""Assemble tasks: choose a tile, lay its buffers out in DTCM, patch workspace offsets.

In: a Draft (kernel, operands, program, candidate tiles). Out: the cheapest Task that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod

from spindle.errors import InternalError
from spindle.ir.plan import Instr, Operand, Task
from spindle.schedule import catalogue
from spindle.schedule.memory import lay_out
from spindle.schedule.room import BUDGET_WORDS, Room
from spindle.spec.records import LANES, STRIP

Tile = tuple[int, int, int, int]


@dataclass(frozen=True)
class Draft:
    """A task without tile and places.

    tiles: candidates. work: guess of cycles over all lanes. slot_operand: has one row per tile
    along dim 1. shared: (a, b): operand b uses operand a's buffer (COPY, a dot that stores C).
    """

    kernel: str
    extent: Tile
    operands: tuple[Operand, ...]
    tiles: tuple[Tile, ...]
    program: tuple[Instr, ...] = ()
    n_prologue: int = 0
    n_temps: int = 0
    inner: int | None = None
    k_block: int = 0
    arg: int = 0
    label: str = ""
    loc: str = ""
    origin: str = "other"
    slot_operand: int | None = None
    shared: tuple[int, int] | None = None

    @property
    def work(self) -> float:
        """Cycles over all lanes, roughly: computing or moving, whichever is longer."""
        n = 1
        for extent in self.extent:
            n *= extent
        return n * catalogue.element_cycles(self.kernel, self.program, len(self.operands))


@lru_cache(maxsize=4096)
def assemble(draft: Draft, room: Room = Room()) -> Task:  # noqa: B008 (frozen)
    """Return the cheapest task of the candidate tiles in this room.

    Raises InternalError when none fits.
    """
    cost = catalogue.Cost(_bare(draft))
    best: tuple[float, Task] | None = None
    for tile in dict.fromkeys(draft.tiles):
        task = _with_tile(draft, tile, cost, room)
        if task is None:
            continue
        cycles = cost.task_cycles(task, room.lanes, room.exposed)
        if best is None or cycles < best[0]:
            best = (cycles, task)
    if best is None:
        raise InternalError(
            f"no tile of {draft.label!r} {draft.extent} fits in {room.words} words of DTCM"
        )
    return best[1]


def _bare(draft: Draft) -> Task:
    return Task(
        draft.kernel,
        draft.extent,
        (1, 1, 1, 1),
        draft.operands,
        draft.program,
        draft.n_prologue,
        draft.n_temps,
        draft.inner,
        k_block=draft.k_block,
        arg=draft.arg,
        label=draft.label,
        loc=draft.loc,
        origin=draft.origin,
    )


def _with_tile(draft: Draft, tile: Tile, cost: catalogue.Cost, room: Room) -> Task | None:
    real = catalogue.clipped(tile, draft.extent)
    operands = _slots(draft, tile)
    words = [catalogue.operand_words(op, real) for op in operands]
    if draft.shared:
        words[draft.shared[1]] = 0
    temps = cost.work_words(tile)
    placed, top = lay_out(operands, words, _doubled(draft, operands, tile))
    if top + temps > room.words:
        placed, top = lay_out(operands, words, [False] * len(operands))
    if top + temps > room.words:
        return None
    if draft.shared:
        placed = _mirrored(placed, *draft.shared)
    task = replace(_bare(draft), tile=tile, operands=placed, work=top, temps=temps)
    return _with_states(task, real, room)


def _doubled(draft: Draft, operands: Sequence[Operand], tile: Tile) -> list[bool]:
    """Two buffers for what a lane moves more than once."""
    counts = [-(-e // t) for e, t in zip(draft.extent, tile, strict=True)]
    n_inner = 1 if draft.inner is None else counts[draft.inner]
    n_outer = prod(counts) // n_inner
    again = [
        n_outer > LANES or (n_inner > 1 and op.stride[draft.inner or 0] != 0) for op in operands
    ]
    kept = [op.internal and draft.shared is None for op in operands]
    return [more and not once for more, once in zip(again, kept, strict=True)]


def _mirrored(placed: tuple[Operand, ...], first: int, second: int) -> tuple[Operand, ...]:
    mirror = replace(placed[second], dtcm=placed[first].dtcm, buffer=placed[first].buffer)
    return (*placed[:second], mirror, *placed[second + 1 :])


def _slots(draft: Draft, tile: Tile) -> tuple[Operand, ...]:
    """Set granule1 of the operand that has one row per tile along dim 1."""
    if draft.slot_operand is None:
        return draft.operands
    out = list(draft.operands)
    out[draft.slot_operand] = replace(out[draft.slot_operand], granule1=tile[1])
    return tuple(out)


def _with_states(task: Task, tile: Sequence[int], room: Room) -> Task | None:
    """Place the states of reductions behind the temporaries; None where the workspace is full."""
    at = task.temps + task.n_temps * STRIP
    program = list(task.program)
    for i, instr in enumerate(program):
        if instr.prim.startswith("RED_"):
            levels = program[i + 1].reg[0]
            n_out = {1: tile[2], 2: tile[1], 3: 1}[instr.reg[2]]
            program[i + 1] = replace(program[i + 1], imm=at)
            at += (1 + levels) * n_out
    words = task.work + at
    if words > room.words:
        return None
    exclusive = room.alone and words > BUDGET_WORDS
    return replace(task, program=tuple(program), exclusive=exclusive, words=words + words % 2)
