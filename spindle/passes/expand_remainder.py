"""expand_remainder: the exact remainder of floats, by long division of their mantissas.

In: a Module. Out: the Module without `remainder` on f32. x = m 2^e and y = n 2^f leave
(m 2^(e-f) mod n) 2^f: a loop shifts what is left by up to 8 bits and divides again, until no
element has bits to shift.
"""

from __future__ import annotations

from math import prod

from spindle.ir.graph import Module, Op, Region, TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand

BITS = 8
"""Bits a trip: with 24 of the mantissa they fill a word."""


def expand_remainder(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"remainder"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    shape = op.results[0].shape if op.results else ()
    if op.kind != "remainder" or op.result.dtype != "f32":
        return None
    if not prod(shape):
        return op.operands[:1]
    emit = Emitter(builder, op.loc)
    x, y = (emit.reshape(value, (prod(shape),)) for value in op.operands)
    return (emit.reshape(_remainder(emit, x, y), shape),)


def _remainder(emit: Emitter, x: Value, y: Value) -> Value:
    (m, e), (n, f) = _parts(emit, x), _parts(emit, y)
    left = emit.op("maximum", emit.op("subtract", e, f), emit.splat(0, e))
    size, other = emit.op("abs", x), emit.op("abs", y)
    defined = emit.op(
        "and",
        emit.op("is_finite", x, dtype="i1"),
        emit.op("and", emit.compare("EQ", y, y), emit.compare("NE", y, emit.splat(0.0, y))),
    )
    left = emit.select(defined, left, emit.splat(0, left))
    rest = _divided(emit, emit.op("remainder", m, n), left, n)
    value = emit.op("multiply", emit.op("convert", rest, dtype="f32"), _power(emit, f))
    value = emit.select(emit.compare("LT", size, other), size, value)
    sign = emit.op("bitcast_convert", x, dtype="ui32")
    sign = emit.op("and", sign, emit.splat(1 << 31, sign))
    word = emit.op("or", emit.op("bitcast_convert", value, dtype="ui32"), sign)
    signed = emit.op("bitcast_convert", word, dtype="f32")
    return emit.select(defined, signed, emit.splat(float("nan"), signed))


def _parts(emit: Emitter, x: Value) -> tuple[Value, Value]:
    """Return the mantissa, ui32 below 2^24, and the exponent, i32 from 1 on: |x| = m 2^(e-150)."""
    word = emit.op("bitcast_convert", x, dtype="ui32")
    word = emit.op("and", word, emit.splat(0x7FFFFFFF, word))
    exponent = emit.op("shift_right_logical", word, emit.splat(23, word))
    fraction = emit.op("and", word, emit.splat(0x7FFFFF, word))
    normal = emit.compare("NE", exponent, emit.splat(0, exponent))
    full = emit.op("or", fraction, emit.splat(0x800000, word))
    at_least = emit.op("maximum", exponent, emit.splat(1, exponent))
    return emit.select(normal, full, fraction), emit.op("convert", at_least, dtype="i32")


def _power(emit: Emitter, f: Value) -> Value:
    """Return 2^(f-150), a denormal below f = 24."""
    normal = emit.op("subtract", f, emit.splat(23, f))
    normal = emit.op("shift_left", normal, emit.splat(23, f))
    place = emit.op("subtract", f, emit.splat(1, f))
    denormal = emit.op("shift_left", emit.splat(1, f), place)
    word = emit.select(emit.compare("GE", f, emit.splat(24, f)), normal, denormal)
    return emit.op("bitcast_convert", word, dtype="f32")


def _divided(emit: Emitter, rest: Value, left: Value, n: Value) -> Value:
    """Append the loop: rest 2^left modulo n. Its number of trips is that of the longest element."""
    values = (rest, left, n)
    cond, body = Emitter(Builder(), emit.loc), Emitter(Builder(), emit.loc)
    tested, params, results = (tuple(Value(v.type) for v in values) for _ in range(3))
    most = cond.reduce(tested[1], 0, "maximum", 0)
    test = cond.compare("GT", most, cond.splat(0, TensorType((), "i32")))
    shift = body.op("minimum", params[1], body.splat(BITS, params[1]))
    longer = body.op("shift_left", params[0], body.op("convert", shift, dtype="ui32"))
    returns = (
        body.op("remainder", longer, params[2]),
        body.op("subtract", params[1], shift),
        params[2],
    )
    regions = (
        Region(tested, tuple(cond.builder.ops), (test,)),
        Region(params, tuple(body.builder.ops), returns),
    )
    emit.builder.add(Op("while", values, results, {"trip_count": None}, regions, emit.loc))
    return results[0]
