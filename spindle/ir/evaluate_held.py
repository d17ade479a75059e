"""bf16 and f16 in NumPy: computed as float32, rounded once (docs/numerics.md 1).

In: an op with such a type among its operands or results, and their arrays. Out: the results. Also
`words`, the step between a tensor of a held type and its words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from spindle.ir.dtypes import SMALL_FLOATS
from spindle.ir.evaluate_elementwise import rounded
from spindle.ir.graph import Op, TensorType, Value
from spindle.ir.held import HELD, hold, release
from spindle.ir.kinds import is_exact

Array = np.ndarray[Any, Any]

_OF_ANY_TYPE = frozenset({"constant", "convert", "bitcast_convert", "words", "while", "case"})
"""Kinds that know what to do with every type."""


def is_small_float(op: Op) -> bool:
    """Whether an op is to be computed as float32 and rounded."""
    values = (*op.operands, *op.results)
    return op.kind not in _OF_ANY_TYPE and any(value.dtype in SMALL_FLOATS for value in values)


def small_float(
    op: Op, operands: list[Array], run: Callable[[Op, list[Array]], list[Array]]
) -> list[Array]:
    """Run the op on float32; each result of bf16 or f16 is rounded, once."""
    values = zip(operands, op.operands, strict=True)
    wide = [hold(x, value.dtype) if value.dtype in SMALL_FLOATS else x for x, value in values]
    inner = replace(op, operands=_as_f32(op.operands), results=_as_f32(op.results))
    back = release if is_exact(op.kind, op.attrs) else rounded
    pairs = zip(run(inner, wide), op.results, strict=True)
    return [back(x, value.dtype) if value.dtype in SMALL_FLOATS else x for x, value in pairs]


def _as_f32(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(
        Value(TensorType(v.shape, "f32")) if v.dtype in SMALL_FLOATS else v for v in values
    )


def words(op: Op, x: Array) -> Array:
    """Return the words of a held tensor, or the tensor of its words."""
    held = op.operands[0].dtype
    return hold(x, held) if held in HELD else release(x, op.result.dtype)
