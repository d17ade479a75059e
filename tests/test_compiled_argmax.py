"""argmax and argmin: ties, NaNs, zeros of both signs, every type and axis, and what is refused."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_as_jax, same_everywhere
from jax import lax
from native_tools import assert_same_bits

from spindle.errors import UnsupportedError
from spindle.frontends.ingest import ingest
from spindle.ir.evaluate import evaluate
from spindle.options import Options
from spindle.passes.pipeline import run

RNG = np.random.default_rng(11)
TIES = RNG.integers(-2, 3, (40, 23)).astype(np.float32)
TIES[::3] *= np.float32(-0.0)
WITH_NAN = TIES.copy()
WITH_NAN[1::2, RNG.integers(0, 23, 20)] = np.nan
WITH_NAN[5] = np.nan
NEGATIVE_NAN = np.array([1, 0xFFC00001, 0x7F800001, 3], np.uint32).view(np.float32)
LOW = np.full((3, 5), -np.inf, np.float32)
INTS = RNG.integers(-3, 4, (17, 30)).astype(np.int32)


def both(x: Any, axis: int) -> Any:
    return jnp.argmax(x, axis), jnp.argmin(x, axis)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    "x", [TIES, WITH_NAN, LOW, -LOW, INTS, INTS.view(np.uint32), INTS > 1, TIES[:, :1]]
)
def test_values_as_jax(x: np.ndarray, axis: int) -> None:
    same_as_jax(lambda a: both(a, axis), (x,))


def test_nans_of_any_sign_and_payload() -> None:
    same_as_jax(lambda a: both(a, 0), (NEGATIVE_NAN,))


@pytest.mark.parametrize("x", [WITH_NAN, INTS, INTS.view(np.uint32), INTS > 1])
def test_on_native(x: np.ndarray) -> None:
    same_everywhere(lambda a: (*both(a, 0), *both(a, 1), jnp.argmax(a)), (x,))


def test_more_axes_and_unsigned_numbers() -> None:
    x = RNG.integers(0, 5, (3, 4, 5)).astype(np.float32)
    same_everywhere(lambda a: (both(a, 1), lax.argmax(a, 2, np.uint32)), (x,))


def test_accuracy_as_keras_counts_it() -> None:
    labels = RNG.integers(0, 23, 40).astype(np.int32)
    fn = lambda p, y: (jnp.argmax(p, -1) == y).astype(jnp.float32).mean()  # noqa: E731
    same_everywhere(fn, (TIES, labels), rtol=1e-6)


PAIR = """func.func @main(%x: tensor<4xf32>, %n: tensor<4xi32>) -> (tensor<i32>, tensor<f32>) {{
  %i = {numbers} : tensor<4xi32>
  %a = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %b = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = "stablehlo.reduce"(%i, %x, %b, %a) <{{dimensions = array<i64: 0>}}> ({{
  ^bb0(%p: tensor<i32>, %u: tensor<f32>, %q: tensor<i32>, %v: tensor<f32>):
    %nan = stablehlo.compare NE, %u, %u : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %ge = stablehlo.compare {direction}, %u, %v : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %t = stablehlo.or %ge, %nan : tensor<i1>
    %s = stablehlo.select %t, %p, %q : tensor<i1>, tensor<i32>
    %w = stablehlo.select %t, %u, %v : tensor<i1>, tensor<f32>
    "stablehlo.return"(%s, %w) : (tensor<i32>, tensor<f32>) -> ()
  }}) : (tensor<4xi32>, tensor<4xf32>, tensor<i32>, tensor<f32>) -> (tensor<i32>, tensor<f32>)
  return %r#0, %r#1 : tensor<i32>, tensor<f32>
}}"""
IOTA = "stablehlo.iota dim = 0"


@pytest.mark.parametrize(("direction", "at"), [("GE", 1), ("LE", 0)])
def test_numbers_first_and_the_left_one_on_ties(direction: str, at: int) -> None:
    module = ingest(PAIR.format(numbers=IOTA, direction=direction))
    x = np.array([-np.inf, 7, -np.inf, 7], np.float32)
    args = [x, np.zeros(4, np.int32)]
    results = evaluate(module, args)
    assert results[0] == at and results[1] == x[at]
    assert_same_bits(evaluate(run(module, Options()), args), results)


@pytest.mark.parametrize(
    ("numbers", "direction", "sentence"),
    [
        (IOTA, "GT", "over 2 arrays with this body is not compiled"),
        ("stablehlo.negate %n", "GE", "whose second array does not count the first"),
        ("stablehlo.constant dense<[0, 2, 1, 3]>", "GE", "does not count the first"),
    ],
)
def test_other_pairs_are_refused(numbers: str, direction: str, sentence: str) -> None:
    with pytest.raises(UnsupportedError, match=sentence):
        ingest(PAIR.format(numbers=numbers, direction=direction))


def test_three_arrays_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="over 3 arrays together is not compiled"):
        same_as_jax(lambda a: lax.reduce((a, a, a), (0.0,) * 3, lambda x, y: y, (0,)), (TIES,))
