"""An MLP 64-128-64-10 with dropout learns handwritten digits."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from epochs import train
from mlp_digits import digits as data
from training import he

SIZES, KEEP = (64, 128, 64, 10), np.float32(0.8)


def init(key):
    """Return (params, stats): weights and biases of each layer, and nothing to keep."""
    keys = jax.random.split(key, len(SIZES) - 1)
    layers = zip(keys, pairwise(SIZES), strict=True)
    return [{"w": he(key, *sizes), "b": jnp.zeros(sizes[1])} for key, sizes in layers], ()


def dropout(x, key):
    """Return x, each element larger by chance KEEP, else zero; x itself without a key."""
    if key is None:
        return x
    return jnp.where(jax.random.bernoulli(key, KEEP, x.shape), x / KEEP, 0.0)


def forward(params, stats, x, key):
    """Return logits [B, 10] of images x [B, 64], and stats as they are."""
    for i, layer in enumerate(params[:-1]):
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
        x = dropout(x, None if key is None else jax.random.fold_in(key, i))
    return x @ params[-1]["w"] + params[-1]["b"], stats


if __name__ == "__main__":
    import spindle

    train((init, forward), data(), spindle.jit, spindle.device_put)
