"""QUANTISE_13 and QUANTISE_16 == docs/spec/dots16.md: mantissas, exponent words, zero padding."""

from __future__ import annotations

import numpy as np
import pytest
from dot16_tools import S13, S16, Mode, exponent_words, mantissas, quantise, scan_words
from task_tools import hostile

from spindle.spec.tables import NONFINITE_FLAG

PANELS = pytest.mark.parametrize(
    ("mode", "wide"), [(S13, False), (S16, False), (S16, True)], ids=["s13", "s16", "wide"]
)


def matrix(rows: int, k: int, seed: int) -> np.ndarray:
    x = hostile(rows * k, seed).view(np.float32).reshape(rows, k).copy()
    x[0, :] = 0
    x[rows // 2] = np.where(np.isfinite(x[rows // 2]), x[rows // 2], 1)
    return x


def check(x: np.ndarray, mode: Mode, wide: bool, **how) -> None:
    words = exponent_words(x) if how.get("given") is None else how["given"]
    panel = quantise(x, mode, wide=wide, **how)
    np.testing.assert_array_equal(panel.e[: len(x)], words)
    np.testing.assert_array_equal(panel.mantissas(), mantissas(x, words, mode))


@PANELS
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("k", [1, 2, 7, 8, 9, 511, 512, 513])
def test_lengths(k, across, mode, wide):
    check(matrix(5, k, k), mode, wide, across=across)


@PANELS
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("tile_f", [3, 6, 9])
def test_rows(rows, tile_f, mode, wide):
    check(matrix(rows, 70, rows), mode, wide, tile_f=tile_f)


@PANELS
def test_ties_go_to_even_and_the_largest_is_clamped(mode, wide):
    low = np.arange(1, 4096, dtype=np.float32) / 2
    rows = [np.concatenate([np.float32([2.0**j]), low]) for j in (10, 11, 12, 15)]
    x = np.stack([*rows, -rows[0]])
    x[:, 1] = np.nextafter(2 * x[:, 0], np.float32(0))
    check(x, mode, wide)


def given_words(x: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Exponent words of rows, `above` their largest exponent."""
    found = exponent_words(x)
    return ((found + above) & 0xFFFF | found & NONFINITE_FLAG).astype(np.uint32)


@PANELS
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize(("rows", "k"), [(5, 1), (4, 16), (3, 70), (8, 513)])
def test_given_exponents(rows, k, across, mode, wide):
    x = matrix(rows, k, k)
    words = given_words(x, np.random.default_rng(k).integers(0, 30, rows))
    for tile_k in (8, 64, None):
        check(x, mode, wide, across=across, given=words, tile_k=tile_k)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("tile_k", [1, 63, 64, 130])
def test_words_of_a_scan(across, tile_k):
    x = matrix(9, 130, 3)
    np.testing.assert_array_equal(scan_words(x, across, 4, tile_k), exponent_words(x))
