"""Compositions on arrays: ir/compositions.py with the definitions of evaluate_elementwise.py.

In: the op and its operands. Out: the result array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spindle.ir.composition_parts import count_leading_zeros
from spindle.ir.compositions import COMPOSITIONS
from spindle.ir.evaluate_elementwise import ELEMENTWISE, NAMES
from spindle.ir.graph import DTYPES, Op, TensorType, Value

Array = np.ndarray[Any, Any]


class ArrayOps:
    """Applies kinds to arrays at once."""

    def op(self, kind: str, *operands: Array, dtype: str = "", **attrs: Any) -> Array:
        """Apply a kind."""
        out = TensorType(operands[-1].shape, dtype or NAMES[operands[-1].dtype])
        return ELEMENTWISE[kind](Op(kind, (), (Value(out),), attrs), *operands)

    def splat(self, value: Any, like: Array, dtype: str = "") -> Array:
        """Return a constant."""
        return np.full(like.shape, value, DTYPES[dtype] if dtype else like.dtype)

    def compare(self, direction: str, a: Array, b: Array) -> Array:
        """Compare."""
        return self.op("compare", a, b, dtype="i1", direction=direction)

    def select(self, pred: Array, on_true: Array, on_false: Array) -> Array:
        """Select."""
        return self.op("select", pred, on_true, on_false)


def _composed(kind: str) -> Callable[..., Array]:
    return lambda op, *operands: COMPOSITIONS[kind](ArrayOps(), *operands)


def _leading_zeros(op: Op, x: Array) -> Array:
    return count_leading_zeros(ArrayOps(), x, x.dtype.itemsize * 8)


COMPOSED: dict[str, Callable[..., Array]] = {
    **{kind: _composed(kind) for kind in COMPOSITIONS},
    "count_leading_zeros": _leading_zeros,
}
"""Op kind -> function(op, *operands)."""
