"""Epochs of the examples: every row once, the next launch's rows on their way, same as in JAX."""

from __future__ import annotations

import threading
from typing import Any

import jax
import numpy as np
import pytest

import spindle
from spindle.cli.examples import load_example

pytest.importorskip("sklearn")
epochs = load_example("epochs")

N = 3 * epochs.LAUNCH + 5
IMAGES, LABELS = np.arange(N, dtype=np.float32), np.arange(N, dtype=np.int32)


def used(launches: Any) -> list[int]:
    """Rows of all batches, in order, checked against their labels."""
    rows: list[int] = []
    for images, labels, starts in launches:
        assert starts.dtype == np.int32 and len(starts) == epochs.STEPS_PER_LAUNCH
        assert np.array_equal(images, labels)
        rows += [int(row) for start in starts for row in labels[start : start + epochs.BATCH]]
    return rows


@pytest.mark.parametrize("feed", [epochs.kept, epochs.streamed])
def test_every_row_at_most_once_and_each_epoch_in_another_order(feed: Any) -> None:
    epoch = feed(IMAGES, LABELS, lambda tree: tree, np.random.default_rng(0))
    first, second = used(epoch()), used(epoch())
    assert len(first) == len(set(first)) == 3 * epochs.LAUNCH
    assert first != second and len(second) == len(first)


def test_kept_moves_once() -> None:
    moved: list[int] = []
    feed = epochs.kept(
        IMAGES, LABELS, lambda tree: moved.append(1) or tree, np.random.default_rng(0)
    )
    used(feed())
    used(feed())
    assert len(moved) == 1


def test_the_next_rows_move_while_these_are_used() -> None:
    moved = [threading.Event() for _ in range(3)]
    left = iter(moved)

    def device_put(tree: Any) -> Any:
        next(left).set()
        return tree

    launches = epochs.streamed(IMAGES, LABELS, device_put, np.random.default_rng(0))()
    for number, _ in enumerate(launches):
        assert moved[min(number + 1, 2)].wait(10)


def test_a_streamed_epoch_is_that_of_jax() -> None:
    net = load_example("mlp_dropout")
    found = []
    for jit, device_put in ((spindle.jit, spindle.device_put), (jax.jit, jax.device_put)):
        seen: list[tuple[float, float]] = []
        state = epochs.train(
            (net.init, net.forward),
            net.data(),
            jit,
            device_put,
            feed=epochs.streamed,
            epochs=1,
            report=lambda epoch, loss, accuracy, seen=seen: seen.append((loss, accuracy)),
        )
        found.append((seen, [np.asarray(leaf) for leaf in jax.tree.leaves(state)]))
    (((loss, accuracy),), ours), (((exact, reference),), theirs) = found
    assert loss == pytest.approx(exact, rel=1e-4) and abs(accuracy - reference) < 0.02
    assert accuracy > 0.7
    for a, b in zip(ours, theirs, strict=True):
        assert np.max(np.abs(a - b)) < 1e-4
