"""Rules of gather and scatter: their dimension numbers become moves around a plain form.

In: a Scope and a raw op. Out: the Value of its result. In the plain form (docs/spec/module.md) the
operand is [B, ...], its batch axes made one; indices are i32 [B, N, K], K starts for each of
N windows in row-major order; windows are [B, N, ...], every axis of the operand after them.
"""

from __future__ import annotations

from math import prod
from typing import Any

from spindle.frontends.jaxlib_adapter import RawOp, RawRegion
from spindle.frontends.places import as_place
from spindle.frontends.refusal import reducer_of, unsupported
from spindle.frontends.scope import Scope
from spindle.ir.graph import TensorType, Value

Shape = tuple[int, ...]


def gather(scope: Scope, raw: RawOp) -> Value:
    """Convert a gather."""
    x, indices = scope.operands(raw)
    form = _Form(scope, raw, raw.attrs["dimension_numbers"], x, indices)
    sizes = tuple(raw.attrs["slice_sizes"][axis] for axis in form.own)
    rows = form.rows(indices)
    windows = TensorType((*rows.shape[:2], *sizes), x.dtype)
    value = scope.emit(raw, "gather", (form.operand(x), rows), windows, axes=form.axes)
    kept = tuple(n for axis, n in zip(form.own, sizes, strict=True) if axis not in form.dropped)
    value = form.reshape(value, (*form.index_extents, *kept))
    places = form.places(len(value.shape))
    return form.transpose(value, tuple(places.index(axis) for axis in range(len(places))))


def scatter(scope: Scope, raw: RawOp) -> Value:
    """Convert a scatter into one array, whose body keeps the update or is one known op."""
    if len(raw.operands) != 3:
        count = len(raw.operands) // 2
        raise unsupported(raw, f"into {count} arrays is not compiled", "scatter into each alone")
    x, indices, updates = scope.operands(raw)
    form = _Form(scope, raw, raw.attrs["scatter_dimension_numbers"], x, indices)
    operand, rows = form.operand(x), form.rows(indices)
    updates = form.transpose(updates, form.places(len(updates.shape)))
    extents = iter(updates.shape[len(form.index_extents) :])
    sizes = tuple(1 if axis in form.dropped else next(extents) for axis in form.own)
    updates = form.reshape(updates, (*rows.shape[:2], *sizes))
    reducer = _reducer(raw)
    if reducer == "subtract":
        updates, reducer = scope.emit(raw, "negate", (updates,), updates.type), "add"
    attrs: dict[str, Any] = {"axes": form.axes, "reducer": reducer}
    value = scope.emit(raw, "scatter", (operand, rows, updates), operand.type, **attrs)
    return form.back(value, x)


def _reducer(raw: RawOp) -> str:
    """Return what the body does with an element and its update; "update" takes the update."""
    (body,) = raw.regions
    if not body.ops and body.returns == body.params[1:]:
        return "update"
    return "subtract" if _subtracts(body) else reducer_of(raw, body)


def _subtracts(body: RawRegion) -> bool:
    """Whether a body takes its update away from its element."""
    if [op.name for op in body.ops] != ["stablehlo.subtract"]:
        return False
    (op,) = body.ops
    return op.operands == body.params and op.results == body.returns


class _Form:
    """The dimension numbers of one op, and the moves that they stand for.

    own: the operand's axes that are no batch axes; axes: which axes of [B, own] the starts count;
    dropped: axes of the operand that a window of the program does not show.
    """

    def __init__(
        self, scope: Scope, raw: RawOp, numbers: dict[str, Any], x: Value, indices: Value
    ) -> None:
        self.scope, self.raw, self.numbers = scope, raw, numbers
        rank, vector = len(indices.shape), numbers["vector"]
        self.batch: Shape = numbers["batch"]
        self.own = tuple(axis for axis in range(len(x.shape)) if axis not in self.batch)
        self.axes = tuple(self.own.index(axis) + 1 for axis in numbers["axes"])
        self.dropped: Shape = numbers["dropped"]
        batch: Shape = numbers["index_batch"]
        others = tuple(i for i in range(rank) if i != vector and i not in batch)
        self.index_axes = batch + others
        self.index_extents = tuple(indices.shape[axis] for axis in self.index_axes)
        self.n_batch = prod(indices.shape[axis] for axis in batch)

    def operand(self, x: Value) -> Value:
        """Return the operand as [B, own axes]."""
        own = tuple(x.shape[axis] for axis in self.own)
        return self.reshape(self.transpose(x, self.batch + self.own), (self.n_batch, *own))

    def back(self, value: Value, x: Value) -> Value:
        """Return [B, own axes] in the shape of the operand `x`."""
        order = self.batch + self.own
        value = self.reshape(value, tuple(x.shape[axis] for axis in order))
        return self.transpose(value, tuple(order.index(axis) for axis in range(len(order))))

    def places(self, rank: int) -> Shape:
        """Return which axis of a result (of updates) each axis of [index axes, window axes] is."""
        window: Shape = self.numbers["window"]
        others = [axis for axis in range(rank) if axis not in window]
        by_index = sorted(self.index_axes)
        return (*(others[by_index.index(axis)] for axis in self.index_axes), *window)

    def rows(self, indices: Value) -> Value:
        """Return the indices as i32 [B, N, K]."""
        vector, width = self.numbers["vector"], len(self.axes)
        order = self.index_axes if vector == len(indices.shape) else (*self.index_axes, vector)
        count = prod(self.index_extents) // max(self.n_batch, 1)
        moved = self.transpose(indices, order)
        rows = self.reshape(moved, (self.n_batch, count, width))
        return as_place(self.scope, self.raw, rows)

    def reshape(self, value: Value, shape: Shape) -> Value:
        """Reshape, where the shape is another."""
        if value.shape == shape:
            return value
        return self.scope.emit(self.raw, "reshape", (value,), TensorType(shape, value.dtype))

    def transpose(self, value: Value, order: Shape) -> Value:
        """Transpose, where the order is another."""
        if order == tuple(range(len(order))):
            return value
        out = TensorType(tuple(value.shape[axis] for axis in order), value.dtype)
        return self.scope.emit(self.raw, "transpose", (value,), out, permutation=order)
