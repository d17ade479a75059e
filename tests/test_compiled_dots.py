"""Dots through the whole compiler: bits, bounds, non-finite rule, on friendly and hostile data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from native_tools import TILES, check
from numerics_data import (
    BFP_MODES,
    CASES,
    EDGE_K,
    LONG_K,
    RAGGED,
    dot_bound,
    operands,
    transposed_uses,
)

from spindle.options import Options

RNG = np.random.default_rng(11)


def floats(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


FORMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "nn": (lambda a, b: a @ b, (floats(13, 40), floats(40, 9))),
    "tn": (lambda a, b: a.T @ b, (floats(40, 13), floats(40, 9))),
    "nt": (lambda a, b: a @ b.T, (floats(13, 40), floats(9, 40))),
    "tt": (lambda a, b: a.T @ b.T, (floats(40, 13), floats(9, 40))),
    "result transposed": (lambda a, b: (a @ b).T + 1, (floats(13, 40), floats(40, 9))),
    "vector": (lambda a, b: a @ b, (floats(40), floats(40, 9))),
    "inner": (lambda a, b: a @ b, (floats(300), floats(300))),
    "outer": (lambda a, b: jnp.outer(a, b), (floats(13), floats(9))),
    "batched": (lambda a, b: a @ b, (floats(5, 6, 20), floats(5, 20, 7))),
    "batched middle": (lambda a, b: jnp.einsum("bthd,bshd->bhts", a, b), (floats(2, 5, 3, 8),) * 2),
    "two contracted": (lambda a, b: jnp.tensordot(a, b, 2), (floats(7, 6, 5), floats(6, 5, 4))),
    "free axes": (lambda a, b: jnp.einsum("abk,kc->abc", a, b), (floats(4, 5, 30), floats(30, 6))),
    "epilogue": (
        lambda a, b, c: jnp.maximum(a @ b + c, 0) * 2,
        (floats(33, 64), floats(64, 50), floats(50)),
    ),
    "residual": (lambda a, b, r: a @ b + r, (floats(33, 64), floats(64, 50), floats(33, 50))),
    "same operand": (lambda a: a @ a, (floats(20, 20),)),
    "nothing contracted": (lambda a, b: a @ b, (floats(3, 0), floats(0, 4))),
    "one": (lambda a, b: a @ b, (floats(1, 1), floats(1, 1))),
}


def ints(*shape: int) -> np.ndarray:
    """32-bit integers over the whole range: sums wrap."""
    return RNG.integers(-(2**31), 2**31, shape, dtype=np.int64).astype(np.int32)


INTEGERS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "nn": (lambda a, b: a @ b, (ints(13, 40), ints(40, 9))),
    "tt": (lambda a, b: a.T @ b.T, (ints(40, 13), ints(9, 40))),
    "unsigned": (lambda a, b: a @ b, (ints(7, 12).view(np.uint32), ints(12).view(np.uint32))),
    "batched middle": (lambda a, b: jnp.einsum("bthd,bshd->bhts", a, b), (ints(2, 5, 3, 8),) * 2),
    "two contracted": (lambda a, b: jnp.tensordot(a, b, 2), (ints(7, 6, 5), ints(6, 5, 4))),
    "nothing contracted": (lambda a, b: a @ b, (ints(3, 0), ints(0, 4))),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_dots_are_exact(name: str) -> None:
    fn, args = INTEGERS[name]
    (got,) = check(fn, args, cores=(7, 16))
    np.testing.assert_array_equal(got, fn(*(jnp.asarray(arg) for arg in args)))


@pytest.mark.parametrize("matmul", [*BFP_MODES, "float32"])
@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str, matmul: Any) -> None:
    fn, args = FORMS[name]
    cores = {"bfp28": (1, 15, 16, 17), "float32": (16,)}.get(matmul, (7, 17))
    check(fn, args, cores=cores, options=Options(matmul=matmul))


def test_precision_in_the_program_wins() -> None:
    a, b = floats(9, 70), floats(70, 8)

    def three(a: Any, b: Any) -> Any:
        high, highest = lax.Precision.HIGH, lax.Precision.HIGHEST
        return a @ b, lax.dot(a, b, precision=high), lax.dot(a, b, precision=highest)

    default, high, highest = check(three, (a, b), cores=(16,), options=Options(matmul="float32"))
    assert (default != highest).any() and (default != high).any() and (high != highest).any()
    for matmul, same in (("bfp28", highest), ("bfp16", high)):
        options = Options(matmul=matmul)  # type: ignore[arg-type]
        bfp, *_ = check(three, (a, b), cores=(16,), tiles=(None,), options=options)
        np.testing.assert_array_equal(bfp, same)


@pytest.mark.parametrize("matmul", BFP_MODES)
@pytest.mark.parametrize("name", CASES)
def test_hostile_operands_in_all_three_uses(name: str, matmul: Any) -> None:
    x, w = operands(name, 18, 37, 11, seed=5)
    tiles = TILES if matmul == "bfp28" else (None, 8)
    for a, b in transposed_uses(x, w).values():
        options = Options(matmul=matmul)
        (got,) = check(lambda a, b: a @ b, (a, b), cores=(7, 16), tiles=tiles, options=options)
        _assert_within_bound(got, a, b, matmul)


def _assert_within_bound(got: np.ndarray, a: np.ndarray, b: np.ndarray, matmul: str) -> None:
    with np.errstate(all="ignore"):
        exact = a.astype(np.float64) @ b.astype(np.float64)
        reach = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
        bound = dot_bound(a, b, matmul)
    inside = np.isfinite(reach) & (reach < np.finfo(np.float32).max)
    with np.errstate(invalid="ignore"):
        assert (np.abs(got - exact)[inside] <= bound[inside]).all()


@pytest.mark.parametrize("matmul", BFP_MODES)
@pytest.mark.parametrize("k", EDGE_K)
def test_largest_sums_around_block_ends(k: int, matmul: Any) -> None:
    a, b = operands("all_max", 5, k, 6, seed=k)
    (got,) = check(lambda a, b: a @ b, (a, b), cores=(16,), options=Options(matmul=matmul))
    _assert_within_bound(got, a, b, matmul)


@pytest.mark.parametrize("matmul", BFP_MODES)
@pytest.mark.parametrize("shape", [*RAGGED, LONG_K])
def test_ragged_and_long_contractions(shape: tuple[int, int, int], matmul: Any) -> None:
    a, b = operands("constant" if shape == LONG_K else "gauss", *shape)
    (got,) = check(lambda a, b: a @ b, (a, b), cores=(16,), options=Options(matmul=matmul))
    _assert_within_bound(got, a, b, matmul)


@pytest.mark.parametrize("matmul", BFP_MODES)
@pytest.mark.parametrize("m", [1, 2, 3, 31, 32, 33])
def test_edges_of_rows(m: int, matmul: Any) -> None:
    args = floats(m, 24), floats(24, 34 - m)
    check(lambda a, b: a @ b, args, cores=(16,), options=Options(matmul=matmul))
