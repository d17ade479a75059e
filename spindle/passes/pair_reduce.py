"""Sums and extremes of 64-bit integers over axes, windows and scattered updates.

In: the op and its operands as words. Out: a pair. A sum is taken in limbs of 16 or 8 bits, whose
sums fit a word; an extreme looks at the upper words, then at the lower ones of the best.
"""

from __future__ import annotations

from math import prod

from spindle.errors import UnsupportedError
from spindle.ir.composition_parts import with_constant
from spindle.ir.graph import Op, TensorType, Value
from spindle.ir.kinds import neutral
from spindle.passes import pair_words
from spindle.passes.emit import Emitter
from spindle.passes.pair_words import Pair

Parts = tuple[Value, ...]


def add(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    """Sum up in limbs from zero, then add the start (of a scatter: the array)."""
    width = _limb_width(op)
    summed = operands[2] if op.kind == "scatter" else operands[0]
    start = operands[0] if op.kind == "scatter" else operands[1]
    first = (_spread(emit, start[0], op.result), _spread(emit, start[1], op.result))
    total: Pair = first
    for at in range(0, 64, width):
        limb = _limb(emit, summed[at // 32], at % 32, width)
        part = _sum(emit, op, operands, limb)
        total = pair_words.add(emit, total, pair_words.shift_by(emit, part, at))
    return total


def _limb_width(op: Op) -> int:
    """Return a width at which the sum of the largest limbs is below 2^32."""
    count = _count(op)
    if count > 1 << 24:
        raise UnsupportedError(
            f"stablehlo.{op.kind} adds {count} numbers of 64 bits",
            where=op.loc,
            limit=f"{1 << 24} can be added at once",
            fix="add parts of them first",
        )
    return 16 if count <= 1 << 16 else 8


def _count(op: Op) -> int:
    """Return how many numbers one result adds up, at most."""
    if op.kind == "scatter":
        return op.operands[1].shape[1]
    if op.kind == "reduce_window":
        return prod(op.attrs["window"])
    return prod(op.operands[0].shape[dim] for dim in op.attrs["dims"])


def _limb(emit: Emitter, word: Value, at: int, width: int) -> Value:
    moved = with_constant(emit, "shift_right_logical", word, at) if at else word
    return with_constant(emit, "and", moved, (1 << width) - 1)


def _sum(emit: Emitter, op: Op, operands: list[Parts], limb: Value) -> Value:
    """Append the op on one limb, from zero."""
    out = TensorType(op.result.shape, "ui32")
    zero = emit.splat(0, out if op.kind == "scatter" else TensorType((), "ui32"))
    words = (zero, operands[1][0], limb) if op.kind == "scatter" else (limb, zero)
    return emit.builder.emit(op.kind, words, out, op.attrs, emit.loc)


def _spread(emit: Emitter, word: Value, result: Value) -> Value:
    return emit.spread(word, result.shape)


def extreme(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    """Reduce the upper words, then the lower ones of the elements that have the best."""
    (low, high), start = operands[0], operands[1]
    signed, reducer = op.operands[0].dtype == "i64", op.attrs["reducer"]
    high = pair_words.ordered(emit, high, signed)
    best = _reduced(emit, op, high)
    kept = tuple(axis for axis in range(len(high.shape)) if axis not in op.attrs["dims"])
    chosen = emit.compare("EQ", high, emit.spread(best, high.shape, kept))
    worst = emit.splat(neutral(reducer, "ui32"), low)
    under = _reduced(emit, op, emit.select(chosen, low, worst))
    best = emit.op("bitcast_convert", best, dtype="ui32") if signed else best
    first = (_spread(emit, start[0], op.result), _spread(emit, start[1], op.result))
    return pair_words.extreme(emit, reducer, first, (under, best), signed)


def _reduced(emit: Emitter, op: Op, words: Value) -> Value:
    start = emit.splat(neutral(op.attrs["reducer"], words.dtype), TensorType((), words.dtype))
    out = TensorType(op.result.shape, words.dtype)
    return emit.builder.emit("reduce", (words, start), out, op.attrs, emit.loc)
