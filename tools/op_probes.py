"""One small program for each StableHLO op that Spindle compiles, as JAX writes it.

In: nothing. Out: PROBES {op: function of two [4, 4] arrays of one type}, for make_ops_page.py; JAX
itself refuses some types with a TypeError or ValueError. TEXTS {op: StableHLO}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Probe = Callable[[Any, Any], Any]

TWO: dict[str, Probe] = {
    "add": lax.add,
    "subtract": lax.sub,
    "multiply": lax.mul,
    "divide": lax.div,
    "maximum": lax.max,
    "minimum": lax.min,
    "power": lax.pow,
    "remainder": lax.rem,
    "atan2": lax.atan2,
    "and": lax.bitwise_and,
    "or": lax.bitwise_or,
    "xor": lax.bitwise_xor,
    "shift_left": lax.shift_left,
    "shift_right_logical": lax.shift_right_logical,
    "shift_right_arithmetic": lax.shift_right_arithmetic,
    "compare": lax.lt,
    "select": lambda x, y: lax.select(np.eye(4, dtype=bool), x, y),
    "clamp": lambda x, y: lax.clamp(y, x, y),
    "concatenate": lambda x, y: lax.concatenate((x, y), 1),
    "dynamic_update_slice": lambda x, y: lax.dynamic_update_slice(x, y[:2], (_place(y), 0)),
    "pad": lambda x, y: lax.pad(x, y[0, 0], ((1, 2, 0), (0, 0, 1))),
    "dot_general": lambda x, y: lax.dot_general(x, y, (((1,), (0,)), ((), ()))),
    "convolution": lambda x, y: lax.conv(x[None, None], y[None, None, :3, :3], (1, 1), "SAME"),
    "scatter": lambda x, y: x.at[np.array([2, 0])].set(y[:2]),
    "select_and_scatter": lambda x, y: jax.grad(lambda x: (_pool(x) * y[:2, :2]).sum())(x),
    "while": lambda x, y: lax.fori_loop(0, 3, lambda i, carry: lax.max(carry, y), x),
    "case": lambda x, y: lax.cond(_place(x) > 0, lambda: x, lambda: y),
}
ONE: dict[str, Callable[[Any], Any]] = {
    "negate": lax.neg,
    "abs": lax.abs,
    "sign": lax.sign,
    "not": lax.bitwise_not,
    "popcnt": lax.population_count,
    "count_leading_zeros": lax.clz,
    "sqrt": lax.sqrt,
    "rsqrt": lax.rsqrt,
    "cbrt": lax.cbrt,
    "exponential": lax.exp,
    "exponential_minus_one": lax.expm1,
    "log": lax.log,
    "log_plus_one": lax.log1p,
    "tanh": lax.tanh,
    "sine": lax.sin,
    "cosine": lax.cos,
    "tan": lax.tan,
    "erf": lax.erf,
    "erfc": lax.erfc,
    "floor": lax.floor,
    "ceil": lax.ceil,
    "round_nearest_even": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    "round_nearest_afz": lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
    "is_finite": lax.is_finite,
    "convert": lambda x: x.astype(np.float32 if x.dtype != np.float32 else np.int32),
    "bitcast_convert": lambda x: lax.bitcast_convert_type(x, _word(x)),
    "reduce_precision": lambda x: lax.reduce_precision(x, *_float_bits(x)),
    "constant": lambda x: np.arange(16).reshape(4, 4).astype(x.dtype),
    "iota": lambda x: lax.broadcasted_iota(x.dtype, (4, 4), 1),
    "reshape": lambda x: lax.reshape(x, (2, 8)),
    "broadcast_in_dim": lambda x: lax.broadcast(x, (3,)),
    "transpose": lambda x: lax.transpose(x, (1, 0)),
    "slice": lambda x: lax.slice(x, (1, 0), (3, 4)),
    "dynamic_slice": lambda x: lax.dynamic_slice(x, (_place(x), 0), (2, 4)),
    "reverse": lambda x: lax.rev(x, (1,)),
    "gather": lambda x: x[jnp.clip(x[:, 0].astype(np.int32), 0, 3)],
    "reduce": lambda x: lax.reduce(x, np.zeros((), x.dtype), lax.max, (1,)),
    "reduce_window": lambda x: _pool(x),
    "sort": lambda x: lax.sort(x),
    "cholesky": lambda x: lax.linalg.cholesky(x, symmetrize_input=False),
    "triangular_solve": lambda x: lax.linalg.triangular_solve(x, x, left_side=True),
    "rng_bit_generator": lambda x: _bits(x),
}
PROBES: dict[str, Probe] = TWO | {op: lambda x, y, one=one: one(x) for op, one in ONE.items()}
TEXTS: dict[str, str] = {
    "logistic": """
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = stablehlo.logistic %x : tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}
"""
}
"""Programs in float32 with what other frameworks write, and JAX does not."""
AS: dict[str, str] = {"dot": "dot_general", "if": "case"}
"""Ops that are read as another one."""


def _bits(x: Any) -> Any:
    """Random bits; a key is of uint32."""
    if x.dtype != jnp.uint32:
        raise TypeError(f"a key of {x.dtype}")
    return lax.rng_bit_generator(x.reshape(-1)[:4], (4,))[1]


def _place(x: Any) -> Any:
    return x[0, 0].astype(np.int32)


def _word(x: Any) -> Any:
    size = x.dtype.itemsize
    return (
        np.dtype(f"int{8 * size}") if x.dtype != f"int{8 * size}" else np.dtype(f"uint{8 * size}")
    )


def _float_bits(x: Any) -> tuple[int, int]:
    info = jnp.finfo(x.dtype)
    return info.nexp, info.nmant


def _pool(x: Any) -> Any:
    low = -np.inf if jnp.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    return lax.reduce_window(x, np.array(low, x.dtype), lax.max, (2, 2), (2, 2), "VALID")
