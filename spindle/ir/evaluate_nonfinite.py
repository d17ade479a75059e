"""Outputs of a dot whose row or column holds an Inf or a NaN (docs/numerics.md 3, all bfp modes).

In: the result, the operands [B, M, K] and [B, N, K], flags of rows and columns. Out: the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spindle.ir.evaluate_elementwise import canonical

Array = np.ndarray[Any, Any]


def replace_nonfinite(result: Array, a: Array, b: Array, rows: Array, columns: Array) -> Array:
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
