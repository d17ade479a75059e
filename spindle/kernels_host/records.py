"""ctypes twins of the structs that only C passes around (firmware/include/kernels.h, tile.h)."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from spindle.spec import records


class Tile(ctypes.Structure):
    """struct tile."""

    _fields_ = (
        ("origin", ctypes.c_uint32 * records.MAX_DIMS),
        ("extent", ctypes.c_uint32 * records.MAX_DIMS),
        ("first_inner", ctypes.c_uint32),
        ("last_inner", ctypes.c_uint32),
    )


class KernelArgs(ctypes.Structure):
    """struct kernel_args."""

    _fields_ = (
        ("task", ctypes.c_void_p),
        ("operands", ctypes.c_void_p),
        ("program", ctypes.c_void_p),
        ("tile", Tile),
        ("data", ctypes.c_void_p * records.MAX_OPERANDS),
        ("work", ctypes.c_void_p),
    )

    def point_into(self, address: int, task: Mapping[str, Any]) -> None:
        """Set the record pointers: task, operands, terms, instructions follow one another."""
        self.task = address
        self.operands = address + records.TASK.size
        self.program = (
            self.operands
            + task["n_operands"] * records.OPERAND.size
            + task["n_terms"] * records.TERM.size
        )


class RescueChunk(ctypes.Structure):
    """struct rescue_chunk."""

    _fields_ = (
        ("a", ctypes.c_void_p),
        ("b", ctypes.c_void_p),
        ("a_row", ctypes.c_uint32),
        ("a_k", ctypes.c_uint32),
        ("b_row", ctypes.c_uint32),
        ("b_k", ctypes.c_uint32),
        ("kn", ctypes.c_uint32),
    )
