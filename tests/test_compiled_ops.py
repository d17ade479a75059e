"""Every op through the whole compiler: the evaluator's bits on native, however it is cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from native_tools import check

from spindle.options import Options

RNG = np.random.default_rng(7)
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, -1e-45, 3e38, -3e38, 0.5], np.float32
)


def floats(*shape: int) -> np.ndarray:
    """Normal values with special ones among them."""
    data = RNG.standard_normal(shape).astype(np.float32)
    flat = data.reshape(-1)
    flat[:: max(flat.size // 24, 1)] = np.resize(SPECIAL, flat[:: max(flat.size // 24, 1)].size)
    return data


def ints(*shape: int) -> np.ndarray:
    """32-bit integers over the whole range."""
    return RNG.integers(-(2**31), 2**31, shape, dtype=np.int64).astype(np.int32)


X, Y = floats(33, 67), floats(33, 67)
POSITIVE = np.abs(X)
N, K = ints(19, 35), ints(19, 35)
U, V = N.view(np.uint32), K.view(np.uint32)
Case = tuple[Callable[..., Any], tuple[Any, ...]]

ELEMENTWISE: dict[str, Case] = {
    "add": (jnp.add, (X, Y)),
    "subtract": (jnp.subtract, (X, Y)),
    "multiply": (jnp.multiply, (X, Y)),
    "divide": (lax.div, (X, Y)),
    "maximum": (jnp.maximum, (X, Y)),
    "minimum": (jnp.minimum, (X, Y)),
    "power": (lax.pow, (POSITIVE, Y)),
    "unary": (lambda x: (-x, abs(x), jnp.sign(x), jnp.floor(x), jnp.ceil(x)), (X,)),
    "roots": (lambda x: (lax.sqrt(x), lax.rsqrt(x)), (X,)),
    "exp": (lambda x: (lax.exp(x), lax.expm1(x)), (X,)),
    "log": (lambda x: (lax.log(x), lax.log1p(x)), (POSITIVE,)),
    "sigmoid": (lambda x: (lax.tanh(x), lax.logistic(x)), (X,)),
    "compare": (lambda x, y: (x < y, x <= y, x > y, x >= y, x == y, x != y), (X, Y)),
    "select": (lambda x, y: jnp.where(x > 0, x, y), (X, Y)),
    "clamp": (lambda x: jnp.clip(x, -0.5, 0.5), (X,)),
    "finite": (jnp.isfinite, (X,)),
    "convert": (lambda x, i, u: (x.astype("int32"), x.astype("uint32"), x != 0), (X, N, U)),
    "from ints": (lambda i, u: (i.astype("float32"), u.astype("float32"), i != 0), (N, U)),
    "integers": (lambda i, j: (i + j, i - j, i * j, jnp.maximum(i, j), abs(i), -i), (N, K)),
    "division": (lambda i, j: (lax.div(i, j), lax.rem(i, j)), (N, K)),
    "unsigned": (lambda u, v: (lax.div(u, v), lax.rem(u, v), jnp.minimum(u, v), u < v), (U, V)),
    "bits": (lambda u, v: (u & v, u | v, u ^ v, ~u, lax.population_count(u)), (U, V)),
    "shifts": (lambda i, u: (u << (u & 63), u >> (u & 63), i >> (i & 63)), (N, U)),
    "booleans": (lambda x, y: ((x > 0) & (y > 0), (x > 0) | (y > 0), ~(x > 0)), (X, Y)),
    "bitcast": (lambda x: lax.bitcast_convert_type(x, jnp.int32) + 1, (X,)),
    "iota": (
        lambda x: x + lax.iota(jnp.float32, 67)[None] * lax.iota(jnp.float32, 33)[:, None],
        (X,),
    ),
    "row broadcast": (lambda x, b: x + b, (X, floats(67))),
    "column broadcast": (lambda x, b: x * b[:, None], (X, floats(33))),
    "scalar": (lambda s: s * 3 + 1, (np.float32(2.5),)),
    "four axes": (lambda a, b: a + b[None, :, None, :], (floats(2, 3, 4, 5), floats(3, 5))),
    "empty": (lambda x: x[:0] + 1, (X,)),
    "many constants": (lax.erf_inv, (np.tanh(X),)),
}

REDUCTIONS: dict[str, Case] = {
    "rows": (lambda x: x.sum(1), (floats(21, 300),)),
    "columns": (lambda x: x.sum(0), (floats(300, 21),)),
    "all": (lambda x: x.sum(), (floats(40, 33),)),
    "middle": (lambda x: x.sum(1), (floats(3, 270, 5),)),
    "outside": (lambda x: x.sum((0, 2)), (floats(3, 7, 90),)),
    "product": (lambda x: x.prod(1), (floats(9, 260),)),
    "extremes": (lambda x: (x.max(1), x.min(0), x.max()), (floats(33, 70),)),
    "integers": (lambda i: (i.sum(1), i.max(0), i.min(), i.prod(1)), (N,)),
    "unsigned": (lambda u: (u.max(1), u.min(0)), (U,)),
    "booleans": (lambda x: ((x > 0).all(1), (x > 0).any(0)), (X,)),
    "with broadcast": (lambda x, b: (x * b).sum(), (X, floats(67))),
    "softmax": (jax.nn.log_softmax, (RNG.standard_normal((20, 10)).astype(np.float32),)),
    "nothing": (lambda x, i: (x[:0].sum(0), x[:, :0].max(1, initial=3), i[:0].prod()), (X, N)),
    "chain": (lambda x: (x - x.mean(1, keepdims=True)).sum(0), (X,)),
    "long": (
        lambda x, i: (
            x.sum(),
            x.prod(),
            x.max(),
            (x * x).sum((1, 2)),
            i.sum(),
            i.min((1, 2)),
            2 + x.sum(),
        ),
        (floats(3, 41, 103), ints(3, 41, 103)),
    ),
    "long, short last block": (lambda x: (x.sum(), x.max()), (floats(4097),)),
    "long, odd levels": (lambda x: x.sum(), (floats(27 * 256),)),
    "narrow": (
        lambda x, b: ((x * b[:, None]).sum(0), x * b[:, None]),
        (floats(64, 10), floats(64)),
    ),
    **{
        f"{n} elements": (lambda x: (x.sum(0), x.sum(1)), (floats(n, 3),))
        for n in (255, 256, 257, 511, 512, 513, 1025)
    },
}

MOVEMENT: dict[str, Case] = {
    "transpose": (lambda x: x.T, (X,)),
    "transpose 3": (lambda a: a.transpose(2, 0, 1), (floats(3, 20, 7),)),
    "transpose swap": (lambda a: a.transpose(0, 2, 1), (floats(3, 20, 7),)),
    "slice": (lambda x: x[3:30:2, 5:60:3], (X,)),
    "concatenate": (lambda x, y: jnp.concatenate([x, y, x[:5]], 0), (X, Y)),
    "concatenate columns": (lambda x, y: jnp.concatenate([x, y], 1), (X, Y)),
    "reshape": (lambda x: (x + 1).reshape(67, 33) * 2, (X,)),
    "dynamic slice": (lambda x, i: lax.dynamic_slice(x, (i, 5), (8, 9)), (X, np.int32(30))),
    "dynamic slice two": (
        lambda x, i, j: lax.dynamic_slice(x, (i, j), (8, 9)),
        (X, np.int32(-40), np.int32(13)),
    ),
    "dynamic update": (
        lambda x, y, i: lax.dynamic_update_slice(x, y[:4, :6], (i, 2)),
        (X, Y, np.int32(7)),
    ),
    "unsigned starts": (
        lambda x, y, i: (
            lax.dynamic_slice(x, (i, i + np.uint32(7)), (8, 9)),
            lax.dynamic_update_slice(x, y[:4, :6], (i, i)),
        ),
        (X, Y, np.uint32(3_000_000_000)),
    ),
    "constants": (lambda x: (x, jnp.ones((3, 4)), jnp.arange(5), x), (X,)),
    "swap": (lambda x, y: (y, x), (X, Y)),
}

LOOPS: dict[str, Case] = {
    "fori": (lambda x: lax.fori_loop(0, 5, lambda i, a: a * 1.5 + i, x), (X,)),
    "scan": (lambda x: lax.scan(lambda c, r: (c + r, c * r), jnp.zeros(67), x), (X,)),
    "swap": (lambda x, y: lax.fori_loop(0, 3, lambda i, s: (s[1], s[0] + 1), (x, y)), (X, Y)),
    "nested": (
        lambda x: lax.fori_loop(0, 3, lambda i, a: lax.fori_loop(0, 2, lambda j, b: b + i, a), x),
        (X,),
    ),
    "while": (
        lambda x: lax.while_loop(lambda s: s[1] < 100, lambda s: (s[0] + 1, s[1] * 3), (x, 1)),
        (X,),
    ),
    "never": (lambda x: lax.while_loop(lambda s: s[1] < 0, lambda s: (s[0] + 1, 7), (x, 1)), (X,)),
    "zero trips": (lambda x: lax.fori_loop(0, 0, lambda i, a: a + 1, x), (X,)),
    "captured": (lambda x, y: lax.fori_loop(0, 3, lambda i, a: a + y, x), (X, Y)),
    "dot in loop": (
        lambda a, b: lax.fori_loop(0, 3, lambda i, x: jnp.tanh(x @ b), a),
        (np.ones((9, 12), np.float32), floats(12, 12)),
    ),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name: str) -> None:
    fn, args = ELEMENTWISE[name]
    check(fn, args)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name: str) -> None:
    fn, args = REDUCTIONS[name]
    check(fn, args)


@pytest.mark.parametrize("name", MOVEMENT)
def test_movement(name: str) -> None:
    fn, args = MOVEMENT[name]
    check(fn, args)


@pytest.mark.parametrize("name", LOOPS)
def test_loops(name: str) -> None:
    fn, args = LOOPS[name]
    check(fn, args)


@pytest.mark.parametrize("group", [ELEMENTWISE, REDUCTIONS])
def test_without_fusion(group: dict[str, Case]) -> None:
    for name in ("add", "four axes", "softmax", "chain", "narrow"):
        if name in group:
            fn, args = group[name]
            check(fn, args, cores=(7, 16), tiles=(None,), options=Options(fuse=False))


def test_random_numbers_on_the_machine() -> None:
    key = jax.random.key(3)
    data = np.asarray(jax.random.key_data(key))

    def draw(raw: Any) -> Any:
        return jax.random.uniform(jax.random.wrap_key_data(raw), (40, 9))

    (got,) = check(draw, (data,), cores=(16,))
    np.testing.assert_array_equal(got, jax.random.uniform(key, (40, 9)))


def sliced(n: int) -> Case:
    """A slice with n starts that are no constants."""
    x = floats(*(2,) * n)
    return lambda x, *starts: lax.dynamic_slice(x, starts, (1,) * n), (x, *[np.int32(1)] * n)


@pytest.mark.parametrize("n", [4, 5])
def test_any_number_of_starts(n: int) -> None:
    """Four move a window at once; further ones take a step of their own."""
    check(*sliced(n), cores=(7, 16), tiles=(None,))
    x, *starts = sliced(n)[1]

    def put(x: Any, *starts: Any) -> Any:
        return lax.dynamic_update_slice(x, x[(slice(1),) * n] * 2, starts)

    check(put, (x, *starts), cores=(7,), tiles=(None,))


def test_nine_starts() -> None:
    fn, (x, *starts) = sliced(9)
    check(lambda x, *s: (fn(x, *s), lax.dynamic_update_slice(x, x[(slice(1),) * 9], s)),
          (x, *starts), cores=(16,), tiles=(None,))  # fmt: skip
