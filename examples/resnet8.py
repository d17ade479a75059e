"""ResNet-8 learns handwritten digits: a convolution, three residual blocks, a dense layer."""

from itertools import pairwise

import jax
import jax.numpy as jnp
from epochs import train
from mlp_digits import digits
from training import batch_norm, conv, conv_bn, he

CHANNELS = (16, 16, 32, 64)


def init(key):
    """Return (params, stats): convolutions with batch norm by name, and a dense layer."""
    layers = {"first": (3, 1, CHANNELS[0])}
    for i, (n_in, n_out) in enumerate(pairwise(CHANNELS)):
        layers |= {f"{i}a": (3, n_in, n_out), f"{i}b": (3, n_out, n_out)}
        layers |= {f"{i}c": (1, n_in, n_out)} if n_in != n_out else {}
    keys = jax.random.split(key, len(layers) + 1)
    made = {
        name: conv_bn(k, *sizes) for k, (name, sizes) in zip(keys, layers.items(), strict=False)
    }
    params = {name: layer for name, (layer, _) in made.items()}
    params["dense"] = {"w": he(keys[-1], CHANNELS[-1], 10), "b": jnp.zeros(10)}
    return params, {name: kept for name, (_, kept) in made.items()}


def forward(params, stats, x, key):
    """Return logits [B, 10] of images x [B, 8, 8, 1], and the new stats."""
    new = {}

    def layer(name, x, stride=1):
        x = conv(x, params[name]["w"], stride)
        x, new[name] = batch_norm(params[name], stats[name], x, key is not None)
        return x

    x = jax.nn.relu(layer("first", x))
    for i in range(3):
        stride = 1 if i == 0 else 2
        inner = layer(f"{i}b", jax.nn.relu(layer(f"{i}a", x, stride)))
        x = jax.nn.relu(inner + (layer(f"{i}c", x, stride) if f"{i}c" in params else x))
    return x.mean((1, 2)) @ params["dense"]["w"] + params["dense"]["b"], new


def data():
    """Return (train images [N, 8, 8, 1], labels), (test images, labels)."""
    return [(x.reshape(-1, 8, 8, 1), y) for x, y in digits()]


if __name__ == "__main__":
    import spindle

    train((init, forward), data(), spindle.jit, spindle.device_put)
