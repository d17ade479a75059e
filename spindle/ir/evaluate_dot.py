"""dot_general in NumPy: modes bfp28 and float32, integer dots (docs/numerics.md 3).

In: two arrays and the op. Out: the product, axes (batch, lhs free, rhs free). Inside, both operands
are [B, rows, K], contracted index last: lhs [B, M, K], rhs [B, N, K]. `balance`, `quantise`,
`block_sums` and `round_scaled` are the stages of bfp28, one by one, for tests of the kernels.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from spindle.errors import InternalError
from spindle.ir.evaluate_elementwise import add, canonical, multiply
from spindle.ir.graph import ConvNumerics, DotNumerics, GivenNumerics, Op
from spindle.options import Options

Array = np.ndarray[Any, Any]

EMPTY = np.int32(-(1 << 20))
"""Stands for the exponent of nothing: below every real exponent and every sum of two."""

NONFINITE_FLAG = 1 << 16
"""In an exponent word, above the 16 bits of the exponent: the row holds an Inf or a NaN."""


class Quantised(NamedTuple):
    """Mantissas of one operand.

    q: int32 [B, rows, K], |q| < 2^(mantissa-1). e: int32 [B, rows, n_blocks], 0 for a block without
    a finite non-zero element. nonfinite: bool [B, rows]. Element = q * 2^(e - (mantissa-2) - d).
    """

    q: Array
    e: Array
    nonfinite: Array


def dot_general(op: Op, lhs: Array, rhs: Array, options: Options, *given: Array) -> Array:
    """Evaluate a dot_general op; see docs/spec/module.md for its attributes and `given`."""
    batch, contract = op.attrs["lhs_batch"], op.attrs["lhs_contract"]
    a, free_a = _as_rows(lhs, batch, contract)
    b, free_b = _as_rows(rhs, op.attrs["rhs_batch"], op.attrs["rhs_contract"])
    shape = (*(lhs.shape[axis] for axis in batch), *free_a, *free_b)
    if lhs.dtype != np.float32:
        exact: Array = np.matmul(a, b.swapaxes(1, 2))
        return exact.reshape(shape)
    if given:
        return _dot_given(a, b, given, op.attrs["numerics"]).reshape(shape)
    return dot_rows(a, b, dot_numerics(op, options)).reshape(shape)


def dot_numerics(op: Op, options: Options) -> DotNumerics:
    """How a float32 dot_general is computed: its `numerics`, else its precision, else options."""
    if op.attrs.get("numerics") is not None:
        numerics: DotNumerics = op.attrs["numerics"]
        return numerics
    precision = op.attrs.get("precision", "DEFAULT")
    modes = {"DEFAULT": options.matmul, "HIGH": "bfp28", "HIGHEST": "bfp28", "float32": "float32"}
    return DotNumerics(modes[precision])


def dot_rows(a: Array, b: Array, numerics: DotNumerics) -> Array:
    """float32 [B, M, N] from a [B, M, K] and b [B, N, K] in the given mode."""
    if numerics.mode == "float32":
        return dot_float32(a, b)
    if numerics.mode == "bfp28":
        return dot_bfp28(a, b, numerics)
    raise InternalError(f"no definition of dot mode {numerics.mode!r}")


def dot_float32(a: Array, b: Array) -> Array:
    """Each product and each sum rounded, in index order, from the first product; +0 if K is 0."""
    if a.shape[2] == 0:
        return np.zeros((a.shape[0], a.shape[1], b.shape[1]), np.float32)
    acc = multiply(a[:, :, None, 0], b[:, None, :, 0])
    for k in range(1, a.shape[2]):
        acc = np.add(acc, np.multiply(a[:, :, None, k], b[:, None, :, k]))
    return canonical(acc)


def dot_bfp28(a: Array, b: Array, numerics: DotNumerics) -> Array:
    """Block-floating-point dot: exact integer K-block sums, rounded and added in index order."""
    d = -balance(b, a) if numerics.swapped else balance(a, b)
    qa = quantise(a, d, numerics.k_block, numerics.mantissa)
    qb = quantise(b, -d, numerics.k_block, numerics.mantissa)
    return dot_quantised(qa, qb, (a, b), numerics)


def _dot_given(a: Array, b: Array, given: tuple[Array, ...], numerics: GivenNumerics) -> Array:
    """bfp28 dot with d [B * K] and the exponent words of rows [B * M] and columns [B * N] given."""
    d = given[0].reshape(a.shape[0], a.shape[2])
    n_blocks = -(-a.shape[2] // numerics.k_block)
    sides = []
    for x, signed, words in zip((a, b), (d, -d), given[1:], strict=True):
        e = words.astype(np.uint16).view(np.int16).astype(np.int32).reshape(x.shape[:2])
        q = mantissas(x, signed, e[:, :, None], numerics.mantissa)
        flags = (words.reshape(x.shape[:2]) & NONFINITE_FLAG) != 0
        sides.append(Quantised(q, np.repeat(e[:, :, None], n_blocks, axis=2), flags))
    return dot_quantised(sides[0], sides[1], (a, b), numerics)


def dot_quantised(
    qa: Quantised,
    qb: Quantised,
    floats: tuple[Array, Array],
    numerics: DotNumerics | GivenNumerics | ConvNumerics,
) -> Array:
    """K-block sums of mantissas, rounded and added in index order; then the non-finite rule.

    floats: the operands [B, M, K] and [B, N, K] that the mantissas stand for.
    """
    a, b = floats
    result = np.zeros((a.shape[0], a.shape[1], b.shape[1]), np.float32)
    for j in range(qa.e.shape[2]):
        sums = block_sums(qa.q, qb.q, j, numerics.k_block)
        scale = qa.e[:, :, None, j] + qb.e[:, None, :, j] - 2 * (numerics.mantissa - 2)
        value = round_scaled(sums, scale)
        result = add(result, value) if j else value
    if qa.nonfinite.any() or qb.nonfinite.any():
        result = _replace_nonfinite(result, a, b, qa.nonfinite, qb.nonfinite)
    return result


def exponents(x: Array) -> Array:
    """floor(log2|x|) of the finite non-zero elements (denormals too), EMPTY elsewhere; int32."""
    _, e = np.frexp(x)
    return np.where(np.isfinite(x) & (x != 0), e.astype(np.int32) - 1, EMPTY)


def balance(a: Array, b: Array) -> Array:
    """Balancing exponents d, int32 [B, K], of a [B, M, K] (times 2^d) and b [B, N, K] (2^-d).

    d_k = (b_k - a_k) >> 1, 0 where position k has no finite non-zero element in a or in b.
    """
    return balance_peaks(column_peaks(a), column_peaks(b))


def balance_peaks(a_k: Array, b_k: Array) -> Array:
    """d of the largest relative exponents of both operands, position by position."""
    empty = (a_k < EMPTY // 2) | (b_k < EMPTY // 2)
    return np.where(empty, np.int32(0), (b_k - a_k) >> 1)


def column_peaks(x: Array) -> Array:
    """Per k the largest exponent relative to its row's largest; below EMPTY / 2 where empty."""
    e = exponents(x)
    row_peak = e.max(axis=2, keepdims=True, initial=EMPTY)
    relative = np.where(e == EMPTY, EMPTY, e - row_peak)
    peaks: Array = relative.max(axis=1, initial=EMPTY)
    return peaks


def quantise(x: Array, d: Array, k_block: int = 512, mantissa: int = 28) -> Quantised:
    """Quantise x [B, rows, K] times 2^d (d [B, K], signed for this operand) by row and K-block.

    q = RNE(x * 2^(d + mantissa-2 - e)), clamped to |q| <= 2^(mantissa-1)-1; e is the largest
    exponent of x * 2^d in the block. Inf and NaN become 0 and flag their row.
    """
    own = exponents(x)
    e = _block_peaks(np.where(own == EMPTY, EMPTY, own + d[:, None, :]), k_block)
    q = mantissas(x, d, np.repeat(e, k_block, axis=2)[:, :, : x.shape[2]], mantissa)
    nonfinite: Array = np.any(~np.isfinite(x), axis=2)
    return Quantised(q, np.where(e == EMPTY, np.int32(0), e), nonfinite)


def mantissas(x: Array, d: Array, e: Array, mantissa: int = 28) -> Array:
    """int32 mantissas of x [B, rows, K] times 2^d (d [B, K]) in units of 2^(e - (mantissa-2))."""
    own = exponents(x)
    below = np.where(own == EMPTY, 0, e - own - d[:, None, :])
    q = _shift_rne(_significand(x, own), below + 23 - (mantissa - 2))
    limit = (1 << (mantissa - 1)) - 1
    kept: Array = np.where(own == EMPTY, 0, np.clip(q, -limit, limit)).astype(np.int32)
    return kept


def _block_peaks(e: Array, k_block: int) -> Array:
    """Largest exponent per row and K-block, EMPTY where the block has none: [B, rows, n_blocks]."""
    n_blocks = -(-e.shape[2] // k_block)
    padding = [(0, 0), (0, 0), (0, n_blocks * k_block - e.shape[2])]
    padded = np.pad(e, padding, constant_values=EMPTY)
    peaks: Array = padded.reshape(*e.shape[:2], n_blocks, k_block).max(axis=3)
    return peaks


def _significand(x: Array, own: Array) -> Array:
    """Signed int64 in +-[2^23, 2^24): x = significand * 2^(own - 23); any value where EMPTY."""
    finite = np.where(own == EMPTY, np.float32(0), x).astype(np.float64)
    scaled: Array = np.ldexp(finite, 23 - np.where(own == EMPTY, 0, own))
    return scaled.astype(np.int64)


def _shift_rne(value: Array, right: Array) -> Array:
    """value * 2^-right of int64, |value| < 2^24, rounded to nearest even; right >= -7."""
    left = np.clip(-right, 0, 7).astype(np.int64)
    shift = np.clip(right, 0, 30).astype(np.int64)
    magnitude = np.abs(value)
    kept = magnitude >> shift
    rest, half = magnitude - (kept << shift), (np.int64(1) << shift) >> 1
    up = (shift > 0) & ((rest > half) | ((rest == half) & (kept & 1 == 1)))
    rounded: Array = np.sign(value) * ((kept + up) << left)
    return rounded


def block_sums(qa: Array, qb: Array, j: int, k_block: int) -> Array:
    """Exact int64 [B, M, N] sums of q products of K-block j.

    One side is split in 14-bit halves, so every float64 partial sum stays below 2^53.
    """
    k = slice(j * k_block, (j + 1) * k_block)
    a, b = qa[:, :, k].astype(np.int64), qb[:, :, k].astype(np.float64).swapaxes(1, 2)
    high = (a + (1 << 13)) >> 14
    low = a - (high << 14)
    top = np.matmul(high.astype(np.float64), b).astype(np.int64)
    bottom: Array = np.matmul(low.astype(np.float64), b).astype(np.int64)
    sums: Array = (top << 14) + bottom
    return sums


def round_scaled(value: Array, exponent: Array) -> Array:
    """float32 of int64 value * 2^exponent, rounded once: denormals, Inf and -0 as IEEE; 0 is +0."""
    magnitude = np.abs(value).view(np.uint64)
    length = _bit_length(magnitude)
    unit = np.maximum(length + exponent - 24, -149)
    right = unit - exponent
    shift = np.clip(right, 0, 63).astype(np.uint64)
    kept = magnitude >> shift
    rest, half = magnitude - (kept << shift), (np.uint64(1) << shift) >> np.uint64(1)
    up = (shift > 0) & ((rest > half) | ((rest == half) & (kept & np.uint64(1) == 1)))
    kept = np.where(right > 63, np.uint64(0), kept + up)
    whole = np.ldexp(kept.astype(np.float64), np.where(right > 0, unit, exponent))
    return np.copysign(whole, value).astype(np.float32)


def _bit_length(x: Array) -> Array:
    """Number of bits of uint64 values."""
    high, low = x >> np.uint64(32), x & np.uint64(0xFFFFFFFF)
    bits_high = np.frexp(high.astype(np.float64))[1]
    bits_low = np.frexp(low.astype(np.float64))[1]
    return np.where(high > 0, bits_high + 32, bits_low)


def _replace_nonfinite(result: Array, a: Array, b: Array, rows: Array, columns: Array) -> Array:
    """Outputs of flagged rows and columns become the Inf or NaN of their non-finite terms."""
    nan = _count(np.isnan(a), np.ones(b.shape)) + _count(np.ones(a.shape), np.isnan(b))
    nan += _count(np.isinf(a), b == 0) + _count(a == 0, np.isinf(b))
    plus = _infinities(a, b, np.inf, -np.inf)
    minus = _infinities(a, b, -np.inf, np.inf)
    flagged = rows[:, :, None] | columns[:, None, :]
    invalid = (nan > 0) | ((plus > 0) & (minus > 0))
    result = np.where(flagged & (plus > 0), np.float32(np.inf), result)
    result = np.where(flagged & (minus > 0), np.float32(-np.inf), result)
    return canonical(np.where(flagged & invalid, np.float32(np.nan), result))


def _infinities(a: Array, b: Array, with_plus: float, with_minus: float) -> Array:
    """Number of terms: infinity `with_plus` times a positive, `with_minus` times a negative."""
    return (
        _count(a == with_plus, b > 0)
        + _count(a == with_minus, b < 0)
        + _count(a > 0, b == with_plus)
        + _count(a < 0, b == with_minus)
    )


def _count(a: Array, b: Array) -> Array:
    count: Array = np.matmul(a.astype(np.float64), b.astype(np.float64).swapaxes(1, 2))
    return count


def _as_rows(
    x: Array, batch: tuple[int, ...], contract: tuple[int, ...]
) -> tuple[Array, tuple[int, ...]]:
    """x as [B, rows, K], row-major in the given axis orders, and the extents of its free axes."""
    free = tuple(axis for axis in range(x.ndim) if axis not in batch and axis not in contract)
    groups = [[x.shape[axis] for axis in axes] for axes in (batch, free, contract)]
    rows = x.transpose([*batch, *free, *contract]).reshape([prod(group) for group in groups])
    return rows, tuple(groups[1])
