"""What kernels need and cost: workspace and cycles, asked of their C twins.

In: a Task. Out: words and cycles. The C side is firmware/kernels (kernel_cost.c holds formulas).
"""

from __future__ import annotations

from collections.abc import Sequence

from spindle import kernels_host
from spindle.ir.plan import Operand, Task
from spindle.ir.task_record import pack_task
from spindle.spec import costs

_COSTS = {c.name: c.nominal for c in costs.CONSTANTS}


def operand_rows(operand: Operand, tile: Sequence[int]) -> int:
    """Rows of a full tile in DTCM (firmware/include/tile.h)."""
    rows = 1
    granules = (1, operand.granule1, 1, operand.granule3)
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
            granule = (1, operand.granule1, 1, operand.granule3)[dim]
            return rows // -(-tile[dim] // granule) if step == row_bytes else rows
    return rows


def transfer_cycles(operand: Operand, tile: Sequence[int], lanes: int) -> float:
    """Nominal engine cycles of moving a full tile while `lanes` lanes do the same."""
    rate = min(_COSTS["dma_bytes_per_cycle"], _COSTS["sdram_bytes_per_cycle"] / max(lanes, 1))
    return (
        transfers(operand, tile) * _COSTS["dma_fixed_cycles"]
        + operand_words(operand, tile) * 4 / rate
    )


def kernel_cycles(task: Task, tile: Sequence[int], *, last_inner: bool) -> int:
    """Nominal cycles of the kernel on one full tile."""
    return kernels_host.task_cycles(
        pack_task(task), tuple(tile), last_inner=last_inner, cost_set="nominal"
    )


def kernel_words(task: Task) -> int:
    """Words of DTCM the kernel needs for itself."""
    return kernels_host.task_work_words(pack_task(task))


def task_cycles(task: Task) -> float:
    """Estimated cycles of the busiest lane: the larger of computing and moving, tile by tile."""
    tile = tuple(min(t, e) for t, e in zip(task.tile, task.extent, strict=True))
    lanes = min(task.n_tiles, 16)
    rounds = -(-task.n_tiles // 16)
    n_inner = 1 if task.inner is None else -(-task.extent[task.inner] // task.tile[task.inner])
    per_tile = _COSTS["tile_cycles"] + _COSTS["operand_cycles"] * len(task.operands)
    compute = kernel_cycles(task, tile, last_inner=True) + per_tile
    moved = [op for op in task.operands if not (op.lazy or op.internal)]
    each = sum(transfer_cycles(op, tile, lanes) for op in moved if _each_inner(op, task))
    once = sum(transfer_cycles(op, tile, lanes) for op in moved if not _each_inner(op, task))
    first = sum(transfer_cycles(op, tile, lanes) for op in moved if not op.store)
    if n_inner > 1:
        middle = kernel_cycles(task, tile, last_inner=False) + per_tile
        return rounds * (max(middle, each) * (n_inner - 1) + max(compute, each + once)) + first
    return rounds * max(compute, each + once) + first


def _each_inner(operand: Operand, task: Task) -> bool:
    return task.inner is None or operand.stride[task.inner] != 0
