"""Every function of jax.lax on static shapes: it is right, or a sentence says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from lax_programs import LINALG, NOT_OPS, PROGRAMS, REFUSED, REFUSED_LINALG
from native_tools import assert_same_bits, native, run_image

from spindle import tracing
from spindle.compile import compile_module
from spindle.errors import UnsupportedError
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module
from spindle.options import Options
from spindle.passes.pipeline import run


def module_of(fn: Callable[..., Any], args: tuple[Any, ...]) -> Module:
    """Trace as spindle.jit does, with its errors."""
    names = tuple(f"argument {i}" for i in range(len(args)))
    return tracing.trace(jax.jit(fn, keep_unused=True), args, {}, names).module


def is_right(fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Compare the evaluator with JAX, then the passes and native with the evaluator."""
    module, leaves = module_of(fn, args), [np.asarray(arg) for arg in args]
    ours, theirs = evaluate(module, leaves), jax.tree.leaves(jax.jit(fn)(*args))
    for got, expected in zip(ours, theirs, strict=True):
        assert got.dtype == expected.dtype and got.shape == expected.shape
        np.testing.assert_allclose(got, np.asarray(expected), rtol=2e-5, atol=2e-5)
    assert_same_bits(evaluate(run(module, Options()), leaves), ours)
    with native() as machine:
        assert_same_bits(run_image(compile_module(module, Options()), leaves, machine), ours)


def is_refused(fn: Callable[..., Any], args: tuple[Any, ...], sentence: str) -> None:
    """Expect one sentence, from the front end or from the passes."""
    with pytest.raises(UnsupportedError, match=sentence) as caught:
        compile_module(module_of(fn, args), Options())
    assert caught.value.fix and "\n" not in str(caught.value)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_operator(name: str) -> None:
    if name in REFUSED:
        is_refused(*PROGRAMS[name], REFUSED[name])
    elif name == "empty":
        module_of(*PROGRAMS[name])
    else:
        is_right(*PROGRAMS[name])


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(LINALG))
def test_linear_algebra(name: str) -> None:
    if name in REFUSED_LINALG:
        is_refused(*LINALG[name], REFUSED_LINALG[name])
    else:
        is_right(*LINALG[name])


def functions(module: Any) -> set[str]:
    """Names of a module's public functions that are no primitives."""
    names = {name for name in dir(module) if name[0].islower() and not name.endswith("_p")}
    return {name for name in names if callable(getattr(module, name))}


def test_no_function_of_lax_is_left_out() -> None:
    """A new JAX has new functions: give each a program in lax_programs.py."""
    assert functions(jax.lax) - set(PROGRAMS) - NOT_OPS == set()
    assert functions(jax.lax.linalg) - set(LINALG) == set()
