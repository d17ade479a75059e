"""What the other examples share: layers, a training step with Adam, counting hits.

A net is init(key), which gives (params, stats), and forward(params, stats, x, key), which gives
(logits [B, 10], stats): key None is inference, stats are what batch norm keeps.
"""

import jax
import jax.numpy as jnp
import numpy as np
from mlp_digits import adam

BATCH, TEST_BATCH, KEEP = 32, 40, 0.9


def he(key, *shape):
    """Return uniform weights of variance 2 / n, where n inputs meet in an output."""
    return (6 / np.prod(shape[:-1])) ** 0.5 * jax.random.uniform(key, shape, minval=-1.0)


def batch_norm(layer, kept, x, train):
    """Return x normalised per channel, its last axis, and the (mean, variance) to keep."""
    axes = tuple(range(x.ndim - 1))
    mean, var = (x.mean(axes), x.var(axes)) if train else kept
    kept = [KEEP * old + (1 - KEEP) * new for old, new in zip(kept, (mean, var), strict=True)]
    return layer["gain"] * (x - mean) * jax.lax.rsqrt(var + 1e-5) + layer["shift"], kept


def conv(x, w, stride=1):
    """Return x [B, H, W, C] convolved with w [H', W', C / groups, C'], edges padded with zeros."""
    axes = ("NHWC", "HWIO", "NHWC")
    groups = x.shape[3] // w.shape[2]
    return jax.lax.conv_general_dilated(
        x, w, (stride, stride), "SAME", dimension_numbers=axes, feature_group_count=groups
    )


def conv_bn(key, size, n_in, n_out):
    """Return the parameters of a convolution with batch norm, and what the norm keeps at first."""
    ones, zeros = jnp.ones(n_out), jnp.zeros(n_out)
    return {"w": he(key, size, size, n_in, n_out), "gain": ones, "shift": zeros}, [zeros, ones]


def start(init, key):
    """Return the state before the first step: Adam's (params, m, v, t), and stats."""
    params, stats = init(key)
    m, v = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
    return (params, m, v, jnp.zeros(())), stats


def loss(params, stats, x, y, key, forward):
    """Return the mean cross-entropy of inputs x with labels y [B], and the new stats."""
    logits, stats = forward(params, stats, x, key)
    log_p = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.sum(jax.nn.one_hot(y, logits.shape[1]) * log_p, axis=1)), stats


def train_step(state, x, y, forward):
    """Take one step with a batch; return state and loss."""
    adam_state, stats = state
    key = jax.random.fold_in(jax.random.key(0), jnp.uint32(adam_state[3]))
    with_gradients = jax.value_and_grad(loss, has_aux=True)
    (value, stats), grads = with_gradients(adam_state[0], stats, x, y, key, forward)
    return (adam(adam_state, grads), stats), value


def train_steps(state, images, labels, starts, forward):
    """Take one step for each of `starts`, the first rows of its batches; return state, losses."""

    def step(state, start):
        return train_step(state, *rows((images, labels), start, BATCH), forward)

    return jax.lax.scan(step, state, starts)


def count_right(params, stats, images, labels, forward):
    """Return how many of the images get their label's logit as the largest."""

    def count(total, start):
        x, y = rows((images, labels), start, TEST_BATCH)
        logits, _ = forward(params, stats, x, None)
        return total + jnp.sum(jnp.argmax(logits, axis=1) == y), None

    return jax.lax.scan(count, 0, jnp.arange(0, len(labels), TEST_BATCH))[0]


def rows(arrays, start, count):
    """Return `count` rows of each array."""
    return [jax.lax.dynamic_slice_in_dim(array, start, count) for array in arrays]
