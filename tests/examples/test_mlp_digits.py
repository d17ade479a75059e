"""The example is an ordinary JAX program: it trains under jax.jit and, alike, under spindle.jit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import spindle
from spindle.cli.examples import load_example

pytest.importorskip("sklearn")
example = load_example("mlp_digits")


def accuracies(jit: Any, device_put: Any, **arguments: Any) -> tuple[Any, list[float]]:
    found: list[float] = []
    params = example.main(
        jit, device_put, **arguments, report=lambda epoch, loss, accuracy: found.append(accuracy)
    )
    return params, found


@pytest.mark.parametrize("seed", range(3))
def test_learns_under_jax(seed: int) -> None:
    _, found = accuracies(jax.jit, jax.device_put, seed=seed)
    assert len(found) == 12 and found[-1] >= 0.96


def test_same_program_on_the_machine() -> None:
    """24 steps from the same start: weights differ by rounding only."""
    ours, our_accuracy = accuracies(spindle.jit, spindle.device_put, epochs=1)
    theirs, their_accuracy = accuracies(jax.jit, jax.device_put, epochs=1)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert np.max(np.abs(np.asarray(a) - np.asarray(b))) < 1e-4
    assert abs(our_accuracy[0] - their_accuracy[0]) < 0.01


def test_digits_are_split_once_for_all() -> None:
    (x, y), (test_x, test_y) = example.digits()
    assert x.shape == (1437, 64) and test_x.shape == (360, 64)
    assert x.dtype == np.float32 and y.dtype == np.int32 and x.min() == 0 and x.max() == 1
    assert np.array_equal(example.digits()[1][1], test_y) and set(test_y) == set(range(10))


def test_is_short() -> None:
    path = Path(example.__file__)
    assert len(path.read_text().splitlines()) < 100
