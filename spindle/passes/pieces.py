"""Pieces of tensors along one axis: cut out, and put together.

In: a Builder and Values. Out: the Value of a slice or concatenate, or a Value as it was where there
is nothing to do.
"""

from __future__ import annotations

from spindle.ir.graph import TensorType, Value
from spindle.ir.rewrite import Builder


def cut(builder: Builder, value: Value, axis: int, first: int, end: int, loc: str) -> Value:
    """Return elements first .. end - 1 along one axis."""
    start, limit = [0] * len(value.shape), list(value.shape)
    start[axis], limit[axis] = first, end
    shape = tuple(b - a for a, b in zip(start, limit, strict=True))
    attrs = {"start": tuple(start), "limit": tuple(limit), "strides": (1,) * len(shape)}
    if shape == value.shape:
        return value
    return builder.emit("slice", (value,), TensorType(shape, value.dtype), attrs, loc)


def join(builder: Builder, parts: list[Value], axis: int, loc: str) -> Value:
    """Return the concatenation of values along one axis."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0].shape
    shape = (*first[:axis], sum(part.shape[axis] for part in parts), *first[axis + 1 :])
    type_ = TensorType(shape, parts[0].dtype)
    return builder.emit("concatenate", parts, type_, {"dim": axis}, loc)
