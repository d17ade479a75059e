"""A depthwise-separable net learns handwritten digits: 3x3 per channel, then 1x1 over channels."""

from itertools import pairwise

import jax
import jax.numpy as jnp
from epochs import train
from mlp_digits import digits
from training import conv, he

CHANNELS = (8, 16, 32)


def init(key):
    """Return (params, stats): an ordinary first layer, the separable ones, and a dense one."""
    keys = iter(jax.random.split(key, 2 * len(CHANNELS)))
    first = {"w": he(next(keys), 3, 3, 1, CHANNELS[0]), "b": jnp.zeros(CHANNELS[0])}
    layers = []
    for n_in, n_out in pairwise(CHANNELS):
        depth, point = he(next(keys), 3, 3, 1, n_in), he(next(keys), n_in, n_out)
        layers.append({"depth": depth, "point": point, "b": jnp.zeros(n_out)})
    dense = {"w": he(next(keys), CHANNELS[-1], 10), "b": jnp.zeros(10)}
    return {"first": first, "separable": layers, "dense": dense}, ()


def forward(params, stats, x, key):
    """Return logits [B, 10] of images x [B, 8, 8, 1], and stats as they are."""
    x = jax.nn.relu(conv(x, params["first"]["w"]) + params["first"]["b"])
    for layer in params["separable"]:
        x = jax.nn.relu(conv(x, layer["depth"], 2) @ layer["point"] + layer["b"])
    return x.mean((1, 2)) @ params["dense"]["w"] + params["dense"]["b"], stats


def data():
    """Return (train images [N, 8, 8, 1], labels), (test images, labels)."""
    return [(x.reshape(-1, 8, 8, 1), y) for x, y in digits()]


if __name__ == "__main__":
    import spindle

    train((init, forward), data(), spindle.jit, spindle.device_put)
