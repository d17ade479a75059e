"""lower_reverse: write a reverse as slices in the other order, put together again.

In: a Module. Out: the Module without `reverse`. An axis of few elements is taken apart whole; a
longer one is seen as two axes, both turned, or loses its last element first.
"""

from __future__ import annotations

from spindle.ir.graph import Module, Op, Value
from spindle.ir.rewrite import Builder, rebuild_module
from spindle.options import Options
from spindle.passes.pieces import cut, join

FEW = 7
"""Elements of an axis that are moved one by one."""


def lower_reverse(module: Module, options: Options) -> Module:
    """Rewrite the reverses of every region. Needs nothing of the options."""
    return rebuild_module(module, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "reverse":
        return None
    (value,) = op.operands
    for axis in op.attrs["dims"]:
        value = _turned(builder, value, axis, op.loc)
    return (value,)


def _turned(builder: Builder, value: Value, axis: int, loc: str) -> Value:
    shape = value.shape
    n = shape[axis]
    if n <= FEW:
        return _one_by_one(builder, value, axis, loc)
    factor = next((p for p in range(FEW, 1, -1) if n % p == 0), None)
    if factor is None:
        rest = _turned(builder, cut(builder, value, axis, 0, n - 1, loc), axis, loc)
        return join(builder, [cut(builder, value, axis, n - 1, n, loc), rest], axis, loc)
    split = (*shape[:axis], n // factor, factor, *shape[axis + 1 :])
    value = builder.reshape(value, split, loc)
    value = _turned(builder, _turned(builder, value, axis, loc), axis + 1, loc)
    return builder.reshape(value, shape, loc)


def _one_by_one(builder: Builder, value: Value, axis: int, loc: str) -> Value:
    n = value.shape[axis]
    if n < 2:
        return value
    parts = [cut(builder, value, axis, i, i + 1, loc) for i in range(n - 1, -1, -1)]
    return join(builder, parts, axis, loc)
