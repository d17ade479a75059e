"""expand_pad: write padding as slices (negative edges) and concatenations (positive ones).

In: a Module. Out: the Module without `pad`. Elements between others (interior) come by a
concatenation on a new axis behind the padded one, which a reshape then joins with it.
"""

from __future__ import annotations

from spindle.ir.graph import Module, Op, Value
from spindle.ir.rewrite import Builder
from spindle.ir.windows import dilated
from spindle.options import Options
from spindle.passes.emit import Emitter, expand


def expand_pad(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"pad"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "pad":
        return None
    emit = Emitter(builder, op.loc)
    value, fill = op.operands
    for axis, inside in enumerate(op.attrs["interior"]):
        value = _dilate(emit, value, fill, axis, inside + 1)
        low, extent = op.attrs["low"][axis], op.result.shape[axis]
        value = _edges(emit, value, fill, axis, low, extent)
    return (value,)


def _dilate(emit: Emitter, value: Value, fill: Value, axis: int, step: int) -> Value:
    """Put step - 1 fills between the elements of an axis."""
    n = value.shape[axis]
    if step == 1 or n < 2:
        return value
    before, after = value.shape[: axis + 1], value.shape[axis + 1 :]
    column = emit.reshape(value, (*before, 1, *after))
    fills = emit.spread(fill, (*before, step - 1, *after))
    wide = emit.concatenate((column, fills), axis + 1)
    joined = emit.reshape(wide, (*before[:-1], n * step, *after))
    return emit.cut(joined, axis, 0, dilated(n, step))


def _edges(emit: Emitter, value: Value, fill: Value, axis: int, low: int, extent: int) -> Value:
    """Place `value` at `low` of an axis of `extent`; what falls outside is cut off."""
    start, limit = max(-low, 0), min(value.shape[axis], extent - low)

    def fills(n: int) -> list[Value]:
        shape = (*value.shape[:axis], n, *value.shape[axis + 1 :])
        return [emit.spread(fill, shape)] if n else []

    if start >= limit:
        return emit.spread(fill, (*value.shape[:axis], extent, *value.shape[axis + 1 :]))
    middle, before = emit.cut(value, axis, start, limit), max(low, 0)
    after = extent - before - (limit - start)
    return emit.concatenate([*fills(before), middle, *fills(after)], axis)
