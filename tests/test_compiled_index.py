"""gather, scatter and reverse: indexing as JAX writes it, out of bounds, repeated, empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_as_jax, same_everywhere
from jax import lax
from native_tools import assert_same_bits

from spindle.errors import UnsupportedError
from spindle.frontends.ingest import ingest

RNG = np.random.default_rng(3)
TABLE = RNG.standard_normal((11, 6)).astype(np.float32)
TABLE[2, 3], TABLE[4, 0], TABLE[7, 5] = np.nan, np.inf, -0.0
CUBE = RNG.standard_normal((4, 5, 6)).astype(np.float32)
INTS = RNG.integers(-(2**31), 2**31, (9, 7)).astype(np.int32)
ROWS = np.array([3, 0, 10, 3, -1, 25, -40, 7], np.int32)
MANY = RNG.integers(-12, 14, 40).astype(np.int32)
NEW = RNG.standard_normal((8, 6)).astype(np.float32)
KNOWN = np.array([2, 0, 10, 2, 5, 4])
LARGE = RNG.standard_normal((150, 30)).astype(np.float32)
FAR = RNG.integers(-160, 170, 23).astype(np.int32)
FEW = RNG.standard_normal((5, 3)).astype(np.float32)
OFTEN = RNG.integers(-6, 7, 600).astype(np.int32)
Case = tuple[Callable[..., Any], tuple[Any, ...]]

GATHERS: dict[str, Case] = {
    "rows": (lambda x, i: x[i], (TABLE, ROWS)),
    "columns": (lambda x, i: jnp.take(x, i, axis=1), (TABLE, ROWS)),
    "clipped": (lambda x, i: jnp.take(x, i, axis=0, mode="clip"), (TABLE, ROWS)),
    "wrapped": (lambda x, i: jnp.take(x, i, axis=0, mode="wrap"), (TABLE, ROWS)),
    "filled": (lambda x, i: x.at[i].get(mode="fill", fill_value=-7), (TABLE, ROWS)),
    "two axes": (lambda x, i, j: x[i, j], (TABLE, ROWS, ROWS[::-1].copy())),
    "table of indices": (lambda x, i: x[i.reshape(4, 2)], (TABLE, ROWS)),
    "outer axes": (lambda x, i, j: x[i[:3], :, j[:3]], (CUBE, ROWS, ROWS)),
    "middle": (lambda x, i: x[:, i], (CUBE, ROWS)),
    "one row": (lambda x, i: x[i], (TABLE, np.int32(-2))),
    "one element": (lambda x, i: x[i, i], (TABLE, np.int32(3))),
    "along": (
        lambda x, i: jnp.take_along_axis(x, i.reshape(11, 3) % 6, 1), (TABLE, MANY[:33]),
    ),
    "along, out of bounds": (lambda x, i: jnp.take_along_axis(x, i[:, None], 0), (INTS, ROWS)),
    "windows": (
        jax.vmap(lambda x, i: lax.dynamic_slice(x, (i,), (4,))), (TABLE, np.resize(ROWS, 11)),
    ),
    "known": (lambda x: x[KNOWN], (TABLE,)),
    "known columns": (lambda x: x[:, KNOWN % 6], (TABLE,)),
    "unsigned": (lambda x, i: x[i], (INTS, np.array([0, 8, 9, 2**31, 2**32 - 1], np.uint32))),
    "booleans": (lambda x, i: (x > 0)[i], (TABLE, ROWS)),
    "none": (lambda x, i: x[i[:0]], (TABLE, ROWS)),
    "large": (lambda x, i: x[i], (LARGE, FAR)),
    "large along": (lambda x, i: jnp.take_along_axis(x.T, i[None], 1), (LARGE, FAR)),
    "in a loop": (
        lambda x, i: lax.fori_loop(0, 3, lambda k, s: s + x[i + k], jnp.zeros((8, 6))),
        (np.nan_to_num(TABLE, posinf=1), ROWS),
    ),
}  # fmt: skip

SCATTERS: dict[str, Case] = {
    "add": (lambda x, i, u: x.at[i].add(u), (TABLE, ROWS, NEW)),
    "set": (lambda x, i, u: x.at[i].set(u), (TABLE, ROWS[:4] * 2, NEW[:4])),
    "multiply": (lambda x, i, u: x.at[i].multiply(u), (TABLE, ROWS, NEW)),
    "min and max": (lambda x, i, u: (x.at[i].min(u), x.at[i].max(u)), (TABLE, ROWS, NEW)),
    "columns": (lambda x, i, u: x.at[:, i].add(u[0, 0]), (TABLE, ROWS, NEW)),
    "two axes": (lambda x, i, u: x.at[i, i % 5].add(u[:, 0]), (TABLE, ROWS, NEW)),
    "clipped": (lambda x, i, u: x.at[i].add(u, mode="clip"), (TABLE, ROWS, NEW)),
    "one row": (lambda x, i, u: x.at[i].set(u[0]), (TABLE, np.int32(9), NEW)),
    "dropped row": (lambda x, i, u: x.at[i].set(u[0]), (TABLE, np.int32(11), NEW)),
    "known": (lambda x, u: x.at[KNOWN].add(u), (TABLE, NEW[:6])),
    "integers": (lambda x, i: x.at[i].add(i[:, None]), (INTS, ROWS)),
    "bits": (lambda x, i: x.at[i].max(5), (INTS.view(np.uint32), ROWS)),
    "windows": (
        jax.vmap(lambda x, i: lax.dynamic_update_slice(x, jnp.ones(4), (i,))),
        (TABLE, np.resize(ROWS, 11)),
    ),
    "none": (lambda x, i: x.at[i[:0]].add(1.0), (TABLE, ROWS)),
    "gradient": (
        jax.grad(lambda x, i: (jnp.take(x, i, axis=0, mode="clip") ** 2).sum()),
        (NEW, np.abs(MANY)),
    ),
    "large add": (lambda x, i, u: x.at[i].add(u), (LARGE, FAR, LARGE[:23])),
    "large set": (lambda x, i: x.at[i % 30, i].set(2.0, mode="clip"), (LARGE.T.copy(), FAR)),
    "last one wins": (lambda x, i: x.at[i].set(jnp.arange(600.0)[:, None]), (FEW, OFTEN)),
    "often": (lambda x, i: x.at[i].add(i[:, None] * 1.5), (FEW, OFTEN)),
    "histogram": (lambda i: jnp.zeros(20, jnp.int32).at[i].add(1), (MANY,)),
    "booleans": (lambda x, i: (x > 0).at[i].set(True), (TABLE, ROWS)),
}


@pytest.mark.parametrize("name", GATHERS)
def test_gathers(name: str) -> None:
    fn, args = GATHERS[name]
    same_everywhere(fn, args, machines=((7, None),))


@pytest.mark.parametrize("name", SCATTERS)
def test_scatters(name: str) -> None:
    fn, args = SCATTERS[name]
    same_everywhere(fn, args, rtol=1e-6, atol=1e-6, machines=((16, None),))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 9, 11, 28, 45, 64, 121])
def test_reverse_of_n_elements(n: int) -> None:
    x = RNG.standard_normal((3, n)).astype(np.float32)
    same_as_jax(lambda a: (a[:, ::-1], jnp.flip(a)), (x,))


def test_reverse_on_native() -> None:
    same_everywhere(lambda x, a: (lax.rev(x, (0, 2)), a[::-1]), (CUBE, TABLE))


def test_windows_that_lie_partly_outside_are_dropped() -> None:
    numbers = lax.ScatterDimensionNumbers((1,), (), (0,))

    def put(x: Any, i: Any, u: Any) -> Any:
        return lax.scatter(x, i, u, numbers, mode=lax.GatherScatterMode.FILL_OR_DROP)

    starts = np.array([[-1], [0], [3], [4], [9]], np.int32)
    args = (np.zeros(7, np.float32), starts, NEW[:5, :4] + 1)
    same_everywhere(put, args)


def test_the_order_of_a_sum_is_that_of_the_indices() -> None:
    values = np.array([1, 2.0**-24, 2.0**-24, 2.0**-24, 1, 1], np.float32)
    index = np.array([0, 0, 0, 0, 1, 1], np.int32)
    add = lambda x, i, u: x.at[i].add(u)  # noqa: E731
    (got,) = same_everywhere(add, (np.zeros(2, np.float32), index, values), rtol=1e-6)
    assert got.tolist() == [1, 2]


def test_a_long_sum_has_the_order_of_the_indices_too() -> None:
    values = (RNG.standard_normal(600) * 10.0 ** RNG.integers(-3, 4, 600)).astype(np.float32)
    add = lambda x, i, u: x.at[i].add(u)  # noqa: E731
    (got,) = same_everywhere(add, (FEW[:, 0], np.abs(OFTEN), values), rtol=1e-4, atol=1e-2)
    wanted = FEW[:, 0].copy()
    for place, value in zip(np.abs(OFTEN), values, strict=True):
        if place < wanted.size:
            wanted[place] += value
    assert_same_bits([got], [wanted])


def test_scatters_into_two_arrays_are_refused() -> None:
    text = """func.func @main(%x: tensor<4xf32>, %i: tensor<2x1xi32>, %u: tensor<2xf32>)
        -> (tensor<4xf32>, tensor<4xf32>) {
      %0:2 = "stablehlo.scatter"(%x, %x, %i, %u, %u) <{scatter_dimension_numbers =
        #stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0],
        index_vector_dim = 1>}> ({
      ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
        "stablehlo.return"(%c, %d) : (tensor<f32>, tensor<f32>) -> ()
      }) : (tensor<4xf32>, tensor<4xf32>, tensor<2x1xi32>, tensor<2xf32>, tensor<2xf32>)
        -> (tensor<4xf32>, tensor<4xf32>)
      return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
    }"""
    with pytest.raises(UnsupportedError, match=r"scatter into 2 arrays is not compiled"):
        ingest(text)
