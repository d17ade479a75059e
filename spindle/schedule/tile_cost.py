"""What the tiles of a task cost, asked of the kernels' C twins (firmware/kernels/kernel_cost.c).

In: a Task, tile sizes. Out: words and cycles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from operator import add

from spindle import kernels_host
from spindle.ir.plan import Operand, Task
from spindle.ir.task_record import pack_task
from spindle.schedule.catalogue import clipped, granules, operand_rows, row_words
from spindle.spec import costs
from spindle.spec.records import LANES

_COSTS = {c.name: c.nominal for c in costs.CONSTANTS}
EPOCH_CYCLES = _COSTS["step_cycles"] + _COSTS["barrier_cycles"]
"""Nominal cycles that a barrier and a step behind it take, tiles left out."""

_Moves = tuple[int, int]
"""Transfers, and the words that they move."""


@lru_cache(maxsize=4096)
def tile_cycles(task: Task) -> float:
    """Nominal cycles of one of a settled task's tiles (its inner ones together), SDRAM free."""
    double = [op.buffer > 0 for op in task.operands]
    return Cost(task).of_tile(task.operands, task.tile, double).tile_cycles(1)


def first_load_cycles(task: Task) -> float:
    """Nominal cycles until every lane that starts with this task has its first tile."""
    tile = clipped(task.tile, task.extent)
    loads = (_moves(op, tile) for op in task.operands if _is_moved(op) and not op.store)
    return _engine_cycles(_sum(loads), min(task.n_tiles, LANES))


def work_words(task: Task) -> int:
    """Words of DTCM a task's kernel needs for itself."""
    return Cost(task).work_words(task.tile)


@dataclass(frozen=True)
class TileCost:
    """What a task of such tiles costs, however many lanes share it.

    core: cycles of the core in the last inner tile; middle: in each one before it. each: what moves
    for every inner tile; once: for an outer one; first: to load the first tile. overlaps: the next
    tile is loaded while one computes.
    """

    n_tiles: int
    n_inner: int
    core: float
    middle: float
    each: _Moves
    once: _Moves
    first: _Moves
    overlaps: bool

    def task_cycles(self, lanes: int) -> tuple[float, float]:
        """Cycles of the busiest of `lanes` lanes when nobody else uses the SDRAM.

        Returns those behind the first tile's load, and those of that load.
        """
        busy = max(min(self.n_tiles, lanes, LANES), 1)
        rounds = -(-self.n_tiles // busy)
        return rounds * self.tile_cycles(busy), _engine_cycles(self.first, busy)

    def tile_cycles(self, lanes: int) -> float:
        """Cycles of an outer tile: computing or moving, whichever is longer, inner ones added."""
        each, once = _engine_cycles(self.each, lanes), _engine_cycles(self.once, lanes)
        longer = max if self.overlaps else add
        total: float = longer(self.core, each + once)
        if self.n_inner > 1:
            total += longer(self.middle, each) * (self.n_inner - 1)
        return total


class Cost:
    """Formulas of one task, for any tile; the task's own tile and places do not matter."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._formulas = kernels_host.TaskCost(pack_task(task))

    def work_words(self, tile: Sequence[int]) -> int:
        """Words of DTCM the kernel needs for itself."""
        return self._formulas.work_words(tile)

    def of_tile(
        self, operands: Sequence[Operand], tile: Sequence[int], double: Sequence[bool]
    ) -> TileCost:
        """Price tiles of this size; double: which operands have two buffers."""
        inner = self._task.inner
        counts = [-(-e // t) for e, t in zip(self._task.extent, tile, strict=True)]
        n_inner = 1 if inner is None else counts[inner]
        n_tiles = prod(counts) // n_inner
        pairs = zip(operands, double, strict=True)
        moved = [(op, two) for op, two in pairs if _is_moved(op)]
        real = clipped(tile, self._task.extent)
        moves = {op: _moves(op, real) for op, _ in moved}
        each = {op: moved for op, moved in moves.items() if _each_inner(op, inner)}
        core, middle = self._core_cycles(tile, n_inner, moves.values(), each.values())
        return TileCost(
            n_tiles,
            n_inner,
            core,
            middle,
            _sum(each.values()),
            _sum(moved for op, moved in moves.items() if op not in each),
            _sum(moved for op, moved in moves.items() if not op.store),
            _overlaps(moved, inner, n_tiles, n_inner),
        )

    def _core_cycles(
        self, tile: Sequence[int], n_inner: int, moves: Iterable[_Moves], each: Iterable[_Moves]
    ) -> tuple[float, float]:
        """Cycles of the core in the last inner tile, and in one before it."""
        real, inner = clipped(tile, self._task.extent), self._task.inner
        origin = tuple((n_inner - 1) * tile[dim] if dim == inner else 0 for dim in range(4))
        last = self._formulas.cycles(real, last_inner=True, origin=origin)
        core = last + _COSTS["tile_cycles"] + _queueing(moves)
        if n_inner == 1:
            return core, 0.0
        middle = self._formulas.cycles(real, last_inner=False)
        return core, middle + _COSTS["tile_cycles"] + _queueing(each)


def _queueing(moves: Iterable[_Moves]) -> float:
    """Cycles of the core for transfers; their interrupts meet computing."""
    row = _COSTS["dma_setup_cycles"] + _COSTS["dma_next_cycles"]
    return sum(_COSTS["operand_cycles"] + row * n for n, _ in moves)


def _moves(operand: Operand, tile: Sequence[int]) -> _Moves:
    """What moves a full tile: rows that touch in SDRAM are one transfer (firmware/rt/move.c)."""
    rows, words = operand_rows(operand, tile), row_words(operand, tile)
    transfers, reach = rows, words * 4
    for dim in (3, 2, 1):
        step, count = operand.stride[dim], granules(operand, tile, dim)
        if step == 0 or dim == operand.fast or count == 1:
            continue
        if step != reach:
            break
        transfers, reach = transfers // count, reach * count
    return transfers, rows * words


def _sum(moves: Iterable[_Moves]) -> _Moves:
    n, words = 0, 0
    for one, some in moves:
        n, words = n + one, words + some
    return n, words


def _engine_cycles(moves: _Moves, lanes: int) -> float:
    """Nominal engine cycles while `lanes` lanes do the same."""
    n, words = moves
    rate = min(_COSTS["dma_bytes_per_cycle"], _COSTS["sdram_bytes_per_cycle"] / max(lanes, 1))
    return n * _COSTS["dma_fixed_cycles"] + words * 4 / rate


def _overlaps(
    moved: Sequence[tuple[Operand, bool]], inner: int | None, n_tiles: int, n_inner: int
) -> bool:
    """Whether the next tile is loaded while one computes: what is loaded again has two buffers."""
    if n_tiles <= LANES and n_inner == 1:
        return True
    return all(
        two
        for op, two in moved
        if not op.store and (n_tiles > LANES or (inner is not None and op.stride[inner] != 0))
    )


def _is_moved(operand: Operand) -> bool:
    return not (operand.lazy or operand.internal or operand.resident)


def _each_inner(operand: Operand, inner: int | None) -> bool:
    return inner is None or operand.stride[inner] != 0
