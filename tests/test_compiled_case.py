"""case and if: lax.cond and lax.switch, nested, with loops inside, and indices out of range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_as_jax, same_everywhere
from jax import lax
from native_tools import assert_same_bits, native, run_image

from spindle.compile import compile_module
from spindle.frontends.ingest import ingest
from spindle.ir.evaluate import evaluate
from spindle.options import Options

X = np.array([[1.5, -0.0, np.nan], [np.inf, 2.0, -3.0]], np.float32)
Y = np.arange(6, dtype=np.float32).reshape(2, 3)


def switch(x: Any, y: Any, i: Any) -> Any:
    """Three branches; one returns what it captures, one a constant."""
    branches = [lambda a, b: (a + b, b), lambda a, b: (b, a), lambda a, b: (jnp.ones((2, 3)), a)]
    return lax.switch(i, branches, x, y)


def doubled_until(limit: float) -> Callable[[Any], Any]:
    """A loop that does not end for zeros."""
    return lambda x: lax.while_loop(lambda s: s.sum() < limit, lambda s: s * 2, x)


def cond_with_loops(p: Any, x: Any) -> Any:
    """The loop of the branch that is not taken would not end."""

    def counted(a: Any) -> Any:
        return lax.fori_loop(0, 3, lambda i, s: doubled_until(100.0)(s) + i, a)

    def nested(a: Any) -> Any:
        grown = doubled_until(50.0)
        outer = lax.while_loop(lambda s: s.sum() < 200, lambda s: grown(s) + s, a)
        return outer - 1

    return lax.cond(p, counted, lambda a: a - 1, x), lax.cond(p, nested, lambda a: a + 1, x)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "cond true": (lambda p, x: lax.cond(p, jnp.abs, jnp.negative, x), (np.bool_(True), X)),
    "cond false": (lambda p, x: lax.cond(p, jnp.abs, jnp.negative, x), (np.bool_(False), X)),
    "switch 1": (switch, (X, Y, np.int32(1))),
    "switch below": (switch, (X, Y, np.int32(-7))),
    "switch above": (switch, (X, Y, np.int32(7))),
    "constant index": (lambda x: switch(x, x, 2), (X,)),
    "nested": (
        lambda p, q, x: lax.cond(p, lambda a: lax.cond(q, jnp.abs, lambda b: b * 2, a), abs, x),
        (np.bool_(True), np.bool_(False), X),
    ),
    "in a loop": (
        lambda x: lax.fori_loop(
            0, 4, lambda i, a: lax.cond(i % 2 == 0, lambda b: b + 1, lambda b: b * 3, a), x
        ),
        (Y,),
    ),
    "loops not taken": (cond_with_loops, (np.bool_(False), np.zeros(3, np.float32))),
    "loops taken": (cond_with_loops, (np.bool_(True), np.ones(3, np.float32))),
    "one branch": (lambda x: lax.switch(5, [jnp.abs], x), (X,)),
    "scalars": (lambda p, i: lax.cond(p, lambda: i + 1, lambda: i - 1), (np.bool_(1), np.int32(3))),
}


@pytest.mark.parametrize("name", CASES)
def test_as_jax_and_on_native(name: str) -> None:
    fn, args = CASES[name]
    same_everywhere(fn, args)


@pytest.mark.parametrize("index", range(-2, 5))
def test_every_index(index: int) -> None:
    same_as_jax(switch, (X, Y, np.int32(index)))


IF = """func.func @main(%p: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "stablehlo.if"(%p) ({
    stablehlo.return %x : tensor<2xf32>
  }, {
    %1 = stablehlo.negate %x : tensor<2xf32>
    stablehlo.return %1 : tensor<2xf32>
  }) : (tensor<i1>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}"""


@pytest.mark.parametrize("taken", [False, True])
def test_if(taken: bool) -> None:
    module = ingest(IF)
    args = [np.asarray(taken), np.array([1, -0.0], np.float32)]
    (got,) = evaluate(module, args)
    assert np.array_equal(got, args[1] if taken else -args[1])
    with native() as machine:
        assert_same_bits(run_image(compile_module(module, Options()), args, machine), [got])


def test_case_of_the_format_takes_the_last_branch_for_other_indices() -> None:
    module = ingest(IF.replace("stablehlo.if", "stablehlo.case").replace("i1", "i32"))
    x = np.array([1, -0.0], np.float32)
    image = compile_module(module, Options())
    with native() as machine:
        for index, wanted in ((-1, -x), (0, x), (1, -x), (2, -x)):
            args = [np.asarray(index, np.int32), x]
            assert_same_bits(run_image(image, args, machine), [wanted])
            assert_same_bits(evaluate(module, args), [wanted])


def test_a_result_of_64_bits() -> None:
    text = """func.func @main(%p: tensor<i1>, %x: tensor<ui32>) -> tensor<ui32> {
      %0 = "stablehlo.if"(%p) ({
        %1 = stablehlo.convert %x : (tensor<ui32>) -> tensor<ui64>
        stablehlo.return %1 : tensor<ui64>
      }, {
        %2 = stablehlo.constant dense<12884901891> : tensor<ui64>
        stablehlo.return %2 : tensor<ui64>
      }) : (tensor<i1>) -> tensor<ui64>
      %3 = stablehlo.constant dense<1> : tensor<ui64>
      %4 = stablehlo.shift_right_logical %0, %3 : tensor<ui64>
      %5 = stablehlo.convert %4 : (tensor<ui64>) -> tensor<ui32>
      return %5 : tensor<ui32>
    }"""
    module = ingest(text)
    image = compile_module(module, Options())
    with native() as machine:
        for taken, wanted in ((True, 5), (False, 0x80000001)):
            args = [np.asarray(taken), np.asarray(10, np.uint32)]
            assert_same_bits(run_image(image, args, machine), [np.asarray(wanted, np.uint32)])
            assert_same_bits(evaluate(module, args), [np.asarray(wanted, np.uint32)])
