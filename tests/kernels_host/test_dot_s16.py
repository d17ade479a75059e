"""DOT_S13 and DOT_S16, quantising before them, == docs/spec/dots16.md in NumPy, bit for bit."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from dot16_tools import S13, S16, Mode, dot, multiply, panel_of, product, want

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numerics_data as data

MODES = pytest.mark.parametrize("mode", [S13, S16], ids=["s13", "s16"])


def sides(name: str, m: int, k: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = data.operands(name, m, k, n)
    return np.ascontiguousarray(a), np.ascontiguousarray(b.T)


@MODES
@pytest.mark.parametrize("name", data.CASES)
def test_hostile_data(name, mode):
    a, b = sides(name, 13, 530, 11)
    bits, _ = dot(a, b, mode, (9, 6, 128))
    np.testing.assert_array_equal(bits, want(a, b, mode))


@MODES
@pytest.mark.parametrize("k", [1, 7, 8, 9, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1100])
@pytest.mark.parametrize("tile_k", [8, 64, 512, 1104])
def test_lengths_and_inner_tiles(k, tile_k, mode):
    a, b = sides("gauss", 5, k, 7)
    bits, _ = dot(a, b, mode, (3, 6, tile_k))
    np.testing.assert_array_equal(bits, want(a, b, mode))


@MODES
@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 8, 9])
def test_short_triples(m, n, mode):
    a, b = sides("feature_scales", m, 70, n)
    bits, _ = dot(a, b, mode, (6, 9, 72))
    np.testing.assert_array_equal(bits, want(a, b, mode))


def extremes(mode: Mode, kind: str, rows: int, k: int) -> np.ndarray:
    """Mantissas at their limits whose sums leave int32: all of one sign, or in runs of both."""
    if kind == "same":
        return np.full((rows, k), mode.largest)
    signs = np.random.default_rng(k).choice([-1, 1], (rows, 1)) * np.where(
        np.arange(k) // 700 % 2 == 0, 1, -1
    )
    return mode.largest * signs


@MODES
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("kind", ["same", "runs"])
@pytest.mark.parametrize("k", [127, 128, 129, 255, 256, 257, 512, 2100])
@pytest.mark.parametrize("tile_k", [64, 256, 1024, 2104])
def test_sums_beyond_int32(k, tile_k, kind, mode, plain):
    qa, qb = extremes(mode, kind, 5, k), extremes(mode, "same", 4, k)
    qa[1], qb[2] = -qa[1], -qb[2]
    zero_a, zero_b = np.zeros(6), np.zeros(6)
    a, b = panel_of(qa, zero_a, mode is S16), panel_of(qb, zero_b)
    lazy = np.ones((5, k), np.float32), np.ones((4, k), np.float32)
    bits, _ = multiply(a, b, mode, lazy, (6, 3, tile_k), plain=plain)
    exact = product(qa, qb, np.zeros(5, int), np.zeros(4, int), mode)
    np.testing.assert_array_equal(bits, exact.view(np.uint32))


@MODES
@pytest.mark.parametrize("tile", [(3, 6, 8), (6, 3, 512), (15, 12, 536)])
def test_host_variant_equals_its_twin(tile, mode):
    for name in ("gauss", "overflow", "denormal_results"):
        a, b = sides(name, 13, 530, 11)
        fast, twin = dot(a, b, mode, tile), dot(a, b, mode, tile, plain=True)
        np.testing.assert_array_equal(fast[0], twin[0])


@MODES
def test_rescue_counts_the_outputs_it_decides(mode):
    a, b = sides("gauss", 6, 40, 5)
    a[2, 7] = np.inf
    b[3, 9] = np.nan
    bits, decided = dot(a, b, mode, (3, 3, 16))
    np.testing.assert_array_equal(bits, want(a, b, mode))
    assert decided == 5 + 6 - 1


@MODES
def test_empty_rows_give_zero(mode):
    a, b = np.zeros((3, 40), np.float32), np.ones((2, 40), np.float32)
    a[1] = 1e-42
    bits, _ = dot(a, b, mode, (3, 3, 40))
    assert not bits[[0, 2]].any() and bits[1].all()
