"""Keras's own training and test steps: the evaluator's bits on native, the losses of JAX."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from evaluating_machine import EvaluatorMachine
from native_tools import assert_same_bits

import spindle
from spindle.cli.examples import load_example

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("keras")
pytest.importorskip("sklearn")
example = load_example("keras_digits")


def trained(jit: Any, net: str) -> tuple[list[np.ndarray], list[float], list[float]]:
    """Weights, losses of two epochs of four steps, and [loss, accuracy] of two test batches."""
    model, history, test = example.main(
        jit, getattr(example, net), epochs=2, n_train=4 * example.BATCH, n_test=2 * example.BATCH
    )
    weights = [np.asarray(variable.value) for variable in model.weights]
    return weights, history["loss"], test


@pytest.mark.parametrize("net", ["mlp", "cnn"])
def test_fit(net: str, request: pytest.FixtureRequest) -> None:
    ours, losses, test = trained(spindle.jit, net)
    run = spindle.last_run()
    assert run is not None and run.machine == "native" and run.program == "test_step"
    theirs, exact, reference = trained(jax.jit, net)
    np.testing.assert_allclose(losses, exact, rtol=1e-4)
    np.testing.assert_allclose(test, reference, rtol=1e-3)
    for a, b in zip(ours, theirs, strict=True):
        assert np.max(np.abs(a - b)) < 1e-3
    machine: EvaluatorMachine = request.getfixturevalue("evaluator_machine")
    defined, _, _ = trained(spindle.jit, net)
    assert machine.launches > 0
    assert_same_bits(ours, defined)


def test_is_short() -> None:
    assert len(Path(example.__file__).read_text().splitlines()) < 60
