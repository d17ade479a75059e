"""SCAN, SCAN_FREE + SCAN_K and BALANCE == the evaluator's balance, whatever the tiles."""

from __future__ import annotations

import numpy as np
import pytest
from dot_tools import balance, scan
from task_tools import hostile

from spindle.ir import evaluate_dot
from spindle.spec.tables import EMPTY_EXPONENT


def matrix(rows: int, k: int, seed: int) -> np.ndarray:
    """Hostile floats with an empty row, an empty column, and zeros."""
    x = hostile(rows * k, seed).view(np.float32).reshape(rows, k).copy()
    x[rows // 2] = 0
    x[:, k // 3] = np.nan
    return x


def want_peaks(x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        peaks = evaluate_dot.column_peaks(x[None])[0]
    return np.where(peaks < -10_000, EMPTY_EXPONENT, peaks)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("tile_f", [1, 2, 7, 8, 9])
@pytest.mark.parametrize("tile_k", [None, 1, 63, 64, 100, 130])
def test_scan(across, tile_f, tile_k):
    x = matrix(9, 130, 3)
    partial = scan(x, across, tile_f, tile_k)
    np.testing.assert_array_equal(partial.max(axis=0), want_peaks(x))


@pytest.mark.parametrize("tile_k", [1, 64, 130])
@pytest.mark.parametrize("tile_f", [2, 9])
def test_balance(tile_k, tile_f):
    a, b = matrix(9, 130, 4), matrix(5, 130, 5)
    d = balance(scan(a, False, tile_f), scan(b, True, tile_f), tile_k)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(d, evaluate_dot.balance(a[None], b[None])[0])
