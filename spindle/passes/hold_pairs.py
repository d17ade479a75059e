"""Ops on 64-bit integers, written on pairs of words.

In: an op that reads or makes i64 or ui64, its operands as words: two of a 64-bit value, the lower
ones first, one of any other. Out: words of its results, likewise. pair_words.py has the arithmetic,
pair_reduce.py the reductions. A kind that has no rule here is an UnsupportedError with its line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spindle.errors import UnsupportedError
from spindle.ir.dtypes import FLOATS, bit_width
from spindle.ir.graph import PAIRS, Op, TensorType, Value
from spindle.ir.held import HELD, hold
from spindle.ir.kinds import BITWISE
from spindle.ir.rewrite import splat_value
from spindle.passes import pair_reduce, pair_words
from spindle.passes.emit import Emitter
from spindle.passes.fit_words import as_type, fit, from_own_bits, own_bits, wrap
from spindle.passes.hold_small import join_bits, split_bits
from spindle.passes.pair_words import Pair

Parts = tuple[Value, ...]
Rule = Callable[[Emitter, Op, list[Parts]], Parts]

_MOVES = frozenset(
    {
        "reshape", "broadcast_in_dim", "transpose", "slice", "reverse", "concatenate", "pad",
        "dynamic_slice", "dynamic_update_slice", "gather", "select",
    }
)  # fmt: skip


def pair(emit: Emitter, op: Op, operands: list[Parts]) -> list[Parts]:
    """Return the words of an op's results. Raises UnsupportedError."""
    if op.kind == "sort":
        return _sort(emit, op, operands)
    reducer = op.attrs.get("reducer", "")
    if op.kind in _MOVES or (op.kind in BITWISE or reducer in BITWISE | {"update"}):
        return [_word_by_word(emit, op, operands)]
    rule = _REDUCTIONS.get((op.kind, reducer)) or _RULES.get(op.kind)
    if rule is None:
        what = f"{op.kind} with {reducer}" if reducer else op.kind
        types = next(v.type for v in (*op.results, *op.operands) if v.dtype in PAIRS)
        raise UnsupportedError(
            f"stablehlo.{what} of {types} is not compiled",
            where=op.loc,
            limit="docs/limits.md lists what 64-bit integers can do",
            fix="cast to int32 or uint32 before it",
        )
    return [rule(emit, op, operands)]


def _word_by_word(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    """Do the same with lower and with upper words."""
    made = []
    for part in (0, 1):
        words = tuple(parts[part % len(parts)] for parts in operands)
        out = TensorType(op.result.shape, "ui32")
        made.append(emit.builder.emit(op.kind, words, out, op.attrs, emit.loc))
    return tuple(made)


def _sort(emit: Emitter, op: Op, operands: list[Parts]) -> list[Parts]:
    """Compare upper words, then lower ones; what is no key comes behind."""
    keys: list[tuple[str, bool]] = []
    words: list[Value] = []
    for key, value, parts in zip(op.attrs["keys"], op.operands, operands, strict=False):
        keys += [key] * len(parts)
        high = [pair_words.ordered(emit, x, value.dtype == "i64") for x in parts[1:]]
        words += [*high, parts[0]]
    for parts in operands[len(op.attrs["keys"]) :]:
        words += parts[::-1]
    results = tuple(Value(value.type) for value in words)
    attrs = {**op.attrs, "keys": tuple(keys)}
    emit.builder.add(replace(op, operands=tuple(words), results=results, attrs=attrs))
    moved = iter(results)
    return [_in_order(emit, [next(moved) for _ in parts]) for parts in operands]


def _in_order(emit: Emitter, words: list[Value]) -> Parts:
    if len(words) == 1:
        return (words[0],)
    high, low = words
    return low, high if high.dtype == "ui32" else emit.op("bitcast_convert", high, dtype="ui32")


def _signed(op: Op) -> bool:
    return op.operands[0].dtype == "i64"


def _pairs(operands: list[Parts]) -> list[Pair]:
    return [(parts[0], parts[1]) for parts in operands]


def _of_pairs(function: Callable[..., Parts]) -> Rule:
    return lambda emit, op, operands: function(emit, *_pairs(operands))


def _of_numbers(function: Callable[..., Parts]) -> Rule:
    """Make the rule of a function that asks whether numbers are signed."""
    return lambda emit, op, operands: function(emit, *_pairs(operands), _signed(op))


def _shift(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    return pair_words.shift(emit, op.kind, *_pairs(operands))


def _extreme(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    a, b = _pairs(operands)
    return pair_words.extreme(emit, op.kind, a, b, _signed(op))


def _clamp(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    low, x, high = _pairs(operands)
    raised = pair_words.extreme(emit, "maximum", x, low, _signed(op))
    return pair_words.extreme(emit, "minimum", raised, high, _signed(op))


def _compare(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    a, b = _pairs(operands)
    return (pair_words.compare(emit, op.attrs["direction"], a, b, _signed(op)),)


def _divide(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    a, b = _pairs(operands)
    quotient, rest = pair_words.divide(emit, a, b, _signed(op))
    return quotient if op.kind == "divide" else rest


def _constant(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    splat, type_ = splat_value(op), op.result.type
    words = TensorType(type_.shape, "ui32")
    if splat is not None:
        return pair_words.constant(emit, int(splat), emit.splat(0, words))
    halves = hold(op.attrs["value"], type_.dtype)
    return tuple(
        emit.builder.emit("constant", (), words, {"value": np.ascontiguousarray(half)}, emit.loc)
        for half in halves
    )


def _iota(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    low = emit.iota(op.result.shape, op.attrs["dim"], "ui32")
    return low, emit.splat(0, low)


def _convert(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    """Convert from or to 64 bits; small types by way of their words."""
    ((low, *high),), source, target = operands, op.operands[0].dtype, op.result.dtype
    if not high:
        if source in FLOATS:
            return pair_words.from_float(emit, low, target == "i64")
        return pair_words.from_word(emit, low)
    if target in PAIRS:
        return low, high[0]
    if target == "i1":
        either = emit.op("or", low, high[0])
        return (emit.compare("NE", either, emit.splat(0, either)),)
    if target in FLOATS:
        value = pair_words.to_float(emit, (low, high[0]), source == "i64")
        return (fit(emit, value, target) if target in HELD else value,)
    return (wrap(emit, low, target) if target in HELD else as_type(emit, low, target),)


def _bitcast(emit: Emitter, op: Op, operands: list[Parts]) -> Parts:
    """Cut the words further, or join the operand to words, which are lower and upper in turn."""
    (parts,), source, target = operands, op.operands[0].dtype, op.result.dtype
    if source in PAIRS:
        if target in PAIRS:
            return parts
        width = bit_width(target)
        columns = [emit.reshape(word, (*word.shape, 1)) for word in parts]
        raw = emit.concatenate(columns, len(op.operands[0].shape))
        if width < 32:
            raw = emit.reshape(split_bits(emit, raw, 32, width), op.result.shape)
        return (from_own_bits(emit, raw, target),)
    raw, width = own_bits(emit, parts[0], source), bit_width(source)
    if width < 32:
        halves = emit.reshape(raw, (*raw.shape[:-1], 2, 32 // width))
        raw = join_bits(emit, halves, width, 32)
    axis, shape = len(op.result.shape), op.result.shape
    return tuple(emit.reshape(emit.cut(raw, axis, k, k + 1), shape) for k in (0, 1))


_RULES: dict[str, Rule] = {
    "constant": _constant,
    "iota": _iota,
    "add": _of_pairs(pair_words.add),
    "subtract": _of_pairs(pair_words.subtract),
    "multiply": _of_pairs(pair_words.multiply),
    "negate": _of_pairs(pair_words.negate),
    "sign": _of_numbers(pair_words.sign),
    "abs": _of_numbers(lambda emit, a, signed: pair_words.magnitude(emit, a) if signed else a),
    "maximum": _extreme,
    "minimum": _extreme,
    "clamp": _clamp,
    "divide": _divide,
    "remainder": _divide,
    "shift_left": _shift,
    "shift_right_logical": _shift,
    "shift_right_arithmetic": _shift,
    "popcnt": _of_pairs(pair_words.popcnt),
    "count_leading_zeros": _of_pairs(pair_words.leading_zeros),
    "compare": _compare,
    "convert": _convert,
    "bitcast_convert": _bitcast,
}
_REDUCTIONS: dict[tuple[str, str], Rule] = {
    ("reduce", "add"): pair_reduce.add,
    ("reduce_window", "add"): pair_reduce.add,
    ("scatter", "add"): pair_reduce.add,
    ("reduce", "maximum"): pair_reduce.extreme,
    ("reduce", "minimum"): pair_reduce.extreme,
}
"""(op kind, reducer) -> rule."""
