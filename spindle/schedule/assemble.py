"""Assemble tasks: choose a tile, lay its buffers out in DTCM, patch workspace offsets.

In: a Draft (kernel, operands, program, candidate tiles). Out: the cheapest Task that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from math import prod

from spindle.errors import InternalError
from spindle.ir.plan import Instr, Operand, Task
from spindle.schedule import catalogue
from spindle.schedule.memory import RESIDENT_START, RESIDENT_WORDS, lay_out, top_words
from spindle.schedule.room import BUDGET_WORDS, Room
from spindle.schedule.tile_cost import Cost, TileCost
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

    @cached_property
    def _hash(self) -> int:
        return hash((self.kernel, self.extent, self.operands, self.program, self.tiles))

    def __hash__(self) -> int:
        """Worked out once: a draft is asked for in many rooms."""
        return self._hash

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
    words = _words(draft, room)
    fitting = _fitting(draft, words)
    if not fitting:
        raise InternalError(
            f"no tile of {draft.label!r} {draft.extent} fits in {words} words of DTCM"
        )
    return min(fitting, key=lambda fit: fit.cycles(room.lanes, room.exposed)).task(room.alone)


def _words(draft: Draft, room: Room) -> int:
    """Words of DTCM; one that is by itself may use the resident tiles' place, where none is."""
    is_whole = room.alone and room.empty
    keeps = any(op.dtcm >= RESIDENT_START for op in draft.operands)
    return room.words + (RESIDENT_WORDS if is_whole and not keeps else 0)


@lru_cache(maxsize=1024)
def _fitting(draft: Draft, room_words: int) -> list[_Fit]:
    return [fit for tile in _candidates(draft) if (fit := tile.fitted(room_words))]


@lru_cache(maxsize=256)
def _candidates(draft: Draft) -> list[_Candidate]:
    cost = Cost(_bare(draft))
    return [_Candidate(draft, tile, cost) for tile in dict.fromkeys(draft.tiles)]


class _Candidate:
    """A draft with one of its tiles: what it needs of DTCM, and its ways to have buffers."""

    def __init__(self, draft: Draft, tile: Tile, cost: Cost) -> None:
        self.draft, self.tile, self.cost = draft, tile, cost
        self.real = catalogue.clipped(tile, draft.extent)
        self.operands = _slots(draft, tile)
        self.words = [catalogue.operand_words(op, self.real) for op in self.operands]
        if draft.shared:
            self.words[draft.shared[1]] = 0
        self.temps = cost.work_words(tile)
        own = self.temps + draft.n_temps * STRIP + _states_words(draft.program, self.real)
        two = _doubled(draft, self.operands, tile)
        once = [False] * len(two)
        self.fits = [_Fit(self, double, own) for double in ([two, once] if any(two) else [once])]

    def fitted(self, room_words: int) -> _Fit | None:
        """Two buffers where there is room for them; None where there is none for one."""
        return next((fit for fit in self.fits if fit.n_words <= room_words), None)


class _Fit:
    """A candidate that has two buffers for some operands. n_words: of DTCM, own ones included."""

    def __init__(self, candidate: _Candidate, double: list[bool], own: int) -> None:
        self.candidate, self.double = candidate, double
        self.n_words = own + top_words(candidate.operands, candidate.words, double)
        self.known: dict[int, tuple[float, float]] = {}
        self.tasks: dict[bool, Task] = {}

    @cached_property
    def cost(self) -> TileCost:
        """What its tiles cost."""
        one = self.candidate
        return one.cost.of_tile(one.operands, one.tile, self.double)

    def cycles(self, lanes: int, exposed: float) -> float:
        """Cycles of the busiest lane; exposed: part of the first load that nothing hides."""
        if lanes not in self.known:
            self.known[lanes] = self.cost.task_cycles(lanes)
        computed, first = self.known[lanes]
        return computed + exposed * first

    def task(self, alone: bool) -> Task:
        """Return its task; one that is alone may have both halves."""
        if alone not in self.tasks:
            self.tasks[alone] = self._laid_out(alone)
        return self.tasks[alone]

    def _laid_out(self, alone: bool) -> Task:
        one = self.candidate
        placed, top = lay_out(one.operands, one.words, self.double)
        if one.draft.shared:
            placed = _mirrored(placed, *one.draft.shared)
        return replace(
            _bare(one.draft),
            tile=one.tile,
            operands=placed,
            work=top,
            temps=one.temps,
            program=_with_states(one),
            exclusive=alone and self.n_words > BUDGET_WORDS,
            words=self.n_words + self.n_words % 2,
        )


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


def _states_words(program: Sequence[Instr], tile: Sequence[int]) -> int:
    """Words that the states of a program's reductions take."""
    pairs = pairwise(program)
    return sum(_state_words(red, ext, tile) for red, ext in pairs if red.prim.startswith("RED_"))


def _state_words(red: Instr, ext: Instr, tile: Sequence[int]) -> int:
    n_out = {1: tile[2], 2: tile[1], 3: 1}[red.reg[2]]
    return (1 + ext.reg[0]) * n_out


def _with_states(one: _Candidate) -> tuple[Instr, ...]:
    """Place the states of reductions behind the temporaries."""
    at = one.temps + one.draft.n_temps * STRIP
    program = list(one.draft.program)
    for i, instr in enumerate(program):
        if instr.prim.startswith("RED_"):
            program[i + 1] = replace(program[i + 1], imm=at)
            at += _state_words(instr, program[i + 1], one.real)
    return tuple(program)
