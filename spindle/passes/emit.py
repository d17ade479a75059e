"""Short words for the ops that the expand passes write most.

In: a Builder, values, and the user's line `loc`. Out: the new op's result. Types follow from the
operands; no function here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spindle.ir.graph import TensorType, Value
from spindle.ir.rewrite import Builder


class Emitter:
    """Appends ops to `builder`, all with the line `loc`."""

    def __init__(self, builder: Builder, loc: str) -> None:
        self.builder = builder
        self.loc = loc

    def op(self, kind: str, *operands: Value, dtype: str = "", **attrs: Any) -> Value:
        """Append an elementwise op; `dtype` is the result's, the last operand's by default."""
        out = TensorType(operands[-1].shape, dtype or operands[-1].dtype)
        return self.builder.emit(kind, operands, out, attrs, self.loc)

    def splat(self, value: Any, like: Value | TensorType, dtype: str = "") -> Value:
        """Append a constant, the same everywhere, of the shape (and type) of `like`."""
        out = TensorType(like.shape, dtype or like.dtype)
        return self.builder.splat(value, out, self.loc)

    def compare(self, direction: str, a: Value, b: Value) -> Value:
        """Append a comparison."""
        return self.op("compare", a, b, dtype="i1", direction=direction)

    def select(self, pred: Value, on_true: Value, on_false: Value) -> Value:
        """Append a select; a scalar pred is spread over the shape."""
        return self.op("select", self.spread(pred, on_true.shape), on_true, on_false)

    def spread(self, value: Value, shape: tuple[int, ...], dims: tuple[int, ...] = ()) -> Value:
        """Broadcast: axis i of `value` becomes axis dims[i] of `shape`; () is for a scalar."""
        if value.shape == shape:
            return value
        out = TensorType(shape, value.dtype)
        return self.builder.emit("broadcast_in_dim", (value,), out, {"dims": dims}, self.loc)

    def iota(self, shape: tuple[int, ...], dim: int, dtype: str = "i32") -> Value:
        """Append an iota."""
        return self.builder.emit("iota", (), TensorType(shape, dtype), {"dim": dim}, self.loc)

    def reshape(self, value: Value, shape: tuple[int, ...]) -> Value:
        """Reshape; nothing where the shape is the same."""
        return self.builder.reshape(value, shape, self.loc)

    def cut(self, value: Value, axis: int, start: int, limit: int, stride: int = 1) -> Value:
        """Take start, start + stride, ... below limit of one axis; nothing where that is all."""
        shape = list(value.shape)
        if (start, limit, stride) == (0, shape[axis], 1):
            return value
        starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
        starts[axis], limits[axis], strides[axis] = start, limit, stride
        shape[axis] = -(-(limit - start) // stride)
        attrs = {"start": tuple(starts), "limit": tuple(limits), "strides": tuple(strides)}
        out = TensorType(tuple(shape), value.dtype)
        return self.builder.emit("slice", (value,), out, attrs, self.loc)

    def concatenate(self, values: Sequence[Value], axis: int) -> Value:
        """Join values along an axis; nothing where there is one."""
        if len(values) == 1:
            return values[0]
        shape = list(values[0].shape)
        shape[axis] = sum(value.shape[axis] for value in values)
        out = TensorType(tuple(shape), values[0].dtype)
        return self.builder.emit("concatenate", values, out, {"dim": axis}, self.loc)
