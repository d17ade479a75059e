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
from spindle.schedule.memory import lay_out, top_words
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
    fitting = _tiles(draft).fitting(room.words, room.alone)
    if not fitting:
        raise InternalError(
            f"no tile of {draft.label!r} {draft.extent} fits in {room.words} words of DTCM"
        )
    return min(fitting, key=lambda timed: timed.cycles(room.lanes, room.exposed)).task


@lru_cache(maxsize=256)
def _tiles(draft: Draft) -> _Tiles:
    return _Tiles(draft)


class _Tiles:
    """A draft with all its candidate tiles; what is found out about them is kept."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.cost = catalogue.Cost(_bare(draft))
        self.found: dict[tuple[int, bool], list[_Timed]] = {}

    def fitting(self, words: int, alone: bool) -> list[_Timed]:
        """Return the tasks of tiles that fit in `words` of DTCM."""
        if (words, alone) not in self.found:
            made = (
                _with_tile(self.draft, tile, self.cost, words, alone)
                for tile in dict.fromkeys(self.draft.tiles)
            )
            self.found[words, alone] = [_Timed(task, self.cost) for task in made if task]
        return self.found[words, alone]


class _Timed:
    """A task, and its cycles on so many lanes: computing, the first tile's load."""

    def __init__(self, task: Task, cost: catalogue.Cost) -> None:
        self.task, self.cost = task, cost
        self.known: dict[int, tuple[float, float]] = {}

    def cycles(self, lanes: int, exposed: float) -> float:
        """Cycles of the busiest lane; exposed: part of the first load that nothing hides."""
        if lanes not in self.known:
            self.known[lanes] = self.cost.task_cycles(self.task, lanes)
        computed, first = self.known[lanes]
        return computed + exposed * first


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


def _with_tile(
    draft: Draft, tile: Tile, cost: catalogue.Cost, room_words: int, alone: bool
) -> Task | None:
    real = catalogue.clipped(tile, draft.extent)
    operands = _slots(draft, tile)
    words = [catalogue.operand_words(op, real) for op in operands]
    if draft.shared:
        words[draft.shared[1]] = 0
    temps = cost.work_words(tile)
    double = _doubled(draft, operands, tile)
    if top_words(operands, words, double) + temps > room_words:
        double = [False] * len(operands)
    if top_words(operands, words, double) + temps > room_words:
        return None
    placed, top = lay_out(operands, words, double)
    if draft.shared:
        placed = _mirrored(placed, *draft.shared)
    task = replace(_bare(draft), tile=tile, operands=placed, work=top, temps=temps)
    return _with_states(task, real, room_words, alone)


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


def _with_states(task: Task, tile: Sequence[int], room_words: int, alone: bool) -> Task | None:
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
    if words > room_words:
        return None
    exclusive = alone and words > BUDGET_WORDS
    return replace(task, program=tuple(program), exclusive=exclusive, words=words + words % 2)
