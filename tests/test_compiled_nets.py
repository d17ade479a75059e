"""Training steps of small nets through the whole compiler: the evaluator's bits on native."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from native_tools import check

RNG = np.random.default_rng(23)


def weights(*shape: int) -> np.ndarray:
    return (RNG.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)


def trained(loss: Callable[..., Any]) -> Callable[..., Any]:
    """One step of gradient descent on the first argument."""

    def step(params: Any, *data: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(params, *data)
        return [p - 0.1 * g for p, g in zip(params, grads, strict=True)], value

    return step


def lstm(params: Any, x: Any, y: Any) -> Any:
    w_in, w_state, bias, w_out = params
    hidden = w_state.shape[0]

    def cell(carry: Any, x: Any) -> Any:
        h, s = carry
        i, f, g, o = jnp.split(x @ w_in + h @ w_state + bias, 4, 1)
        s = jax.nn.sigmoid(f) * s + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(s), s), None

    zeros = jnp.zeros((x.shape[1], hidden))
    (h, _), _ = lax.scan(cell, (zeros, zeros), x)
    return jnp.mean((h @ w_out - y) ** 2)


def attention(params: Any, x: Any) -> Any:
    w_qkv, w_out, gain = params
    batch, length, width = x.shape
    centred = x - x.mean(-1, keepdims=True)
    normed = gain * centred * lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    heads = (normed @ w_qkv).reshape(batch, length, 3, 2, width // 2).transpose(2, 0, 3, 1, 4)
    scores = jnp.einsum("bhqd,bhkd->bhqk", heads[0], heads[1])
    mixed = jnp.einsum("bhqk,bhkd->bqhd", jax.nn.softmax(scores), heads[2])
    return jnp.mean((x + mixed.reshape(batch, length, width) @ w_out) ** 2)


def batch_norm(params: Any, x: Any) -> Any:
    w, gain, shift = params
    h = x @ w
    h = gain * (h - h.mean(0)) / jnp.sqrt(h.var(0) + 1e-5) + shift
    return jnp.mean(jax.nn.relu(h) ** 2)


def gelu(params: Any, x: Any) -> Any:
    h = x
    for w in params:
        h = jax.nn.gelu(h @ w)
    return jnp.mean(h**2)


def lstm_case(length: int, batch: int, width: int, hidden: int) -> tuple[Any, ...]:
    params = [weights(width, 4 * hidden), weights(hidden, 4 * hidden)]
    params += [np.zeros(4 * hidden, np.float32), weights(hidden, 1)]
    return lstm, params, weights(length, batch, width), weights(batch, 1)


NETS: dict[str, tuple[Any, ...]] = {
    "lstm of one step": lstm_case(1, 4, 8, 16),
    "lstm": lstm_case(3, 4, 5, 6),
    "attention": (
        attention,
        [weights(8, 24), weights(8, 8), np.ones(8, np.float32)],
        weights(2, 5, 8),
    ),
    "batch norm": (
        batch_norm,
        [weights(12, 20), np.ones(20, np.float32), np.zeros(20, np.float32)],
        weights(32, 12),
    ),
    "deep": (gelu, [weights(16, 16) for _ in range(6)], weights(8, 16)),
}


@pytest.mark.parametrize("name", NETS)
def test_a_training_step(name: str) -> None:
    loss, params, *data = NETS[name]
    step = trained(loss)

    def flat(*args: Any) -> Any:
        return step(args[: len(params)], *args[len(params) :])

    got = check(flat, (*params, *data), cores=(7, 16), tiles=(None,))
    want = jax.tree.leaves(step(params, *data))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
