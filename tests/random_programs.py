"""Random JAX programs from a seed: chains of elementwise ops, sums, dots, slices, updates, loops.

In: a seed. Out: a function of float32 arrays and its arguments; half of them are gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

EXTENTS = (1, 2, 3, 4, 5, 8, 12, 16, 17, 33, 64)
LARGEST = 20_000
"""Elements beyond which a value is cut."""


def program(seed: int) -> tuple[Callable[..., Any], list[np.ndarray]]:
    """Return a function and arguments for it."""
    rng = np.random.default_rng(seed)
    extents = rng.choice(EXTENTS, 3)
    ranks = rng.integers(1, 4, rng.integers(2, 5))
    args = [rng.standard_normal(rng.choice(extents, n)).astype(np.float32) for n in ranks]
    writer = _Writer(int(rng.integers(1 << 30)), int(rng.integers(3, 14)))
    if rng.random() < 0.5:
        return writer.run, args

    def total(*args: Any) -> Any:
        return sum(jnp.sum(out * out) for out in writer.run(*args)) * 1e-2

    return jax.grad(total, argnums=tuple(range(len(args)))), args


class _Writer:
    """Draws the same ops at each tracing."""

    def __init__(self, seed: int, n_ops: int) -> None:
        self.seed, self.n_ops = seed, n_ops

    def run(self, *args: Any) -> list[Any]:
        rng = np.random.default_rng(self.seed)
        made = _grow(rng, list(args), self.n_ops, 0)[len(args) :]
        return [made[i] for i in sorted(set(rng.integers(0, len(made), 3)))] + [made[-1]]


def _grow(rng: np.random.Generator, values: list[Any], n_ops: int, depth: int) -> list[Any]:
    for _ in range(n_ops):
        x = values[rng.integers(len(values))]
        y = _one(rng, x, values, depth)
        values.append(y.reshape(-1)[:500] if y.size > LARGEST else y)
    return values


def _one(rng: np.random.Generator, x: Any, values: list[Any], depth: int) -> Any:
    if x.ndim == 0 or rng.random() < 0.35:
        simple = (jnp.tanh, lambda x: x * 0.5 + jnp.exp(-abs(x)), jax.nn.relu, lambda x: x + 1)
        return simple[rng.integers(len(simple))](x)
    if depth < 2 and rng.random() < 0.1:
        return _scan(rng, x, values, depth)
    axis, kind = int(rng.integers(x.ndim)), rng.integers(9)
    if kind == 0:
        return x.sum(axis)
    if kind == 1:
        return jnp.swapaxes(x, 0, axis)
    if kind == 2:
        return x @ _matrix(rng, x.shape[-1], values)
    if kind == 3:
        return jnp.einsum("...i,...i->..." if x.ndim == 1 else "...ij,...kj->...ik", x, x)
    if kind == 4:
        first = int(rng.integers(0, x.shape[0]))
        return x[first : first + int(rng.integers(1, x.shape[0] - first + 1))]
    if kind == 5:
        return jnp.concatenate([x, x * 2], axis)
    if kind == 6:
        return x - x.max(-1, keepdims=True)
    if kind == 7:
        start = (abs(x.sum()) * 3).astype(jnp.int32)
        return lax.dynamic_update_slice(x, x[:1] * 2, [start] + [0] * (x.ndim - 1))
    return x.reshape(-1)


def _matrix(rng: np.random.Generator, k: int, values: list[Any]) -> Any:
    n = int(rng.integers(1, 20))
    shift = values[rng.integers(len(values))].sum() * 0.01
    return shift + jnp.arange(k * n, dtype=jnp.float32).reshape(k, n) * 0.001


def _scan(rng: np.random.Generator, x: Any, values: list[Any], depth: int) -> Any:
    seed, n_ops, trips = int(rng.integers(1 << 30)), int(rng.integers(1, 4)), rng.integers(1, 4)

    def body(carry: Any, t: Any) -> Any:
        inner = np.random.default_rng(seed)
        out = _grow(inner, [carry, *values[-2:]], n_ops, depth + 1)[-1]
        return carry * 0.9 + out.sum() * 1e-3 + t, carry.sum()

    return lax.scan(body, x, jnp.arange(int(trips), dtype=jnp.float32))[0]
