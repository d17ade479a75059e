"""The examples' nets: a training step has the evaluator's bits on native, and JAX's meaning.

docs/numerics.md 5 for the gradients, read off Adam's first moments: (1 - B1) times the gradient
after a step from zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from native_tools import assert_same_bits, module_of, native, run_image

from spindle.cli.examples import load_example
from spindle.compile import compile_module
from spindle.image.image import Image
from spindle.ir.evaluate import evaluate
from spindle.ir.graph import Module
from spindle.options import Options

pytest.importorskip("sklearn")
training = load_example("training")
mlp_digits = load_example("mlp_digits")

BATCH = 8
DIGITS = ("mlp_dropout", "separable_cnn", "transformer", "lstm", "gru", "embedding")
SLOW = [pytest.param(name, marks=pytest.mark.long) for name in ("resnet8", "cnn_mnist")]
NETS = [*DIGITS, *SLOW]


@dataclass(frozen=True)
class Step:
    """A net's training step, compiled; state before the first one; rows of its data."""

    net: Any
    module: Module
    image: Image
    state: Any
    x: np.ndarray
    y: np.ndarray

    def jax(self, state: Any, x: Any, y: Any) -> Any:
        return jax.jit(training.train_step, static_argnums=3)(state, x, y, self.net.forward)

    def native(self, state: Any, x: Any, y: Any) -> Any:
        """The same on a native machine."""
        tree = jax.tree.structure((state, 0.0))
        with native() as machine:
            leaves = run_image(self.image, jax.tree.leaves((state, x, y)), machine)
        return jax.tree.unflatten(tree, leaves)


@cache
def step_of(name: str) -> Step:
    net = load_example(name)
    (x, y), _ = net.data() if name != "cnn_mnist" else ((rows(28, 28), labels()), None)
    state = jax.tree.map(np.asarray, training.start(net.init, jax.random.key(0)))
    module = module_of(
        lambda state, x, y: training.train_step(state, x, y, net.forward),
        (state, x[:BATCH], y[:BATCH]),
    )
    return Step(net, module, compile_module(module, Options()), state, x, y)


def rows(*shape: int) -> np.ndarray:
    """Stand-ins for MNIST's images, whose file a test must not need."""
    return np.random.default_rng(1).random((10 * BATCH, *shape), np.float32)


def labels() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 10, 10 * BATCH, np.int32)


def batch(step: Step, number: int) -> tuple[np.ndarray, np.ndarray]:
    part = slice(number * BATCH, (number + 1) * BATCH)
    return step.x[part], step.y[part]


@pytest.mark.parametrize("name", NETS)
def test_bits_of_the_evaluator(name: str) -> None:
    step = step_of(name)
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves((step.state, *batch(step, 0)))]
    for cores in (16, 7):
        with native(cores, dma_mode=cores % 2) as machine:
            assert_same_bits(run_image(step.image, leaves, machine), evaluate(step.module, leaves))


@pytest.mark.parametrize("name", NETS)
def test_first_losses_are_those_of_jax(name: str) -> None:
    step, ours, theirs = step_of(name), [], []
    state, reference = step.state, step.state
    for number in range(4):
        state, loss = step.native(state, *batch(step, number))
        reference, exact = step.jax(reference, *batch(step, number))
        ours.append(float(loss))
        theirs.append(float(exact))
    np.testing.assert_allclose(ours, theirs, rtol=2e-4)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("steps", [0, 5])
def test_gradients_against_double_precision(name: str, steps: int) -> None:
    step = step_of(name)
    state = step.state
    for number in range(steps):
        state, _ = step.jax(state, *batch(step, number))
    state = anew(state)
    x, y = batch(step, steps)
    exact = gradients(in_double_precision(step, state, x, y))
    orders = [np.arange(BATCH)] if name == "mlp_dropout" else permutations()
    theirs = [gradients(step.jax(state, x[order], y[order])[0]) for order in orders]
    ours = gradients(step.native(state, x, y)[0])
    net_norm = np.sqrt(sum(float((g**2).sum()) for g in exact))
    for i, g64 in enumerate(exact):
        noise = max(float(np.linalg.norm(found[i] - g64)) for found in theirs)
        limit = max(1e-5 * float(np.linalg.norm(g64)), 4 * noise, 1e-6 * net_norm)
        assert float(np.linalg.norm(ours[i] - g64)) <= limit, i


def permutations() -> list[np.ndarray]:
    return [np.random.default_rng(i).permutation(BATCH) for i in range(3)]


def anew(state: Any) -> Any:
    """The state with its weights, and Adam as before its first step."""
    (params, m, v, t), stats = jax.tree.map(np.asarray, state)
    return (params, *jax.tree.map(np.zeros_like, (m, v, t))), stats


def in_double_precision(step: Step, state: Any, x: Any, y: Any) -> Any:
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: np.asarray(a, np.float64), state)
        x = x.astype(np.float64) if x.dtype == np.float32 else x
        return jax.tree.map(np.asarray, step.jax(wide, x, y)[0])


def gradients(state: Any) -> list[np.ndarray]:
    m = jax.tree.leaves(state[0][1])
    return [np.asarray(leaf, np.float64) / (1 - mlp_digits.B1) for leaf in m]


@pytest.mark.parametrize("name", [*DIGITS, "resnet8", "cnn_mnist"])
def test_is_short(name: str) -> None:
    path = Path(load_example(name).__file__)
    assert len(path.read_text().splitlines()) < 60
