"""An ordinary JAX program: an MLP 64-128-64-10 learns handwritten digits with Adam.

main(spindle.jit, spindle.device_put) trains on SpiNNaker, main(jax.jit, jax.device_put) elsewhere.
"""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

SIZES = (64, 128, 64, 10)
STEPS_PER_LAUNCH, N_TRAIN = 8, 1437
RATE, B1, B2, EPS = 2e-3, 0.9, 0.999, 1e-8


def init(key):
    """Return the state (params, m, v, t): He-uniform weights, Adam's moments zero."""
    params = []
    for n_in, n_out in pairwise(SIZES):
        key, used = jax.random.split(key)
        uniform = jax.random.uniform(used, (n_in, n_out), minval=-1.0)
        params.append({"w": (6 / n_in) ** 0.5 * uniform, "b": jnp.zeros(n_out)})
    m, v = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
    return params, m, v, jnp.zeros(())


def forward(params, x):
    """Return logits [B, 10] of images x [B, 64]."""
    for layer in params[:-1]:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    return x @ params[-1]["w"] + params[-1]["b"]


def loss(params, x, y):
    """Return the mean cross-entropy of images x [B, 64] with labels y [B]."""
    log_p = jax.nn.log_softmax(forward(params, x))
    return -jnp.mean(jnp.sum(jax.nn.one_hot(y, SIZES[-1]) * log_p, axis=1))


def adam(state, grads):
    """Return the state after one update."""
    params, m, v, t = state
    t = t + 1
    alpha = RATE * jnp.sqrt(1 - B2**t) / (1 - B1**t)
    m = jax.tree.map(lambda m, g: B1 * m + (1 - B1) * g, m, grads)
    v = jax.tree.map(lambda v, g: B2 * v + (1 - B2) * (g * g), v, grads)
    params = jax.tree.map(lambda p, m, v: p - alpha * m / (jnp.sqrt(v) + EPS), params, m, v)
    return params, m, v, t


def train_steps(state, images, labels, starts, batch):
    """Take one step for each of `starts`, the first rows of its batches; return state, losses."""

    def step(state, start):
        x = jax.lax.dynamic_slice_in_dim(images, start, batch)
        y = jax.lax.dynamic_slice_in_dim(labels, start, batch)
        value, grads = jax.value_and_grad(loss)(state[0], x, y)
        return adam(state, grads), value

    return jax.lax.scan(step, state, starts)


def evaluate(params, images, labels):
    """Return how many images get their label's logit as the largest."""
    logits = forward(params, images)
    of_label = jnp.sum(jax.nn.one_hot(labels, SIZES[-1]) * logits, axis=1)
    return jnp.sum(jnp.float32(of_label >= jnp.max(logits, axis=1)))


def digits():
    """Return (train images, train labels), (test images, test labels), shuffled always alike."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    x, y = (x[order] / 16).astype(np.float32), y[order].astype(np.int32)
    return (x[:N_TRAIN], y[:N_TRAIN]), (x[N_TRAIN:], y[N_TRAIN:])


def main(jit, device_put, epochs=12, batch=64, seed=0, report=print):
    """Train; call report(epoch, mean loss, test accuracy) after each epoch; return params."""
    train_ = jit(train_steps, donate_argnums=0, static_argnums=4)
    evaluate_, (train, test) = jit(evaluate), device_put(digits())
    state, rng = jit(init)(jax.random.key(seed)), np.random.default_rng(seed)
    for epoch in range(1, epochs + 1):
        losses = []
        for _ in range(0, N_TRAIN, batch * STEPS_PER_LAUNCH):
            starts = rng.integers(0, N_TRAIN - batch + 1, STEPS_PER_LAUNCH, np.int32)
            state, values = train_(state, *train, starts, batch)
            losses.append(np.mean(values))
        report(epoch, np.mean(losses), float(evaluate_(state[0], *test)) / len(test[1]))
    return state[0]


if __name__ == "__main__":
    import spindle

    main(spindle.jit, spindle.device_put)
