"""What kernels need and cost: workspace and cycles, asked of their C twins.

In: a Task. Out: words and cycles. The C side is firmware/kernels (kernel_cost.c holds formulas).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import add

from spindle import kernels_host
from spindle.ir.plan import Instr, Operand, Task
from spindle.ir.task_record import pack_task
from spindle.spec import costs
from spindle.spec.records import LANES
from spindle.spec.tables import PRIMITIVES

_COSTS = {c.name: c.nominal for c in costs.CONSTANTS}
_PRIMITIVE_CYCLES = {p.name: p.cycles for p in PRIMITIVES}


def operand_rows(operand: Operand, tile: Sequence[int]) -> int:
    """Rows of a full tile in DTCM (firmware/include/tile.h)."""
    rows = 1
    granules = (1, operand.granule1, operand.granule1, operand.granule3)
    for dim in range(4):
        if operand.stride[dim] != 0 and dim != operand.fast:
            rows *= -(-tile[dim] // granules[dim])
    return rows


def row_words(operand: Operand, tile: Sequence[int]) -> int:
    """Words of one row of a full tile."""
    n = 1 if operand.fast is None else tile[operand.fast]
    return -(-n * operand.unit_words // operand.align_words) * operand.align_words


def operand_words(operand: Operand, tile: Sequence[int]) -> int:
    """Words of a full tile in DTCM."""
    return operand_rows(operand, tile) * row_words(operand, tile)


def transfers(operand: Operand, tile: Sequence[int]) -> int:
    """Transfers that move a full tile: rows that touch in SDRAM are one."""
    rows = operand_rows(operand, tile)
    row_bytes = row_words(operand, tile) * 4
    for dim in (3, 2, 1):
        step = operand.stride[dim]
        if step != 0 and dim != operand.fast:
            granule = operand.granule3 if dim == 3 else operand.granule1
            return rows // -(-tile[dim] // granule) if step == row_bytes else rows
    return rows


def transfer_cycles(operand: Operand, tile: Sequence[int], lanes: int) -> float:
    """Nominal engine cycles of moving a full tile while `lanes` lanes do the same."""
    rate = min(_COSTS["dma_bytes_per_cycle"], _COSTS["sdram_bytes_per_cycle"] / max(lanes, 1))
    return (
        transfers(operand, tile) * _COSTS["dma_fixed_cycles"]
        + operand_words(operand, tile) * 4 / rate
    )


def clipped(tile: Sequence[int], extent: Sequence[int]) -> tuple[int, int, int, int]:
    """Extents of the first tile."""
    t0, t1, t2, t3 = (min(t, e) for t, e in zip(tile, extent, strict=True))
    return t0, t1, t2, t3


def element_cycles(kernel: str, program: Sequence[Instr], n_operands: int) -> float:
    """Rough cycles per index of the space, for sharing lanes between tasks."""
    if kernel.startswith("DOT"):
        return 4.2 if kernel == "DOT_S28" else _COSTS["mac_f32_cycles"]
    computed = sum(_PRIMITIVE_CYCLES[instr.prim] for instr in program)
    moved = n_operands * 4 * LANES / _COSTS["sdram_bytes_per_cycle"]
    return max(computed, moved) if kernel == "STRIP" else 8.0 + moved


@lru_cache(maxsize=4096)
def tile_cycles(task: Task) -> float:
    """Nominal cycles of one of a settled task's tiles (its inner ones together), SDRAM free."""
    return Cost(task).tile_cycles(task, 1)


def first_load_cycles(task: Task) -> float:
    """Nominal cycles until every lane that starts with this task has its first tile."""
    tile = clipped(task.tile, task.extent)
    lanes = min(task.n_tiles, LANES)
    return sum(transfer_cycles(op, tile, lanes) for op in _moved(task) if not op.store)


def bus_cycles(task: Task) -> float:
    """Nominal cycles of SDRAM that a task's transfers take."""
    tile = clipped(task.tile, task.extent)
    n_inner = _n_inner(task)
    words = sum(
        operand_words(op, tile) * (n_inner if _each_inner(op, task) else 1) for op in _moved(task)
    )
    return words * 4 * task.n_tiles / _COSTS["sdram_bytes_per_cycle"]


def work_words(task: Task) -> int:
    """Words of DTCM a task's kernel needs for itself."""
    return Cost(task).work_words(task.tile)


class Cost:
    """Formulas of one task (any tile)."""

    def __init__(self, task: Task) -> None:
        self._formulas = kernels_host.TaskCost(pack_task(task))

    def work_words(self, tile: Sequence[int]) -> int:
        """Words of DTCM the kernel needs for itself."""
        return self._formulas.work_words(tile)

    def task_cycles(self, task: Task, lanes: int) -> tuple[float, float]:
        """Cycles of the busiest of `lanes` lanes when nobody else uses the SDRAM.

        Returns those behind the first tile's load, and those of that load.
        """
        busy = max(min(task.n_tiles, lanes, LANES), 1)
        rounds = -(-task.n_tiles // busy)
        tile = clipped(task.tile, task.extent)
        first = sum(transfer_cycles(op, tile, busy) for op in _moved(task) if not op.store)
        return rounds * self.tile_cycles(task, busy), first

    def tile_cycles(self, task: Task, lanes: int) -> float:
        """Cycles of an outer tile: computing or moving, whichever is longer, inner ones added."""
        tile = clipped(task.tile, task.extent)
        moved = _moved(task)
        per_operand, per_tile = _COSTS["operand_cycles"], _COSTS["tile_cycles"]
        each = sum(transfer_cycles(op, tile, lanes) for op in moved if _each_inner(op, task))
        once = sum(transfer_cycles(op, tile, lanes) for op in moved if not _each_inner(op, task))
        n_inner = _n_inner(task)
        last = self._formulas.cycles(tile, last_inner=True, origin=_last_origin(task, n_inner))
        longer = max if _overlaps(task) else add
        queueing = {
            op: per_operand + _COSTS["dma_setup_cycles"] * transfers(op, tile) for op in moved
        }
        core = last + per_tile + sum(queueing.values())
        total: float = longer(core, each + once)
        if n_inner > 1:
            middle = self._formulas.cycles(tile, last_inner=False) + per_tile
            middle_core = middle + sum(queueing[op] for op in moved if _each_inner(op, task))
            total += longer(middle_core, each) * (n_inner - 1)
        return total


def _overlaps(task: Task) -> bool:
    """Whether the next tile is loaded while one computes: what is loaded again has two buffers."""
    if task.n_tiles <= LANES and _n_inner(task) == 1:
        return True
    again = [
        op
        for op in _moved(task)
        if not op.store
        and (task.n_tiles > LANES or (task.inner is not None and op.stride[task.inner] != 0))
    ]
    return all(op.buffer for op in again)


def _moved(task: Task) -> list[Operand]:
    return [op for op in task.operands if not (op.lazy or op.internal or op.resident)]


def _n_inner(task: Task) -> int:
    return 1 if task.inner is None else -(-task.extent[task.inner] // task.tile[task.inner])


def _last_origin(task: Task, n_inner: int) -> tuple[int, ...]:
    return tuple((n_inner - 1) * task.tile[dim] if dim == task.inner else 0 for dim in range(4))


def _each_inner(operand: Operand, task: Task) -> bool:
    return task.inner is None or operand.stride[task.inner] != 0
