"""gather, scatter and reverse in NumPy.

In: the op and its operands: x [B, ...], indices i32 [B, N, K], windows [B, N, ...] as in
docs/spec/module.md. Out: the result. Windows are taken and scattered one by one, in order of N.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spindle.ir.evaluate_elementwise import canonical
from spindle.ir.evaluate_reduce import COMBINE
from spindle.ir.graph import Op

Array = np.ndarray[Any, Any]


def reverse(op: Op, x: Array) -> Array:
    """Turn the axes `dims` round."""
    return np.flip(x, op.attrs["dims"])


def gather(op: Op, x: Array, indices: Array) -> Array:
    """Return the window of every row; its start is clamped so that it lies inside."""
    out = np.empty(op.result.shape, x.dtype)
    for at in np.ndindex(indices.shape[:2]):
        out[at] = x[at[0]][_window(op, x.shape[1:], out.shape[2:], indices[at])]
    return out


def scatter(op: Op, x: Array, indices: Array, updates: Array) -> Array:
    """Combine x with the window of every row in turn; one that is not wholly inside is dropped.

    Where the updates do not simply replace, every NaN of x becomes the one NaN.
    """
    plain = op.attrs["reducer"] == "update"
    out = x.copy() if plain else canonical(x).copy()
    for at in np.ndindex(indices.shape[:2]):
        update, target = updates[at], out[at[0]]
        if _is_inside(op, target.shape, update.shape, indices[at]):
            where = _window(op, target.shape, update.shape, indices[at])
            both = update if plain else COMBINE[op.attrs["reducer"]](target[where], update)
            target[where] = both
    return out


def _window(op: Op, shape: tuple[int, ...], sizes: tuple[int, ...], row: Array) -> Any:
    starts = {axis - 1: int(start) for axis, start in zip(op.attrs["axes"], row, strict=True)}
    firsts = [
        min(max(starts.get(axis, 0), 0), extent - size)
        for axis, (extent, size) in enumerate(zip(shape, sizes, strict=True))
    ]
    return tuple(slice(first, first + size) for first, size in zip(firsts, sizes, strict=True))


def _is_inside(op: Op, shape: tuple[int, ...], sizes: tuple[int, ...], row: Array) -> bool:
    axes = (axis - 1 for axis in op.attrs["axes"])
    return all(
        0 <= int(start) <= shape[axis] - sizes[axis] for axis, start in zip(axes, row, strict=True)
    )
