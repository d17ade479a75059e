"""expand_gather: take windows by slices, by looking at every element, or in a loop.

In: a Module. Out: the Module without `gather`. Few windows, and up to 64 with known indices, are
slices and a concatenation. Rows of a small operand compare their index with every place and
keep the bits of the one that is equal. Else a counted loop copies a window a trip.
"""

from __future__ import annotations

from math import prod

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand
from spindle.passes.index_rows import Picks, Rows, picks, rows_of, rows_of_picks


def expand_gather(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"gather"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "gather":
        return None
    emit, out = Emitter(builder, op.loc), op.result.type
    if not out.size:
        return (emit.splat(0, out),)
    rows, sizes = rows_of(emit, op), out.shape[2:]
    if rows.unrolled:
        return (emit.reshape(_unrolled(emit, op.operands[0], rows, sizes), out.shape),)
    picked = picks(emit, op, sizes)
    if picked is None:
        value = _looped(emit, op.operands[0], rows, (1, *sizes))
    elif picked.is_small:
        value = _looked_up(emit, picked)
    else:
        flat, rows = rows_of_picks(emit, picked)
        value = _looped(emit, flat, rows, (1, prod(sizes)))
    return (emit.reshape(value, out.shape),)


def _unrolled(emit: Emitter, x: Value, rows: Rows, sizes: tuple[int, ...]) -> Value:
    starts = [rows.starts(emit, number) for number in range(rows.count)]
    return emit.concatenate([emit.dynamic_slice(x, start, (1, *sizes)) for start in starts], 0)


def _looked_up(emit: Emitter, picked: Picks) -> Value:
    """Return [B, N, R]: the bits of all places of x, or-ed where only the index's are kept."""
    n_batch, depth, width = picked.x.shape
    space = (n_batch, picked.at.shape[1], width, depth)
    dtype = picked.x.dtype
    words = emit.op("bitcast_convert", picked.x, dtype="ui32") if dtype == "f32" else picked.x
    chosen = emit.compare("EQ", emit.spread(picked.at, space, (0, 1)), emit.iota(space, 3))
    wide = emit.spread(emit.transpose(words, (0, 2, 1)), space, (0, 2, 3))
    kept = emit.select(chosen, wide, emit.splat(0, wide))
    found = emit.reduce(kept, 3, "or", 0)
    return emit.op("bitcast_convert", found, dtype=dtype) if dtype == "f32" else found


def _looped(emit: Emitter, x: Value, rows: Rows, window: tuple[int, ...]) -> Value:
    """Return [count, window without its first axis], a window a trip."""
    target = TensorType((rows.count, *window[1:]), x.dtype)

    def trip(inner: Emitter, number: Value, carried: tuple[Value, ...]) -> tuple[Value, ...]:
        source, filled, *columns = carried
        taken = inner.dynamic_slice(source, rows.read(inner, columns, number), window)
        place = (number, *(inner.scalar(0) for _ in window[1:]))
        return (source, inner.dynamic_update(filled, taken, place), *columns)

    return emit.counted(rows.count, (x, emit.splat(0, target), *rows.columns), trip)[1]
