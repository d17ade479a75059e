"""A convolutional net with batch norm learns MNIST, streamed: 188 MB do not fit on a chip."""

import jax
import jax.numpy as jnp
from epochs import streamed, train
from training import batch_norm, conv, conv_bn, he

from spindle.data import mnist

CHANNELS = (1, 16, 32)


def init(key):
    """Return (params, stats): two 3x3 convolutions with batch norm, and a dense layer."""
    keys = jax.random.split(key, 3)
    layers = [conv_bn(keys[i], 3, *CHANNELS[i : i + 2]) for i in range(2)]
    dense = {"w": he(keys[2], 7 * 7 * CHANNELS[-1], 10), "b": jnp.zeros(10)}
    return [*(layer for layer, _ in layers), dense], [kept for _, kept in layers]


def max_pool(x):
    """Return the largest of each 2x2 square of x [B, H, W, C]."""
    square = (1, 2, 2, 1)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, square, square, "VALID")


def forward(params, stats, x, key):
    """Return logits [B, 10] of images x [B, 28, 28], and the new stats."""
    *layers, dense = params
    x, new = x[..., None], []
    for layer, kept in zip(layers, stats, strict=True):
        x, kept = batch_norm(layer, kept, conv(x, layer["w"]), key is not None)
        x = max_pool(jax.nn.relu(x))
        new.append(kept)
    return x.reshape(len(x), -1) @ dense["w"] + dense["b"], new


def data():
    """Return (train images [60000, 28, 28], labels), (test images [10000, 28, 28], labels)."""
    return mnist()


if __name__ == "__main__":
    import spindle

    train((init, forward), data(), spindle.jit, spindle.device_put, streamed)
