"""Reductions of the Module in NumPy: the fixed order of float sums and products.

In: the operand and a scalar init. Out: the operand without the reduced axes. The order is that of
docs/numerics.md 4: blocks of the tree's size, then neighbours level by level, then init.
arg_reduce (argmax, argmin) is here too.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from spindle.ir.evaluate_elementwise import add, maximum, minimum, multiply
from spindle.ir.graph import Op, ReduceTree

Array = np.ndarray[Any, Any]
Combine = Callable[[Array, Array], Array]

COMBINE: dict[str, Combine] = {
    "add": add,
    "multiply": multiply,
    "maximum": maximum,
    "minimum": minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}


def reduce(op: Op, x: Array, init: Array) -> Array:
    """Reduce `x` over op.attrs["dims"] with op.attrs["reducer"], starting from scalar `init`."""
    rows = _rows(x, op.attrs["dims"])
    start = np.broadcast_to(init, rows.shape[:-1])
    if rows.shape[-1] == 0:
        return start
    tree = op.attrs.get("numerics") or ReduceTree()
    combine = COMBINE[op.attrs["reducer"]]
    return combine(start, _tree(rows, combine, tree.block))


def arg_reduce(op: Op, x: Array, number: Array, init: Array, first: Array) -> Array:
    """Return the smallest number among the best elements; `init` with number `first` is one more.

    A NaN is better than all else, and all NaNs are equal; -0 and +0 are equal.
    """
    rows = _with_one_more(_rows(x, op.attrs["dims"]), init)
    numbers = _with_one_more(_rows(number, op.attrs["dims"]), first)
    nan = rows != rows
    pick, worst = (np.max, -np.inf) if op.attrs["reducer"] == "maximum" else (np.min, np.inf)
    filled = np.where(nan, np.float32(worst), rows) if rows.dtype == np.float32 else rows
    best = pick(filled, axis=-1, keepdims=True)
    chosen = np.where(nan.any(axis=-1, keepdims=True), nan, rows == best)
    limit = np.iinfo(number.dtype).max
    smallest: Array = np.where(chosen, numbers, limit).min(axis=-1)
    return smallest.astype(number.dtype)


def _rows(x: Array, dims: tuple[int, ...]) -> Array:
    """Return x with the axes `dims` made one, row-major, at the end."""
    kept = [axis for axis in range(x.ndim) if axis not in dims]
    n = prod(x.shape[axis] for axis in dims)
    return x.transpose([*kept, *dims]).reshape(*(x.shape[axis] for axis in kept), n)


def _with_one_more(rows: Array, value: Array) -> Array:
    return np.concatenate([rows, np.broadcast_to(value, (*rows.shape[:-1], 1))], axis=-1)


def _tree(rows: Array, combine: Combine, block: int) -> Array:
    """Combine the last axis (not empty): sequential blocks, then neighbours level by level."""
    n = rows.shape[-1]
    whole = n - n % block
    blocks = rows[..., :whole].reshape(*rows.shape[:-1], whole // block, block)
    partial = [_in_order(blocks, combine)] if whole else []
    if whole < n:
        partial.append(_in_order(rows[..., None, whole:], combine))
    level = np.concatenate(partial, axis=-1)
    while level.shape[-1] > 1:
        level = _neighbours(level, combine)
    return level[..., 0]


def _in_order(blocks: Array, combine: Combine) -> Array:
    acc = blocks[..., 0]
    for i in range(1, blocks.shape[-1]):
        acc = combine(acc, blocks[..., i])
    return acc


def _neighbours(level: Array, combine: Combine) -> Array:
    """(2i, 2i+1) combined; an odd last one moves up unchanged."""
    n = level.shape[-1]
    pairs = combine(level[..., 0 : n - 1 : 2], level[..., 1:n:2])
    return np.concatenate([pairs, level[..., n - 1 :]], axis=-1) if n % 2 else pairs
