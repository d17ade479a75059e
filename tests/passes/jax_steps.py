"""Training steps of an MLP 64-128-64-10 as JAX users write them, as Modules.

In: the name of an optimiser. Out: the Module that frontends/ makes of the step, nothing simplified.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

from spindle.frontends.ingest import ingest
from spindle.ir.graph import Module

SIZES = (64, 128, 64, 10)
BATCH = 64
Tree = Any


def _forward(params: Tree, x: jax.Array) -> jax.Array:
    for layer in params[:-1]:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    return x @ params[-1]["w"] + params[-1]["b"]


def _loss(params: Tree, x: jax.Array, y: jax.Array) -> jax.Array:
    log_p = jax.nn.log_softmax(_forward(params, x))
    return -jnp.mean(jnp.sum(jax.nn.one_hot(y, 10) * log_p, axis=1))


def _adam(state: Tree, grads: Tree) -> Tree:
    params, m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
    rate = 1e-3 * jnp.sqrt(1 - 0.999 ** t.astype(jnp.float32)) / (1 - 0.9 ** t.astype(jnp.float32))
    params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), params, m, v)
    return params, m, v, t


def _momentum(state: Tree, grads: Tree) -> Tree:
    params, m, v, t = state
    m = jax.tree.map(lambda m, g: 0.9 * m + g, m, grads)
    return jax.tree.map(lambda p, m: p - 0.01 * m, params, m), m, v, t


def _sgd(state: Tree, grads: Tree) -> Tree:
    params, m, v, t = state
    return jax.tree.map(lambda p, g: p - 0.01 * g, params, grads), m, v, t


def _step(update: Callable[[Tree, Tree], Tree]) -> Callable[..., Tree]:
    def step(state: Tree, x: jax.Array, y: jax.Array) -> Tree:
        loss, grads = jax.value_and_grad(_loss)(state[0], x, y)
        return update(state, grads), loss

    return step


def _two_steps(state: Tree, xs: jax.Array, ys: jax.Array) -> Tree:
    """Several steps in one launch, batches cut from a data set on the chip."""

    def one(i: jax.Array, state: Tree) -> Tree:
        x = jax.lax.dynamic_slice_in_dim(xs, i * BATCH, BATCH)
        y = jax.lax.dynamic_slice_in_dim(ys, i * BATCH, BATCH)
        return _step(_adam)(state, x, y)[0]

    return jax.lax.fori_loop(0, 2, one, state)


STEPS = {
    "adam": (_step(_adam), BATCH),
    "momentum": (_step(_momentum), BATCH),
    "sgd": (_step(_sgd), BATCH),
    "adam_loop": (_two_steps, 2 * BATCH),
}


def module_of_step(name: str) -> Module:
    """Lower one of STEPS and read it as a Module."""
    step, rows = STEPS[name]
    layers = [
        {
            "w": jax.ShapeDtypeStruct((n, k), jnp.float32),
            "b": jax.ShapeDtypeStruct((k,), jnp.float32),
        }
        for n, k in pairwise(SIZES)
    ]
    state = (layers, layers, layers, jax.ShapeDtypeStruct((), jnp.int32))
    x = jax.ShapeDtypeStruct((rows, SIZES[0]), jnp.float32)
    y = jax.ShapeDtypeStruct((rows,), jnp.int32)
    lowered = jax.jit(step).trace(state, x, y).lower(lowering_platforms=("spinnaker",))
    return ingest(lowered.as_text())
