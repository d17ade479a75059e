"""DOT_S28 with scan, balance, quantise before it == the evaluator's bfp28, bit for bit."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from dot_tools import Panel, dot, multiply

from spindle.ir import evaluate_dot
from spindle.ir.graph import DotNumerics

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numerics_data as data


def want(a: np.ndarray, b: np.ndarray, k_block: int = 512, swapped: bool = False) -> np.ndarray:
    numerics = DotNumerics("bfp28", 28, k_block, swapped)
    with np.errstate(all="ignore"):
        return evaluate_dot.dot_rows(a[None], b[None], numerics)[0].view(np.uint32)


def sides(name: str, m: int, k: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = data.operands(name, m, k, n)
    return np.ascontiguousarray(a), np.ascontiguousarray(b.T)


@pytest.mark.parametrize("name", data.CASES)
@pytest.mark.parametrize("swapped", [False, True])
def test_hostile_data(name, swapped):
    a, b = sides(name, 13, 530, 11)
    bits, _ = dot(a, b, (8, 6, 128), swapped=swapped)
    np.testing.assert_array_equal(bits, want(a, b, swapped=swapped))


@pytest.mark.parametrize("k", [1, 7, 8, 9, 255, 256, 257, 511, 512, 513, 1024, 1100])
@pytest.mark.parametrize("tile_k", [8, 64, 512, 1104])
def test_lengths_and_inner_tiles(k, tile_k):
    a, b = sides("gauss", 5, k, 7)
    bits, _ = dot(a, b, (4, 4, tile_k))
    np.testing.assert_array_equal(bits, want(a, b))


@pytest.mark.parametrize("k", [511, 512, 513])
def test_largest_mantissas_do_not_overflow(k):
    worst = np.full((2, k), (1 << 27) - 1, np.int32)
    panel = _panel_of(worst)
    ones = np.ones((2, k), np.float32)
    bits, _ = multiply(panel, panel, (ones, ones), (2, 2, 64))
    assert (bits == _exact_of(worst)).all()


def _panel_of(q: np.ndarray) -> Panel:
    rows, k = q.shape
    padded = np.zeros((rows, -(-k // 8) * 8), np.int32)
    padded[:, :k] = q
    words = padded.reshape(rows // 2, 2, -1).transpose(0, 2, 1).copy()
    words[..., 1] -= words[..., 0]
    products = padded[:, ::2].astype(np.int64) * padded[:, 1::2]
    e = np.zeros((-(-k // 512), rows, 4), np.uint32)
    e[:, :, 0] = 26
    for block, part in enumerate(np.split(products, range(256, products.shape[1], 256), axis=1)):
        e[block, :, 2:] = (-part.sum(axis=1, keepdims=True)).view(np.uint32)
    return Panel(np.ascontiguousarray(words).reshape(-1).view(np.uint32), e, rows, k, 512)


def _exact_of(q: np.ndarray) -> np.ndarray:
    """Each K-block's exact sum (Python integers), rounded, added in order."""
    total = np.float32(0)
    for start in range(0, q.shape[1], 512):
        exact = sum(int(x) * int(x) for x in q[0, start : start + 512])
        total = np.float32(total + np.float32(exact)) if start else np.float32(exact)
    return total.view(np.uint32)


@pytest.mark.parametrize("m", [1, 2, 3, 8])
@pytest.mark.parametrize("n", [1, 2, 5, 6, 8, 9])
def test_odd_and_even_sides(m, n):
    a, b = sides("feature_scales", m, 70, n)
    bits, _ = dot(a, b, (m + m % 2, n + n % 2, 72), across=(True, True))
    np.testing.assert_array_equal(bits, want(a, b))


@pytest.mark.parametrize("across", [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize("tile", [(2, 2, 8), (6, 10, 32), (16, 12, 64), (18, 14, 104)])
def test_tiles_and_orientations_do_not_change_bits(across, tile):
    a, b = sides("skewed_row", 17, 100, 13)
    bits, _ = dot(a, b, tile, 64 if tile[2] <= 64 else 512, across=across)
    np.testing.assert_array_equal(bits, want(a, b, 64 if tile[2] <= 64 else 512))


@pytest.mark.parametrize("tile", [(4, 6, 8), (6, 4, 512), (14, 12, 536)])
def test_host_variant_equals_its_twin(tile):
    for name in ("gauss", "overflow", "denormal_results"):
        a, b = sides(name, 13, 530, 11)
        fast, twin = dot(a, b, tile), dot(a, b, tile, plain=True)
        np.testing.assert_array_equal(fast[0], twin[0])


def test_rescue_counts_the_outputs_it_decides():
    a, b = sides("gauss", 6, 40, 5)
    a[2, 7] = np.inf
    b[3, 9] = np.nan
    bits, decided = dot(a, b, (4, 4, 16))
    np.testing.assert_array_equal(bits, want(a, b))
    assert decided == 5 + 6 - 1


def test_flagged_but_undecided_keeps_the_integer_result():
    a, b = (np.ones((2, 16), np.float32) for _ in range(2))
    a[0, 3] = np.inf
    b[:, 3] = [1.0, -0.0]
    bits, decided = dot(a, b, (2, 2, 16))
    np.testing.assert_array_equal(bits, want(a, b))
    assert bits.tolist()[0] == [0x7F800000, 0x7FC00000] and decided == 2
