"""Functions written with other kinds: as JAX has them, and the same bits on native."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from expand_tools import same_everywhere
from jax import lax

RNG = np.random.default_rng(23)
X = np.concatenate(
    [RNG.uniform(-30, 30, 300), [0.0, -0.0, 1e-30, 1e5, 3e9, 1e30, 0.5, 1.5, -2.5, 2.0**23]]
).astype(np.float32)
WITH_ODD = np.append(X, np.array([np.nan, np.inf, -np.inf], np.float32))
UNIT = RNG.uniform(-0.99, 0.99, 200).astype(np.float32)
INTS = np.array([0, 1, -1, 5, 2**31 - 1, -(2**31), 1 << 16], np.int32)
Case = tuple[Callable[..., Any], tuple[Any, ...]]

CASES: dict[str, Case] = {
    "sine": (jnp.sin, (WITH_ODD,)),
    "cosine": (jnp.cos, (WITH_ODD,)),
    "tan": (jnp.tan, (X,)),
    "atan2": (jnp.arctan2, (WITH_ODD, WITH_ODD[::-1].copy())),
    "arcs": (lambda x: (jnp.arcsin(x), jnp.arccos(x), jnp.arctan(x)), (UNIT,)),
    "cbrt": (lax.cbrt, (WITH_ODD,)),
    "rounds": (
        lambda x: (jnp.round(x), lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO)), (WITH_ODD,),
    ),
    "hyperbolic": (
        lambda x: (jnp.sinh(x), jnp.cosh(x), jnp.arcsinh(x), jnp.arctanh(x)), (UNIT,),
    ),
    "error functions": (
        lambda x: (lax.erf(3 * x), lax.erfc(3 * x), lax.erf_inv(x)), (UNIT,),
    ),
    "gamma": (lambda x: (lax.lgamma(x + 2), lax.digamma(x + 2)), (UNIT,)),
    "leading zeros": (lambda i: (lax.clz(i), lax.clz(i.view(jnp.uint32))), (INTS,)),
    "remainder": (lax.rem, (WITH_ODD, WITH_ODD[::-1].copy())),
    "modulo": (lambda x: (x % 1.5, jnp.mod(x, -0.3), jnp.fmod(x, 7.0)), (X,)),
    "scalar remainder": (lambda x: x[3] % x[7], (X,)),
    "remainder of a counter": (
        lambda x: lax.while_loop(lambda s: s % 4.0 != 3.0, lambda s: s + 1, x[300]), (X,),
    ),
    "gradient of gelu": (
        jax.grad(lambda w, x: (jax.nn.gelu(x @ w, approximate=False) ** 2).mean()),
        (UNIT[:96].reshape(8, 12), UNIT[:128].reshape(16, 8)),
    ),
    "row and column": (lambda x, y: jnp.sin(x)[:, None] + jnp.cos(y), (UNIT[:7], X[:9])),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_as_jax_and_on_native(name: str) -> None:
    fn, args = CASES[name]
    same_everywhere(fn, args, rtol=2e-6, atol=3e-6, machines=((16, None),))
