"""pad, reduce_window and select_and_scatter: pooling, its gradients, cumulative sums."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_as_jax, same_everywhere
from jax import lax
from native_tools import assert_same_bits, native, run_image

from spindle.compile import compile_module
from spindle.errors import UnsupportedError
from spindle.frontends.ingest import ingest
from spindle.ir.evaluate import evaluate
from spindle.options import Options
from spindle.passes.pipeline import run

RNG = np.random.default_rng(5)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 2.0, 2.0, -1.0], np.float32)
IMAGE = RNG.integers(-3, 4, (2, 7, 9, 3)).astype(np.float32)
ROWS = RNG.standard_normal((5, 37)).astype(np.float32)
INTS = RNG.integers(-9, 9, (6, 20)).astype(np.int32)
Case = tuple[Callable[..., Any], tuple[Any, ...]]


def pool(x: Any, op: Any, init: Any, window: Any, strides: Any, padding: Any, **more: Any) -> Any:
    return lax.reduce_window(x, init, op, window, strides, padding, **more)


def max_pool(x: Any, size: int, stride: int, padding: str) -> Any:
    return pool(x, lax.max, -jnp.inf, (1, size, size, 1), (1, stride, stride, 1), padding)


def mean_pool(x: Any, size: int, stride: int, padding: str) -> Any:
    shape, strides = (1, size, size, 1), (1, stride, stride, 1)
    total = pool(x, lax.add, 0.0, shape, strides, padding)
    return total / pool(jnp.ones_like(x), lax.add, 0.0, shape, strides, padding)


POOLS: dict[str, Case] = {
    "max 2/2": (lambda x: max_pool(x, 2, 2, "VALID"), (IMAGE,)),
    "max 3/2 same": (lambda x: max_pool(x, 3, 2, "SAME"), (IMAGE,)),
    "max 3/1 same": (lambda x: max_pool(x, 3, 1, "SAME"), (IMAGE,)),
    "mean 2/2 same": (lambda x: mean_pool(x, 2, 2, "SAME"), (IMAGE,)),
    "mean 7/1": (lambda x: mean_pool(x, 7, 1, "VALID"), (IMAGE,)),
    "min": (lambda x: pool(x, lax.min, jnp.inf, (3, 4), (2, 3), "SAME"), (ROWS,)),
    "product": (lambda x: pool(x, lax.mul, 1.0, (2, 5), (1, 2), "VALID"), (ROWS,)),
    "init": (lambda x: pool(x, lax.add, 2.5, (2, 3), (1, 1), ((1, 2), (0, 3))), (ROWS,)),
    "dilated": (
        lambda x: pool(
            x, lax.add, 0.0, (2, 3), (2, 1), ((1, 0), (2, 2)),
            base_dilation=(2, 3), window_dilation=(3, 2),
        ),
        (ROWS,),
    ),
    "negative edges": (
        lambda x: pool(x, lax.add, 0.0, (2, 3), (1, 2), ((-1, 0), (2, -3))), (ROWS,),
    ),
    "no window": (lambda x: pool(x, lax.add, 1.0, (9, 1), (1, 1), "VALID"), (ROWS,)),
    "integers": (
        lambda i: (
            pool(i, lax.add, 0, (3, 6), (1, 1), "SAME"),
            pool(i, lax.max, -99, (2, 9), (2, 2), "SAME"),
        ),
        (INTS,),
    ),
    "booleans": (lambda i: pool(i > 5, lax.bitwise_or, False, (2, 2), (1, 1), "SAME"), (INTS,)),
    "cumulative": (
        lambda x: (jnp.cumsum(x, 1), lax.cummax(x, 0), lax.cummin(x, 1, reverse=True)), (ROWS,),
    ),
    "cumulative integers": (lambda i: (jnp.cumsum(i, 1), lax.cumprod(i, 0)), (INTS,)),
}  # fmt: skip


def padded(edges: tuple[int, int, int], x: Any) -> Any:
    return lax.pad(x, 7.0, ((0, 1, 0), edges))


PADS: dict[str, Case] = {
    f"{low} {high} {inside}, {n}": (
        functools.partial(padded, (low, high, inside)),
        (ROWS[:, :n],),
    )
    for n in (0, 1, 4)
    for low, high, inside in ((0, 0, 2), (3, -1, 1), (-2, 2, 3), (-1, 1, 0), (6, -5, 1))
    if low + high + max(n + (n - 1) * inside, 0) * (n > 0) >= 0
}  # fmt: skip


@pytest.mark.parametrize("name", POOLS)
def test_pools(name: str) -> None:
    fn, args = POOLS[name]
    same_everywhere(fn, args, rtol=2e-6, atol=1e-6, machines=((16, None),))


@pytest.mark.parametrize("name", PADS)
def test_pads(name: str) -> None:
    fn, args = PADS[name]
    same_as_jax(fn, args)


def test_pads_on_native() -> None:
    same_everywhere(lambda x: lax.pad(x, 7.0, ((2, -1, 1), (-3, 2, 3))), (ROWS,))


@pytest.mark.parametrize("name", ["max 3/2 same", "min"])
def test_extremes_of_special_values(name: str) -> None:
    fn, (x,) = POOLS[name]
    same_everywhere(fn, (np.resize(SPECIAL, x.shape),), atol=2e-38, machines=((7, 8),))


@pytest.mark.parametrize("n", [*range(1, 10), 15, 16, 17, 33])
def test_sums_of_n_elements(n: int) -> None:
    """Windows around the powers of two, at every stride that chooses another way."""
    x = RNG.standard_normal((3, 40)).astype(np.float32)
    for stride in (1, 2, 3):
        sums = functools.partial(
            pool, op=lax.add, init=0.0, window=(1, n), strides=(1, stride), padding="VALID"
        )
        same_as_jax(sums, (x,), 1e-5, 1e-5)


def test_order_of_a_sum_is_by_halves() -> None:
    x = np.array([[1, 2.0**-24, 2.0**-24, 2.0**-24, 1]], np.float32)
    (got,) = same_as_jax(lambda a: pool(a, lax.add, 0.0, (1, 5), (1, 1), "VALID"), (x,), rtol=1e-6)
    half = np.float32(1) + np.float32(2.0**-23)
    assert got[0, 0] == half + np.float32(1)


def gradient(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Of a sum with weights, so that every window counts otherwise."""

    def weighted(x: Any) -> Any:
        y = fn(x)
        return (y * (jnp.arange(y.size) % 7 + 1).reshape(y.shape)).sum()

    return jax.grad(weighted)


@pytest.mark.parametrize(
    ("size", "stride", "padding"),
    [(2, 2, "VALID"), (3, 2, "SAME"), (3, 1, "SAME"), (2, 3, "VALID"), (3, 3, "SAME")],
)
def test_gradients_of_pools(size: int, stride: int, padding: str) -> None:
    for fn in (max_pool, mean_pool):
        step = gradient(lambda x, fn=fn: fn(x, size, stride, padding))
        same_everywhere(step, (IMAGE,), rtol=1e-6, atol=1e-6, machines=((16, None),))


TEXT = """func.func @main(%x: tensor<{n}xf32>, %s: tensor<{m}xf32>) -> tensor<{n}xf32> {{
  %i = stablehlo.constant dense<{init}> : tensor<f32>
  %r = "stablehlo.select_and_scatter"(%x, %s, %i) <{{
    padding = dense<[[{low}, {high}]]> : tensor<1x2xi64>,
    window_dimensions = array<i64: {window}>, window_strides = array<i64: {stride}>}}> ({{
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.compare {direction}, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    "stablehlo.return"(%c) : (tensor<i1>) -> ()
  }}, {{
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.{scatter} %a, %b : tensor<f32>
    "stablehlo.return"(%c) : (tensor<f32>) -> ()
  }}) : (tensor<{n}xf32>, tensor<{m}xf32>, tensor<f32>) -> tensor<{n}xf32>
  return %r : tensor<{n}xf32>
}}"""


def text(n: int, window: int, stride: int, low: int, high: int, **more: Any) -> str:
    m = (low + n + high - window) // stride + 1
    words = {"init": "0.0", "direction": "GE", "scatter": "add", **more}
    return TEXT.format(n=n, m=m, window=window, stride=stride, low=low, high=high, **words)


def one_by_one(
    x: np.ndarray, source: np.ndarray, window: int, stride: int, low: int, greater_equal: bool
) -> np.ndarray:
    """The definition, a window at a time."""
    out = np.zeros_like(x)
    for w, value in enumerate(source):
        at = None
        for p in range(max(w * stride - low, 0), min(w * stride - low + window, x.size)):
            if at is None or not (x[at] >= x[p] if greater_equal else x[at] > x[p]):
                at = p
        if at is not None:
            out[at] += value
    return out


@pytest.mark.parametrize("direction", ["GE", "GT"])
@pytest.mark.parametrize(
    ("window", "stride", "low", "high"),
    [(3, 1, 0, 0), (3, 1, 2, 2), (3, 2, 1, 0), (2, 3, 0, 1), (1, 2, 0, 0), (4, 2, 3, 4)],
)
def test_select_and_scatter_window_by_window(
    window: int, stride: int, low: int, high: int, direction: str
) -> None:
    module = ingest(text(27, window, stride, low, high, direction=direction))
    x = np.resize(SPECIAL, 27)
    source = RNG.standard_normal(module.body.params[1].shape).astype(np.float32)
    (got,) = evaluate(module, [x, source])
    assert_same_bits([got], [one_by_one(x, source, window, stride, low, direction == "GE")])
    assert_same_bits(evaluate(run(module, Options()), [x, source]), [got])
    with native(7) as machine:
        image = compile_module(module, Options())
        assert_same_bits(run_image(image, [x, source], machine), [got])


def test_windows_of_padding_alone_select_nothing() -> None:
    module = ingest(text(4, 2, 2, 2, 2, init="-0.0"))
    args = [np.ones(4, np.float32), np.array([np.nan, 1, 2, np.nan], np.float32)]
    (got,) = evaluate(module, args)
    assert_same_bits([got], [np.array([1, -0.0, 2, -0.0], np.float32)])
    assert_same_bits(evaluate(run(module, Options()), args), [got])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"scatter": "multiply"}, "that does not add is not compiled"),
        ({"low": -1}, "with negative padding is not compiled"),
        ({"direction": "GE, %b, %a //"}, "with this selection is not compiled"),
    ],
)
def test_other_forms_are_refused(words: dict[str, Any], sentence: str) -> None:
    sizes = {"n": 8, "window": 2, "stride": 2, "low": 0, "high": 0} | words
    program = text(**sizes).replace(" //, %a, %b", "")
    with pytest.raises(UnsupportedError, match=sentence):
        ingest(program)


def test_windows_of_two_arrays_are_refused() -> None:
    def pair(x: Any) -> Any:
        body = lambda a, b: (a[0] + b[0], a[1] + b[1])  # noqa: E731
        return lax.reduce_window((x, x), (0.0, 0.0), body, (1, 2), (1, 1), "VALID")

    with pytest.raises(UnsupportedError, match="over 2 arrays is not compiled"):
        same_as_jax(pair, (ROWS,))
