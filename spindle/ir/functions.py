"""Elementary functions on float32 bit patterns: the definition of their bits.

In: uint32 arrays of float32 bits. Out: uint32 arrays of float32 bits. Integer arithmetic only,
step by step as docs/spec/functions.md says; fn_exp, fn_log ... of firmware/kernels/fn.c give the
same bits. Every NaN is 0x7fc00000; denormals are kept on both sides.
"""

from __future__ import annotations

import numpy as np

from spindle.ir import function_tables as tables
from spindle.ir.function_parts import (
    INF,
    NAN,
    ONE,
    SIGN,
    Array,
    Parts,
    exp2_fraction,
    horner,
    log2_fixed,
    log2_slope,
    log_bits,
    multiply_32_64,
    normalise,
    pack32,
    pack64,
    reciprocal,
    split_power,
    times_log2e,
    unpack,
)

HALF = 0x3F000000
_LN2 = np.uint64(tables.LN2_Q32)
_RSQRT = np.array(tables.RSQRT_TABLE, np.int64)


def _choose(default: Array, *cases: tuple[Array, Array | int]) -> Array:
    """uint32 bits: the value of the first case that holds, else the default."""
    conditions, values = zip(*cases, strict=True)
    chosen: Array = np.select(list(conditions), list(values), default)
    return chosen.astype(np.uint32)


def _is_nan(x: Parts) -> Array:
    return x.magnitude > INF


def exponential(bits: Array) -> Array:
    """exp(x)."""
    x = unpack(bits)
    n, f = split_power(times_log2e(x.mant), x.exp, x.sign == 1)
    y = pack32(np.zeros_like(n), n, exp2_fraction(f))
    return _choose(
        y,
        (_is_nan(x), NAN),
        (x.exp < -26, ONE),
        (x.exp > 7, np.where(x.sign == 1, 0, INF)),
    )


def exponential_minus_one(bits: Array) -> Array:
    """exp(x) - 1."""
    x = unpack(bits)
    return _choose(
        _expm1_large(x),
        (_is_nan(x), NAN),
        (x.exp < -26, bits),
        (x.exp < -1, _expm1_small(x)),
        (x.exp > 7, np.where(x.sign == 1, SIGN | ONE, INF)),
    )


def _scaled_factor(x: Parts, factor: Array) -> Array:
    """x * factor, factor in Q31."""
    product = (x.mant << 8).astype(np.uint64) * factor.astype(np.uint64)
    return pack64(x.sign, x.exp, product)


def _fraction(x: Parts) -> Array:
    """|x| in Q32, for |x| < 1/2."""
    fixed: Array = (x.mant << 8) >> np.clip(-1 - x.exp, 0, 63)
    return fixed


def _expm1_small(x: Parts) -> Array:
    z = np.where(x.sign == 1, -_fraction(x), _fraction(x))
    return _scaled_factor(x, (1 << 31) + ((z * horner(z, tables.EXPM1_POLY)) >> 32))


def _expm1_large(x: Parts) -> Array:
    n, f = split_power(times_log2e(x.mant), x.exp, x.sign == 1)
    mant = exp2_fraction(f)
    zero = np.zeros_like(n)
    grown = (mant.astype(np.uint64) << np.clip(n, 0, 31).astype(np.uint64)) - np.uint64(1 << 31)
    above = np.where(n > 30, pack32(zero, n, mant), pack64(zero, zero + 31, np.maximum(grown, 1)))
    left = np.int64(1 << 62) - ((mant << 31) >> np.clip(-n, 1, 63))
    below = pack64(zero + 1, zero, left.astype(np.uint64))
    return np.where(x.sign == 1, below, above)


def log(bits: Array) -> Array:
    """Natural logarithm."""
    x = unpack(bits)
    y = log_bits(x.mant << 8, np.zeros_like(x.mant), x.exp)
    return _choose(
        y,
        (_is_nan(x), NAN),
        (x.magnitude == 0, SIGN | INF),
        (x.sign == 1, NAN),
        (x.magnitude == INF, INF),
        (x.magnitude == ONE, 0),
    )


def log_plus_one(bits: Array) -> Array:
    """log(1 + x)."""
    x = unpack(bits)
    return _choose(
        _log1p_large(x),
        (_is_nan(x), NAN),
        (x.exp < -26, bits),
        (x.exp < -7, _log1p_small(x)),
        ((x.sign == 1) & (x.magnitude == ONE), SIGN | INF),
        ((x.sign == 1) & (x.magnitude > ONE), NAN),
        (x.magnitude == INF, INF),
    )


def _log1p_small(x: Parts) -> Array:
    z = (x.mant << 8) >> np.clip(-6 - x.exp, 2, 63)
    slope = log2_slope(np.where(x.sign == 1, -z, z)).astype(np.uint64) >> np.uint64(31)
    return _scaled_factor(x, (slope * _LN2) >> np.uint64(32))


def _log1p_large(x: Parts) -> Array:
    fixed = x.mant << np.clip(x.exp + 7, 0, 39)
    one = np.int64(1 << 30)
    total = np.where(x.exp > 32, x.mant << 8, np.where(x.sign == 1, one - fixed, one + fixed))
    top, exp = normalise(np.maximum(total, 1), np.where(x.exp > 32, 31 - x.exp, 30))
    high = (top >> np.uint64(32)).astype(np.int64)
    low = (top & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return log_bits(high, low, exp)


def tanh(bits: Array) -> Array:
    """Hyperbolic tangent."""
    x = unpack(bits)
    return _choose(
        _tanh_large(x),
        (_is_nan(x), NAN),
        (x.exp < -13, bits),
        (x.exp < -1, _tanh_small(x)),
        (x.exp > 3, (x.sign << 31) | ONE),
    )


def _tanh_small(x: Parts) -> Array:
    a = _fraction(x)
    y = (a * a) >> 32
    return _scaled_factor(x, (1 << 31) + ((y * horner(y, tables.TANH_POLY)) >> 32))


def _tanh_large(x: Parts) -> Array:
    n, f = split_power(times_log2e(x.mant), x.exp + 1, x.exp < 128)
    e = exp2_fraction(f) >> np.clip(-1 - n, 0, 63)
    above = np.int64(1 << 32) - e
    product = above.astype(np.uint64) * reciprocal((1 << 31) + (e >> 1)).astype(np.uint64)
    return pack64(x.sign, np.full_like(n, -1), product)


def logistic(bits: Array) -> Array:
    """1 / (1 + exp(-x))."""
    x = unpack(bits)
    n, f = split_power(times_log2e(x.mant), x.exp, x.exp < 128)
    mant = exp2_fraction(f)
    r = reciprocal((1 << 31) + (mant >> np.clip(-n, 1, 63)))
    zero = np.zeros_like(n)
    above = pack64(zero, zero, r.astype(np.uint64) << np.uint64(31))
    below = pack64(zero, n, mant.astype(np.uint64) * r.astype(np.uint64))
    return _choose(
        np.where(x.sign == 1, below, above),
        (_is_nan(x), NAN),
        (x.exp < -26, HALF),
        (x.exp > 7, np.where(x.sign == 1, 0, ONE)),
    )


def rsqrt(bits: Array) -> Array:
    """1 / sqrt(x)."""
    x = unpack(bits)
    odd = x.exp & 1
    start = _RSQRT[(odd << 5) | ((x.mant >> 18) & 31)]
    scaled = (x.mant << (7 + odd)).astype(np.uint64) * (start * start).astype(np.uint64)
    z = (scaled >> np.uint64(26)).astype(np.int64) - (1 << 36)
    c0, c1, c2, c3 = tables.RSQRT_POLY
    h = ((z * c3) >> 32) + c2
    h = ((z * h) >> 32) + c1
    h = ((z * h) >> 32) + c0
    factor = (1 << 31) + ((z * h) >> 36)
    y = pack64(np.zeros_like(z), (odd - x.exp) >> 1, (start * factor).astype(np.uint64) << 15)
    return _choose(
        y,
        (_is_nan(x), NAN),
        (x.magnitude == 0, (x.sign << 31) | INF),
        (x.sign == 1, NAN),
        (x.magnitude == INF, 0),
    )


def power(bits: Array, exponent_bits: Array) -> Array:
    """x ** y with the special cases of IEEE 754 pow."""
    x, y = unpack(bits), unpack(exponent_bits)
    whole, odd = _parity(y)
    sign = np.where((x.sign == 1) & odd, SIGN, 0)
    grows = (x.magnitude > ONE) == (y.sign == 0)
    return _choose(
        sign | _power_positive(x, y),
        ((y.magnitude == 0) | ((x.magnitude == ONE) & (x.sign == 0)), ONE),
        (_is_nan(x) | _is_nan(y), NAN),
        ((y.magnitude == INF) & (x.magnitude == ONE), ONE),
        (y.magnitude == INF, np.where(grows, INF, 0)),
        ((x.magnitude == 0) | (x.magnitude == INF), sign | np.where(grows, INF, 0)),
        ((x.sign == 1) & ~whole, NAN),
        (x.magnitude == ONE, sign | ONE),
    )


def _parity(y: Parts) -> tuple[Array, Array]:
    """Whether y (finite, not 0) is a whole number, and an odd one."""
    shift = np.clip(23 - y.exp, 0, 24)
    whole = (y.exp >= 0) & ((y.mant & ((np.int64(1) << shift) - 1)) == 0)
    return whole, whole & (y.exp < 24) & ((y.mant >> shift) & 1 == 1)


def _power_positive(x: Parts, y: Parts) -> Array:
    """|x| ** y for finite x other than 0 and 1 and finite y other than 0."""
    value, q = log2_fixed(x.mant << 8, x.exp)
    top, log_exp = normalise(value, q)
    exp = y.exp + log_exp
    negative = (value < 0) != (y.sign == 1)
    n, f = split_power(multiply_32_64(y.mant << 8, top), exp, negative)
    power_bits = pack32(np.zeros_like(n), n, exp2_fraction(f))
    return np.where(exp < -26, ONE, np.where(exp > 7, np.where(negative, 0, INF), power_bits))
