"""Elementwise kinds of the Module in NumPy: the definition of their bits (docs/numerics.md 1).

In: operands of one shape. Out: the result array. Float results that arithmetic makes NaN are the
one NaN 0x7fc00000; kinds that only move or flip bits (select, bitcast_convert, negate, abs, a
convert to the same type) keep payloads. Integers of n bits are mod 2^n. bf16 and f16 come here only
to be converted: evaluate_held.py has the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spindle.ir import functions
from spindle.ir.dtypes import SMALL_FLOATS
from spindle.ir.graph import DTYPES, Op
from spindle.ir.held import hold, release

Array = np.ndarray[Any, Any]
Elementwise = Callable[..., Array]

NAN_BITS = np.uint32(0x7FC00000)
SIGN_BIT = np.uint32(0x80000000)
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def canonical(x: Array) -> Array:
    """Replace every NaN of a float32 array by 0x7fc00000; other types pass."""
    if x.dtype != np.float32:
        return x
    return np.where(np.isnan(x), NAN_BITS, bits_of(x)).view(np.float32)


def bits_of(x: Array) -> Array:
    """Bit patterns of a float32 array."""
    return np.ascontiguousarray(x).reshape(x.shape).view(np.uint32)


def rounded(x: Array, dtype: str) -> Array:
    """Round float32 to bf16 or f16, once, to nearest even; every NaN becomes the one NaN."""
    nearest = hold(x.astype(DTYPES[dtype]), dtype)
    return release(canonical(nearest), dtype)


def _width(a: Array) -> int:
    """Return the bits of an element."""
    return int(a.dtype.itemsize) * 8


def _unsigned(a: Array) -> Array:
    """Return integers mod 2^n as unsigned ones of n bits."""
    return a.astype(f"u{a.dtype.itemsize}")


def add(a: Array, b: Array) -> Array:
    """a + b; i1: or."""
    return canonical(np.add(a, b))


def multiply(a: Array, b: Array) -> Array:
    """a * b; i1: and."""
    return canonical(np.multiply(a, b))


def maximum(a: Array, b: Array) -> Array:
    """Larger one; NaN if any is NaN, +0 > -0."""
    if a.dtype != np.float32:
        return np.maximum(a, b)
    equal = (bits_of(a) & bits_of(b)).view(np.float32)
    return _pick(a, b, a > b, equal)


def minimum(a: Array, b: Array) -> Array:
    """Smaller one; NaN if any is NaN, -0 < +0."""
    if a.dtype != np.float32:
        return np.minimum(a, b)
    equal = (bits_of(a) | bits_of(b)).view(np.float32)
    return _pick(a, b, a < b, equal)


def _pick(a: Array, b: Array, first: Array, equal: Array) -> Array:
    chosen = np.where(a == b, equal, np.where(first, a, b))
    return np.where(np.isnan(a) | np.isnan(b), NAN_BITS.view(np.float32), chosen)


def _subtract(a: Array, b: Array) -> Array:
    return a ^ b if a.dtype == np.bool_ else canonical(np.subtract(a, b))


def _divide(a: Array, b: Array) -> Array:
    """Integers round towards zero; x / 0 = -1 (all ones), INT_MIN / -1 = INT_MIN."""
    if a.dtype == np.float32:
        return canonical(np.divide(a, b))
    quotient = _magnitude(a) // np.maximum(_magnitude(b), 1)
    signed = np.where((a < 0) ^ (b < 0), 0 - quotient, quotient)
    return np.where(b == 0, ~np.zeros_like(signed), signed).astype(a.dtype)


def _magnitude(a: Array) -> Array:
    """Return |a| as unsigned integers, which hold that of the least integer too."""
    return np.where(a < 0, 0 - _unsigned(a), _unsigned(a))


def _remainder(a: Array, b: Array) -> Array:
    """Sign of the dividend (C's fmod and %); integer x rem 0 = x, INT_MIN rem -1 = 0."""
    if a.dtype == np.float32:
        return canonical(np.fmod(a, b))
    rest = _magnitude(a) % np.maximum(_magnitude(b), 1)
    return np.where(b == 0, _unsigned(a), np.where(a < 0, 0 - rest, rest)).astype(a.dtype)


def _power(a: Array, b: Array) -> Array:
    if a.dtype == np.float32:
        return _of_bits(functions.power)(a, b)
    return _integer_power(a, b)


def _integer_power(a: Array, b: Array) -> Array:
    """a ** b mod 2^n; for b < 0 what is left of a ** b: 1, +-1 for a = -1, else 0."""
    base, exponent = _unsigned(a), _unsigned(b)
    result = np.ones_like(base)
    for bit in range(_width(a)):
        odd = exponent >> exponent.dtype.type(bit) & 1 == 1
        result = np.where(odd, result * base, result)
        base = base * base
    result = result.astype(a.dtype)
    return np.where((b < 0) & (a != 1) & (a != -1), a.dtype.type(0), result)


def _negate(a: Array) -> Array:
    if a.dtype == np.float32:
        return (bits_of(a) ^ SIGN_BIT).view(np.float32)
    return np.negative(a)


def _abs(a: Array) -> Array:
    if a.dtype == np.float32:
        return (bits_of(a) & ~SIGN_BIT).view(np.float32)
    return np.abs(a)


def _sign(a: Array) -> Array:
    """-1, 0 or 1; a float zero keeps its sign."""
    return np.where(a == 0, a, canonical(np.sign(a)))


def _shift(a: Array, b: Array, shifted: Callable[[Array, Array], Array], beyond: Array) -> Array:
    """Shift by b taken as unsigned; amounts of the type's width and more give `beyond`."""
    amount, most = _unsigned(b), _width(a) - 1
    return np.where(amount > most, beyond, shifted(a, np.minimum(amount, most).astype(a.dtype)))


def _shift_left(a: Array, b: Array) -> Array:
    return _shift(a, b, np.left_shift, np.zeros_like(a))


def _shift_right_logical(a: Array, b: Array) -> Array:
    unsigned = _unsigned(a)
    shifted = _shift(unsigned, _unsigned(b), np.right_shift, np.zeros_like(unsigned))
    return shifted.astype(a.dtype)


def _shift_right_arithmetic(a: Array, b: Array) -> Array:
    signed = a.astype(f"i{a.dtype.itemsize}")
    return _shift(signed, b, np.right_shift, signed >> (_width(a) - 1)).astype(a.dtype)


COMPARE: dict[str, Callable[[Array, Array], Array]] = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}


def _compare(op: Op, a: Array, b: Array) -> Array:
    return COMPARE[op.attrs["direction"]](a, b)


def _select(op: Op, pred: Array, on_true: Array, on_false: Array) -> Array:
    if on_true.dtype == np.float32:
        return np.where(pred, bits_of(on_true), bits_of(on_false)).view(np.float32)
    return np.where(pred, on_true, on_false)


def _clamp(op: Op, low: Array, x: Array, high: Array) -> Array:
    return minimum(maximum(x, low), high)


def _convert(op: Op, a: Array) -> Array:
    """To i1: != 0. Float to integer: towards zero, saturating, NaN is 0. Else RNE or mod 2^n.

    To bf16 and f16 through float32, which is rounded again.
    """
    source, target = NAMES[a.dtype], op.result.dtype
    if source == target:
        return a
    if source in SMALL_FLOATS:
        a = hold(a, source)
    if target == "i1":
        return np.not_equal(a, 0)
    if target in SMALL_FLOATS:
        return rounded(a.astype(np.float32), target)
    if a.dtype == np.float32 and target != "f32":
        return _whole(a, DTYPES[target])
    return a.astype(DTYPES[target])


def _whole(a: Array, target: np.dtype[Any]) -> Array:
    """Cut float32 to integers."""
    limits = np.iinfo(target)
    whole = np.trunc(a.astype(np.float64))
    above, below = whole >= 2.0 ** limits.max.bit_length(), whole < limits.min
    inside = np.where(above | below | np.isnan(a), 0, whole).astype(target)
    return np.where(above, limits.max, np.where(below, limits.min, inside)).astype(target)


def _bitcast_convert(op: Op, a: Array) -> Array:
    """The same bits; narrower elements lie along a new last axis, the lowest bits first."""
    target = DTYPES[op.result.dtype]
    a = np.ascontiguousarray(a).reshape(a.shape)
    if target.itemsize < a.dtype.itemsize:
        return a.reshape(*a.shape, 1).view(target)
    return a.view(target).reshape(op.result.shape)


def _is_finite(a: Array) -> Array:
    return np.isfinite(a)


def _popcnt(a: Array) -> Array:
    count: Array = np.bitwise_count(_unsigned(a))
    return count.astype(a.dtype)


def _one_nan(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda a: canonical(function(a))


def _of_bits(function: Callable[..., Array]) -> Callable[..., Array]:
    """Lift a function on float32 bit patterns (functions.py) to float32 arrays."""
    return lambda *args: function(*(bits_of(a) for a in args)).view(np.float32)


def _plain(function: Callable[..., Array]) -> Elementwise:
    return lambda op, *operands: function(*operands)


_PLAIN: dict[str, Callable[..., Array]] = {
    "add": add,
    "subtract": _subtract,
    "multiply": multiply,
    "divide": _divide,
    "maximum": maximum,
    "minimum": minimum,
    "power": _power,
    "remainder": _remainder,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
    "shift_left": _shift_left,
    "shift_right_logical": _shift_right_logical,
    "shift_right_arithmetic": _shift_right_arithmetic,
    "negate": _negate,
    "abs": _abs,
    "sign": _sign,
    "sqrt": _one_nan(np.sqrt),
    "floor": _one_nan(np.floor),
    "ceil": _one_nan(np.ceil),
    "is_finite": _is_finite,
    "popcnt": _popcnt,
    "rsqrt": _of_bits(functions.rsqrt),
    "exponential": _of_bits(functions.exponential),
    "exponential_minus_one": _of_bits(functions.exponential_minus_one),
    "log": _of_bits(functions.log),
    "log_plus_one": _of_bits(functions.log_plus_one),
    "tanh": _of_bits(functions.tanh),
    "logistic": _of_bits(functions.logistic),
}


def _reduce_precision(op: Op, a: Array) -> Array:
    """Round to so many bits of mantissa; what their exponent cannot say is Inf or 0."""
    exponent_bits, cut = op.attrs["exponent_bits"], max(23 - op.attrs["mantissa_bits"], 0)
    unit = np.exp2(np.floor(np.log2(np.abs(a.astype(np.float64)))).clip(-126) + cut - 23)
    near = np.where(np.isfinite(a) & (a != 0), np.rint(a / unit) * unit, a)
    reach = 2.0 ** (exponent_bits - 1) - 1
    if exponent_bits < 8:
        near = np.where(np.abs(near) >= np.exp2(reach + 1), np.copysign(np.inf, a), near)
        near = np.where(np.abs(near) < np.exp2(1 - reach), np.copysign(0.0, a), near)
    return canonical(np.where(np.isnan(a), a, near).astype(np.float32))


ELEMENTWISE: dict[str, Elementwise] = {
    **{kind: _plain(function) for kind, function in _PLAIN.items()},
    "compare": _compare,
    "select": _select,
    "clamp": _clamp,
    "convert": _convert,
    "bitcast_convert": _bitcast_convert,
    "reduce_precision": _reduce_precision,
}
"""Op kind -> function(op, *operands)."""
