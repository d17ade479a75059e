"""Programs as users write them: ops without a kernel amid loops, dots and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_everywhere
from jax import lax

RNG = np.random.default_rng(31)
KEY = np.array([1, 2], np.uint32)


def floats(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def ints(below: int, *shape: int) -> np.ndarray:
    return RNG.integers(0, below, shape).astype(np.int32)


def embedding_step(params: dict[str, Any], tokens: Any, labels: Any) -> Any:
    """An embedding and a classifier: loss, accuracy, a step of gradient descent."""

    def logits(p: dict[str, Any]) -> Any:
        return p["table"][tokens].mean(1) @ p["w"]

    def loss(p: dict[str, Any]) -> Any:
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits(p)), labels[:, None], 1)
        return -chosen.mean()

    value, gradients = jax.value_and_grad(loss)(params)
    accuracy = (jnp.argmax(logits(params), -1) == labels).mean()
    return value, accuracy, jax.tree.map(lambda p, g: p - 0.1 * g, params, gradients)


def clipped(params: list[Any], gradients: list[Any]) -> Any:
    """Clip by the global norm, as a branch."""
    norm = jnp.sqrt(sum((g * g).sum() for g in gradients))
    step = [lambda: [g / norm for g in gradients], lambda: gradients]
    used = lax.cond(norm > 1, *step)
    return [p - g for p, g in zip(params, used, strict=True)]


def pooled(x: Any, w: Any) -> Any:
    """A layer with max pooling, and its gradient."""
    h = jnp.maximum(x * w, 0)
    h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return h.mean()


def branches_in_a_scan(x: Any) -> Any:
    def step(carry: Any, row: Any) -> Any:
        new = lax.cond(row[0] > 0, lambda: jnp.sort(carry + row), lambda: carry - row)
        return new, jnp.argmax(row)

    return lax.scan(step, x[0], x)


def recurrent_over_tokens(table: Any, tokens: Any) -> Any:
    return lax.scan(lambda h, i: (jnp.tanh(h + table[i]), h.sum()), jnp.zeros(6), tokens)


def shuffled(key: Any, x: Any) -> Any:
    return x[jax.random.permutation(jax.random.wrap_key_data(key), x.shape[0])]


def cosine_schedule(p: Any, g: Any, t: Any) -> Any:
    rate = lax.cond(t < 10, lambda: 0.1, lambda: 0.1 * jnp.cos(t * 0.01))
    return p - rate * g


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "embedding": (
        embedding_step,
        ({"table": floats(50, 16), "w": floats(16, 5)}, ints(50, 8, 6), ints(5, 8)),
    ),
    "clip": (clipped, ([floats(4, 3), floats(3)], [floats(4, 3), floats(3)])),
    "schedule": (cosine_schedule, (floats(10), floats(10), np.int32(20))),
    "pooling": (jax.value_and_grad(pooled, 1), (floats(2, 8, 8, 3), floats(2, 8, 8, 3))),
    "branches in a scan": (branches_in_a_scan, (floats(5, 6),)),
    "recurrent": (recurrent_over_tokens, (floats(9, 6), ints(9, 7))),
    "shuffle": (shuffled, (KEY, floats(24, 5))),
    "top k": (
        lambda p, y: (lax.top_k(p, 3)[1] == y[:, None]).any(1).mean(),
        (floats(12, 10), ints(10, 12)),
    ),
    "categorical": (
        lambda k, p: jax.random.categorical(jax.random.wrap_key_data(k), p), (KEY, floats(6, 9)),
    ),
    "segments": (lambda x, i: jax.ops.segment_sum(x, i, 5), (floats(30, 4), ints(5, 30))),
    "scan of sums": (lambda x: lax.associative_scan(jnp.add, x, axis=1), (floats(3, 17),)),
    "quantiles": (lambda x: jnp.quantile(x, jnp.array([0.1, 0.5, 0.9])), (floats(33),)),
    "interpolation": (jnp.interp, (floats(5), np.sort(floats(9)), floats(9))),
    "positions": (lambda p: jnp.concatenate([jnp.sin(p), jnp.cos(p)], -1), (floats(10, 8) * 50,)),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_jax_and_on_native(name: str) -> None:
    fn, args = PROGRAMS[name]
    same_everywhere(fn, args, rtol=2e-4, atol=2e-5, machines=((16, None),))
