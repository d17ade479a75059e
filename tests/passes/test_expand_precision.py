"""expand_precision: rounding by integer ops keeps the evaluator's bits, which are XLA's."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from pass_tools import ODD, assert_same_bits, program

from spindle.ir.evaluate import evaluate
from spindle.options import Options
from spindle.passes.pipeline import run

WIDTHS = [(5, 10), (8, 7), (5, 2), (4, 3), (2, 1), (8, 22), (7, 23), (3, 0), (1, 4)]


def rounding(exponent: int, mantissa: int, dtype: str = "f32", n: int = 4000) -> str:
    attrs = f"exponent_bits={exponent}, mantissa_bits={mantissa}"
    return (
        f"param %0 : {dtype}[{n}]\n%1 = reduce_precision %0 {{{attrs}}} : {dtype}[{n}]\nresult %1"
    )


@pytest.mark.parametrize(("exponent", "mantissa"), WIDTHS)
def test_bits_are_xlas(exponent: int, mantissa: int) -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**32, 2000, np.uint32)
    near = rng.integers(-3, 4, 2000) + (np.uint32(1) << rng.integers(8, 30, 2000).astype(np.uint32))
    x = np.concatenate([words, near.astype(np.uint32), ODD.view(np.uint32)]).view(np.float32)
    module = program(rounding(exponent, mantissa, n=x.size))
    (got,) = evaluate(module, [x])
    wanted = np.asarray(jax.jit(lambda a: jax.lax.reduce_precision(a, exponent, mantissa))(x))
    normal = ~np.isnan(x) & ((np.abs(x) >= 2.0**-126) | (x == 0))
    assert np.array_equal(got[normal].view(np.uint32), wanted[normal].view(np.uint32))
    (again,) = evaluate(run(module, Options()), [x])
    assert np.array_equal(got.view(np.uint32), again.view(np.uint32))


@pytest.mark.parametrize("dtype", ["bf16", "f16"])
def test_small_floats(dtype: str) -> None:
    module = program(rounding(5, 3, dtype))
    assert_same_bits(module, run(module, Options()), seeds=3, odd=0.9)
