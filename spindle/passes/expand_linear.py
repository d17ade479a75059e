"""expand_linear: write cholesky and triangular_solve as loops over columns.

In: a Module. Out: the Module without the two kinds (docs/numerics.md 4). A trip takes one column
and works on the whole of what is left: n trips of some n^2 elements.
"""

from __future__ import annotations

from math import prod

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand

Carried = tuple[Value, ...]


def expand_linear(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"cholesky", "triangular_solve"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind not in ("cholesky", "triangular_solve"):
        return None
    emit, shape = Emitter(builder, op.loc), op.result.shape
    if not prod(shape):
        return (emit.splat(0.0, op.result.type),)
    flat = [emit.reshape(x, (prod(shape[:-2]), *x.shape[-2:])) for x in op.operands]
    value = _cholesky(emit, op, flat[0]) if op.kind == "cholesky" else _solve(emit, op, *flat)
    return (emit.reshape(value, shape),)


def _turned(emit: Emitter, x: Value, turn: bool) -> Value:
    return emit.transpose(x, (0, 2, 1)) if turn else x


def _row(emit: Emitter, x: Value, j: Value) -> Value:
    """Return row j of every matrix, [B, columns]."""
    zero = emit.scalar(0)
    row = emit.dynamic_slice(x, (zero, j, zero), (x.shape[0], 1, x.shape[2]))
    return emit.reshape(row, (x.shape[0], x.shape[2]))


def _column(emit: Emitter, x: Value, j: Value) -> Value:
    """Return column j of every matrix, [B, rows]."""
    zero = emit.scalar(0)
    column = emit.dynamic_slice(x, (zero, zero, j), (*x.shape[:2], 1))
    return emit.reshape(column, x.shape[:2])


def _pivot(emit: Emitter, x: Value, j: Value) -> Value:
    """Return element (j, j) of every matrix, [B]."""
    pivot = emit.dynamic_slice(x, (emit.scalar(0), j, j), (x.shape[0], 1, 1))
    return emit.reshape(pivot, x.shape[:1])


def _is_at(emit: Emitter, direction: str, shape: tuple[int, ...], axis: int, j: Value) -> Value:
    """Return whether the place along an axis is before, at or behind j."""
    return emit.compare(direction, emit.iota(shape, axis), emit.spread(j, shape))


def _products(emit: Emitter, column: Value, row: Value) -> Value:
    """Return column times row of every matrix."""
    shape = (*column.shape, row.shape[1])
    return emit.op("multiply", emit.spread(column, shape, (0, 1)), emit.spread(row, shape, (0, 2)))


def _cholesky(emit: Emitter, op: Op, a: Value) -> Value:
    lower, shape = op.attrs["lower"], a.shape
    start = (
        _turned(emit, a, not lower),
        emit.splat(0.0, a),
        emit.splat(True, TensorType(shape[:1], "i1")),
    )

    def trip(inner: Emitter, j: Value, carried: Carried) -> Carried:
        rest, factor, ok = carried
        pivot = _pivot(inner, rest, j)
        ok = inner.op("and", ok, inner.compare("GT", pivot, inner.splat(0.0, pivot)))
        column = _column(inner, rest, j)
        root = inner.spread(inner.op("sqrt", pivot), column.shape, (0,))
        column = inner.op("divide", column, root)
        under = _is_at(inner, "GE", column.shape, 1, j)
        column = inner.select(under, column, inner.splat(0.0, column))
        here = _is_at(inner, "EQ", shape, 2, j)
        factor = inner.select(here, inner.spread(column, shape, (0, 1)), factor)
        return inner.op("subtract", rest, _products(inner, column, column)), factor, ok

    _, factor, ok = emit.counted(shape[1], start, trip)
    good = emit.spread(ok, shape, (0,))
    value = emit.select(good, factor, emit.splat(float("nan"), factor))
    return _turned(emit, value, not lower)


def _solve(emit: Emitter, op: Op, a: Value, b: Value) -> Value:
    """Bring it to the form m x = rhs, and substitute from the row with one unknown on."""
    left = op.attrs["left_side"]
    turn = op.attrs["transpose"] == left
    forward, n = op.attrs["lower"] != turn, a.shape[1]

    def trip(inner: Emitter, number: Value, carried: Carried) -> Carried:
        matrix, x = carried
        last = inner.scalar(n - 1)
        j = number if forward else inner.op("subtract", last, number)
        row = _row(inner, x, j)
        if not op.attrs["unit_diagonal"]:
            pivot = inner.spread(_pivot(inner, matrix, j), row.shape, (0,))
            row = inner.op("divide", row, pivot)
        left_over = inner.op("subtract", x, _products(inner, _column(inner, matrix, j), row))
        after = _is_at(inner, "GT" if forward else "LT", x.shape, 1, j)
        x = inner.select(after, left_over, x)
        here = _is_at(inner, "EQ", x.shape, 1, j)
        return matrix, inner.select(here, inner.spread(row, x.shape, (0, 2)), x)

    start = (_turned(emit, a, turn), _turned(emit, b, not left))
    return _turned(emit, emit.counted(n, start, trip)[1], not left)
