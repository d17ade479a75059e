"""Compositions of sine, cosine, tan and atan2 (docs/spec/functions.md).

In: an Ops and operands. Out: the result. An angle of any size is first multiplied by 2/pi in
integers, so that what is left of a whole turn is exact to 32 bits.
"""

from __future__ import annotations

from itertools import pairwise

from spindle.ir.composition_parts import (
    NAN,
    Ops,
    V,
    as_float,
    bits,
    count_leading_zeros,
    flip,
    high_word,
    polynomial,
    sign_of,
    unless_nan,
    with_constant,
)

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


def _product(o: Ops[V], x: V) -> tuple[V, V]:
    """Return |x| 2/pi modulo 4 as two words, Q62; |x| >= pi/4."""
    word = with_constant(o, "and", bits(o, x), 0x7FFFFFFF)
    exponent = with_constant(o, "maximum", with_constant(o, "shift_right_logical", word, 23), 126)
    mant = with_constant(o, "or", with_constant(o, "and", word, 0x7FFFFF), 0x800000)
    first = with_constant(o, "subtract", exponent, 120)
    index, left = (
        with_constant(o, "shift_right_logical", first, 5),
        with_constant(o, "and", first, 31),
    )
    right = o.op("subtract", o.splat(32, left), left)
    words = [_word(o, index, place) for place in range(4)]
    v = [
        o.op("or", o.op("shift_left", a, left), o.op("shift_right_logical", b, right))
        for a, b in pairwise(words)
    ]
    middle = o.op("multiply", mant, v[1])
    low = o.op("add", middle, high_word(o, mant, v[2]))
    carry = o.op("convert", o.compare("LT", low, middle), dtype="ui32")
    high = o.op("add", o.op("multiply", mant, v[0]), high_word(o, mant, v[1]))
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
    n = with_constant(o, "shift_right_logical", with_constant(o, "add", high, 1 << 29), 30)
    high = o.op("subtract", high, with_constant(o, "shift_left", n, 30))
    negative = with_constant(o, "shift_right_logical", high, 31)
    high, low = _magnitude(o, high, low, negative)
    zeros = count_leading_zeros(o, high)
    empty = o.compare("EQ", high, o.splat(0, high))
    more = o.op("add", zeros, count_leading_zeros(o, low))
    zeros = o.select(empty, more, zeros)
    top = o.op("or", o.op("shift_left", high, zeros), _shifted(o, low, zeros))
    angle = high_word(o, top, o.splat(HALF_PI_Q31, top))
    power = with_constant(o, "shift_left", o.op("subtract", o.splat(98, zeros), zeros), 23)
    scale = as_float(o, o.op("or", power, with_constant(o, "shift_left", negative, 31)))
    parts = (with_constant(o, "and", angle, 0xFFFFFF00), with_constant(o, "and", angle, 0xFF))
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
    return o.op("or", right, o.op("shift_left", low, with_constant(o, "subtract", zeros, 32)))


def _sum(o: Ops[V], large: V, small: V) -> tuple[V, V]:
    """Return the rounded sum and what the rounding took away, abs(large) >= abs(small)."""
    total = o.op("add", large, small)
    return total, o.op("subtract", small, o.op("subtract", total, large))


def _sine_of(o: Ops[V], high: V, low: V) -> tuple[V, V]:
    """Return sin(high + low), abs(high) <= pi/4, as a float and the rest of it."""
    z = o.op("multiply", high, high)
    cubic = o.op("multiply", o.op("multiply", high, z), polynomial(o, z, SINE))
    return _sum(o, high, o.op("add", cubic, low))


def _cosine_of(o: Ops[V], high: V, low: V) -> tuple[V, V]:
    """Return cos(high + low) alike; what 1 - z/2 loses is added again."""
    z = o.op("multiply", high, high)
    half, one = with_constant(o, "multiply", z, 0.5), o.splat(1.0, z)
    near = o.op("subtract", one, half)
    lost = o.op("subtract", o.op("subtract", one, near), half)
    quartic = o.op("multiply", o.op("multiply", z, z), polynomial(o, z, COSINE))
    rest = o.op("subtract", quartic, o.op("multiply", high, low))
    return _sum(o, near, o.op("add", lost, rest))


def _circular(o: Ops[V], x: V, quarter: int) -> V:
    """Return sin(|x| + quarter pi/2); NaN for Inf."""
    n, high, low = _turned(o, x)
    n = with_constant(o, "add", n, quarter)
    odd = o.compare("NE", with_constant(o, "and", n, 1), o.splat(0, n))
    value = o.select(odd, _cosine_of(o, high, low)[0], _sine_of(o, high, low)[0])
    sign = with_constant(o, "shift_left", with_constant(o, "and", n, 2), 30)
    return o.select(o.op("is_finite", x, dtype="i1"), flip(o, value, sign), o.splat(NAN, x))


def _is_tiny(o: Ops[V], x: V) -> V:
    """Whether sin(x) and tan(x) are x."""
    return o.compare("LT", o.op("abs", x), o.splat(2.0**-12, x))


def sine(o: Ops[V], x: V) -> V:
    """sin(x)."""
    value = unless_nan(o, x, _circular(o, x, 0))
    turned = o.select(o.op("is_finite", x, dtype="i1"), flip(o, value, sign_of(o, x)), value)
    return o.select(_is_tiny(o, x), x, turned)


def cosine(o: Ops[V], x: V) -> V:
    """cos(x)."""
    return _circular(o, x, 1)


def tan(o: Ops[V], x: V) -> V:
    """tan(x) = sin / cos, and -cos / sin in odd quarters, with the rests of both."""
    n, high, low = _turned(o, x)
    parity = with_constant(o, "and", n, 1)
    odd = o.compare("NE", parity, o.splat(0, n))
    pairs = list(zip(_sine_of(o, high, low), _cosine_of(o, high, low), strict=True))
    above, above_rest = (o.select(odd, c, s) for s, c in pairs)
    below, below_rest = (o.select(odd, s, c) for s, c in pairs)
    first = o.op("divide", above, below)
    rest = o.op("subtract", above_rest, o.op("multiply", first, below_rest))
    ratio = o.op("add", first, o.op("divide", rest, below))
    sign = o.op("xor", with_constant(o, "shift_left", parity, 31), sign_of(o, x))
    value = o.select(o.op("is_finite", x, dtype="i1"), flip(o, ratio, sign), o.splat(NAN, x))
    return o.select(_is_tiny(o, x), x, value)


def atan2(o: Ops[V], y: V, x: V) -> V:
    """The angle of (x, y): an arc tangent of at most 1, turned into its octant."""
    a, b = o.op("abs", y), o.op("abs", x)
    least, most = o.op("minimum", a, b), o.op("maximum", a, b)
    nothing, one = o.splat(0.0, x), o.splat(1.0, x)
    ratio = o.select(o.compare("EQ", most, nothing), nothing, o.op("divide", least, most))
    t = o.select(o.compare("EQ", least, o.splat(float("inf"), x)), one, ratio)
    z = o.op("multiply", t, t)
    cubic = o.op("multiply", o.op("multiply", t, z), polynomial(o, z, ARCTAN))
    angle = o.op("add", t, cubic)
    angle = o.select(o.compare("GT", a, b), _from(o, 1.5707964, -4.371139e-08, angle), angle)
    left = o.compare("NE", sign_of(o, x), o.splat(0, x, "ui32"))
    angle = o.select(left, _from(o, 3.1415927, -8.742278e-08, angle), angle)
    return unless_nan(o, x, unless_nan(o, y, flip(o, angle, sign_of(o, y))))


def _from(o: Ops[V], high: float, low: float, angle: V) -> V:
    """Return high + low - angle."""
    rest = with_constant(o, "subtract", angle, low)
    return o.op("subtract", o.splat(high, angle), rest)
