"""What expand_gather and expand_scatter share: from indices [B, N, K] to starts of rows.

In: a gather or scatter (docs/spec/module.md) and an Emitter. Out: Picks, where every row takes
single elements of the indexed axes and all of the others; Rows, one start per axis and row, for
all. Index arithmetic is done for all rows at once, so that a loop's trip only reads a start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from spindle.ir.graph import Op, TensorType, Value
from spindle.passes.emit import Emitter

FEW = 4
"""Rows up to which no loop is needed."""
KNOWN = 64
"""Rows with constant indices up to which no loop is needed."""
SMALL = 4096
"""Elements of an operand up to which every row rather looks at all of them than has a trip."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Picks:
    """x [B, D, R]; row n of batch b takes x[b, at[b, n]], `at` i32 [B, N] clamped to 0..D-1.

    inside: i1 [B, N], whether the index was inside before it was clamped. order: the axes of the
    operand in their order in x, whose extents were `shape`.
    """

    x: Value
    at: Value
    inside: Value
    order: Shape
    shape: Shape

    @property
    def is_small(self) -> bool:
        """Whether looking at every element of x for every row is the cheapest."""
        return prod(self.x.shape[1:]) <= SMALL

    def back(self, emit: Emitter, x: Value) -> Value:
        """Return x [B, D, R] in the operand's own shape."""
        wide = emit.reshape(x, tuple(self.shape[axis] for axis in self.order))
        return emit.transpose(wide, tuple(self.order.index(i) for i in range(len(self.order))))


def picks(emit: Emitter, op: Op, sizes: Shape) -> Picks | None:
    """Return the plain form of rows of single elements; None where a window is another."""
    x, indices = op.operands[:2]
    axes: Shape = op.attrs["axes"]
    others = tuple(axis for axis in range(1, len(x.shape)) if axis not in axes)
    single = all(sizes[axis - 1] == 1 for axis in axes)
    if not single or any(sizes[axis - 1] != x.shape[axis] for axis in others):
        return None
    order = (0, *axes, *others)
    moved = emit.transpose(x, order)
    depth, width = prod(x.shape[axis] for axis in axes), prod(x.shape[axis] for axis in others)
    flat = emit.reshape(moved, (x.shape[0], depth, width))
    at = emit.splat(0, TensorType(indices.shape[:2], "i32"))
    for axis, column in zip(axes, _columns(emit, indices), strict=True):
        extent = emit.splat(x.shape[axis], column)
        last = emit.splat(x.shape[axis] - 1, column)
        clamped = emit.op("clamp", emit.splat(0, column), column, last)
        at = emit.op("add", emit.op("multiply", at, extent), clamped)
    return Picks(flat, at, inside(emit, op, sizes), order, x.shape)


def _columns(emit: Emitter, indices: Value) -> list[Value]:
    """Return the K columns [B, N] of indices [B, N, K]."""
    parts = [emit.cut(indices, 2, k, k + 1) for k in range(indices.shape[2])]
    return [emit.reshape(part, indices.shape[:2]) for part in parts]


def inside(emit: Emitter, op: Op, sizes: Shape) -> Value:
    """Return i1 [B, N]: whether each window lies inside the operand."""
    x, indices = op.operands[:2]
    flags = emit.splat(True, TensorType(indices.shape[:2], "i1"))
    for axis, column in zip(op.attrs["axes"], _columns(emit, indices), strict=True):
        last = emit.splat(x.shape[axis] - sizes[axis - 1], column)
        low = emit.compare("GE", column, emit.splat(0, column))
        flags = emit.op("and", flags, emit.op("and", low, emit.compare("LE", column, last)))
    return flags


@dataclass(frozen=True)
class Rows:
    """`count` rows: a column of starts i32 [count] for each of `axes` of an operand of `rank`.

    known: whether all starts are constants.
    """

    count: int
    rank: int
    axes: Shape
    columns: tuple[Value, ...]
    known: bool

    @property
    def unrolled(self) -> bool:
        """Whether the windows are best written one after the other."""
        return self.count <= (KNOWN if self.known else FEW)

    def starts(self, emit: Emitter, number: int) -> list[Value]:
        """Return one scalar start per axis for the row `number`."""
        parts = (emit.cut(column, 0, number, number + 1) for column in self.columns)
        return self._placed(emit, [emit.reshape(part, ()) for part in parts])

    def read(self, emit: Emitter, columns: Sequence[Value], number: Value) -> list[Value]:
        """Return the same in a loop, where `columns` are carried and `number` counts."""
        parts = (emit.dynamic_slice(column, (number,), (1,)) for column in columns)
        return self._placed(emit, [emit.reshape(part, ()) for part in parts])

    def _placed(self, emit: Emitter, starts: list[Value]) -> list[Value]:
        by_axis = dict(zip(self.axes, starts, strict=True))
        return [by_axis[i] if i in by_axis else emit.scalar(0) for i in range(self.rank)]


def rows_of_picks(emit: Emitter, picked: Picks) -> tuple[Value, Rows]:
    """Return x as [B * D, R], and rows with one start each."""
    n_batch, depth, width = picked.x.shape
    shape = picked.at.shape
    first = emit.op("multiply", emit.iota(shape, 0), emit.splat(depth, picked.at))
    column = emit.reshape(emit.op("add", first, picked.at), (prod(shape),))
    flat = emit.reshape(picked.x, (n_batch * depth, width))
    return flat, Rows(prod(shape), 2, (0,), (column,), False)


def rows_of(emit: Emitter, op: Op) -> Rows:
    """Return the rows of any windows, with the batch as one more axis that they count."""
    indices = op.operands[1]
    shape, maker = indices.shape[:2], emit.builder.defs.get(indices)
    columns = [emit.iota(shape, 0), *_columns(emit, indices)]
    flat = tuple(emit.reshape(column, (prod(shape),)) for column in columns)
    known = maker is not None and maker.kind == "constant"
    return Rows(prod(shape), len(op.operands[0].shape), (0, *op.attrs["axes"]), flat, known)
