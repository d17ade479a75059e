"""expand_sort: sort by counting, or by a bitonic network.

In: a Module. Out: the Module without `sort`. Keys become i32 numbers in the order asked for; equal
ones are told apart by their place. Counting: the number of elements that come before an element is
its new place, and every place keeps the bits of its one element. The network, for long axes:
n = 2^m elements after padding; a loop of m * m trips, each of which compares the lower half with
the upper half and interleaves them. Interleaving turns the bits of every place round by one, so
that trip t compares the neighbours whose places differ in bit m-1 - t mod m.
"""

from __future__ import annotations

from math import prod

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand

PAIR_CYCLES = 5
"""Of counting, for each pair of elements, on 16 lanes."""
TRIP_CYCLES = 70_000
ELEMENT_CYCLES = 25
"""Of the network, for each trip, and for each element in it; all three as native counts them."""

Keys = tuple[tuple[str, bool], ...]


def expand_sort(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"sort"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "sort":
        return None
    emit, shape, dim = Emitter(builder, op.loc), op.results[0].shape, op.attrs["dim"]
    if shape[dim] < 2 or not prod(shape):
        return op.operands
    others = tuple(axis for axis in range(len(shape)) if axis != dim)
    rest = prod(shape[axis] for axis in others)
    counts = by_counting(shape[dim], rest)
    order = (*others, dim) if counts else (dim, *others)
    moved = [emit.transpose(value, order) for value in op.operands]
    flat = (rest, shape[dim]) if counts else (shape[dim], rest)
    rows = [emit.reshape(value, flat) for value in moved]
    done = _counted(emit, rows, op.attrs["keys"]) if counts else _network(emit, op, rows)
    wide = [emit.reshape(value, tuple(shape[axis] for axis in order)) for value in done]
    back = tuple(order.index(axis) for axis in range(len(order)))
    return tuple(emit.transpose(value, back) for value in wide)


def by_counting(n: int, rows: int) -> bool:
    """Whether counting is cheaper than the network."""
    trips = (n - 1).bit_length() ** 2
    return PAIR_CYCLES * rows * n * n <= trips * (TRIP_CYCLES + ELEMENT_CYCLES * rows * n)


def _rank(emit: Emitter, x: Value, direction: str, by_bits: bool) -> Value:
    """Return i32 in the order of the key."""
    word = x
    if x.dtype == "f32":
        word = _float_rank(emit, x, by_bits)
    elif x.dtype == "ui32":
        word = emit.op("xor", emit.op("bitcast_convert", x, dtype="i32"), _splat(emit, -(2**31), x))
    elif x.dtype == "i1":
        word = emit.op("convert", x, dtype="i32")
    return emit.op("not", word) if direction == "GT" else word


def _splat(emit: Emitter, value: int, like: Value) -> Value:
    return emit.splat(value, like, "i32")


def _float_rank(emit: Emitter, x: Value, by_bits: bool) -> Value:
    """Return the bits, those below the sign flipped where it is set: IEEE's totalOrder."""
    word = emit.op("bitcast_convert", x, dtype="i32")
    if not by_bits:
        zero, nan = emit.compare("EQ", x, emit.splat(0.0, x)), emit.compare("NE", x, x)
        word = emit.select(zero, _splat(emit, 0, x), word)
        word = emit.select(nan, _splat(emit, 0x7FC00000, x), word)
    sign = emit.op("shift_right_arithmetic", word, _splat(emit, 31, x))
    return emit.op("xor", word, emit.op("and", sign, _splat(emit, 2**31 - 1, x)))


def _before(emit: Emitter, a: list[Value], b: list[Value]) -> Value:
    """Return whether a comes before b: keys in turn, the last of which are never equal."""
    before = emit.compare("LT", a[-1], b[-1])
    for left, right in zip(reversed(a[:-1]), reversed(b[:-1]), strict=True):
        later = emit.op("and", emit.compare("EQ", left, right), before)
        before = emit.op("or", emit.compare("LT", left, right), later)
    return before


# Counting: rows [R, n]


def _counted(emit: Emitter, rows: list[Value], keys: Keys) -> list[Value]:
    count, n = rows[0].shape
    ranks = [_rank(emit, x, *key) for x, key in zip(rows, keys, strict=False)]
    space = (count, n, n)
    mine = [*(emit.spread(x, space, (0, 1)) for x in ranks), emit.iota(space, 1)]
    theirs = [*(emit.spread(x, space, (0, 2)) for x in ranks), emit.iota(space, 2)]
    ahead = emit.op("convert", _before(emit, theirs, mine), dtype="i32")
    place = emit.reduce(ahead, 2, "add", 0)
    here = emit.compare("EQ", emit.spread(place, space, (0, 2)), emit.iota(space, 1))
    return [_put(emit, x, here) for x in rows]


def _put(emit: Emitter, x: Value, here: Value) -> Value:
    """Return per place the bits of the one element that belongs there."""
    words = emit.op("bitcast_convert", x, dtype="ui32") if x.dtype == "f32" else x
    wide = emit.spread(words, here.shape, (0, 2))
    kept = emit.reduce(emit.select(here, wide, emit.splat(0, wide)), 2, "or", 0)
    return emit.op("bitcast_convert", kept, dtype="f32") if x.dtype == "f32" else kept


# The network: columns [n, R]


def _network(emit: Emitter, op: Op, columns: list[Value]) -> list[Value]:
    n, keys = columns[0].shape[0], op.attrs["keys"]
    bits = (n - 1).bit_length()
    places = emit.iota((1 << bits, columns[0].shape[1]), 0)
    carried = [places, *(_padded(emit, x, 1 << bits) for x in columns)]

    def trip(inner: Emitter, number: Value, values: tuple[Value, ...]) -> list[Value]:
        low, high = _halves(inner, values)
        swap = _before(inner, _order(inner, high, keys, n), _order(inner, low, keys, n))
        active, falling = _direction(inner, number, bits, swap)
        swap = inner.op("and", active, inner.op("xor", swap, falling))
        pairs = list(zip(low, high, strict=True))
        first = [inner.select(swap, b, a) for a, b in pairs]
        second = [inner.select(swap, a, b) for a, b in pairs]
        return [_interleaved(inner, a, b) for a, b in zip(first, second, strict=True)]

    done = emit.counted(bits * bits, carried, trip)
    return [emit.cut(x, 0, 0, n) for x in done[1:]]


def _padded(emit: Emitter, x: Value, size: int) -> Value:
    missing = size - x.shape[0]
    if not missing:
        return x
    more = emit.splat(0, TensorType((missing, *x.shape[1:]), x.dtype))
    return emit.concatenate((x, more), 0)


def _halves(emit: Emitter, values: tuple[Value, ...]) -> tuple[list[Value], list[Value]]:
    size = values[0].shape[0]
    low = [emit.cut(x, 0, 0, size // 2) for x in values]
    return low, [emit.cut(x, 0, size // 2, size) for x in values]


def _interleaved(emit: Emitter, a: Value, b: Value) -> Value:
    half, width = a.shape
    columns = [emit.reshape(x, (half, 1, width)) for x in (a, b)]
    return emit.reshape(emit.concatenate(columns, 1), (2 * half, width))


def _order(emit: Emitter, half: list[Value], keys: Keys, n: int) -> list[Value]:
    """Return what to compare in turn: whether it is padding, the keys, the place."""
    place = half[0]
    ranks = [_rank(emit, x, *key) for x, key in zip(half[1:], keys, strict=False)]
    padding = emit.compare("GE", place, _splat(emit, n, place))
    return [emit.op("convert", padding, dtype="i32"), *ranks, place]


def _direction(emit: Emitter, trip: Value, bits: int, like: Value) -> tuple[Value, Value]:
    """Return whether pairs are compared in this trip, and whether they are to fall.

    In round k = 1, 2 .. m blocks of 2^k become sorted, by the bits below k; those blocks fall
    whose number is odd: bit k of their places, which now is bit k + trip of where they stand.
    """
    m = emit.splat(bits, trip)
    step = emit.op("remainder", trip, m)
    number = emit.op("add", emit.op("divide", trip, m), emit.splat(1, trip))
    bit = emit.op("subtract", emit.splat(bits - 1, trip), step)
    active = emit.compare("LT", bit, number)
    shift = emit.op("remainder", emit.op("add", number, step), m)
    place = emit.iota(like.shape, 0)
    turned = emit.op("shift_right_logical", place, emit.spread(shift, like.shape))
    odd = emit.op("and", turned, emit.splat(1, turned))
    last = emit.spread(emit.compare("LT", number, m), like.shape)
    falling = emit.op("and", last, emit.compare("NE", odd, emit.splat(0, odd)))
    return emit.spread(active, like.shape), falling
