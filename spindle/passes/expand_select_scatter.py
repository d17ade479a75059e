"""expand_select_scatter: the gradient of max pooling as compares, selects and shifted sums.

In: a Module. Out: the Module without `select_and_scatter`. First a chain over the elements of the
window finds each window's selected one; then every element of the operand adds the sources of the
windows that selected it. Elements are grouped by their place modulo the stride, as the elements
of a group meet their windows at the same offsets:

    place + low padding = q * stride + r;   offset r + j * stride  <->  window q - j
"""

from __future__ import annotations

import itertools

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.kinds import neutral
from spindle.ir.rewrite import Builder
from spindle.ir.windows import window_axes
from spindle.options import Options
from spindle.passes.emit import Emitter, expand

Offset = tuple[int, ...]


def expand_select_scatter(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"select_and_scatter"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "select_and_scatter":
        return None
    emit = Emitter(builder, op.loc)
    if not op.operands[1].type.size:
        return (_start(emit, op, op.result.shape),)
    return (_scatter(emit, op, _contributions(emit, op, _selected(emit, op))),)


def _start(emit: Emitter, op: Op, shape: tuple[int, ...]) -> Value:
    """Return init everywhere; a float NaN becomes the one NaN, as in every sum."""
    init = op.operands[2]
    return emit.spread(emit.op("add", init, emit.splat(neutral("add", init.dtype), init)), shape)


def _offsets(op: Op) -> list[Offset]:
    return list(itertools.product(*map(range, op.attrs["window"])))


def _selected(emit: Emitter, op: Op) -> Value:
    """Return per window the number of its selected element, -1 where all is padding."""
    x, init = op.operands[0], op.operands[2]
    edges = any(any(pair) for pair in op.attrs["padding"])
    inside = _padded(emit, op, emit.splat(True, x, "i1"), emit.splat(False, init, "i1"))
    x = _padded(emit, op, x, init)
    best = at = x
    for number, offset in enumerate(_offsets(op)):
        element = _element(emit, op, x, offset)
        valid = _element(emit, op, inside, offset) if edges else None
        here = emit.splat(number, element, "i32")
        if number == 0:
            nothing = emit.splat(-1, element, "i32")
            best, at = element, here if valid is None else emit.select(valid, here, nothing)
            continue
        taken = emit.op("not", emit.compare(op.attrs["direction"], best, element))
        if valid is not None:
            empty = emit.compare("LT", at, emit.splat(0, at))
            taken = emit.op("and", valid, emit.op("or", empty, taken))
        best, at = emit.select(taken, element, best), emit.select(taken, here, at)
    return at


def _padded(emit: Emitter, op: Op, value: Value, fill: Value) -> Value:
    low, high = zip(*op.attrs["padding"], strict=True)
    attrs = {"low": low, "high": high, "interior": (0,) * len(low)}
    type_ = TensorType(tuple(axis.padded for axis in window_axes(op)), value.dtype)
    return emit.builder.emit("pad", (value, fill), type_, attrs, op.loc)


def _element(emit: Emitter, op: Op, x: Value, offset: Offset) -> Value:
    """Return element `offset` of every window."""
    for axis, first in enumerate(offset):
        stride, count = op.attrs["strides"][axis], op.operands[1].shape[axis]
        x = emit.cut(x, axis, first, first + (count - 1) * stride + 1, stride)
    return x


def _contributions(emit: Emitter, op: Op, at: Value) -> dict[Offset, Value]:
    """Return per offset the sources of the windows that selected it, else what adds nothing."""
    source = op.operands[1]
    nothing = emit.splat(neutral("add", source.dtype), source)
    return {
        offset: emit.select(emit.compare("EQ", at, emit.splat(k, at)), source, nothing)
        for k, offset in enumerate(_offsets(op))
    }


def _scatter(emit: Emitter, op: Op, parts: dict[Offset, Value]) -> Value:
    """Sum the groups and put them in order, then cut the padding off."""
    value = _group(emit, op, parts, ())
    for axis, extent in enumerate(op.result.shape):
        low = op.attrs["padding"][axis][0]
        value = emit.cut(value, axis, low, low + extent)
    return value


def _group(emit: Emitter, op: Op, parts: dict[Offset, Value], place: Offset) -> Value:
    """Return the elements whose place modulo the stride is `place`, as far as that goes."""
    axis = len(place)
    if axis == len(op.attrs["window"]):
        return _sum(emit, op, parts, place)
    stride = op.attrs["strides"][axis]
    groups = [_group(emit, op, parts, (*place, r)) for r in range(stride)]
    if stride == 1:
        return groups[0]
    shape = groups[0].shape
    split = (*shape[: axis + 1], 1, *shape[axis + 1 :])
    joined = emit.concatenate([emit.reshape(g, split) for g in groups], axis + 1)
    return emit.reshape(joined, (*shape[:axis], shape[axis] * stride, *shape[axis + 1 :]))


def _sum(emit: Emitter, op: Op, parts: dict[Offset, Value], place: Offset) -> Value:
    """Sum over the offsets of one group, the last one first: its windows in order."""
    strides = op.attrs["strides"]
    shape = tuple(
        -(-(low + extent) // stride)
        for extent, (low, _), stride in zip(
            op.result.shape, op.attrs["padding"], strides, strict=True
        )
    )
    total = _start(emit, op, shape)
    for offset in reversed(parts):
        if all(k % s == r for k, s, r in zip(offset, strides, place, strict=True)):
            shift = tuple(k // s for k, s in zip(offset, strides, strict=True))
            total = emit.op("add", total, _shifted(emit, parts[offset], shift, shape))
    return total


def _shifted(emit: Emitter, part: Value, shift: Offset, shape: tuple[int, ...]) -> Value:
    """Place `part` at `shift` in `shape`, with what adds nothing around it."""
    high = tuple(n - m - j for n, m, j in zip(shape, part.shape, shift, strict=True))
    fill = emit.splat(neutral("add", part.dtype), TensorType((), part.dtype))
    attrs = {"low": shift, "high": high, "interior": (0,) * len(shift)}
    type_ = TensorType(shape, part.dtype)
    return emit.builder.emit("pad", (part, fill), type_, attrs, emit.loc)
