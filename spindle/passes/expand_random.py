"""expand_random: write the random bit generators with integer ops.

In: a Module. Out: the Module without `rng_bit_generator` (docs/numerics.md 4): Threefry in ui32,
Philox in ui32 and the ui64 products that hold_types writes as words.
"""

from __future__ import annotations

from math import prod

from spindle.ir.composition_parts import with_constant
from spindle.ir.dtypes import bit_width
from spindle.ir.graph import Module, Op, Value
from spindle.ir.random_constants import (
    PHILOX_FACTORS,
    PHILOX_KEY_STEPS,
    PHILOX_ROUNDS,
    THREEFRY_PARITY,
    THREEFRY_ROTATIONS,
    split_axis,
)
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand

Words = tuple[Value, Value]


def expand_random(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"rng_bit_generator"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "rng_bit_generator":
        return None
    emit, (state,), out = Emitter(builder, op.loc), op.operands, op.results[1].type
    parts = [emit.reshape(emit.cut(state, 0, i, i + 1), ()) for i in range(state.type.size)]
    draw = _philox_bits if op.attrs["algorithm"] == "PHILOX" else _threefry_bits
    bits, counters = draw(emit, parts, out.shape, bit_width(out.dtype) == 64)
    values = bits if bits.dtype == out.dtype else emit.op("convert", bits, dtype=out.dtype)
    rows = [emit.reshape(x, (1,)) for x in (parts[0], *counters)]
    return emit.concatenate(rows, 0), values


def _words(emit: Emitter, x: Value) -> Words:
    """Return the lower and upper words of ui64."""
    upper = with_constant(emit, "shift_right_logical", x, 32)
    return emit.op("convert", x, dtype="ui32"), emit.op("convert", upper, dtype="ui32")


def _joined(emit: Emitter, low: Value, high: Value) -> Value:
    """Return ui64 of lower and upper words."""
    upper = with_constant(emit, "shift_left", emit.op("convert", high, dtype="ui64"), 32)
    return emit.op("or", emit.op("convert", low, dtype="ui64"), upper)


def _counted(emit: Emitter, start: Value, shape: tuple[int, ...]) -> Value:
    """Return ui64 counters from `start` on, row-major in `shape`."""
    line = emit.iota((prod(shape),), 0, "ui64")
    return emit.reshape(emit.op("add", emit.spread(start, line.shape), line), shape)


# Threefry


def _threefry_bits(
    emit: Emitter, state: list[Value], shape: tuple[int, ...], wide: bool
) -> tuple[Value, list[Value]]:
    """Draw two words a counter: a 64-bit value, or two that alternate along the split axis."""
    axis = split_axis(shape)
    half = tuple(-(-n // 2) if i == axis and not wide else n for i, n in enumerate(shape))
    counter = _words(emit, _counted(emit, state[1], half))
    low, high = _threefry(emit, _words(emit, state[0]), counter)
    following = with_constant(emit, "add", state[1], prod(half))
    if wide:
        return _joined(emit, low, high), [following]
    if not shape:
        return low, [following]
    columns = [emit.reshape(x, (*half[: axis + 1], 1, *half[axis + 1 :])) for x in (low, high)]
    twice = (*half[:axis], 2 * half[axis], *half[axis + 1 :])
    both = emit.reshape(emit.concatenate(columns, axis + 1), twice)
    return emit.cut(both, axis, 0, shape[axis]), [following]


def _threefry(emit: Emitter, key: Words, counter: Words) -> Words:
    parity = with_constant(emit, "xor", emit.op("xor", *key), THREEFRY_PARITY)
    keys = [emit.spread(x, counter[0].shape) for x in (*key, parity)]
    x, y = (emit.op("add", word, k) for word, k in zip(counter, keys, strict=False))
    for i in range(5):
        for rotation in THREEFRY_ROTATIONS[i % 2]:
            x = emit.op("add", x, y)
            y = emit.op("xor", _rotated(emit, y, rotation), x)
        x = emit.op("add", x, keys[(i + 1) % 3])
        y = with_constant(emit, "add", emit.op("add", y, keys[(i + 2) % 3]), i + 1)
    return x, y


def _rotated(emit: Emitter, x: Value, n: int) -> Value:
    left = with_constant(emit, "shift_left", x, n)
    return emit.op("or", left, with_constant(emit, "shift_right_logical", x, 32 - n))


# Philox


def _philox_bits(
    emit: Emitter, state: list[Value], shape: tuple[int, ...], wide: bool
) -> tuple[Value, list[Value]]:
    """Draw four words a 128-bit counter, whose upper half is the key where the state has two."""
    n = prod(shape)
    count = -(-(2 * n if wide else n) // 4)
    low, high = state[1], state[2] if len(state) == 3 else state[0]
    lows = _counted(emit, low, (count,))
    highs = _carried(emit, emit.spread(high, lows.shape), emit.spread(low, lows.shape), lows)
    x = (*_words(emit, lows), *_words(emit, highs))
    drawn = list(_philox(emit, _words(emit, state[0]), x))
    if wide:
        drawn = [_joined(emit, *drawn[:2]), _joined(emit, *drawn[2:])]
    columns = [emit.reshape(word, (count, 1)) for word in drawn]
    line = emit.reshape(emit.concatenate(columns, 1), (count * len(drawn),))
    following = with_constant(emit, "add", low, count)
    counters = [following, _carried(emit, high, low, following)]
    return emit.reshape(emit.cut(line, 0, 0, n), shape), counters[: len(state) - 1]


def _carried(emit: Emitter, high: Value, before: Value, after: Value) -> Value:
    """Return the upper half, one more where the lower one has wrapped."""
    carry = emit.op("convert", emit.compare("LT", after, before), dtype="ui64")
    return emit.op("add", high, carry)


def _philox(emit: Emitter, key: Words, x: tuple[Value, ...]) -> tuple[Value, ...]:
    first, second = key
    for _ in range(PHILOX_ROUNDS):
        low, high = _product(emit, x[0], PHILOX_FACTORS[0])
        other, above = _product(emit, x[2], PHILOX_FACTORS[1])
        one, two = (emit.spread(word, x[0].shape) for word in (first, second))
        left = emit.op("xor", emit.op("xor", above, x[1]), one)
        right = emit.op("xor", emit.op("xor", high, x[3]), two)
        x = (left, other, right, low)
        first = with_constant(emit, "add", first, PHILOX_KEY_STEPS[0])
        second = with_constant(emit, "add", second, PHILOX_KEY_STEPS[1])
    return x


def _product(emit: Emitter, x: Value, factor: int) -> Words:
    """Return both words of a product of ui32."""
    wide = emit.op("convert", x, dtype="ui64")
    return _words(emit, with_constant(emit, "multiply", wide, factor))
