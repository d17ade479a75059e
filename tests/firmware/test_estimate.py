"""The estimate of an Image beside the ARM code's cycles: the demo's steps, and another net's.

The bar is the demo's. The other net, of odd sizes, shows that the costs are not the demo's alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from firmware_chip import FirmwareChip, LoadedImage
from native_tools import module_of

from examples import mlp_digits
from spindle.compile import compile_module
from spindle.options import Options
from spindle.schedule.estimate import StepEstimate, estimate
from spindle.spec import records

LARGE = 20_000
"""Cycles from which on a step counts."""
Counted = tuple[int, int, list[tuple[int, int]]]
"""Elapsed cycles of chip and estimate, and both of each step's slowest lane."""


def count(function: Callable[..., object], args: Sequence[np.ndarray]) -> Counted:
    image = compile_module(module_of(function, args), Options())
    chip = FirmwareChip(17)
    loaded = LoadedImage(chip, image, profile=True)
    done, counted = loaded.launch(*args), estimate(image, n_cores=16)
    found = [max(lane["cycles"] for lane in lanes) for lanes in profiles(chip, loaded)]
    chip.rig.close()
    return done.cycles, counted.cycles, list(zip(found, map(slowest, counted.steps), strict=True))


@pytest.fixture(scope="module")
def demo() -> Counted:
    """Two training steps of the demo's net."""
    (x, y), _ = mlp_digits.digits()
    state, treedef = jax.tree.flatten(mlp_digits.init(jax.random.key(0)))

    def step(*args: jax.Array) -> object:
        steps = functools.partial(mlp_digits.train_steps, batch=64)
        return steps(jax.tree.unflatten(treedef, args[:-3]), *args[-3:])

    return count(step, [np.asarray(leaf) for leaf in state] + [x, y, np.array([0, 64], np.int32)])


@pytest.fixture(scope="module")
def other() -> Counted:
    """One step of gradient descent: 100-200-50-7, tanh, softmax, a batch of 48."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)

    def loss(params: Sequence[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        w1, b1, w2, b2, w3 = params
        hidden = jax.nn.relu(jnp.tanh(x @ w1 + b1) @ w2 + b2)
        return -(jax.nn.log_softmax(hidden @ w3) * y).sum(1).mean()

    def step(*args: jax.Array) -> object:
        grads = jax.grad(loss)(args[:5], *args[5:])
        return [p - 0.1 * g for p, g in zip(args[:5], grads, strict=True)]

    shapes = ((100, 200), (200,), (200, 50), (50,), (50, 7), (48, 100))
    labels = np.eye(7, dtype=np.float32)[rng.integers(0, 7, 48)]
    return count(step, [*(normal(*shape) for shape in shapes), labels])


def slowest(step: StepEstimate) -> int:
    return max(step.cycles)


def profiles(chip: FirmwareChip, loaded: LoadedImage) -> list[list[dict[str, int]]]:
    """The profile record of each lane, by step."""
    size = records.PROFILE.size
    raw = chip.rig.peek(loaded.profile_at, loaded.profile_bytes)
    return [
        [records.PROFILE.unpack(raw, (step.id * records.LANES + i) * size) for i in range(16)]
        for step in loaded.image.steps
    ]


def errors(counted: Counted, least: int) -> list[float]:
    return [abs(b / a - 1) for a, b in counted[2] if a >= least]


@pytest.mark.parametrize("net", ["demo", "other"])
def test_the_sum_is_within_five_per_cent(net: str, request: pytest.FixtureRequest) -> None:
    measured, estimated, _ = request.getfixturevalue(net)
    assert abs(estimated / measured - 1) <= 0.05


def test_every_large_step_is_within_ten_per_cent(demo: Counted) -> None:
    """Both training steps are summed in a step's record."""
    found = errors(demo, 2 * LARGE)
    assert len(found) > 25
    assert max(found) <= 0.1


def test_other_sizes(other: Counted) -> None:
    found = errors(other, LARGE)
    assert len(found) > 20
    assert max(found) <= 0.15
