"""Compositions: stated errors against float64, special values, every bit of the exact ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import erf, erfc

from spindle.ir.evaluate_compositions import COMPOSED
from spindle.ir.evaluate_elementwise import bits_of
from spindle.ir.graph import Op, TensorType, Value

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(17)
PATTERNS = RNG.integers(0, 2**32, 60000, dtype=np.uint64).astype(np.uint32).view(np.float32)
NEAR = np.concatenate(
    [
        PATTERNS[np.isfinite(PATTERNS)],
        (np.arange(1, 20000) * (np.pi / 4)).astype(np.float32),
        RNG.uniform(-10, 10, 40000).astype(np.float32),
        np.ldexp(np.float64(1), np.arange(-149, 128)).astype(np.float32),
    ]
)
ODD = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1e-45, -1e-45, 3e38], np.float32)


def call(kind: str, *operands: Array) -> Array:
    out = Value(TensorType(operands[0].shape, "f32"))
    with np.errstate(all="ignore"):
        return COMPOSED[kind](Op(kind, (), (out,)), *operands)


def ulps(got: Array, exact: Array) -> float:
    """The largest error in units of the last place of the exact result."""
    unit = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    return float(np.max(np.abs(got.astype(np.float64) - exact) / unit))


@pytest.mark.parametrize(
    ("kind", "exact", "bound"),
    [
        ("sine", np.sin, 0.92),
        ("cosine", np.cos, 0.92),
        ("tan", np.tan, 1.6),
        ("cbrt", np.cbrt, 0.95),
    ],
)
def test_stated_errors(kind: str, exact: Callable[[Array], Array], bound: float) -> None:
    assert ulps(call(kind, NEAR), exact(NEAR.astype(np.float64))) <= bound


def test_stated_error_of_atan2() -> None:
    for y, x in ((NEAR, RNG.permutation(NEAR)), RNG.standard_normal((2, 99999)).astype(np.float32)):
        exact = np.arctan2(y.astype(np.float64), x.astype(np.float64))
        normal = np.abs(exact) > 1.18e-38
        assert ulps(call("atan2", y, x)[normal], exact[normal]) <= 1.55
        assert np.all(np.abs(call("atan2", y, x)[~normal] - exact[~normal]) <= 3e-45)


def same(got: Array, wanted: Array) -> bool:
    """Equal, with the signs of zeros; NaN is 0x7fc00000."""
    wanted = np.where(np.isnan(wanted), np.float32(np.nan), wanted).astype(np.float32)
    return bool(np.array_equal(bits_of(got), bits_of(wanted)))


@pytest.mark.parametrize(("kind", "exact", "bound"), [("erf", erf, 1.4), ("erfc", erfc, 4.35)])
def test_stated_errors_of_error_functions(
    kind: str, exact: Callable[[Array], Array], bound: float
) -> None:
    x = np.concatenate([NEAR[np.abs(NEAR) < 1], RNG.uniform(-10.5, 10.5, 99999)])
    x = x.astype(np.float32)
    assert ulps(call(kind, x), exact(x.astype(np.float64))) <= bound
    limits = {"erf": [0.0, -0.0, 1, -1, np.nan], "erfc": [1, 1, 0, 2, np.nan]}
    assert same(call(kind, ODD[:5]), np.array(limits[kind], np.float32))


def test_special_values() -> None:
    with np.errstate(all="ignore"):
        assert same(call("sine", ODD[:8]), np.sin(ODD[:8]))
        assert same(call("cosine", ODD[:8]), np.cos(ODD[:8]))
        assert same(call("tan", ODD[:8]), np.tan(ODD[:8]))
        assert same(call("cbrt", ODD[:6]), np.cbrt(ODD[:6]))
        numbers = ODD[~np.isnan(ODD)]
        y, x = (side.reshape(-1) for side in np.meshgrid(numbers, numbers))
        wanted = np.arctan2(y.astype(np.float64), x.astype(np.float64)).astype(np.float32)
        got = call("atan2", y, x)
    assert np.array_equal(np.signbit(got), np.signbit(wanted))
    np.testing.assert_allclose(got, wanted, rtol=2e-7)


def test_rounding_of_every_kind_of_number() -> None:
    halves = np.arange(-20, 21).astype(np.float32) / 4
    edge = np.float32(2**23) + np.arange(-9, 9, dtype=np.float32) / 2
    x = np.concatenate([halves, edge, -edge, NEAR, ODD])
    with np.errstate(all="ignore"):
        assert same(call("round_nearest_even", x), np.rint(x))
        away = np.copysign(np.floor(np.abs(x.astype(np.float64)) + 0.5), x)
        assert same(call("round_nearest_afz", x), away.astype(np.float32))


def test_leading_zeros() -> None:
    words = np.concatenate([[0], 1 << np.arange(32), (1 << np.arange(1, 33)) - 1]).astype(np.uint32)
    wanted = [32 - int(word).bit_length() for word in words]
    for x in (words, words.view(np.int32)):
        assert call("count_leading_zeros", x).tolist() == wanted
