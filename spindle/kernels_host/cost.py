"""Cycles and workspace of a task's tiles, by the C formulas of firmware/kernels/kernel_cost.c.

In: task records as bytes (task, operands, terms, instructions). Out: cycles, words.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence

from spindle.kernels_host.records import KernelArgs, Tile
from spindle.spec import costs, records


def _library() -> ctypes.CDLL:
    """Imported on use, so that `python -m spindle.kernels_host.build` is not loaded twice."""
    from spindle.kernels_host.build import library

    return library()


@functools.cache
def _cost_table(cost_set: str) -> ctypes.Array[ctypes.c_uint32]:
    values = list(costs.table(cost_set).values())
    return (ctypes.c_uint32 * len(values))(*values)


def task_cycles(
    task: bytes,
    tile: Sequence[int],
    *,
    last_inner: bool,
    cost_set: str = "nominal",
    origin: Sequence[int] = (0, 0, 0, 0),
) -> int:
    """Core cycles of the kernel on one tile of extents `tile` at `origin`; data are not needed.

    last_inner: the tile is the last one along the task's inner dim, so a dot's strip program runs.
    """
    buffer = ctypes.create_string_buffer(task, len(task))
    args = KernelArgs()
    args.point_into(ctypes.addressof(buffer), records.TASK.unpack(task))
    args.tile = Tile((ctypes.c_uint32 * 4)(*origin), (ctypes.c_uint32 * 4)(*tile), 1, last_inner)
    return int(_library().kernel_cycles(ctypes.byref(args), _cost_table(cost_set)))


def task_work_words(task: bytes) -> int:
    """Words of DTCM the kernel needs for itself, without strip temporaries and reduce states."""
    head = ctypes.create_string_buffer(task[: records.TASK.size], records.TASK.size)
    return int(_library().kernel_work_words(head))
