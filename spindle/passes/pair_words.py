"""Arithmetic on 64-bit integers as pairs of ui32 words: (lower, upper).

In: an Emitter and pairs of one shape. Out: pairs, or i1 of comparisons; everything is exact mod
2^64. Signed and unsigned numbers differ in comparisons, shifts to the right and divisions alone.
"""

from __future__ import annotations

from spindle.ir.composition_parts import count_leading_zeros, high_word, with_constant
from spindle.ir.graph import Value
from spindle.passes.emit import Emitter

Pair = tuple[Value, Value]


def constant(emit: Emitter, value: int, like: Value) -> Pair:
    """Return a constant, the same everywhere, of the shape of `like`."""
    words = (value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF)
    low, high = (emit.splat(word, like, "ui32") for word in words)
    return low, high


def each(emit: Emitter, kind: str, *pairs: Pair) -> Pair:
    """Apply a kind to lower and to upper words."""
    low, high = (emit.op(kind, *words) for words in zip(*pairs, strict=True))
    return low, high


def select(emit: Emitter, pred: Value, a: Pair, b: Pair) -> Pair:
    """Select."""
    return emit.select(pred, a[0], b[0]), emit.select(pred, a[1], b[1])


def add(emit: Emitter, a: Pair, b: Pair) -> Pair:
    """a + b: the lower sum is smaller than a summand where it carries."""
    low = emit.op("add", a[0], b[0])
    carry = emit.op("convert", emit.compare("LT", low, a[0]), dtype="ui32")
    return low, emit.op("add", emit.op("add", a[1], b[1]), carry)


def subtract(emit: Emitter, a: Pair, b: Pair) -> Pair:
    """a - b."""
    borrow = emit.op("convert", emit.compare("LT", a[0], b[0]), dtype="ui32")
    high = emit.op("subtract", emit.op("subtract", a[1], b[1]), borrow)
    return emit.op("subtract", a[0], b[0]), high


def multiply(emit: Emitter, a: Pair, b: Pair) -> Pair:
    """a * b."""
    cross = emit.op("add", emit.op("multiply", a[0], b[1]), emit.op("multiply", a[1], b[0]))
    return emit.op("multiply", a[0], b[0]), emit.op("add", high_word(emit, a[0], b[0]), cross)


def negate(emit: Emitter, a: Pair) -> Pair:
    """-a."""
    return subtract(emit, constant(emit, 0, a[0]), a)


def is_negative(emit: Emitter, a: Pair) -> Value:
    """Whether the top bit is set."""
    return emit.compare("GE", a[1], emit.splat(1 << 31, a[1]))


def is_zero(emit: Emitter, a: Pair) -> Value:
    """a == 0."""
    either = emit.op("or", a[0], a[1])
    return emit.compare("EQ", either, emit.splat(0, either))


def magnitude(emit: Emitter, a: Pair) -> Pair:
    """|a| of a signed number."""
    return select(emit, is_negative(emit, a), negate(emit, a), a)


def sign(emit: Emitter, a: Pair, signed: bool) -> Pair:
    """-1, 0 or 1."""
    value = select(emit, is_zero(emit, a), constant(emit, 0, a[0]), constant(emit, 1, a[0]))
    below = constant(emit, -1, a[0])
    return select(emit, is_negative(emit, a), below, value) if signed else value


def compare(emit: Emitter, direction: str, a: Pair, b: Pair, signed: bool) -> Value:
    """Compare upper words first."""
    if direction in ("EQ", "NE"):
        different = emit.op("or", *each(emit, "xor", a, b))
        return emit.compare(direction, different, emit.splat(0, different))
    if direction in ("GT", "LE"):
        return compare(emit, {"GT": "LT", "LE": "GE"}[direction], b, a, signed)
    high, other = (ordered(emit, pair[1], signed) for pair in (a, b))
    same = emit.op("and", emit.compare("EQ", high, other), emit.compare("LT", a[0], b[0]))
    less = emit.op("or", emit.compare("LT", high, other), same)
    return less if direction == "LT" else emit.op("not", less)


def ordered(emit: Emitter, high: Value, signed: bool) -> Value:
    """Return upper words as numbers that compare as they should: i32 of signed ones."""
    return emit.op("bitcast_convert", high, dtype="i32") if signed else high


def extreme(emit: Emitter, kind: str, a: Pair, b: Pair, signed: bool) -> Pair:
    """The larger ("maximum") or smaller one."""
    direction = "GE" if kind == "maximum" else "LE"
    return select(emit, compare(emit, direction, a, b, signed), a, b)


def shift(emit: Emitter, kind: str, a: Pair, amount: Pair) -> Pair:
    """Shift. Shifts of a word by 32 and more, such as negative amounts are, give nothing."""
    none = emit.compare("NE", amount[1], emit.splat(0, amount[1]))
    n = emit.select(none, emit.splat(64, amount[0]), amount[0])
    over = with_constant(emit, "subtract", n, 32)
    under = emit.op("subtract", emit.splat(32, n), n)
    if kind == "shift_left":
        moved = emit.op("or", emit.op(kind, a[1], n), emit.op("shift_right_logical", a[0], under))
        return emit.op(kind, a[0], n), emit.op("or", moved, emit.op(kind, a[0], over))
    logical = "shift_right_logical"
    low = emit.op("or", emit.op(logical, a[0], n), emit.op("shift_left", a[1], under))
    far = emit.compare("GE", n, emit.splat(32, n))
    return emit.select(far, emit.op(kind, a[1], over), low), emit.op(kind, a[1], n)


def shift_by(emit: Emitter, word: Value, amount: int) -> Pair:
    """Return ui32 words moved to the left by 0 to 63 bits."""
    zero = emit.splat(0, word)
    if amount >= 32:
        return zero, with_constant(emit, "shift_left", word, amount - 32)
    high = with_constant(emit, "shift_right_logical", word, 32 - amount) if amount else zero
    return with_constant(emit, "shift_left", word, amount), high


def popcnt(emit: Emitter, a: Pair) -> Pair:
    """Count the ones."""
    return emit.op("add", emit.op("popcnt", a[0]), emit.op("popcnt", a[1])), emit.splat(0, a[1])


def leading_zeros(emit: Emitter, a: Pair) -> Pair:
    """Count the zeros above the first one."""
    low, high = (count_leading_zeros(emit, word) for word in a)
    empty = emit.compare("EQ", a[1], emit.splat(0, a[1]))
    return emit.select(empty, with_constant(emit, "add", low, 32), high), emit.splat(0, high)


def divide(emit: Emitter, a: Pair, b: Pair, signed: bool) -> tuple[Pair, Pair]:
    """Return quotient, towards zero, and rest; of division by 0: all ones, and a."""
    n, d = (magnitude(emit, a), magnitude(emit, b)) if signed else (a, b)
    quotient, rest = _long_division(emit, n, d)
    if not signed:
        return quotient, rest
    top, other = is_negative(emit, a), is_negative(emit, b)
    turned = select(emit, emit.op("xor", top, other), negate(emit, quotient), quotient)
    turned = select(emit, is_zero(emit, b), constant(emit, -1, b[0]), turned)
    return turned, select(emit, top, negate(emit, rest), rest)


def _long_division(emit: Emitter, n: Pair, d: Pair) -> tuple[Pair, Pair]:
    """Shift n out to the left, bit by bit, into the rest; bits of the quotient come in behind."""

    def trip(inner: Emitter, number: Value, carried: tuple[Value, ...]) -> tuple[Value, ...]:
        left, rest, by = _pair(carried[:2]), _pair(carried[2:4]), _pair(carried[4:])
        out = with_constant(inner, "shift_right_logical", rest[1], 31)
        rest = _shifted_in(inner, rest, with_constant(inner, "shift_right_logical", left[1], 31))
        over = inner.compare("NE", out, inner.splat(0, out))
        fits = inner.op("or", over, compare(inner, "GE", rest, by, False))
        rest = select(inner, fits, subtract(inner, rest, by), rest)
        left = _shifted_in(inner, left, inner.op("convert", fits, dtype="ui32"))
        return (*left, *rest, *by)

    done = emit.counted(64, (*n, *constant(emit, 0, n[0]), *d), trip)
    return _pair(done[:2]), _pair(done[2:4])


def _pair(words: tuple[Value, ...]) -> Pair:
    low, high = words
    return low, high


def _shifted_in(emit: Emitter, a: Pair, bit: Value) -> Pair:
    """Return 2 a + bit."""
    carry = with_constant(emit, "shift_right_logical", a[0], 31)
    low, high = (with_constant(emit, "shift_left", word, 1) for word in a)
    return emit.op("or", low, bit), emit.op("or", high, carry)


# Conversions


def from_word(emit: Emitter, word: Value) -> Pair:
    """Return an i32, ui32, i1 or f32 as a 64-bit number; of a float use `from_float`."""
    if word.dtype == "i32":
        high = with_constant(emit, "shift_right_arithmetic", word, 31)
        low, high = (emit.op("bitcast_convert", x, dtype="ui32") for x in (word, high))
        return low, high
    low = word if word.dtype == "ui32" else emit.op("convert", word, dtype="ui32")
    return low, emit.splat(0, low)


def from_float(emit: Emitter, x: Value, signed: bool) -> Pair:
    """Cut float32 to an integer, saturating; NaN is 0. Scaling by 2^32 is exact."""
    size = emit.op("abs", x)
    high = emit.op("convert", with_constant(emit, "multiply", size, 2.0**-32), dtype="ui32")
    above = with_constant(emit, "multiply", emit.op("convert", high, dtype="f32"), 2.0**32)
    low = emit.op("convert", emit.op("subtract", size, above), dtype="ui32")
    below, least = emit.compare("LT", x, emit.splat(0.0, x)), -(1 << 63) if signed else 0
    most, limit = (2**63 - 1, 2.0**63) if signed else (2**64 - 1, 2.0**64)
    value = (low, high)
    small = negate(emit, value) if signed else constant(emit, 0, x)
    value = select(emit, below, small, value)
    far = emit.compare("GE", size, emit.splat(limit, size))
    end = select(emit, below, constant(emit, least, x), constant(emit, most, x))
    return select(emit, far, end, value)


def to_float(emit: Emitter, a: Pair, signed: bool) -> Value:
    """Round to float32, once: the first 32 bits, the last of them set where any bit follows."""
    low, high = magnitude(emit, a) if signed else a
    down = emit.op("subtract", emit.splat(32, high), count_leading_zeros(emit, high))
    up = emit.op("subtract", emit.splat(32, high), down)
    lost = emit.op("shift_left", low, up)
    sticky = emit.op("convert", emit.compare("NE", lost, emit.splat(0, lost)), dtype="ui32")
    top = emit.op("or", emit.op("shift_right_logical", low, down), emit.op("shift_left", high, up))
    whole = emit.op("convert", emit.op("or", top, sticky), dtype="f32")
    exponent = with_constant(emit, "shift_left", with_constant(emit, "add", down, 127), 23)
    scale = emit.op("bitcast_convert", exponent, dtype="f32")
    value = emit.op("multiply", whole, scale)
    if not signed:
        return value
    return emit.select(is_negative(emit, a), emit.op("negate", value), value)
