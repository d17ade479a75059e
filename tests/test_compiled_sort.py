"""sort, argsort, top_k: ties, NaNs, zeros, several keys, axes of every length."""

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
from spindle.ir.evaluate import evaluate
from spindle.options import Options
from spindle.passes.pipeline import run

RNG = np.random.default_rng(9)
SPECIAL = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1, 1, -2, 3], np.float32)
ROWS = np.where(RNG.random((7, 23)) < 0.4, RNG.choice(SPECIAL, (7, 23)), 0).astype(np.float32)
ROWS += np.round(RNG.standard_normal((7, 23)).astype(np.float32))
LONG = RNG.integers(-40, 40, (3, 100)).astype(np.float32)
LONG[0, ::9], LONG[1, ::7] = np.nan, -0.0
INTS = RNG.integers(-(2**31), 2**31, (5, 70)).astype(np.int32)
NETWORK = RNG.integers(-300, 300, (1, 1800)).astype(np.float32)
NETWORK[0, ::9], NETWORK[0, ::7] = np.nan, -0.0
Case = tuple[Callable[..., Any], tuple[Any, ...]]


def two_keys(a: Any, b: Any) -> Any:
    return lax.sort((a, b, jnp.arange(a.size).reshape(a.shape)), dimension=1, num_keys=2)


CASES: dict[str, Case] = {
    "rows": (lambda x: jnp.sort(x, 1), (ROWS,)),
    "columns": (lambda x: jnp.sort(x, 0), (ROWS,)),
    "argsort": (lambda x: (jnp.argsort(x, 1), jnp.argsort(-x, 0)), (ROWS,)),
    "falling": (lambda x: jnp.sort(x, 1, descending=True), (ROWS,)),
    "top_k": (lambda x: lax.top_k(x, 4), (np.nan_to_num(ROWS),)),
    "long": (lambda x: jnp.sort(x, 1), (LONG,)),
    "long argsort": (lambda x: jnp.argsort(x, 1), (LONG,)),
    "long top_k": (lambda x: lax.top_k(x, 5), (np.nan_to_num(LONG),)),
    "integers": (lambda i: (jnp.sort(i, 1), jnp.argsort(i, 0)), (INTS,)),
    "unsigned": (lambda i: (jnp.sort(i, 1), jnp.argsort(i, 0)), (INTS.view(np.uint32),)),
    "booleans": (lambda x: (jnp.sort(x > 0, 1), jnp.argsort(x > 0, 1)), (ROWS,)),
    "two keys": (two_keys, (np.sign(np.nan_to_num(ROWS)), ROWS)),
    "long two keys": (two_keys, (np.sign(INTS), INTS % 3)),
    "median": (jnp.median, (np.nan_to_num(ROWS),)),
    "network": (lambda x: jnp.argsort(x, 1), (NETWORK,)),
    "middle axis": (lambda x: jnp.sort(x.reshape(5, 7, 10), 1), (INTS,)),
}


@pytest.mark.parametrize("name", CASES)
def test_as_jax_and_on_native(name: str) -> None:
    fn, args = CASES[name]
    same_everywhere(fn, args, machines=((16, None),))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 63, 64, 65, 128, 1025])
def test_axes_of_n_elements(n: int) -> None:
    x = RNG.integers(-9, 9, (2, n)).astype(np.float32)
    same_as_jax(lambda a: (jnp.sort(a, 1), jnp.argsort(a, 1)), (x,))


def test_shuffle() -> None:
    data = np.asarray(jax.random.key_data(jax.random.key(4)))
    same_everywhere(
        lambda k: jax.random.permutation(jax.random.wrap_key_data(k), 90), (data,), machines=()
    )


TEXT = """func.func @main(%x: tensor<9xf32>, %y: tensor<9xi32>) -> (tensor<9xf32>, tensor<9xi32>) {{
  %c = stablehlo.constant dense<1.0> : tensor<f32>
  %r:2 = "stablehlo.sort"(%x, %y) <{{dimension = 0 : i64, is_stable = false}}> ({{
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %i: tensor<i32>, %j: tensor<i32>):
    {body}
    "stablehlo.return"(%t) : (tensor<i1>) -> ()
  }}) : (tensor<9xf32>, tensor<9xi32>) -> (tensor<9xf32>, tensor<9xi32>)
  return %r#0, %r#1 : tensor<9xf32>, tensor<9xi32>
}}"""
FLOATS = "(tensor<f32>, tensor<f32>) -> tensor<i1>"
COMPARES = {
    ("LT", False): f"%t = stablehlo.compare LT, %a, %b, FLOAT : {FLOATS}",
    ("GT", False): f"%t = stablehlo.compare LT, %b, %a, FLOAT : {FLOATS}",
    ("LT", True): f"%t = stablehlo.compare GT, %b, %a, TOTALORDER : {FLOATS}",
    ("GT", True): f"%t = stablehlo.compare GT, %a, %b, TOTALORDER : {FLOATS}",
}


@pytest.mark.parametrize("key", COMPARES)
def test_other_orders(key: tuple[str, bool]) -> None:
    module = ingest(TEXT.format(body=COMPARES[key]))
    assert [op.attrs["keys"] for op in module.body.ops if op.kind == "sort"] == [(key,)]
    args = [np.resize(SPECIAL, 9), np.arange(9, dtype=np.int32)]
    results = evaluate(module, args)
    assert_same_bits(evaluate(run(module, Options()), args), results)
    if key == ("LT", True):
        assert results[1].tolist() == [1, 3, 8, 5, 4, 6, 7, 2, 0]
    if key == ("GT", False):
        assert results[1].tolist() == [0, 1, 2, 6, 7, 4, 5, 8, 3]


REFUSED = [
    f"%s = stablehlo.add %a, %b : tensor<f32>\n %t = stablehlo.compare LT, %s, %b : {FLOATS}",
    f"%t = stablehlo.compare LE, %a, %b : {FLOATS}",
    f"%t = stablehlo.compare LT, %a, %c : {FLOATS}",
    "%t = stablehlo.compare LT, %i, %j : (tensor<i32>, tensor<i32>) -> tensor<i1>",
]


@pytest.mark.parametrize("body", REFUSED)
def test_other_comparators_are_refused(body: str) -> None:
    with pytest.raises(UnsupportedError, match="sort with this comparator is not compiled"):
        ingest(TEXT.format(body=body))


def test_total_order_outside_a_sort() -> None:
    text = f"""func.func @main(%a: tensor<f32>, %b: tensor<f32>) -> tensor<i1> {{
      {COMPARES["LT", True]}
      return %t : tensor<i1>
    }}"""
    module = ingest(text)
    order = np.array([-np.nan, -np.inf, -1, -0.0, 0.0, 1e-45, 2, np.inf, np.nan], np.float32)
    for i, a in enumerate(order):
        got = [bool(evaluate(module, [np.asarray(a), np.asarray(b)])[0]) for b in order]
        assert got == [i < j for j in range(order.size)]
