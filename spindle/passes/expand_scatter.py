"""expand_scatter: combine an operand with windows, in their order.

In: a Module. Out: the Module without `scatter`. Few windows, and up to 64 with known indices, are
written one after the other. Rows of a small operand are reduced for every place at once: of
each place the rows that hit it, in order, and the place itself before them. Else a counted loop
reads, combines and writes back a window a trip.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.kinds import neutral
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand
from spindle.passes.index_rows import Picks, Rows, inside, picks, rows_of, rows_of_picks

IN_ORDER = 256
"""Elements that a float reduce takes strictly in order (docs/numerics.md 4)."""


def expand_scatter(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"scatter"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "scatter":
        return None
    emit = Emitter(builder, op.loc)
    x, _, updates = op.operands
    if x.dtype == "f32" and op.attrs["reducer"] != "update":
        x = emit.op(op.attrs["reducer"], x, emit.splat(neutral(op.attrs["reducer"], "f32"), x))
        op = replace(op, operands=(x, *op.operands[1:]))
    if not updates.type.size:
        return (x,)
    rows, sizes = rows_of(emit, op), updates.shape[2:]
    picked = None if rows.unrolled else picks(emit, op, sizes)
    if picked is None:
        flags = emit.reshape(inside(emit, op, sizes), (rows.count,))
        windows = emit.reshape(updates, (rows.count, *sizes))
        apply = _unrolled if rows.unrolled else _looped
        return (apply(emit, op, x, rows, windows, flags),)
    return (_picked(emit, op, picked, updates),)


def _picked(emit: Emitter, op: Op, picked: Picks, updates: Value) -> Value:
    width = picked.x.shape[2]
    updates = emit.reshape(updates, (*picked.at.shape, width))
    if picked.is_small:
        combine = _last if op.attrs["reducer"] == "update" else _in_order
        return picked.back(emit, combine(emit, op, picked, updates))
    flat, rows = rows_of_picks(emit, picked)
    windows = emit.reshape(updates, (rows.count, width))
    flags = emit.reshape(picked.inside, (rows.count,))
    looped = _looped(emit, op, flat, rows, windows, flags)
    return picked.back(emit, emit.reshape(looped, picked.x.shape))


def _space(picked: Picks) -> tuple[int, ...]:
    """Return [B, D, R, N]: every row for every place."""
    return (*picked.x.shape, picked.at.shape[1])


def _wide(emit: Emitter, picked: Picks, updates: Value) -> Value:
    """Spread updates [B, N, R] over the places."""
    return emit.spread(emit.transpose(updates, (0, 2, 1)), _space(picked), (0, 2, 3))


def _hits(emit: Emitter, picked: Picks) -> Value:
    """Return i1 [B, D, R, N]: whether row n of batch b hits place d."""
    space = _space(picked)
    hit = emit.compare("EQ", emit.spread(picked.at, space, (0, 3)), emit.iota(space, 1))
    return emit.op("and", hit, emit.spread(picked.inside, space, (0, 3)))


def _last(emit: Emitter, op: Op, picked: Picks, updates: Value) -> Value:
    """Replace every place by the update of the last row that hits it."""
    is_float = updates.dtype == "f32"
    number = emit.iota(_space(picked), 3)
    hits = emit.select(_hits(emit, picked), number, emit.splat(-1, number))
    winner = emit.reduce(hits, 3, "maximum", -1)
    words = emit.op("bitcast_convert", updates, dtype="ui32") if is_float else updates
    wide = _wide(emit, picked, words)
    wins = emit.compare("EQ", emit.spread(winner, _space(picked), (0, 1, 2)), number)
    won = emit.reduce(emit.select(wins, wide, emit.splat(0, wide)), 3, "or", 0)
    won = emit.op("bitcast_convert", won, dtype="f32") if is_float else won
    return emit.select(emit.compare("GE", winner, emit.splat(0, winner)), won, picked.x)


def _in_order(emit: Emitter, op: Op, picked: Picks, updates: Value) -> Value:
    """Combine every place with the rows that hit it, in chunks that a reduce takes in order."""
    value, count = picked.x, picked.at.shape[1]
    for first in range(0, count, IN_ORDER - 1):
        last = min(first + IN_ORDER - 1, count)
        at, flags, part = (
            _with_gap(emit, emit.cut(v, 1, first, last))
            for v in (picked.at, picked.inside, updates)
        )
        chunk = Picks(value, at, flags, picked.order, picked.shape)
        value = _chunk(emit, op.attrs["reducer"], chunk, part)
    return value


def _with_gap(emit: Emitter, value: Value) -> Value:
    """Put a row of zeros before the rows of axis 1."""
    gap = TensorType((value.shape[0], 1, *value.shape[2:]), value.dtype)
    return emit.concatenate((emit.splat(0, gap), value), 1)


def _chunk(emit: Emitter, reducer: str, picked: Picks, updates: Value) -> Value:
    """Reduce over [the place itself, then the rows]; a row that misses it adds nothing."""
    wide = _wide(emit, picked, updates)
    nothing = neutral(reducer, wide.dtype)
    rows = emit.select(_hits(emit, picked), wide, emit.splat(nothing, wide))
    number = emit.iota(_space(picked), 3)
    is_place = emit.compare("EQ", number, emit.splat(0, number))
    own = emit.spread(picked.x, _space(picked), (0, 1, 2))
    return emit.reduce(emit.select(is_place, own, rows), 3, reducer, nothing)


def _unrolled(emit: Emitter, op: Op, x: Value, rows: Rows, updates: Value, flags: Value) -> Value:
    for number in range(rows.count):
        ok = emit.reshape(emit.cut(flags, 0, number, number + 1), ())
        update = emit.cut(updates, 0, number, number + 1)
        x = _updated(emit, op, x, update, rows.starts(emit, number), ok)
    return x


def _looped(emit: Emitter, op: Op, x: Value, rows: Rows, updates: Value, flags: Value) -> Value:
    window = (1, *updates.shape[1:])

    def trip(inner: Emitter, number: Value, carried: tuple[Value, ...]) -> tuple[Value, ...]:
        target, source, flags, *columns = carried
        ok = inner.reshape(inner.dynamic_slice(flags, (number,), (1,)), ())
        place = (number, *(inner.scalar(0) for _ in window[1:]))
        update = inner.dynamic_slice(source, place, window)
        starts = rows.read(inner, columns, number)
        return (_updated(inner, op, target, update, starts, ok), source, flags, *columns)

    return emit.counted(rows.count, (x, updates, flags, *rows.columns), trip)[0]


def _updated(
    emit: Emitter, op: Op, x: Value, update: Value, starts: list[Value], ok: Value
) -> Value:
    """Combine one window with its update; where `ok` is false the window is written back."""
    old = emit.dynamic_slice(x, starts, update.shape)
    reducer = op.attrs["reducer"]
    new = update if reducer == "update" else emit.op(reducer, old, update)
    return emit.dynamic_update(x, emit.select(ok, new, old), starts)
