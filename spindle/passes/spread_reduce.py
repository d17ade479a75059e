"""spread_reduce: give a long reduction to few results work for all lanes.

In: a Module. Out: the Module in which a reduce of the last axes, with fewer results than lanes,
first reduces blocks of 256 elements each, then the blocks' results: neighbours level by level where
the order counts. That is the tree of docs/numerics.md 4, so every bit stays.
"""

from __future__ import annotations

from math import prod

from spindle.ir.graph import Module, Op, ReduceTree, Value
from spindle.ir.kinds import neutral
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand
from spindle.passes.fix_numerics import FLOAT_ORDERED
from spindle.spec.records import LANES

BLOCK = ReduceTree().block
LEAST = 16 * BLOCK
"""Elements from which on blocks for all lanes are worth a second task."""


def spread_reduce(module: Module, options: Options) -> Module:
    """Rewrite the reduces of every region; nothing where options.fuse is False."""
    return expand(module, {"reduce"}, _visit) if options.fuse else module


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "reduce" or not _is_long(op):
        return None
    emit = Emitter(builder, op.loc)
    source, init = op.operands
    kept = op.result.shape
    flat = emit.reshape(source, (*kept, source.type.size // op.result.type.size))
    total = _joined(emit, op, _blocks(emit, op, flat))
    return (emit.op(op.attrs["reducer"], emit.spread(init, kept), total),)


def _is_long(op: Op) -> bool:
    shape, dims = op.operands[0].shape, op.attrs["dims"]
    last = dims == tuple(range(len(shape) - len(dims), len(shape)))
    return last and 0 < op.result.type.size < LANES and prod(shape[d] for d in dims) >= LEAST


def _blocks(emit: Emitter, op: Op, flat: Value) -> Value:
    """Reduce each block of the last axis; the last block may be short."""
    axis, n = len(flat.shape) - 1, flat.shape[-1]
    whole = n // BLOCK
    first = emit.cut(flat, axis, 0, whole * BLOCK)
    parts = [_reduce(emit, op, emit.reshape(first, (*flat.shape[:-1], whole, BLOCK)))]
    if whole * BLOCK < n:
        rest = _reduce(emit, op, emit.cut(flat, axis, whole * BLOCK, n))
        parts.append(emit.reshape(rest, (*rest.shape, 1)))
    return emit.concatenate(parts, axis)


def _reduce(emit: Emitter, op: Op, value: Value) -> Value:
    reducer = op.attrs["reducer"]
    return emit.reduce(value, len(value.shape) - 1, reducer, neutral(reducer, value.dtype))


def _joined(emit: Emitter, op: Op, value: Value) -> Value:
    """Join the blocks' results on the last axis."""
    if value.dtype != "f32" or op.attrs["reducer"] not in FLOAT_ORDERED:
        return _reduce(emit, op, value)
    axis = len(value.shape) - 1
    while value.shape[-1] > 1:
        n = value.shape[-1]
        pairs = emit.op(
            op.attrs["reducer"],
            emit.cut(value, axis, 0, n - 1, 2),
            emit.cut(value, axis, 1, n, 2),
        )
        value = emit.concatenate(
            [pairs, emit.cut(value, axis, n - 1, n)] if n % 2 else [pairs], axis
        )
    return emit.reshape(value, value.shape[:-1])
