"""Functions made of other kinds: sine, cosine, tan, atan2, cbrt, rounding, leading zeros.

In: operands and an Ops, which applies kinds to arrays (the evaluator) or writes them into a Module
(passes/expand_functions). Out: the result. docs/spec/functions.md says what each does and how
exact it is; every step is a correctly rounded float32 or an exact integer op.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Protocol, TypeVar

V = TypeVar("V")

NAN = float("nan")
TWO_OVER_PI = (
    0, 0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB,
)  # fmt: skip
"""2/pi as a binary fraction, 32 bits a word, a word of zeros before it."""
HALF_PI_Q31 = 0xC90FDAA2
SINE = (-0.1666666716337204, 0.008333331905305386, -0.00019840087043121457, 2.7249896e-06)
"""(sin(r)/r - 1) / r^2 in powers of r^2, abs(r) <= pi/4."""
COSINE = (0.0416666679084301, -0.00138888880610466, 2.480059993104078e-05, -2.7300933e-07)
"""(cos(r) - 1 + r^2/2) / r^4 in powers of r^2, abs(r) <= pi/4."""
ARCTAN = (
    -0.3333333432674408, 0.19999989867210388, -0.1428530365228653, 0.1110457107424736,
    -0.0903601124882698, 0.07415125519037247, -0.057558853179216385, 0.03826519846916199,
    -0.01921183615922928, 0.006185424514114857, -0.0009321481920778751,
)  # fmt: skip
"""(atan(t)/t - 1) / t^2 in powers of t^2, 0 <= t <= 1."""


class Ops(Protocol[V]):
    """What a composition is written with."""

    def op(self, kind: str, *operands: V, dtype: str = "", **attrs: Any) -> V:
        """Apply an elementwise kind; `dtype` is the result's, the last operand's by default."""

    def splat(self, value: Any, like: V, dtype: str = "") -> V:
        """Return a constant of the shape (and type) of `like`."""

    def compare(self, direction: str, a: V, b: V) -> V:
        """Compare."""

    def select(self, pred: V, on_true: V, on_false: V) -> V:
        """Select."""


# Parts


def _bits(o: Ops[V], x: V) -> V:
    return o.op("bitcast_convert", x, dtype="ui32")


def _float(o: Ops[V], word: V) -> V:
    return o.op("bitcast_convert", word, dtype="f32")


def _with(o: Ops[V], kind: str, x: V, value: Any) -> V:
    """Apply a kind of two operands to x and a constant."""
    return o.op(kind, x, o.splat(value, x))


def _sign(o: Ops[V], x: V) -> V:
    """Return the sign bit of a float, in its place."""
    return _with(o, "and", _bits(o, x), 0x80000000)


def _flip(o: Ops[V], x: V, sign: V) -> V:
    """Negate x where the sign bit is set."""
    return _float(o, o.op("xor", _bits(o, x), sign))


def _unless_nan(o: Ops[V], x: V, y: V) -> V:
    """Return y, the one NaN where x is NaN."""
    return o.select(o.compare("NE", x, x), o.splat(NAN, y), y)


def _polynomial(o: Ops[V], z: V, coefficients: tuple[float, ...]) -> V:
    """Horner's rule: a product and a sum, each rounded, per coefficient."""
    total = o.splat(coefficients[-1], z)
    for value in reversed(coefficients[:-1]):
        total = o.op("add", o.op("multiply", total, z), o.splat(value, z))
    return total


def _high(o: Ops[V], a: V, b: V) -> V:
    """Return the upper 32 bits of the product of two ui32."""
    a_low, b_low = _with(o, "and", a, 0xFFFF), _with(o, "and", b, 0xFFFF)
    a_high = _with(o, "shift_right_logical", a, 16)
    b_high = _with(o, "shift_right_logical", b, 16)
    cross, other = o.op("multiply", a_low, b_high), o.op("multiply", a_high, b_low)
    middle = _with(o, "shift_right_logical", o.op("multiply", a_low, b_low), 16)
    for part in (cross, other):
        middle = o.op("add", middle, _with(o, "and", part, 0xFFFF))
    total = o.op("multiply", a_high, b_high)
    for part in (cross, other, middle):
        total = o.op("add", total, _with(o, "shift_right_logical", part, 16))
    return total


# Rounding and bits


def count_leading_zeros(o: Ops[V], x: V) -> V:
    """Spread the first one to the right; what is still zero is counted."""
    for amount in (1, 2, 4, 8, 16):
        x = o.op("or", x, _with(o, "shift_right_logical", x, amount))
    return o.op("popcnt", o.op("not", x))


def round_nearest_even(o: Ops[V], x: V) -> V:
    """Add and take away 2^23, where units are too large for halves."""
    size = o.op("abs", x)
    whole = _with(o, "subtract", _with(o, "add", size, 2.0**23), 2.0**23)
    return _rounded(o, x, size, whole)


def round_nearest_afz(o: Ops[V], x: V) -> V:
    """Round down, and up by one where a half or more is left."""
    size = o.op("abs", x)
    floor = o.op("floor", size)
    rest = o.op("subtract", size, floor)
    up = o.op("convert", o.compare("GE", rest, o.splat(0.5, x)), dtype="f32")
    return _rounded(o, x, size, o.op("add", floor, up))


def _rounded(o: Ops[V], x: V, size: V, whole: V) -> V:
    """Keep what is whole already, and the sign."""
    kept = o.select(o.compare("GE", size, o.splat(2.0**23, x)), size, whole)
    return _unless_nan(o, x, _flip(o, kept, _sign(o, x)))


# Circular functions


def _product(o: Ops[V], x: V) -> tuple[V, V]:
    """Return |x| 2/pi modulo 4 as two words, Q62; |x| >= pi/4."""
    word = _with(o, "and", _bits(o, x), 0x7FFFFFFF)
    exponent = _with(o, "maximum", _with(o, "shift_right_logical", word, 23), 126)
    mant = _with(o, "or", _with(o, "and", word, 0x7FFFFF), 0x800000)
    first = _with(o, "subtract", exponent, 120)
    index, left = _with(o, "shift_right_logical", first, 5), _with(o, "and", first, 31)
    right = o.op("subtract", o.splat(32, left), left)
    words = [_word(o, index, place) for place in range(4)]
    v = [
        o.op("or", o.op("shift_left", a, left), o.op("shift_right_logical", b, right))
        for a, b in pairwise(words)
    ]
    middle = o.op("multiply", mant, v[1])
    low = o.op("add", middle, _high(o, mant, v[2]))
    carry = o.op("convert", o.compare("LT", low, middle), dtype="ui32")
    high = o.op("add", o.op("multiply", mant, v[0]), _high(o, mant, v[1]))
    return o.op("add", high, carry), low


def _word(o: Ops[V], index: V, place: int) -> V:
    """Return TWO_OVER_PI[index + place], index 0..4."""
    chosen = o.splat(TWO_OVER_PI[place], index)
    for k in range(1, 5):
        here = o.compare("EQ", index, o.splat(k, index))
        chosen = o.select(here, o.splat(TWO_OVER_PI[k + place], index), chosen)
    return chosen


def _magnitude(o: Ops[V], high: V, low: V, negative: V) -> tuple[V, V]:
    """Return the two words, those of a negative number negated."""
    mask = o.op("negate", negative)
    low = o.op("add", o.op("xor", low, mask), negative)
    zero = o.op("convert", o.compare("EQ", low, o.splat(0, low)), dtype="ui32")
    return o.op("add", o.op("xor", high, mask), o.op("and", zero, negative)), low


def _turned(o: Ops[V], x: V) -> tuple[V, V, V]:
    """Return (n, high, low): |x| = n pi/2 + high + low modulo 2 pi, abs(high) <= pi/4; n ui32."""
    high, low = _product(o, x)
    n = _with(o, "shift_right_logical", _with(o, "add", high, 1 << 29), 30)
    high = o.op("subtract", high, _with(o, "shift_left", n, 30))
    negative = _with(o, "shift_right_logical", high, 31)
    high, low = _magnitude(o, high, low, negative)
    zeros = count_leading_zeros(o, high)
    empty = o.compare("EQ", high, o.splat(0, high))
    more = o.op("add", zeros, count_leading_zeros(o, low))
    zeros = o.select(empty, more, zeros)
    top = o.op("or", o.op("shift_left", high, zeros), _shifted(o, low, zeros))
    angle = _high(o, top, o.splat(HALF_PI_Q31, top))
    power = _with(o, "shift_left", o.op("subtract", o.splat(98, zeros), zeros), 23)
    scale = _float(o, o.op("or", power, _with(o, "shift_left", negative, 31)))
    parts = (_with(o, "and", angle, 0xFFFFFF00), _with(o, "and", angle, 0xFF))
    r_high, r_low = (o.op("multiply", o.op("convert", p, dtype="f32"), scale) for p in parts)
    size = o.op("abs", x)
    small = o.compare("LT", size, o.splat(0.7853981, x))
    nothing = o.splat(0.0, x)
    return (
        o.select(small, o.splat(0, n), n),
        o.select(small, size, r_high),
        o.select(small, nothing, r_low),
    )


def _shifted(o: Ops[V], low: V, zeros: V) -> V:
    """Return low >> (32 - zeros), or low << (zeros - 32): a shift out of range gives 0."""
    right = o.op("shift_right_logical", low, o.op("subtract", o.splat(32, zeros), zeros))
    return o.op("or", right, o.op("shift_left", low, _with(o, "subtract", zeros, 32)))


def _sum(o: Ops[V], large: V, small: V) -> tuple[V, V]:
    """Return the rounded sum and what the rounding took away, abs(large) >= abs(small)."""
    total = o.op("add", large, small)
    return total, o.op("subtract", small, o.op("subtract", total, large))


def _sine_of(o: Ops[V], high: V, low: V) -> tuple[V, V]:
    """Return sin(high + low), abs(high) <= pi/4, as a float and the rest of it."""
    z = o.op("multiply", high, high)
    cubic = o.op("multiply", o.op("multiply", high, z), _polynomial(o, z, SINE))
    return _sum(o, high, o.op("add", cubic, low))


def _cosine_of(o: Ops[V], high: V, low: V) -> tuple[V, V]:
    """Return cos(high + low) alike; what 1 - z/2 loses is added again."""
    z = o.op("multiply", high, high)
    half, one = _with(o, "multiply", z, 0.5), o.splat(1.0, z)
    near = o.op("subtract", one, half)
    lost = o.op("subtract", o.op("subtract", one, near), half)
    quartic = o.op("multiply", o.op("multiply", z, z), _polynomial(o, z, COSINE))
    rest = o.op("subtract", quartic, o.op("multiply", high, low))
    return _sum(o, near, o.op("add", lost, rest))


def _circular(o: Ops[V], x: V, quarter: int) -> V:
    """Return sin(|x| + quarter pi/2); NaN for Inf."""
    n, high, low = _turned(o, x)
    n = _with(o, "add", n, quarter)
    odd = o.compare("NE", _with(o, "and", n, 1), o.splat(0, n))
    value = o.select(odd, _cosine_of(o, high, low)[0], _sine_of(o, high, low)[0])
    sign = _with(o, "shift_left", _with(o, "and", n, 2), 30)
    return o.select(o.op("is_finite", x, dtype="i1"), _flip(o, value, sign), o.splat(NAN, x))


def _is_tiny(o: Ops[V], x: V) -> V:
    """Whether sin(x) and tan(x) are x."""
    return o.compare("LT", o.op("abs", x), o.splat(2.0**-12, x))


def sine(o: Ops[V], x: V) -> V:
    """sin(x)."""
    value = _unless_nan(o, x, _circular(o, x, 0))
    turned = o.select(o.op("is_finite", x, dtype="i1"), _flip(o, value, _sign(o, x)), value)
    return o.select(_is_tiny(o, x), x, turned)


def cosine(o: Ops[V], x: V) -> V:
    """cos(x)."""
    return _circular(o, x, 1)


def tan(o: Ops[V], x: V) -> V:
    """tan(x) = sin / cos, and -cos / sin in odd quarters, with the rests of both."""
    n, high, low = _turned(o, x)
    parity = _with(o, "and", n, 1)
    odd = o.compare("NE", parity, o.splat(0, n))
    pairs = list(zip(_sine_of(o, high, low), _cosine_of(o, high, low), strict=True))
    above, above_rest = (o.select(odd, c, s) for s, c in pairs)
    below, below_rest = (o.select(odd, s, c) for s, c in pairs)
    first = o.op("divide", above, below)
    rest = o.op("subtract", above_rest, o.op("multiply", first, below_rest))
    ratio = o.op("add", first, o.op("divide", rest, below))
    sign = o.op("xor", _with(o, "shift_left", parity, 31), _sign(o, x))
    value = o.select(o.op("is_finite", x, dtype="i1"), _flip(o, ratio, sign), o.splat(NAN, x))
    return o.select(_is_tiny(o, x), x, value)


def atan2(o: Ops[V], y: V, x: V) -> V:
    """The angle of (x, y): an arc tangent of at most 1, turned into its octant."""
    a, b = o.op("abs", y), o.op("abs", x)
    least, most = o.op("minimum", a, b), o.op("maximum", a, b)
    nothing, one = o.splat(0.0, x), o.splat(1.0, x)
    ratio = o.select(o.compare("EQ", most, nothing), nothing, o.op("divide", least, most))
    t = o.select(o.compare("EQ", least, o.splat(float("inf"), x)), one, ratio)
    z = o.op("multiply", t, t)
    cubic = o.op("multiply", o.op("multiply", t, z), _polynomial(o, z, ARCTAN))
    angle = o.op("add", t, cubic)
    angle = o.select(o.compare("GT", a, b), _from(o, 1.5707964, -4.371139e-08, angle), angle)
    left = o.compare("NE", _sign(o, x), o.splat(0, x, "ui32"))
    angle = o.select(left, _from(o, 3.1415927, -8.742278e-08, angle), angle)
    return _unless_nan(o, x, _unless_nan(o, y, _flip(o, angle, _sign(o, y))))


def _from(o: Ops[V], high: float, low: float, angle: V) -> V:
    """Return high + low - angle."""
    rest = _with(o, "subtract", angle, low)
    return o.op("subtract", o.splat(high, angle), rest)


def cbrt(o: Ops[V], x: V) -> V:
    """|x|^(1/3) by power, and one step of Newton; far numbers are first scaled by 2^+-24."""
    size = o.op("abs", x)
    large = o.compare("GT", size, o.splat(2.0**100, x))
    small = o.compare("LT", size, o.splat(2.0**-100, x))

    def by(power: int) -> V:
        up, down = o.splat(2.0**-power, x), o.splat(2.0**power, x)
        return o.select(large, up, o.select(small, down, o.splat(1.0, x)))

    scaled = o.op("multiply", size, by(24))
    root = _with(o, "power", scaled, 1 / 3)
    square = o.op("multiply", root, root)
    rest = o.op("subtract", o.op("multiply", square, root), scaled)
    step = o.op("divide", rest, _with(o, "multiply", square, 3.0))
    better = o.op("multiply", o.op("subtract", root, step), by(-8))
    finite = o.op("and", o.op("is_finite", x, dtype="i1"), o.compare("NE", x, o.splat(0.0, x)))
    value = o.select(finite, better, size)
    return _unless_nan(o, x, _flip(o, value, _sign(o, x)))


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    "sine": sine,
    "cosine": cosine,
    "tan": tan,
    "atan2": atan2,
    "cbrt": cbrt,
    "round_nearest_even": round_nearest_even,
    "round_nearest_afz": round_nearest_afz,
    "count_leading_zeros": count_leading_zeros,
}
"""Op kind -> composition(ops, *operands)."""
