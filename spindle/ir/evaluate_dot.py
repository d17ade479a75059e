"""dot_general in NumPy: float32 in all modes, integer dots (docs/numerics.md 3).

In: two arrays and the op. Out: the product, axes (batch, lhs free, rhs free). Inside, both operands
are [B, rows, K], contracted index last: lhs [B, M, K], rhs [B, N, K]. `balance`, `quantise`,
`block_sums` and `round_scaled` are the stages of bfp28, `quantise` (without K-blocks), `whole_sums`
and `round_scaled` those of bfp16 and bfp13, one by one, for tests of the kernels.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from spindle.errors import InternalError
from spindle.ir.dot_modes import WHOLE_ROWS, dot_numerics
from spindle.ir.evaluate_elementwise import add, canonical, multiply
from spindle.ir.evaluate_nonfinite import replace_nonfinite
from spindle.ir.graph import ConvNumerics, DotNumerics, GivenNumerics, Op
from spindle.options import Options
from spindle.spec.tables import EMPTY_EXPONENT, NONFINITE_FLAG

Array = np.ndarray[Any, Any]

EMPTY = np.int32(-(1 << 20))
"""Stands for the exponent of nothing: below every real exponent and every sum of two."""

_AT_ONCE = 1 << 20
"""Products held in memory."""

DROPPED_BITS = {"bfp16": 7, "bfp13": 0}
"""Low bits that each product loses before it is added."""


class Quantised(NamedTuple):
    """Mantissas of one operand.

    q: int32 [B, rows, K], |q| < 2^(mantissa-1). e: int32 [B, rows, n_blocks], EMPTY for a block
    without a finite non-zero element. nonfinite: bool [B, rows].
    Element = q * 2^(e - (mantissa-2) - d).
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


def dot_rows(a: Array, b: Array, numerics: DotNumerics) -> Array:
    """float32 [B, M, N] from a [B, M, K] and b [B, N, K] in the given mode."""
    if numerics.mode == "float32":
        return dot_float32(a, b)
    if numerics.mode == "bfp28":
        return dot_bfp28(a, b, numerics)
    if numerics.mode in WHOLE_ROWS:
        return dot_whole_rows(a, b, numerics)
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


def dot_whole_rows(a: Array, b: Array, numerics: DotNumerics) -> Array:
    """bfp16, bfp13: one exponent a row, one exact sum, rounded once."""
    sides = [
        quantise(x, np.zeros((x.shape[0], x.shape[2]), np.int32), 0, numerics.mantissa)
        for x in (a, b)
    ]
    return dot_quantised(sides[0], sides[1], (a, b), numerics)


def _dot_given(a: Array, b: Array, given: tuple[Array, ...], numerics: GivenNumerics) -> Array:
    """A dot with the exponent words of rows [B * M] and columns [B * N] given.

    given: in bfp28 d [B * K] comes before the two.
    """
    *balanced, rows, columns = given
    d = balanced[0] if balanced else np.zeros(a.shape[0] * a.shape[2], np.int32)
    d = d.reshape(a.shape[0], a.shape[2])
    left = _quantise_given(a, d, rows, numerics)
    return dot_quantised(left, _quantise_given(b, -d, columns, numerics), (a, b), numerics)


def _quantise_given(x: Array, d: Array, words: Array, numerics: GivenNumerics) -> Quantised:
    words = words.reshape(x.shape[:2])
    low = words.astype(np.uint16).view(np.int16)
    e = np.where(low == EMPTY_EXPONENT, EMPTY, low.astype(np.int32))[:, :, None]
    q = mantissas(x, d, e, numerics.mantissa)
    e = np.repeat(e, n_blocks(x.shape[2], numerics.k_block), axis=2)
    return Quantised(q, e, (words & NONFINITE_FLAG) != 0)


def dot_quantised(
    qa: Quantised,
    qb: Quantised,
    floats: tuple[Array, Array],
    numerics: DotNumerics | GivenNumerics | ConvNumerics,
) -> Array:
    """Sums of mantissas as the mode has them; then the non-finite rule.

    floats: the operands [B, M, K] and [B, N, K] that the mantissas stand for.
    """
    whole = numerics.mode in WHOLE_ROWS
    result = _as_one(qa, qb, numerics) if whole else _by_blocks(qa, qb, numerics)
    if qa.nonfinite.any() or qb.nonfinite.any():
        result = replace_nonfinite(result, *floats, qa.nonfinite, qb.nonfinite)
    return result


def _by_blocks(
    qa: Quantised, qb: Quantised, numerics: DotNumerics | GivenNumerics | ConvNumerics
) -> Array:
    """K-block sums, rounded and added in index order."""
    result = np.zeros((*qa.q.shape[:2], qb.q.shape[1]), np.float32)
    for j in range(qa.e.shape[2]):
        sums = block_sums(qa.q, qb.q, j, numerics.k_block)
        scale = qa.e[:, :, None, j] + qb.e[:, None, :, j] - 2 * (numerics.mantissa - 2)
        value = round_scaled(sums, scale)
        result = add(result, value) if j else value
    return result


def _as_one(
    qa: Quantised, qb: Quantised, numerics: DotNumerics | GivenNumerics | ConvNumerics
) -> Array:
    """One sum, rounded; +0 where a row or column has no exponent."""
    drop = DROPPED_BITS[numerics.mode]
    ea, eb = (side.e.max(axis=2, initial=EMPTY) for side in (qa, qb))
    sums = whole_sums(qa.q, qb.q, drop)
    scale = ea[:, :, None] + eb[:, None, :] - (2 * (numerics.mantissa - 2) - drop)
    empty = (ea == EMPTY)[:, :, None] | (eb == EMPTY)[:, None, :]
    return np.where(empty, np.float32(0), round_scaled(sums, scale))


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
    exponent of x * 2^d in the block (k_block 0: in the row). Inf and NaN become 0 and flag their
    row.
    """
    own = exponents(x)
    k_block = k_block or max(x.shape[2], 1)
    e = _block_peaks(np.where(own == EMPTY, EMPTY, own + d[:, None, :]), k_block)
    q = mantissas(x, d, np.repeat(e, k_block, axis=2)[:, :, : x.shape[2]], mantissa)
    nonfinite: Array = np.any(~np.isfinite(x), axis=2)
    return Quantised(q, e, nonfinite)


def n_blocks(length: int, k_block: int) -> int:
    """K-blocks of a contraction; k_block 0: one."""
    return -(-length // k_block) if k_block else 1


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


def whole_sums(qa: Array, qb: Array, drop: int) -> Array:
    """Exact int64 [B, M, N] sums of products over all of K, each rounded down to 2^drop.

    In units of 2^drop; half a unit per product, floor(K / 2), is added where drop is not 0.
    """
    sums = np.zeros((*qa.shape[:2], qb.shape[1]), np.int64)
    step = max(_AT_ONCE // max(sums.size, 1), 1)
    for k in range(0, qa.shape[2], step):
        products = qa[:, :, None, k : k + step] * qb[:, None, :, k : k + step]
        sums += (products >> drop).sum(axis=3, dtype=np.int64)
    return sums + (qa.shape[2] // 2 if drop else 0)


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


def _as_rows(
    x: Array, batch: tuple[int, ...], contract: tuple[int, ...]
) -> tuple[Array, tuple[int, ...]]:
    """x as [B, rows, K], row-major in the given axis orders, and the extents of its free axes."""
    free = tuple(axis for axis in range(x.ndim) if axis not in batch and axis not in contract)
    groups = [[x.shape[axis] for axis in axes] for axes in (batch, free, contract)]
    rows = x.transpose([*batch, *free, *contract]).reshape([prod(group) for group in groups])
    return rows, tuple(groups[1])
