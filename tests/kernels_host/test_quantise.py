"""QUANTISE == the evaluator: mantissas, exponents, flags, panels with zero padding."""

from __future__ import annotations

import numpy as np
import pytest
from dot_tools import quantise
from task_tools import hostile

from spindle.ir import evaluate_dot
from spindle.spec.tables import EMPTY_EXPONENT, NONFINITE_FLAG


def matrix(rows: int, k: int, seed: int) -> np.ndarray:
    x = hostile(rows * k, seed).view(np.float32).reshape(rows, k).copy()
    x[0, :] = 0
    x[rows // 2] = np.where(np.isfinite(x[rows // 2]), x[rows // 2], 1)
    return x


def check(x: np.ndarray, d: np.ndarray, arg: int, k_block: int, tile_f: int, across: bool) -> None:
    panel = quantise(x, d, arg, k_block, tile_f, across)
    signed = (-d if arg else d)[None]
    with np.errstate(all="ignore"):
        want = evaluate_dot.quantise(x[None], signed, k_block)
    q, e = panel.mantissas(), panel.exponents()
    np.testing.assert_array_equal(q, want.q[0])
    empty = e == EMPTY_EXPONENT
    np.testing.assert_array_equal(np.where(empty, evaluate_dot.EMPTY, e), want.e[0])
    np.testing.assert_array_equal(panel.flags(), want.nonfinite[0])
    blocks = np.split(want.q[0], range(k_block, x.shape[1], k_block), axis=1)
    for block, nothing in zip(blocks, empty.T, strict=True):
        assert not block[nothing].any()


@pytest.mark.parametrize("k", [1, 7, 8, 9, 511, 512, 513, 1030])
@pytest.mark.parametrize("arg", [0, 1])
@pytest.mark.parametrize("across", [False, True])
def test_lengths(k, arg, across):
    d = np.random.default_rng(k).integers(-60, 60, k).astype(np.int32)
    check(matrix(5, k, k), d, arg, 512, 4, across)


@pytest.mark.parametrize("rows", [1, 2, 3, 8])
@pytest.mark.parametrize("tile_f", [2, 4, 8])
@pytest.mark.parametrize("k_block", [8, 64])
def test_rows(rows, tile_f, k_block):
    d = np.random.default_rng(rows).integers(-3, 3, 70).astype(np.int32)
    check(matrix(rows, 70, rows), d, 0, k_block, tile_f, False)


def test_ties_go_to_even():
    """Elements far below the block's largest drop bits: halves must round to even."""
    low = np.arange(1, 4096, dtype=np.float32)
    x = np.stack([np.concatenate([np.float32([2.0**j]), low]) for j in (27, 28, 29, 33)])
    check(
        x.astype(np.float32), np.zeros(x.shape[1], np.int32), 0, x.shape[1] // 8 * 8 + 8, 4, False
    )


def given_words(x: np.ndarray, d: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Exponent words of rows, `above` their largest exponent; 0 where nothing counts."""
    with np.errstate(all="ignore"):
        found = evaluate_dot.quantise(x[None], d[None], x.shape[1])
    words = ((found.e[0][:, 0] + above) & 0xFFFF).astype(np.uint32)
    return words | found.nonfinite[0] * np.uint32(NONFINITE_FLAG)


@pytest.mark.parametrize("arg", [0, 1])
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize(("rows", "k"), [(5, 1), (4, 16), (3, 70), (8, 513)])
def test_given_exponents(rows, k, across, arg):
    rng = np.random.default_rng(k)
    d = rng.integers(-60, 60, k).astype(np.int32)
    x, signed = matrix(rows, k, k), -d if arg else d
    words = given_words(x, signed, rng.integers(0, 30, rows))
    panel = quantise(x, d, arg, 64, 4, across, words)
    e = words.astype(np.uint16).view(np.int16).astype(np.int32)
    with np.errstate(all="ignore"):
        want = evaluate_dot.mantissas(x[None], signed[None], e[None, :, None])
    np.testing.assert_array_equal(panel.mantissas(), want[0])
    assert (panel.e[:, :rows, 0] == words).all()
