"""Elementwise kinds of the Module in NumPy: the definition of their bits (docs/numerics.md 1).

In: operands of one shape. Out: the result array. Float results that arithmetic makes NaN are the
one NaN 0x7fc00000; kinds that only move or flip bits (select, bitcast_convert, negate, abs, a
convert to the same type) keep payloads. Integers are mod 2^32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spindle.ir import functions
from spindle.ir.graph import DTYPES, Op

Array = np.ndarray[Any, Any]
Elementwise = Callable[..., Array]

NAN_BITS = np.uint32(0x7FC00000)
SIGN_BIT = np.uint32(0x80000000)


def canonical(x: Array) -> Array:
    """Replace every NaN of a float32 array by 0x7fc00000; other types pass."""
    if x.dtype != np.float32:
        return x
    return np.where(np.isnan(x), NAN_BITS, bits_of(x)).view(np.float32)


def bits_of(x: Array) -> Array:
    """Bit patterns of a float32 array."""
    return np.ascontiguousarray(x).reshape(x.shape).view(np.uint32)


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
    n, d = a.astype(np.int64), b.astype(np.int64)
    quotient = np.abs(n) // np.maximum(np.abs(d), 1) * np.sign(n) * np.sign(d)
    return np.where(d == 0, -1, quotient).astype(a.dtype)


def _remainder(a: Array, b: Array) -> Array:
    """Sign of the dividend (C's fmod and %); integer x rem 0 = x, INT_MIN rem -1 = 0."""
    if a.dtype == np.float32:
        return canonical(np.fmod(a, b))
    n, d = a.astype(np.int64), b.astype(np.int64)
    rest = np.abs(n) % np.maximum(np.abs(d), 1) * np.sign(n)
    return np.where(d == 0, n, rest).astype(a.dtype)


def _power(a: Array, b: Array) -> Array:
    if a.dtype == np.float32:
        return _of_bits(functions.power)(a, b)
    return _integer_power(a, b)


def _integer_power(a: Array, b: Array) -> Array:
    """a ** b mod 2^32; for b < 0 what is left of a ** b: 1, +-1 for a = -1, else 0."""
    base, result = a.astype(np.uint32), np.ones(a.shape, np.uint32)
    for bit in range(32):
        result = np.where((b.astype(np.uint32) >> np.uint32(bit)) & 1, result * base, result)
        base = base * base
    result = result.astype(np.uint32).view(a.dtype)
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
    """Shift by b taken as unsigned; amounts of 32 and more give `beyond`."""
    amount = b.astype(np.uint32)
    return np.where(amount > 31, beyond, shifted(a, np.minimum(amount, 31).astype(a.dtype)))


def _shift_left(a: Array, b: Array) -> Array:
    return _shift(a, b, np.left_shift, np.zeros_like(a))


def _shift_right_logical(a: Array, b: Array) -> Array:
    unsigned = a.astype(np.uint32)
    shifted = _shift(unsigned, b.astype(np.uint32), np.right_shift, np.zeros_like(unsigned))
    return shifted.astype(a.dtype)


def _shift_right_arithmetic(a: Array, b: Array) -> Array:
    signed = a.astype(np.int32)
    return _shift(signed, b, np.right_shift, signed >> 31).astype(a.dtype)


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
    """To i1: != 0. Float to integer: towards zero, saturating, NaN is 0. Else RNE or mod 2^32."""
    target = DTYPES[op.result.dtype]
    if target == np.bool_:
        return np.not_equal(a, 0)
    if a.dtype == np.float32 and target != np.float32:
        limits = np.iinfo(target)
        whole = np.clip(np.trunc(a.astype(np.float64)), limits.min, limits.max)
        return np.where(np.isnan(a), 0, whole).astype(np.int64).astype(target)
    return a.astype(target)


def _bitcast_convert(op: Op, a: Array) -> Array:
    return np.ascontiguousarray(a).reshape(a.shape).view(DTYPES[op.result.dtype])


def _is_finite(a: Array) -> Array:
    return np.isfinite(a)


def _popcnt(a: Array) -> Array:
    count: Array = np.bitwise_count(a.astype(np.uint32))
    return count.astype(a.dtype)


def _rounded(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
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
    "sqrt": _rounded(np.sqrt),
    "floor": _rounded(np.floor),
    "ceil": _rounded(np.ceil),
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

ELEMENTWISE: dict[str, Elementwise] = {
    **{kind: _plain(function) for kind, function in _PLAIN.items()},
    "compare": _compare,
    "select": _select,
    "clamp": _clamp,
    "convert": _convert,
    "bitcast_convert": _bitcast_convert,
}
"""Op kind -> function(op, *operands)."""
