"""An LSTM learns handwritten digits: an image is 8 steps in time, its rows."""

import jax
import jax.numpy as jnp
from epochs import train
from mlp_digits import digits
from training import he

WIDTH = 32


def init(key):
    """Return (params, stats): the four gates' weights side by side, and the dense layer."""
    keys = jax.random.split(key, 3)
    params = {"in": he(keys[0], 8, 4 * WIDTH), "state": he(keys[1], WIDTH, 4 * WIDTH)}
    params |= {"gates": jnp.zeros(4 * WIDTH), "out": he(keys[2], WIDTH, 10), "b": jnp.zeros(10)}
    return params, ()


def forward(params, stats, x, key):
    """Return logits [B, 10] of images x [B, 8, 8], and stats as they are."""

    def step(carry, row):
        h, cell = carry
        gates = row @ params["in"] + h @ params["state"] + params["gates"]
        i, f, g, o = jnp.split(gates, 4, axis=1)
        cell = jax.nn.sigmoid(f + 1) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(cell), cell), None

    zeros = jnp.zeros((len(x), WIDTH))
    (h, _), _ = jax.lax.scan(step, (zeros, zeros), x.transpose(1, 0, 2))
    return h @ params["out"] + params["b"], stats


def data():
    """Return (train images [N, 8, 8], labels), (test images, labels)."""
    return [(x.reshape(-1, 8, 8), y) for x, y in digits()]


if __name__ == "__main__":
    import spindle

    train((init, forward), data(), spindle.jit, spindle.device_put)
