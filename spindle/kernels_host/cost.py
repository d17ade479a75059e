"""Cycles and workspace of a task's tiles, by the C formulas of firmware/kernels/kernel_cost.c.

In: task records as bytes (task, operands, terms, instructions). Out: cycles, words.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence

from spindle.kernels_host.build import library
from spindle.kernels_host.records import KernelArgs, Tile
from spindle.spec import costs, records

_U32x4 = ctypes.c_uint32 * 4


@functools.cache
def _cost_table(cost_set: str) -> ctypes.Array[ctypes.c_uint32]:
    values = list(costs.table(cost_set).values())
    return (ctypes.c_uint32 * len(values))(*values)


class TaskCost:
    """One task's formulas, asked for many tiles without packing it again."""

    def __init__(self, task: bytes, cost_set: str = "nominal") -> None:
        self._buffer = ctypes.create_string_buffer(task, len(task))
        address = ctypes.addressof(self._buffer)
        self._args = KernelArgs()
        self._args.point_into(address, records.TASK.unpack(task))
        tile_at = address + records.TASK.offset("tile")
        self._tile = (ctypes.c_uint16 * records.MAX_DIMS).from_address(tile_at)
        self._costs = _cost_table(cost_set)

    def cycles(
        self, extent: Sequence[int], *, last_inner: bool, origin: Sequence[int] = (0, 0, 0, 0)
    ) -> int:
        """Core cycles of the kernel on one tile of these extents; data are not needed.

        last_inner: it is the last one along the task's inner dim: a dot's strip program runs.
        """
        self._args.tile = Tile(_U32x4(*origin), _U32x4(*extent), 1, last_inner)
        return int(library().kernel_cycles(ctypes.byref(self._args), self._costs))

    def work_words(self, tile: Sequence[int]) -> int:
        """Words of DTCM the kernel needs for itself, without temporaries and reduce states."""
        self._tile[:] = list(tile)
        return int(library().kernel_work_words(self._buffer))
