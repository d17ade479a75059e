"""A transformer encoder block learns handwritten digits: an image is 8 tokens, its rows."""

import jax
import jax.numpy as jnp
from epochs import train
from mlp_digits import digits
from training import he

LENGTH, WIDTH, HEADS, HIDDEN = 8, 32, 4, 64
SHAPES = {"rows": (8, WIDTH), "qkv": (WIDTH, 3 * WIDTH), "mix": (WIDTH, WIDTH)}
SHAPES |= {"up": (WIDTH, HIDDEN), "down": (HIDDEN, WIDTH), "out": (LENGTH * WIDTH, 10)}


def init(key):
    """Return (params, stats): weights, what tells places apart, and two layer norms."""
    keys = jax.random.split(key, len(SHAPES))
    params = {name: he(k, *SHAPES[name]) for k, name in zip(keys, SHAPES, strict=True)}
    params |= {"place": jnp.zeros((LENGTH, WIDTH)), "b": jnp.zeros(10)}
    return params | {"gain": jnp.ones((2, WIDTH)), "shift": jnp.zeros((2, WIDTH))}, ()


def layer_norm(x, gain, shift):
    """Return x normalised over its last axis."""
    x = x - x.mean(-1, keepdims=True)
    return gain * x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) + shift


def attention(x, qkv, mix):
    """Return what the tokens of x [B, T, C] take from each other, in HEADS heads."""
    q, k, v = jnp.moveaxis((x @ qkv).reshape(*x.shape[:2], 3, HEADS, -1), 2, 0)
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * (WIDTH // HEADS) ** -0.5
    return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v).reshape(x.shape) @ mix


def forward(params, stats, x, key):
    """Return logits [B, 10] of images x [B, 8, 8], and stats as they are."""
    norms = [(params["gain"][i], params["shift"][i]) for i in range(2)]
    x = x @ params["rows"] + params["place"]
    x = x + attention(layer_norm(x, *norms[0]), params["qkv"], params["mix"])
    x = x + jax.nn.gelu(layer_norm(x, *norms[1]) @ params["up"]) @ params["down"]
    return x.reshape(len(x), -1) @ params["out"] + params["b"], stats


def data():
    """Return (train images [N, 8, 8], labels), (test images, labels)."""
    return [(x.reshape(-1, 8, 8), y) for x, y in digits()]


if __name__ == "__main__":
    import spindle

    train((init, forward), data(), spindle.jit, spindle.device_put)
