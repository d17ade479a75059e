"""sort in NumPy: a stable sort by the first operands.

In: the op and its operands. Out: the operands, all in the new order. A float key counts as a number
(-0 equals +0, all NaNs are equal and larger than the rest) or by its bits (IEEE totalOrder).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spindle.ir.evaluate_elementwise import SIGN_BIT, bits_of, canonical
from spindle.ir.graph import Op

Array = np.ndarray[Any, Any]


def sort(op: Op, operands: list[Array]) -> list[Array]:
    """Sort along op.attrs["dim"] by op.attrs["keys"]."""
    keys = [
        _rank(x, by_bits) if direction == "LT" else ~_rank(x, by_bits)
        for x, (direction, by_bits) in zip(operands, op.attrs["keys"], strict=False)
    ]
    order = np.lexsort(keys[::-1], axis=op.attrs["dim"])
    return [np.take_along_axis(x, order, axis=op.attrs["dim"]) for x in operands]


def _rank(x: Array, by_bits: bool) -> Array:
    """Return int64 in the order of the key."""
    if x.dtype == np.uint64:
        return (x ^ np.uint64(1 << 63)).view(np.int64)
    if x.dtype != np.float32:
        return x.astype(np.int64)
    number = x if by_bits else canonical(np.where(x == 0, np.float32(0), x))
    magnitude = (bits_of(number) & ~SIGN_BIT).astype(np.int64)
    return np.where(np.signbit(number), -1 - magnitude, magnitude)
