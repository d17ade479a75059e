"""Short words for the ops that the expand passes write most.

In: a Builder, values, and the user's line `loc`. Out: the new op's result. Types follow from the
operands; no function here decides anything. `expand` runs such a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from spindle.ir.graph import Module, Op, Region, TensorType, Value, walk
from spindle.ir.rewrite import Builder, Visit, rebuild_module


def expand(module: Module, kinds: Collection[str], visit: Visit) -> Module:
    """Give every op to `visit`; return the Module itself where it has none of these kinds."""
    if all(op.kind not in kinds for op in walk(module.body)):
        return module
    return rebuild_module(module, visit)


Body = Callable[["Emitter", Value, tuple[Value, ...]], Sequence[Value]]


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

    def transpose(self, value: Value, order: tuple[int, ...]) -> Value:
        """Transpose; nothing where the order is the same."""
        if order == tuple(range(len(order))):
            return value
        out = TensorType(tuple(value.shape[axis] for axis in order), value.dtype)
        return self.builder.emit("transpose", (value,), out, {"permutation": order}, self.loc)

    def reduce(self, value: Value, axis: int, reducer: str, init: Any) -> Value:
        """Reduce one axis, starting from the constant `init`."""
        start = self.splat(init, TensorType((), value.dtype))
        out = TensorType((*value.shape[:axis], *value.shape[axis + 1 :]), value.dtype)
        attrs = {"dims": (axis,), "reducer": reducer}
        return self.builder.emit("reduce", (value, start), out, attrs, self.loc)

    def dynamic_slice(self, x: Value, starts: Sequence[Value], sizes: tuple[int, ...]) -> Value:
        """Append a dynamic_slice; starts are scalars, one per axis."""
        out = TensorType(sizes, x.dtype)
        return self.builder.emit("dynamic_slice", (x, *starts), out, {"sizes": sizes}, self.loc)

    def dynamic_update(self, x: Value, update: Value, starts: Sequence[Value]) -> Value:
        """Append a dynamic_update_slice; starts are scalars, one per axis."""
        return self.builder.emit("dynamic_update_slice", (x, update, *starts), x.type, {}, self.loc)

    def scalar(self, value: int) -> Value:
        """Append a scalar i32 constant."""
        return self.splat(value, TensorType((), "i32"))

    def counted(self, trips: int, carried: Sequence[Value], body: Body) -> tuple[Value, ...]:
        """Append a loop of `trips` trips: body(emit, number of the trip, carried) -> carried.

        `body` may use no other values: regions are closed.
        """
        index = TensorType((), "i32")
        types = (index, *(value.type for value in carried))
        cond = Emitter(Builder(), self.loc)
        tested = tuple(Value(type_) for type_ in types)
        test = cond.compare("LT", tested[0], cond.scalar(trips))
        inner = Emitter(Builder(), self.loc)
        params = tuple(Value(type_) for type_ in types)
        returns = body(inner, params[0], params[1:])
        count = inner.op("add", params[0], inner.scalar(1))
        regions = (
            Region(tested, tuple(cond.builder.ops), (test,)),
            Region(params, tuple(inner.builder.ops), (count, *returns)),
        )
        operands, results = (self.scalar(0), *carried), tuple(Value(type_) for type_ in types)
        loop = Op("while", operands, results, {"trip_count": trips}, regions, self.loc)
        self.builder.add(loop)
        return results[1:]
