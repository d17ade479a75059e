"""cholesky and triangular_solve in NumPy: column by column, every product and sum rounded.

In: the op and its operands, matrices in the last two axes. Out: the result (docs/numerics.md 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spindle.ir.evaluate_elementwise import canonical, multiply
from spindle.ir.graph import Op

Array = np.ndarray[Any, Any]


def cholesky(op: Op, a: Array) -> Array:
    """Return the triangular factor; where a pivot is not positive all of the matrix is NaN."""
    rest = (a if op.attrs["lower"] else a.swapaxes(-1, -2)).copy()
    factor, ok = np.zeros_like(rest), np.ones(rest.shape[:-2], bool)
    for j in range(rest.shape[-1]):
        pivot = rest[..., j, j]
        ok &= pivot > 0
        column = canonical(rest[..., j:, j] / canonical(np.sqrt(pivot))[..., None])
        factor[..., j:, j] = column
        outer = multiply(column[..., :, None], column[..., None, :])
        rest[..., j:, j:] = canonical(rest[..., j:, j:] - outer)
    factor = np.where(ok[..., None, None], factor, canonical(np.float32(np.nan) * factor))
    return factor if op.attrs["lower"] else factor.swapaxes(-1, -2)


def triangular_solve(op: Op, a: Array, b: Array) -> Array:
    """Return x of op(a) x = b, or of x op(a) = b, by substitution."""
    left, lower = op.attrs["left_side"], op.attrs["lower"]
    turned = op.attrs["transpose"] == left
    matrix = a.swapaxes(-1, -2) if turned else a
    x = (b if left else b.swapaxes(-1, -2)).copy()
    n, forward = a.shape[-1], lower != turned
    for j in range(n) if forward else reversed(range(n)):
        if not op.attrs["unit_diagonal"]:
            x[..., j, :] = canonical(x[..., j, :] / matrix[..., j, j][..., None])
        after = slice(j + 1, n) if forward else slice(0, j)
        products = multiply(matrix[..., after, j][..., None], x[..., j, :][..., None, :])
        x[..., after, :] = canonical(x[..., after, :] - products)
    return x if left else x.swapaxes(-1, -2)
