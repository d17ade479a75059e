"""A GRU learns handwritten digits: an image is 8 steps in time, its rows."""

import jax
import jax.numpy as jnp
from epochs import train
from mlp_digits import digits
from training import he

WIDTH = 32


def init(key):
    """Return (params, stats): weights of reset, update and candidate side by side, and out."""
    keys = jax.random.split(key, 3)
    params = {"in": he(keys[0], 8, 3 * WIDTH), "state": he(keys[1], WIDTH, 3 * WIDTH)}
    params |= {"gates": jnp.zeros(3 * WIDTH), "out": he(keys[2], WIDTH, 10), "b": jnp.zeros(10)}
    return params, ()


def forward(params, stats, x, key):
    """Return logits [B, 10] of images x [B, 8, 8], and stats as they are."""

    def step(h, row):
        r, z, n = jnp.split(row @ params["in"] + params["gates"], 3, axis=1)
        r_h, z_h, n_h = jnp.split(h @ params["state"], 3, axis=1)
        r, z = jax.nn.sigmoid(r + r_h), jax.nn.sigmoid(z + z_h)
        return (1 - z) * jnp.tanh(n + r * n_h) + z * h, None

    h, _ = jax.lax.scan(step, jnp.zeros((len(x), WIDTH)), x.transpose(1, 0, 2))
    return h @ params["out"] + params["b"], stats


def data():
    """Return (train images [N, 8, 8], labels), (test images, labels)."""
    return [(x.reshape(-1, 8, 8), y) for x, y in digits()]


if __name__ == "__main__":
    import spindle

    train((init, forward), data(), spindle.jit, spindle.device_put)
