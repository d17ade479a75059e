"""Ops on types of 8 and 16 bits, written on the words that hold them.

In: an op, its operands as words (ir/held.py). Out: words of its results. The op is computed on
float32, i32 or ui32, and what it makes is rounded or wrapped once; a few integer kinds need the
operand's own bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from spindle.ir.composition_parts import with_constant
from spindle.ir.dtypes import FLOATS, SIGNED, SMALL_INTEGERS, bit_width, integer_range
from spindle.ir.graph import Op, Value
from spindle.ir.held import HELD, hold, words_type
from spindle.ir.kinds import BITWISE, is_exact
from spindle.ir.rewrite import splat_value
from spindle.passes.emit import Emitter
from spindle.passes.fit_words import as_type, fit, from_own_bits, own_bits, unsigned, wrap

Operands = tuple[Value, ...]


def small(emit: Emitter, op: Op, operands: Operands) -> Operands:
    """Return the words of an op's results."""
    dtype = op.operands[0].dtype if op.operands else op.results[0].dtype
    if op.kind in _ANY:
        return (_ANY[op.kind](emit, op, operands),)
    if op.kind in _INTEGER and dtype in SMALL_INTEGERS:
        return (_INTEGER[op.kind](emit, op, operands),)
    results = computed(emit, op, operands)
    pairs = zip(results, op.results, strict=True)
    return tuple(x if _fits(op, old.dtype) else fit(emit, x, old.dtype) for x, old in pairs)


def computed(emit: Emitter, op: Op, operands: Operands) -> Operands:
    """Append the op itself, on words."""
    results = tuple(Value(words_type(value.type)) for value in op.results)
    emit.builder.add(replace(op, operands=operands, results=results))
    return results


def _fits(op: Op, dtype: str) -> bool:
    """Whether the op makes values of the type only."""
    if dtype not in HELD:
        return True
    if dtype in FLOATS:
        return is_exact(op.kind, op.attrs)
    if op.kind in BITWISE or op.attrs.get("reducer") in BITWISE:
        return op.kind != "not" or dtype in SIGNED
    return is_exact(op.kind, op.attrs) and op.kind not in ("negate", "abs")


def constant_words(emit: Emitter, op: Op) -> Value:
    """Append the words of a constant."""
    splat, type_ = splat_value(op), op.result.type
    words = hold(op.attrs["value"] if splat is None else splat, type_.dtype)
    if splat is not None:
        return emit.splat(words, words_type(type_))
    return emit.builder.emit("constant", (), words_type(type_), {"value": words}, emit.loc)


def _constant(emit: Emitter, op: Op, operands: Operands) -> Value:
    return constant_words(emit, op)


def _convert(emit: Emitter, op: Op, operands: Operands) -> Value:
    return converted(emit, operands[0], op.operands[0].dtype, op.result.dtype)


def converted(emit: Emitter, word: Value, source: str, target: str) -> Value:
    """Convert words of one type, i1 too, to words of another, no 64-bit ones."""
    if source == target:
        return word
    if target not in HELD or target in FLOATS:
        value = as_type(emit, word, HELD.get(target, target))
        is_exact = target not in HELD or bit_width(source) <= 8
        return value if is_exact else fit(emit, value, target)
    if source not in FLOATS:
        return wrap(emit, as_type(emit, word, HELD[target]), target)
    low, high = integer_range(target)
    whole = as_type(emit, word, HELD[target])
    return emit.op("clamp", emit.splat(low, whole), whole, emit.splat(high, whole))


def _bitcast(emit: Emitter, op: Op, operands: Operands) -> Value:
    source, target = op.operands[0].dtype, op.result.dtype
    raw = own_bits(emit, operands[0], source)
    return from_own_bits(emit, resized(emit, raw, bit_width(source), bit_width(target)), target)


def resized(emit: Emitter, raw: Value, width: int, target: int) -> Value:
    """Cut or join bits of `width` to bits of `target`, 32 at most."""
    if target < width:
        return split_bits(emit, raw, width, target)
    return join_bits(emit, raw, width, target) if target > width else raw


def split_bits(emit: Emitter, raw: Value, width: int, target: int) -> Value:
    """Cut words of `width` bits into a last axis of `target` bits each, the lowest first."""
    parts = []
    for at in range(0, width, target):
        moved = with_constant(emit, "shift_right_logical", raw, at) if at else raw
        part = with_constant(emit, "and", moved, (1 << target) - 1)
        parts.append(emit.reshape(part, (*raw.shape, 1)))
    return emit.concatenate(parts, len(raw.shape))


def join_bits(emit: Emitter, raw: Value, width: int, target: int) -> Value:
    """Join a last axis of `width` bits each to words of `target` bits."""
    axis, shape = len(raw.shape) - 1, raw.shape[:-1]
    total: Value | None = None
    for k in range(target // width):
        part = emit.reshape(emit.cut(raw, axis, k, k + 1), shape)
        part = with_constant(emit, "shift_left", part, k * width) if k else part
        total = part if total is None else emit.op("or", total, part)
    assert total is not None
    return total


def _shift_right_logical(emit: Emitter, op: Op, operands: Operands) -> Value:
    x, amount = operands
    value = emit.op(op.kind, unsigned(emit, x, op.result.dtype), amount)
    return wrap(emit, value, op.result.dtype) if op.result.dtype in SIGNED else value


def _shift_right_arithmetic(emit: Emitter, op: Op, operands: Operands) -> Value:
    """Shift the signed value of the same bits; amounts count as unsigned."""
    x, amount = operands
    dtype = op.result.dtype
    if dtype in SIGNED:
        return emit.op(op.kind, x, amount)
    value = wrap(emit, x, dtype.removeprefix("u"))
    return wrap(emit, emit.op(op.kind, value, as_type(emit, amount, "i32")), dtype)


def _popcnt(emit: Emitter, op: Op, operands: Operands) -> Value:
    return emit.op(op.kind, unsigned(emit, operands[0], op.result.dtype))


def _leading_zeros(emit: Emitter, op: Op, operands: Operands) -> Value:
    count = emit.op(op.kind, unsigned(emit, operands[0], op.result.dtype))
    return with_constant(emit, "subtract", count, 32 - bit_width(op.result.dtype))


Rule = Callable[[Emitter, Op, Operands], Value]
_ANY: dict[str, Rule] = {"constant": _constant, "convert": _convert, "bitcast_convert": _bitcast}
_INTEGER: dict[str, Rule] = {
    "shift_right_logical": _shift_right_logical,
    "shift_right_arithmetic": _shift_right_arithmetic,
    "popcnt": _popcnt,
    "count_leading_zeros": _leading_zeros,
}
