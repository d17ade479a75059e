"""expand_linear: cholesky and triangular_solve as loops keep the evaluator's bits."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import numpy as np
import pytest
from expand_tools import same_as_jax, same_everywhere
from pass_tools import assert_same_bits, program

from spindle.ir.evaluate import evaluate
from spindle.options import Options
from spindle.passes.expand_linear import expand_linear
from spindle.passes.pipeline import run

RNG = np.random.default_rng(3)
linalg = jax.lax.linalg


def positive(*shape: int) -> np.ndarray:
    a = RNG.normal(size=shape)
    return (a @ a.swapaxes(-1, -2) + shape[-1] * np.eye(shape[-1])).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 5, 5), (2, 1, 4, 4)])
def test_cholesky_is_jaxs(shape: tuple[int, ...]) -> None:
    same_as_jax(linalg.cholesky, (positive(*shape),), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16"])
def test_cholesky_of_anything_keeps_bits(lower: bool, dtype: str) -> None:
    module = program(
        f"param %0 : {dtype}[2,4,4]\n%1 = cholesky %0 {{lower={lower}}} : {dtype}[2,4,4]\nresult %1"
    )
    assert_same_bits(module, run(module, Options()), seeds=4)


@pytest.mark.parametrize("pivot", [0.0, -1.0, np.nan])
def test_a_matrix_that_is_not_positive_gives_nan_alone(pivot: float) -> None:
    module = program("param %0 : f32[2,3,3]\n%1 = cholesky %0 {lower=True} : f32[2,3,3]\nresult %1")
    a = positive(2, 3, 3)
    a[1, 2, 2] = pivot
    (got,) = evaluate(module, [a])
    assert np.all(np.isnan(got[1])) and np.allclose(got[0] @ got[0].T, a[0], rtol=1e-5)
    (again,) = evaluate(expand_linear(module, Options()), [a])
    assert np.array_equal(got.view(np.uint32), again.view(np.uint32))


FLAGS = list(itertools.product([True, False], repeat=4))


@pytest.mark.parametrize(("left", "lower", "unit", "transpose"), FLAGS)
def test_triangular_solve(left: bool, lower: bool, unit: bool, transpose: bool) -> None:
    def fn(a: Any, b: Any) -> Any:
        flags = {"left_side": left, "lower": lower, "unit_diagonal": unit}
        return linalg.triangular_solve(a, b, transpose_a=transpose, **flags)

    b = RNG.normal(size=(2, 4, 3) if left else (2, 3, 4)).astype(np.float32)
    same_as_jax(fn, (positive(2, 4, 4) / 8, b), rtol=1e-4, atol=1e-4)
    text = f"left_side={left}, lower={lower}, transpose={transpose}, unit_diagonal={unit}"
    shape = "4,3" if left else "3,4"
    module = program(
        f"param %0 : f32[4,4]\nparam %1 : f32[{shape}]\n"
        f"%2 = triangular_solve %0, %1 {{{text}}} : f32[{shape}]\nresult %2"
    )
    assert_same_bits(module, run(module, Options()), seeds=3)


def test_solving_and_its_gradient_on_native() -> None:
    def loss(a: Any, b: Any) -> Any:
        factor = linalg.cholesky(a)
        return (linalg.triangular_solve(factor, b, left_side=True, lower=True) ** 2).sum()

    args = positive(5, 5), RNG.normal(size=(5, 2)).astype(np.float32)
    fn = jax.value_and_grad(loss)
    same_everywhere(fn, args, rtol=1e-4, atol=1e-5, machines=((7, 24),))


def test_lu_with_pivots() -> None:
    same_as_jax(linalg.lu, (RNG.normal(size=(6, 6)).astype(np.float32),), rtol=1e-4, atol=1e-5)
