"""Hostile operands for dots, by name, and the error bounds (docs/numerics.md 3).

A case makes (A [M, K], B [K, N]), float32, from (M, K, N, rng). Use `CASES` in parametrize and
`operands(name, m, k, n)` to make one. `transposed_uses` turns a forward pair into the three dots of
training: Y = X W, dX = dY W^T, dW = X^T dY, so that every case is met in each of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spindle.ir.evaluate_dot import balance

Array = np.ndarray
Pair = tuple[Array, Array]
Make = Callable[[int, int, int, np.random.Generator], Pair]

F32_MAX = float(np.finfo(np.float32).max)


def _gauss(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    return rng.standard_normal((m, k)), rng.standard_normal((k, n))


def _relu_sparse(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    return np.maximum(a, 0) * (rng.random((m, k)) < 0.3), b


def _timestamp(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    a[:, k // 2] = 1.7e9 + rng.uniform(0, 1e6, m)
    return a, b


def _powers(count: int, rng: np.random.Generator) -> Array:
    return np.exp2(rng.integers(-20, 21, count))


def _feature_scales(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    return a * _powers(k, rng), b


def _row_scales(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    return a * _powers(m, rng)[:, None], b


def _image_scales(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    """Rows in groups of four (one image each) with one scale."""
    a, b = _gauss(m, k, n, rng)
    return a * np.repeat(_powers(-(-m // 4), rng), 4)[:m, None], b


def _skewed_row(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    a[m // 2] *= np.exp2(np.linspace(-30, 30, k))
    return a, b


def _outlier(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    a[m // 2, k // 3] = 1e9
    return a, b


def _outlier_per_row(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    a[np.arange(m), rng.integers(0, k, m)] = 1e6
    return a, b


def _softmax_v(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    scores = np.exp(8 * rng.standard_normal((m, k)))
    return scores / scores.sum(1, keepdims=True), rng.standard_normal((k, n))


def _constant(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    return np.full((m, k), 0.1), np.full((k, n), 0.3)


def _all_max(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    """The largest mantissas a block can hold: every product of one sign in row 0."""
    below_two = 2 - 2.0**-23
    signs = rng.choice([-1, 1], (m, k))
    signs[0] = 1
    return signs * below_two, np.full((k, n), below_two)


def _nonfinite_a(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    for row, value in enumerate([np.inf, -np.inf, np.nan][:m]):
        a[row, (7 * row + 3) % k] = value
    if m > 3 and k > 1:
        a[3, 0], a[3, k - 1] = np.inf, np.inf
    b[3 % k, 0] = 0
    return a, b


def _nonfinite_b(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    b, a = _nonfinite_a(n, k, m, rng)
    return a.T, b.T


def _nonfinite_both(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _nonfinite_a(m, k, n, rng)
    _, second = _nonfinite_b(m, k, n, rng)
    return a, np.where(np.isfinite(second), b, second)


def _overflow(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    return a * 1e19, b * 3e19


def _largest(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    return np.sign(a) * 3e38, b


def _denormal_operands(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    return a * 1e-40, b * np.where(rng.random((k, n)) < 0.5, 1e-39, 1.0)


def _denormal_results(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    a, b = _gauss(m, k, n, rng)
    return a * 1e-20, b * 1e-21


def _zeros(m: int, k: int, n: int, rng: np.random.Generator) -> Pair:
    """A zero row, a zero column, an empty position and a zero block."""
    a, b = _gauss(m, k, n, rng)
    a[0], b[:, 0], a[:, k // 2] = 0, 0, 0
    a[:, :512] *= (np.arange(m) % 2)[:, None]
    return a, b


CASES: dict[str, Make] = {
    "gauss": _gauss,
    "relu_sparse": _relu_sparse,
    "timestamp_column": _timestamp,
    "feature_scales": _feature_scales,
    "row_scales": _row_scales,
    "image_scales": _image_scales,
    "skewed_row": _skewed_row,
    "outlier": _outlier,
    "outlier_per_row": _outlier_per_row,
    "softmax_v": _softmax_v,
    "constant": _constant,
    "all_max": _all_max,
    "nonfinite_a": _nonfinite_a,
    "nonfinite_b": _nonfinite_b,
    "nonfinite_both": _nonfinite_both,
    "overflow": _overflow,
    "largest": _largest,
    "denormal_operands": _denormal_operands,
    "denormal_results": _denormal_results,
    "zeros": _zeros,
}

BFP_MODES = ("bfp28", "bfp16", "bfp13")
WHOLE_MODES = ("bfp16", "bfp13")

QUANTISED = {"bfp28": 2.0**-27, "bfp16": 2.0**-15, "bfp13": 2.0**-12}
"""Error of a mantissa in units of the largest element that shares its exponent."""

DROPPED = {"bfp28": 0.0, "bfp16": 1.01 * 2.0**-22, "bfp13": 1.01 * 2.0**-24}
"""What each product may lose, in units of the product of both largest elements."""

EDGE_K = (127, 128, 129, 255, 256, 257, 511, 512, 513)
"""Contraction lengths around the K-blocks of all modes; use with "all_max"."""

RAGGED = ((5, 1, 3), (3, 37, 7), (9, 700, 5), (1, 1025, 1), (17, 1536, 2))
"""(M, K, N) that fill no tile and no K-block evenly."""

LONG_K = (2, 100_000, 2)
"""Use with "constant"."""


def operands(name: str, m: int, k: int, n: int, seed: int = 0) -> Pair:
    """A [M, K] and B [K, N] of a named case, float32."""
    a, b = CASES[name](m, k, n, np.random.default_rng([seed, m, k, n]))
    with np.errstate(all="ignore"):
        return a.astype(np.float32), b.astype(np.float32)


def transposed_uses(x: Array, w: Array, seed: int = 0) -> dict[str, Pair]:
    """The dots of a dense layer as (A, B): forward, input gradient, weight gradient."""
    rng = np.random.default_rng(seed)
    dy = rng.standard_normal((x.shape[0], w.shape[1])).astype(np.float32)
    return {
        "forward": (x, w),
        "dx": (dy, np.ascontiguousarray(w.T)),
        "dw": (np.ascontiguousarray(x.T), dy),
    }


def bfp28_bound(a: Array, b: Array, k_block: int = 512, swapped: bool = False) -> Array:
    """Bound on |y - exact| of a bfp28 dot of a [M, K] and b [K, N]: float64 [M, N].

    Holds where operands and every partial sum are finite.
    """
    lhs, rhs = a[None], np.ascontiguousarray(b.T)[None]
    d = -balance(rhs, lhs) if swapped else balance(lhs, rhs)
    wide_a = np.abs(np.ldexp(a.astype(np.float64), d[0][None, :]))
    wide_b = np.abs(np.ldexp(b.astype(np.float64), -d[0][:, None]))
    n_blocks = -(-a.shape[1] // k_block)
    total = np.zeros((a.shape[0], b.shape[1]))
    for j in range(n_blocks):
        k = slice(j * k_block, (j + 1) * k_block)
        part_a, part_b = wide_a[:, k], wide_b[k]
        total += part_a.max(1)[:, None] * part_b.sum(0)
        total += part_a.sum(1)[:, None] * part_b.max(0)
    magnitude = np.abs(a.astype(np.float64)) @ np.abs(b.astype(np.float64))
    bound: Array = (n_blocks + 3) * 2.0**-24 * magnitude + 2.0**-27 * total + n_blocks * 2.0**-150
    return bound


def whole_bound(a: Array, b: Array, mode: str) -> Array:
    """Bound on |y - exact| of a bfp16 or bfp13 dot of a [M, K] and b [K, N]: float64 [M, N].

    Holds where operands and result are finite.
    """
    wide_a, wide_b = np.abs(a.astype(np.float64)), np.abs(b.astype(np.float64))
    top_a, top_b = wide_a.max(1, initial=0)[:, None], wide_b.max(0, initial=0)[None]
    spread = top_a * wide_b.sum(0) + wide_a.sum(1)[:, None] * top_b
    places = DROPPED[mode] * (a.shape[1] + 1) * top_a * top_b
    bound: Array = 2.0**-24 * (wide_a @ wide_b) + QUANTISED[mode] * spread + places + 2.0**-150
    return bound


def dot_bound(a: Array, b: Array, mode: str) -> Array:
    """Bound on |y - exact| in a mode."""
    return bfp28_bound(a, b) if mode == "bfp28" else whole_bound(a, b, mode)
