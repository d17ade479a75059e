"""Building blocks of the elementary functions: float bits apart, integer cores, bits together.

In and out: int64 / uint64 NumPy arrays holding what the C twin (firmware/kernels/fn.c) holds in
32- and 64-bit integers. "Qn" means an integer that stands for value * 2^n. The steps, names and
word lengths are those of docs/spec/functions.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spindle.ir import function_tables as tables

Array = np.ndarray[Any, Any]

SIGN = 0x80000000
INF = 0x7F800000
NAN = 0x7FC00000
ONE = 0x3F800000

_EXP2 = np.array(tables.EXP2_TABLE, np.int64)
_RECIPROCAL = np.array(tables.LOG_RECIPROCAL, np.int64)
_LOG2 = np.array(tables.LOG2_TABLE, np.int64)
_LOW32 = np.int64(0xFFFFFFFF)


class Parts(NamedTuple):
    """A float taken apart: value = (-1)^sign * mant * 2^(exp - 23), mant in [2^23, 2^24) or 0.

    magnitude: the bits without the sign. All int64; exp of Inf and NaN is 128.
    """

    sign: Array
    exp: Array
    mant: Array
    magnitude: Array


def unpack(bits: Array) -> Parts:
    """Take float32 bits apart; denormals are normalised."""
    x = bits.astype(np.int64)
    magnitude = x & 0x7FFFFFFF
    field, fraction = magnitude >> 23, magnitude & 0x7FFFFF
    shift = np.where(field > 0, 0, 24 - bit_length32(fraction))
    mant = np.where(field > 0, fraction | 0x800000, fraction << shift)
    return Parts(x >> 31, np.where(field > 0, field - 127, -126 - shift), mant, magnitude)


def bit_length32(x: Array) -> Array:
    """Number of bits of values below 2^32 (exact: float64 holds them)."""
    return np.frexp(x.astype(np.float64))[1].astype(np.int64)


def bit_length64(x: Array) -> Array:
    """Number of bits of uint64 values."""
    high, low = (x >> np.uint64(32)), x & np.uint64(_LOW32)
    return np.where(high > 0, bit_length32(high) + 32, bit_length32(low))


def pack32(sign: Array, exp: Array, mant: Array) -> Array:
    """Float bits of mant * 2^(exp - 31), mant in [2^31, 2^32): RNE, denormals, Inf; int64."""
    drop = np.clip(np.where(exp < -126, -118 - exp, 8), 8, 34)
    kept = mant >> drop
    rest, half = mant - (kept << drop), np.int64(1) << (drop - 1)
    kept = kept + ((rest > half) | ((rest == half) & (kept & 1 == 1)))
    base = np.where(exp < -126, 0, (np.clip(exp, -126, 127) + 126) << 23)
    return (sign << 31) | np.where(exp > 127, INF, base + kept)


def pack64(sign: Array, exp: Array, product: Array) -> Array:
    """Float bits of product * 2^(exp - 62), product uint64 and not 0: its top 32 bits count."""
    zeros = 64 - bit_length64(product)
    mant = (product << zeros.astype(np.uint64)) >> np.uint64(32)
    return pack32(sign, exp + 1 - zeros, mant.astype(np.int64))


def multiply_32_64(a: Array, b: Array) -> Array:
    """(a * b) >> 32 of a < 2^32 and b < 2^64, uint64, less than 2 below the exact value."""
    a, b = a.astype(np.uint64), b.astype(np.uint64)
    result: Array = a * (b >> np.uint64(32)) + ((a * (b & np.uint64(_LOW32))) >> np.uint64(32))
    return result


def times_log2e(mant: Array) -> Array:
    """Q62 of (mant / 2^23) * log2(e); uint64."""
    log2e = np.uint64((tables.LOG2E_HIGH << 32) | tables.LOG2E_LOW)
    return multiply_32_64(mant << 8, np.broadcast_to(log2e, mant.shape))


def split_power(product: Array, exp: Array, negative: Array) -> tuple[Array, Array]:
    """Whole part n and fraction f (Q32) of +-product * 2^(exp - 62), floor; exp in -33..7."""
    fixed = (product >> np.clip(30 - exp, 23, 63).astype(np.uint64)).astype(np.int64)
    fixed = np.where(negative, -fixed, fixed)
    return fixed >> 32, fixed & _LOW32


def exp2_fraction(f: Array) -> Array:
    """2^f in Q31, [2^31, 2^32), of f in Q32."""
    start, t = _EXP2[f >> 26], (f << 6) & _LOW32
    c1, c2, c3 = tables.EXP2_POLY
    d = ((t * c3) >> 32) + c2
    d = ((t * d) >> 32) + c1
    d = _high(t, d)
    mant: Array = start + (_high(start, d) >> 5)
    return mant


def _high(a: Array, b: Array) -> Array:
    """(a * b) >> 32 of values below 2^32, whose product may pass 2^63."""
    return ((a.astype(np.uint64) * b.astype(np.uint64)) >> np.uint64(32)).astype(np.int64)


def log2_slope(z: Array) -> Array:
    """log2(1 + z) / z in Q62 of z in Q37, |z| <= largest_z of tools/make_tables.py."""
    b0, b1, b2, b3 = tables.LOG2_POLY
    q = ((z * b3) >> 32) + b2
    q = ((z * q) >> 32) + b1
    q = ((z * q) >> 32) + b0
    slope: Array = ((z * q) >> 6) + tables.LOG2E_Q62
    return slope


def interval(mant: Array) -> Array:
    """Index 0..64 of the table interval nearest to mant (24 bits, [2^23, 2^24))."""
    return (mant - 0x800000 + 0x10000) >> 17


def reduced(top: Array, low: Array, index: Array) -> Array:
    """z = m * c - 1 in Q37 of m = (top + low / 2^32) / 2^31 in [1, 2)."""
    c = _RECIPROCAL[index]
    return (top * c + ((low * c) >> 32) - (1 << 40)) >> 3


class Log2(NamedTuple):
    """log2(m * 2^exp) before it is put together: whole (Q55) + z (Q37) * slope (Q62).

    near_one: whole is 0, so the result is z * slope and its relative error must stay small.
    """

    whole: Array
    z: Array
    slope: Array
    near_one: Array


def log2_parts(top: Array, low: Array, exp: Array) -> Log2:
    """Take log2(m * 2^exp) apart, m = (top + low / 2^32) / 2^31 in [1, 2)."""
    index = interval(top >> 8)
    z = reduced(top, low, index)
    whole = ((exp + (index >= tables.LOG_SPLIT)) << 55) + _LOG2[index]
    return Log2(whole, z, log2_slope(z), whole == 0)


def log2_fixed(top: Array, exp: Array) -> tuple[Array, Array]:
    """log2(top / 2^31 * 2^exp): (integer, its Q: 67 or 55)."""
    p = log2_parts(top, np.zeros_like(top), exp)
    w = p.z * (p.slope >> 32) + ((p.z * ((p.slope & _LOW32) >> 1)) >> 31)
    return np.where(p.near_one, w, p.whole + (w >> 12)), np.where(p.near_one, 67, 55)


def log_bits(top: Array, low: Array, exp: Array) -> Array:
    """Float bits of ln(m * 2^exp), m = (top + low / 2^32) / 2^31, not for 1."""
    p = log2_parts(top, low, exp)
    ln2 = np.uint64(tables.LN2_Q32)
    factor = ((p.slope >> 31).astype(np.uint64) * ln2) >> np.uint64(32)
    near = np.abs(p.z).astype(np.uint64) * factor
    total = p.whole + ((p.z * (p.slope >> 32)) >> 12)
    far = multiply_32_64(np.broadcast_to(ln2, total.shape), np.abs(total))
    negative = np.where(p.near_one, p.z, total) < 0
    product = np.where(p.near_one, near, far)
    return pack64(negative.astype(np.int64), np.where(p.near_one, -6, 7), product)


def normalise(value: Array, q: Array) -> tuple[Array, Array]:
    """|value| as (uint64 with the top bit set, exponent): |value| / 2^q = top * 2^(exp - 63)."""
    magnitude = np.abs(value).astype(np.uint64)
    zeros = 64 - bit_length64(magnitude)
    return magnitude << np.minimum(zeros, 63).astype(np.uint64), 63 - zeros - q


def reciprocal(d: Array) -> Array:
    """1 / (d / 2^31) in Q31 of d in [2^31, 2^32)."""
    index = interval(d >> 8)
    z = reduced(d, np.zeros_like(d), index)
    square = (z * z) >> 43
    series = square + ((square * square) >> 31)
    g = (1 << 31) - (z >> 6)
    g = g + ((g * series) >> 31)
    return (g * _RECIPROCAL[index]) >> 9


def horner(x: Array, coefficients: tuple[int, ...]) -> Array:
    """Polynomial in x (Q32, |x| < 1/2) with Q31 coefficients, lowest first; Q31."""
    result = np.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result = ((x * result) >> 32) + c
    return result
