"""expand_reverse: turn an axis round by slices and concatenations of short axes.

In: a Module. Out: the Module without `reverse`. An axis of n = a * b elements is split in two, of a
and of b, and both are turned round; an axis that has no short factor first gives its last
element away.
"""

from __future__ import annotations

from spindle.ir.graph import Module, Op, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand

SHORT = 8
"""Longest axis that is turned round element by element."""


def expand_reverse(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"reverse"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "reverse":
        return None
    (value,) = op.operands
    for axis in op.attrs["dims"]:
        value = reversed_axis(Emitter(builder, op.loc), value, axis)
    return (value,)


def reversed_axis(emit: Emitter, value: Value, axis: int) -> Value:
    """Append the ops that turn one axis round; return the result."""
    n = value.shape[axis]
    if n < 2:
        return value
    if n <= SHORT:
        parts = [emit.cut(value, axis, i, i + 1) for i in reversed(range(n))]
        return emit.concatenate(parts, axis)
    factor = max(f for f in range(1, SHORT + 1) if n % f == 0)
    if factor == 1:
        last, rest = emit.cut(value, axis, n - 1, n), emit.cut(value, axis, 0, n - 1)
        return emit.concatenate((last, reversed_axis(emit, rest, axis)), axis)
    split = (*value.shape[:axis], n // factor, factor, *value.shape[axis + 1 :])
    inner = reversed_axis(emit, emit.reshape(value, split), axis + 1)
    return emit.reshape(reversed_axis(emit, inner, axis), value.shape)
