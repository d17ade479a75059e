"""Embedding and classifier: a digit's pixels are 64 words of 17, their grey levels 0..16."""

import jax
import jax.numpy as jnp
import numpy as np
from epochs import train
from mlp_digits import digits
from training import he

WORDS, LENGTH, WIDTH, HIDDEN = 17, 64, 4, 64


def init(key):
    """Return (params, stats): the embedding, and two dense layers."""
    keys = jax.random.split(key, 3)
    params = {"words": he(keys[0], WORDS, WIDTH), "in": he(keys[1], LENGTH * WIDTH, HIDDEN)}
    params |= {"hidden": jnp.zeros(HIDDEN), "out": he(keys[2], HIDDEN, 10), "b": jnp.zeros(10)}
    return params, ()


def forward(params, stats, x, key):
    """Return logits [B, 10] of texts x [B, 64], word numbers, and stats as they are."""
    x = params["words"][x].reshape(len(x), LENGTH * WIDTH)
    x = jax.nn.relu(x @ params["in"] + params["hidden"])
    return x @ params["out"] + params["b"], stats


def data():
    """Return (train images [N, 64], int32, labels), (test images, labels)."""
    return [(np.int32(16 * x), y) for x, y in digits()]


if __name__ == "__main__":
    import spindle

    train((init, forward), data(), spindle.jit, spindle.device_put)
