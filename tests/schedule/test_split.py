"""Fusions whose broadcasts need more loop dims than a task has: parts of them, the same bits."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_everywhere
from native_tools import module_of

from spindle.ir.graph import Op
from spindle.options import Options
from spindle.passes.pipeline import run
from spindle.schedule import dot, fusion, split, views

RNG = np.random.default_rng(5)


def data(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def place_bias(x: Any, w: Any, bias: Any) -> Any:
    """Rows are [batch, place]; the bias repeats along the batch only."""
    y = x @ w
    return y, jax.nn.relu(y + bias)


def bias_between(x: Any, w: Any, bias: Any) -> Any:
    """Rows are [batch, place]; the bias repeats along the places only."""
    return x @ w + bias[:, None]


def channel_sums(x: Any, gain: Any) -> Any:
    """Reduces [batch, place, channel] to channels; the gain repeats along the places."""
    return jnp.sum(jnp.tanh(x) * gain[:, None], axis=(0, 1)), jnp.max(x * gain[:, None], axis=1)


PROGRAMS = {
    "bias of a place": (place_bias, data(6, 5, 7), data(7, 9), data(5, 9)),
    "bias of a batch": (bias_between, data(6, 5, 7), data(7, 9), data(6, 9)),
    "sums of channels": (channel_sums, data(6, 5, 9), data(6, 9)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_bits(name: str) -> None:
    fn, *args = PROGRAMS[name]
    same_everywhere(fn, args, rtol=1e-5, atol=1e-6)


def fusion_of(name: str) -> Op:
    """The first fusion of a program that has to be split."""
    fn, *args = PROGRAMS[name]
    ops = run(module_of(fn, args), Options()).body.ops
    return next(op for op in ops if op.kind == "fusion")


def placed(op: Op) -> Any:
    return fusion.dims_of(op, op.regions[0], views.find(op.regions[0], op.attrs["space"]))


@pytest.mark.parametrize("name", ["bias of a place", "bias of a batch"])
def test_a_dot_leaves_its_epilogue(name: str) -> None:
    whole = fusion_of(name)
    head = whole.regions[0].ops[0]
    assert dot.dims_of(whole, head) is None
    alone, rest = split.off_dot(whole, head)
    assert [op.kind for op in alone.regions[0].ops] == ["dot_general"]
    assert dot.dims_of(alone, head) is not None
    assert {*alone.results, *rest.results} >= {*whole.results}
    assert alone.results[0] in rest.operands


def test_a_reduction_leaves_what_it_reads() -> None:
    whole = fusion_of("sums of channels")
    assert placed(whole) is None
    first, *sums = split.split(whole)
    assert all(op.kind != "reduce" for op in first.regions[0].ops)
    assert all(placed(one) is not None for one in sums)
