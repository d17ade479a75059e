"""bfloat16, float16 and integers of 8, 16 and 64 bits: JAX, evaluator, passes and native agree."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_as_jax, same_everywhere
from native_tools import check, native

import spindle

RNG = np.random.default_rng(7)
SMALL = (jnp.bfloat16, np.float16)
INTEGERS = (np.int8, np.uint8, np.int16, np.uint16)


def floats(dtype: Any, *shape: int) -> np.ndarray:
    """Draw numbers whose float32 form is exact."""
    return RNG.normal(size=shape).astype(dtype)


def whole(dtype: Any, *shape: int) -> np.ndarray:
    """Draw integers from the whole range."""
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max, shape, dtype, endpoint=True)


ONE_OP = [
    lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a / b, lambda a, b: a - b,
    lambda a, b: jnp.maximum(a, b), lambda a, b: jnp.sqrt(jnp.abs(a)), lambda a, b: jnp.floor(a),
    lambda a, b: a < b, lambda a, b: jnp.sign(a), lambda a, b: -a, lambda a, b: jnp.sort(a),
    lambda a, b: a.astype(jnp.float32), lambda a, b: a.astype(jnp.int8), lambda a, b: jnp.max(a, 0),
    lambda a, b: a.astype(jnp.float16), lambda a, b: a.astype(jnp.bfloat16),
    lambda a, b: jax.lax.bitcast_convert_type(a, jnp.uint16), lambda a, b: jnp.argmax(a, 1),
    lambda a, b: jax.lax.iota(a.dtype, 300), lambda a, b: a % b, lambda a, b: jnp.round(a),
    lambda a, b: a[jnp.array([2, 0, 7])], lambda a, b: jnp.where(a < b, a, b),
]  # fmt: skip
"""Ops that are exact or rounded once in JAX too."""


@pytest.mark.parametrize("dtype", SMALL)
def test_one_op_on_small_floats_is_jaxs(dtype: Any) -> None:
    args = floats(dtype, 3, 5), floats(dtype, 3, 5)
    for fn in ONE_OP:
        same_as_jax(fn, args)
    same_everywhere(lambda a, b: tuple(fn(a, b) for fn in ONE_OP), args, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_small_integers_wrap_as_jaxs(dtype: Any) -> None:
    def fn(a: Any, b: Any) -> Any:
        arithmetic = a + b, a - b, a * b, a // b, a % b, -a, jnp.abs(a), jnp.sign(a)
        bits = a & b, a | b, a ^ b, ~a, a << 3, a >> 2, jax.lax.shift_right_logical(a, b * 0 + 1)
        counts = jax.lax.population_count(a), jax.lax.clz(a)
        sums = jnp.sum(a), jnp.max(a, 1), jax.lax.reduce(a, dtype(0), jax.lax.add, (0,))
        other = a.astype(np.float16), a.astype(np.int32), a.astype(np.uint8), a < b, jnp.sort(a)
        return arithmetic, bits, counts, sums, other, a @ b.T

    b = whole(dtype, 4, 5)
    same_everywhere(fn, (whole(dtype, 4, 5), np.where(b == 0, dtype(3), b)))


def test_dots_of_small_types_into_larger_ones() -> None:
    def fn(a: Any, b: Any, i: Any) -> Any:
        wide = jnp.dot(a, b, preferred_element_type=jnp.float32)
        return wide, a @ b, jnp.dot(i, i.T, preferred_element_type=jnp.int32)

    args = floats(jnp.bfloat16, 5, 40), floats(jnp.bfloat16, 40, 6), whole(np.int8, 5, 9)
    same_everywhere(fn, args, rtol=0.01, atol=0.01)


def test_convolution_of_bfloat16() -> None:
    def fn(x: Any, w: Any) -> Any:
        return jax.lax.conv_general_dilated(x, w, (1, 1), "SAME")

    args = floats(jnp.bfloat16, 1, 2, 5, 5), floats(jnp.bfloat16, 3, 2, 3, 3)
    same_everywhere(fn, args, rtol=0.02, atol=0.02)


def loss(params: Any, x: Any, y: Any, dtype: Any) -> Any:
    cast = jax.tree.map(lambda p: p.astype(dtype), params)
    hidden = jax.nn.relu(x.astype(dtype) @ cast["w1"] + cast["b1"])
    logits = (hidden @ cast["w2"] + cast["b2"]).astype(jnp.float32)
    return -(jax.nn.one_hot(y, 5) * jax.nn.log_softmax(logits)).sum(-1).mean()


def train_step(params: Any, x: Any, y: Any) -> Any:
    """Take a step of gradient descent; the net computes in bfloat16."""
    value, grads = jax.value_and_grad(loss)(params, x, y, jnp.bfloat16)
    return jax.tree.map(lambda p, g: p - jnp.asarray(0.1, p.dtype) * g, params, grads), value


def mlp(dtype: Any) -> dict[str, np.ndarray]:
    shapes = {"w1": (8, 16), "b1": (16,), "w2": (16, 5), "b2": (5,)}
    return {name: floats(dtype, *shape) * dtype(0.25) for name, shape in shapes.items()}


@pytest.mark.parametrize("dtype", [jnp.bfloat16, np.float32], ids=["bf16", "mixed"])
def test_training_step_in_bfloat16(dtype: Any) -> None:
    """Weights in bfloat16, or float32 masters of a net that computes in bfloat16."""
    args = mlp(dtype), floats(np.float32, 6, 8), RNG.integers(0, 5, 6).astype(np.int32)
    same_as_jax(train_step, args, rtol=0.05, atol=0.02)
    check(train_step, args, cores=(7, 16), tiles=(None, 24))


def test_arrays_have_their_types() -> None:
    with native() as machine:
        step = spindle.jit(train_step, donate_argnums=0, machine=machine)
        x, y = floats(np.float32, 6, 8), np.zeros(6, np.int32)
        params = spindle.device_put(mlp(jnp.bfloat16), machine)
        assert params["w1"].nbytes == 4 * 8 * 16
        first = None
        for _ in range(4):
            params, value = step(params, x, y)
            first = float(value) if first is None else first
        assert params["w1"].dtype == jnp.bfloat16 and params["w1"].is_deleted() is False
        assert float(value) < first


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_64_bits(dtype: Any) -> None:
    def fn(a: Any, b: Any) -> Any:
        arithmetic = a + b, a - b, a * b, a // b, a % b, jnp.minimum(a, b), jnp.clip(a, 3, 2**40)
        bits = a & b, a ^ b, ~a, a << 33, a >> 7, jax.lax.population_count(a), jax.lax.clz(a)
        sums = jnp.sum(a), jnp.max(a, 1), jnp.min(a), jnp.cumsum(a, 0), jnp.sort(a), jnp.argsort(a)
        other = a.astype(np.float32), a.astype(np.int8), a.astype(jnp.bfloat16), a < b
        return arithmetic, bits, sums, other, a.T[jnp.array([2, 1])], a.at[1].add(b[0])

    with jax.enable_x64(True):
        args = whole(dtype, 3, 4), whole(dtype, 3, 4) >> RNG.integers(0, 60, (3, 4)).astype(dtype)
        same_everywhere(fn, args, machines=((16, None),))


def test_programs_with_x64_on() -> None:
    """Counters, places and the bits of random numbers have 64 bits then."""

    def fn(x: Any, key: Any) -> Any:
        def body(i: Any, total: Any) -> Any:
            return total + jax.lax.dynamic_slice_in_dim(x, i, 1) * i.astype(jnp.float32)

        looped = jax.lax.fori_loop(0, 6, body, jnp.zeros((1, 4), jnp.float32))
        noise = jax.random.uniform(key, (5,), jnp.float32)
        return looped, noise, jax.random.bits(key, (3,), jnp.uint64), jnp.argmax(x, 1)

    with jax.enable_x64(True):
        key = jax.random.PRNGKey(3)
        same_everywhere(fn, (floats(np.float32, 6, 4), np.asarray(key)), rtol=1e-6)
