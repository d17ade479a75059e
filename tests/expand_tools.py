"""One op four ways: JAX on CPU, the evaluator before and after the passes, and native."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from native_tools import assert_same_bits, module_of, native, run_image

from spindle.compile import compile_module
from spindle.ir.evaluate import evaluate
from spindle.ir.text import from_text, number, to_text
from spindle.ir.verify import verify
from spindle.options import Options
from spindle.passes.pipeline import run

FEW = ((16, None), (7, 24))
"""(cores, tile limit) of the native machines."""


def same_as_jax(
    fn: Callable[..., Any], args: Sequence[Any], rtol: float = 0.0, atol: float = 0.0
) -> list[np.ndarray]:
    """Compare the evaluator with JAX, and with itself after the passes; return its results.

    With rtol and atol 0 values must be equal (NaN equals NaN, -0 equals +0).
    """
    module = module_of(fn, args)
    verify(module)
    text = to_text(number(module))
    assert to_text(from_text(text)) == text
    leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(args)]
    ours = evaluate(module, leaves)
    theirs = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(jax.jit(fn)(*args))]
    for got, expected in zip(ours, theirs, strict=True):
        assert got.dtype == expected.dtype and got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol)
    assert_same_bits(evaluate(run(module, Options()), leaves), ours)
    return ours


def same_everywhere(
    fn: Callable[..., Any],
    args: Sequence[Any],
    rtol: float = 0.0,
    atol: float = 0.0,
    machines: Sequence[tuple[int, int | None]] = FEW,
) -> list[np.ndarray]:
    """`same_as_jax`, and the same bits on native machines."""
    wanted = same_as_jax(fn, args, rtol, atol)
    module = module_of(fn, args)
    leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(args)]
    for i, (cores, tile) in enumerate(machines):
        image = compile_module(module, Options(max_tile=tile))
        with native(cores, dma_mode=i % 2) as machine:
            assert_same_bits(run_image(image, leaves, machine), wanted)
    return wanted
