"""Functions made of other kinds: sine, tan, atan2, cbrt, erf, rounding, leading zeros ...

In: an Ops, which applies kinds to arrays (the evaluator) or writes them into a Module
(passes/expand_functions), and operands. Out: the result. docs/spec/functions.md says what each does
and how exact it is; every step is a correctly rounded float32 or an exact integer op.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spindle.ir.composition_parts import (
    Ops,
    V,
    as_float,
    bits,
    count_leading_zeros,
    flip,
    sign_of,
    unless_nan,
    with_constant,
)
from spindle.ir.compositions_circular import atan2, cosine, sine, tan

ERF = (
    0.12837916612625122, -0.37612637877464294, 0.11283791065216064, -0.026866132393479347,
    0.005223783198744059, -0.0008542636060155928, 0.00011956536036450416, -1.3909164408687502e-05,
    1.058891371030768e-06,
)  # fmt: skip
"""erf(x)/x - 1 in powers of x^2, 0 <= x <= 1."""
ERF_FAR = (
    0.21080636978149414, -0.0743475928902626, 0.024938056245446205, -0.007999388501048088,
    0.0024665098171681166, -0.0007389286765828729, 0.00021231181744951755, -5.362677256925963e-05,
    1.469053950131638e-05, -6.377978479576996e-06, 1.6116998722282005e-06,
)  # fmt: skip
"""exp(a^2) erfc(a) in powers of a - 2.5, 1 <= a <= 4."""
ERFC_NEAR = (
    0.284972220659256, -0.1309763491153717, 0.05576401576399803, -0.02226009964942932,
    0.008401460945606232, -0.003020202275365591, 0.0010468802647665143, -0.0003456110425759107,
    0.00010033026046585292, -3.126646697637625e-05, 1.4958519386709668e-05, -4.254292434779927e-06,
)  # fmt: skip
"""exp(a^2) erfc(a) in powers of a - 1.75, 0.5 <= a <= 3."""
ERFC_FAR = (
    0.5641895532608032, -0.28209322690963745, 0.4229888916015625, -1.0500377416610718,
    3.4671099185943604, -12.16855525970459, 33.88896179199219, -49.128177642822266,
)  # fmt: skip
"""exp(a^2) erfc(a) a in powers of 1/a^2, 3 <= a <= 10.1."""


def round_nearest_even(o: Ops[V], x: V) -> V:
    """Add and take away 2^23, where units are too large for halves."""
    size = o.op("abs", x)
    whole = with_constant(o, "subtract", with_constant(o, "add", size, 2.0**23), 2.0**23)
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
    return unless_nan(o, x, flip(o, kept, sign_of(o, x)))


def cbrt(o: Ops[V], x: V) -> V:
    """|x|^(1/3) by power, and one step of Newton; far numbers are first scaled by 2^+-24."""
    size = o.op("abs", x)
    large = o.compare("GT", size, o.splat(2.0**100, x))
    small = o.compare("LT", size, o.splat(2.0**-100, x))

    def by(power: int) -> V:
        up, down = o.splat(2.0**-power, x), o.splat(2.0**power, x)
        return o.select(large, up, o.select(small, down, o.splat(1.0, x)))

    scaled = o.op("multiply", size, by(24))
    root = with_constant(o, "power", scaled, 1 / 3)
    square = o.op("multiply", root, root)
    rest = o.op("subtract", o.op("multiply", square, root), scaled)
    step = o.op("divide", rest, with_constant(o, "multiply", square, 3.0))
    better = o.op("multiply", o.op("subtract", root, step), by(-8))
    finite = o.op("and", o.op("is_finite", x, dtype="i1"), o.compare("NE", x, o.splat(0.0, x)))
    value = o.select(finite, better, size)
    return unless_nan(o, x, flip(o, value, sign_of(o, x)))


def _piecewise(o: Ops[V], *pieces: tuple[V, V, tuple[float, ...]]) -> V:
    """Evaluate the polynomial of the first piece that holds: (whether it does, argument, it).

    Selecting coefficients costs less than evaluating them. The last piece always holds.
    """
    length = max(len(coefficients) for _, _, coefficients in pieces)
    rows = [
        (*coefficients, *(0.0,) * (length - len(coefficients))) for _, _, coefficients in pieces
    ]

    def chosen(values: list[V]) -> V:
        value = values[-1]
        for (holds, _, _), other in zip(reversed(pieces[:-1]), reversed(values[:-1]), strict=True):
            value = o.select(holds, other, value)
        return value

    z = chosen([argument for _, argument, _ in pieces])
    total = chosen([o.splat(row[-1], z) for row in rows])
    for k in reversed(range(length - 1)):
        total = o.op("add", o.op("multiply", total, z), chosen([o.splat(r[k], z) for r in rows]))
    return total


def erf(o: Ops[V], x: V) -> V:
    """erf(x): a + a E(a^2) up to 1, then 1 - e^(-a^2) F(a); 1 from 4 on."""
    a = with_constant(o, "minimum", o.op("abs", x), 4.0)
    square, near = o.op("multiply", a, a), o.compare("LT", a, o.splat(1.0, a))
    pieces = ((near, square, ERF), (near, with_constant(o, "subtract", a, 2.5), ERF_FAR))
    value = _piecewise(o, *pieces)
    first = o.op("add", a, o.op("multiply", a, value))
    tail = o.op("multiply", o.op("exponential", o.op("negate", square)), value)
    second = o.op("subtract", o.splat(1.0, a), tail)
    return unless_nan(o, x, flip(o, o.select(near, first, second), sign_of(o, x)))


def erfc(o: Ops[V], x: V) -> V:
    """erfc(x) = 1 - erf(x) near 0, else the tail of |x|; for negative x 2 minus it."""
    a = with_constant(o, "minimum", o.op("abs", x), 11.0)
    near, middle = (o.compare("LT", a, o.splat(limit, a)) for limit in (0.5, 3.0))
    s = o.op("multiply", a, a)
    inverse = o.op("divide", o.splat(1.0, a), a)
    inverse_square = o.op("multiply", inverse, inverse)
    value = _piecewise(
        o,
        (near, s, ERF),
        (middle, with_constant(o, "subtract", a, 1.75), ERFC_NEAR),
        (middle, inverse_square, ERFC_FAR),
    )
    first = o.op("subtract", o.splat(1.0, x), o.op("add", x, o.op("multiply", x, value)))
    tail = _tail(o, a, s, o.select(middle, value, o.op("multiply", inverse, value)))
    right = o.compare("GT", x, o.splat(0.0, x))
    second = o.select(right, tail, o.op("subtract", o.splat(2.0, x), tail))
    return unless_nan(o, x, o.select(near, first, second))


def _tail(o: Ops[V], a: V, s: V, q: V) -> V:
    """Return e^(-a^2) q = e^-s (q - q r), where s is the float next to a^2 and r the rest."""
    high = as_float(o, with_constant(o, "and", bits(o, a), 0xFFFFF000))
    low = o.op("subtract", a, high)
    r = o.op("subtract", o.op("multiply", high, high), s)
    r = o.op("add", r, o.op("multiply", low, o.op("add", a, high)))
    corrected = o.op("subtract", q, o.op("multiply", q, r))
    return o.op("multiply", o.op("exponential", o.op("negate", s)), corrected)


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    "sine": sine,
    "cosine": cosine,
    "tan": tan,
    "atan2": atan2,
    "cbrt": cbrt,
    "round_nearest_even": round_nearest_even,
    "round_nearest_afz": round_nearest_afz,
    "count_leading_zeros": count_leading_zeros,
    "erf": erf,
    "erfc": erfc,
}
"""Op kind -> composition(ops, *operands)."""
