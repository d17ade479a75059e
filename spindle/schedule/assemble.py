"""Assemble tasks: choose a tile, lay its buffers out in DTCM, patch workspace offsets.

In: a Draft (kernel, operands, program, candidate tiles). Out: the cheapest Task that fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from spindle.errors import InternalError
from spindle.ir.plan import Instr, Operand, Task
from spindle.schedule import catalogue
from spindle.schedule.memory import lay_out
from spindle.spec.chip import HALF_ARENA_BYTES
from spindle.spec.records import STRIP

Tile = tuple[int, int, int, int]
BUDGET_WORDS = HALF_ARENA_BYTES // 4


@dataclass(frozen=True)
class Draft:
    """A task without tile and places. shared: (a, b): operand b uses operand a's buffer (COPY)."""

    kernel: str
    extent: Tile
    operands: tuple[Operand, ...]
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


def assemble(draft: Draft, tiles: Iterable[Tile]) -> Task:
    """Return the cheapest task among the candidate tiles. Raises InternalError when none fits."""
    best: tuple[float, Task] | None = None
    for tile in dict.fromkeys(tiles):
        task = _with_tile(draft, tile)
        if task is None:
            continue
        cost = catalogue.task_cycles(task)
        if best is None or cost < best[0]:
            best = (cost, task)
    if best is None:
        raise InternalError(
            f"no tile of {draft.label!r} ({draft.extent}) fits in {BUDGET_WORDS} words"
        )
    return best[1]


def _with_tile(draft: Draft, tile: Tile) -> Task | None:
    real: Tile = tuple(min(t, e) for t, e in zip(tile, draft.extent, strict=True))  # type: ignore[assignment]
    operands = _slots(draft, tile)
    words = [_buffer_words(op, draft, real) for op in operands]
    many = any(t < e for t, e in zip(tile, draft.extent, strict=True))
    double = [many and not op.internal for op in operands]
    placed, top = lay_out(operands, words, double)
    if draft.shared:
        first, second = draft.shared
        mirror = replace(placed[second], dtcm=placed[first].dtcm, buffer=placed[first].buffer)
        placed = (*placed[:second], mirror, *placed[second + 1 :])
    task = Task(
        draft.kernel,
        draft.extent,
        tile,
        placed,
        draft.program,
        draft.n_prologue,
        draft.n_temps,
        draft.inner,
        k_block=draft.k_block,
        arg=draft.arg,
        work=top,
        label=draft.label,
        loc=draft.loc,
        origin=draft.origin,
    )
    if top > 0xFFFF:
        return None
    return _with_workspace(task, real)


def _slots(draft: Draft, tile: Tile) -> tuple[Operand, ...]:
    """Set granule1 of the operand that has one row per tile along dim 1."""
    if draft.slot_operand is None:
        return draft.operands
    out = list(draft.operands)
    out[draft.slot_operand] = replace(out[draft.slot_operand], granule1=tile[1])
    return tuple(out)


def _buffer_words(operand: Operand, draft: Draft, tile: Tile) -> int:
    if draft.shared and operand is draft.operands[draft.shared[1]]:
        return 0
    return catalogue.operand_words(operand, tile)


def _with_workspace(task: Task, tile: Tile) -> Task | None:
    temps = catalogue.kernel_words(task)
    at = temps + task.n_temps * STRIP
    program = list(task.program)
    for i, instr in enumerate(program):
        if instr.prim.startswith("RED_"):
            levels = program[i + 1].reg[0]
            n_out = {1: tile[2], 2: tile[1], 3: 1}[instr.reg[2]]
            program[i + 1] = replace(program[i + 1], imm=at)
            at += (1 + levels) * n_out
    if task.work + at > BUDGET_WORDS:
        return None
    return replace(task, temps=temps, program=tuple(program))
