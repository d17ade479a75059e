"""Epochs of the other examples: data that stay on the machine, data that stream to it, the loop.

With spindle.jit and spindle.device_put it runs on SpiNNaker, with jax.jit and jax.device_put
elsewhere. Nets are as in training.py; data are (train images, labels), (test images, labels).
"""

from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
from training import BATCH, count_right, start, train_steps

STEPS_PER_LAUNCH = 8
LAUNCH = STEPS_PER_LAUNCH * BATCH


def kept(images, labels, device_put, rng):
    """Move the data set once; an epoch yields it with each launch's first rows of batches."""
    data = device_put((images, labels))

    def epoch():
        starts = np.int32(BATCH * rng.permutation(len(labels) // BATCH))
        for i in range(0, len(starts) - STEPS_PER_LAUNCH + 1, STEPS_PER_LAUNCH):
            yield *data, starts[i : i + STEPS_PER_LAUNCH]

    return epoch


def streamed(images, labels, device_put, rng):
    """An epoch yields the rows of a launch; those of the next one move while it is used."""
    starts = np.arange(0, LAUNCH, BATCH, dtype=np.int32)

    def epoch():
        order = rng.permutation(len(labels))
        parts = [order[i : i + LAUNCH] for i in range(0, len(order) - LAUNCH + 1, LAUNCH)]
        with ThreadPoolExecutor(1) as mover:
            moves = (mover.submit(device_put, (images[part], labels[part])) for part in parts)
            ahead = next(moves)
            for move in moves:
                yield *ahead.result(), starts
                ahead = move
            yield *ahead.result(), starts

    return epoch


def train(net, data, jit, device_put, feed=kept, epochs=10, seed=0, report=print):
    """Train; call report(epoch, mean loss, test accuracy) after each epoch; return the state."""
    init, forward = net
    steps = jit(train_steps, donate_argnums=0, static_argnums=4)
    count = jit(count_right, static_argnums=4)
    rng = np.random.default_rng(seed)
    epoch, test = feed(*data[0], device_put, rng), device_put(data[1])
    state = jit(start, static_argnums=0)(init, jax.random.key(seed))
    for number in range(1, epochs + 1):
        losses = []
        for images, labels, starts in epoch():
            state, values = steps(state, images, labels, starts, forward)
            losses.append(np.mean(values))
        right = count(state[0][0], state[1], *test, forward)
        report(number, np.mean(losses), int(right) / len(data[1][1]))
    return state
