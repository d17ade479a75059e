"""A small program for every function of jax.lax, on static shapes, and what becomes of it.

In: nothing. Out: PROGRAMS, {name: (function, arguments)}; REFUSED, {name: words of the sentence};
NOT_OPS, names that compute nothing on arrays. A test holds that no name is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

RNG = np.random.default_rng(11)


def f32(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def i32(*shape: int) -> np.ndarray:
    return RNG.integers(-9, 9, shape).astype(np.int32)


def u32(*shape: int) -> np.ndarray:
    return RNG.integers(0, 2**32, shape, np.uint32)


def unit(*shape: int) -> np.ndarray:
    """Draw from (0, 1)."""
    return RNG.uniform(0.05, 0.95, shape).astype(np.float32)


def spd(n: int) -> np.ndarray:
    """Return a symmetric positive definite matrix."""
    a = f32(n, n)
    return a @ a.T + np.float32(n) * np.eye(n, dtype=np.float32)


X, Y, Z = f32(4, 5), f32(4, 5), f32(3, 4, 5)
U, V = unit(7), unit(7)
K, L = i32(4, 5), i32(4, 5)
P = K > 0
IMAGE, KERNEL = f32(1, 2, 5, 5), f32(3, 2, 3, 3)
ONE_DEVICE = jax.sharding.SingleDeviceSharding(jax.devices()[0])
Program = tuple[Callable[..., Any], tuple[Any, ...]]

_GATHER = lax.GatherDimensionNumbers((1,), (0,), (0,))
_SCATTER = lax.ScatterDimensionNumbers((1,), (0,), (0,))
_AT = np.array([[2], [0]], np.int32)


def _static(name: str, *static: Any, **words: Any) -> Callable[..., Any]:
    """Return lax.NAME with its last arguments given."""
    return lambda *args: getattr(lax, name)(*args, *static, **words)


def _one(name: str, *args: Any) -> Program:
    return getattr(lax, name), args


UNARY = {
    name: _one(name, U)
    for name in (
        "abs", "acos", "asin", "asinh", "atan", "atanh", "bessel_i0e", "bessel_i1e", "cbrt", "ceil",
        "cos", "cosh", "dce_sink", "digamma", "erf", "erf_inv", "erfc", "exp", "exp2", "expm1",
        "floor", "is_finite", "lgamma", "log", "log1p", "logistic", "neg", "reciprocal", "round",
        "rsqrt", "sign", "sin", "sinh", "sqrt", "square", "stage", "stop_gradient", "tan", "tanh",
    )
}  # fmt: skip
BINARY = {
    name: _one(name, X, Y)
    for name in (
        "add", "atan2", "div", "eq", "ge", "gt", "le", "lt", "max", "min", "mul", "ne", "nextafter",
        "pow", "rem", "sub",
    )
}  # fmt: skip
WHOLE = {
    name: _one(name, K, L)
    for name in (
        "bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right_arithmetic",
        "shift_right_logical",
    )
}  # fmt: skip
AXES = {
    **{name: (_static(name, axis=0), (X,)) for name in ("cummax", "cummin", "cumprod", "cumsum")},
    **{f"reduce_{name}": (_static(f"reduce_{name}", (1,)), (X,)) for name in ("max", "min")},
    **{f"reduce_{name}": (_static(f"reduce_{name}", (1,)), (X,)) for name in ("prod", "sum")},
    **{f"reduce_{name}": (_static(f"reduce_{name}", (1,)), (P,)) for name in ("and", "or", "xor")},
}


def _mapped(fn: Callable[..., Any]) -> Program:
    """Return a program of a function between the rows of one array, which is no communication."""
    return lambda x: jax.vmap(fn, axis_name="i")(x), (f32(4, 4),)


COLLECTIVES = {
    "all_gather": _mapped(lambda x: lax.all_gather(x, "i")),
    "all_to_all": _mapped(lambda x: lax.all_to_all(x, "i", 0, 0)),
    "axis_index": _mapped(lambda x: x + lax.axis_index("i")),
    "axis_size": _mapped(lambda x: x * lax.axis_size("i")),
    "pmax": _mapped(lambda x: lax.pmax(x, "i")),
    "pmean": _mapped(lambda x: lax.pmean(x, "i")),
    "pmin": _mapped(lambda x: lax.pmin(x, "i")),
    "ppermute": _mapped(lambda x: lax.ppermute(x, "i", [(0, 1), (1, 0), (2, 3), (3, 2)])),
    "pshuffle": _mapped(lambda x: lax.pshuffle(x, "i", [1, 0, 3, 2])),
    "psum": _mapped(lambda x: lax.psum(x, "i")),
    "psum_scatter": _mapped(lambda x: lax.psum_scatter(x, "i")),
    "pswapaxes": _mapped(lambda x: lax.pswapaxes(x, "i", 0)),
}

PROGRAMS: dict[str, Program] = {
    **UNARY,
    **BINARY,
    **WHOLE,
    **AXES,
    **COLLECTIVES,
    "acosh": _one("acosh", U + 1),
    "after_all": (lambda x: (lax.after_all(lax.create_token(x)), x)[1], (X,)),
    "approx_max_k": (_static("approx_max_k", 2), (X,)),
    "approx_min_k": (_static("approx_min_k", 2), (X,)),
    "argmax": (_static("argmax", 1, np.int32), (X,)),
    "argmin": (_static("argmin", 0, np.int32), (X,)),
    "associative_scan": (lambda x: lax.associative_scan(jnp.add, x), (X,)),
    "batch_matmul": _one("batch_matmul", Z, np.swapaxes(Z, 1, 2)),
    "betainc": _one("betainc", U, V, U),
    "bitcast_convert_type": (_static("bitcast_convert_type", np.uint8), (X,)),
    "bitwise_not": _one("bitwise_not", K),
    "broadcast": (_static("broadcast", (2,)), (X,)),
    "broadcast_in_dim": (_static("broadcast_in_dim", (3, 4, 5), (1, 2)), (X,)),
    "broadcast_like": _one("broadcast_like", X[:1], Z),
    "broadcast_to_rank": (_static("broadcast_to_rank", 3), (X,)),
    "broadcasted_iota": (lambda: lax.broadcasted_iota(np.int32, (3, 4), 1), ()),
    "clamp": _one("clamp", np.float32(-1), X, np.float32(1)),
    "clz": _one("clz", K),
    "collapse": (_static("collapse", 0, 2), (Z,)),
    "complex": _one("complex", X, Y),
    "composite": (lambda x: lax.composite(lambda a: a * 2, "my.double")(x), (X,)),
    "concatenate": (lambda x, y: lax.concatenate((x, y), 1), (X, Y)),
    "cond": (lambda p, x: lax.cond(p, lambda a: a + 1, lambda a: a * 2, x), (np.array(True), X)),
    "conj": (lambda x, y: lax.conj(lax.complex(x, y)), (X, Y)),
    "conv": (_static("conv", (1, 1), "SAME"), (IMAGE, KERNEL)),
    "conv_general_dilated": (_static("conv_general_dilated", (1, 1), "SAME"), (IMAGE, KERNEL)),
    "conv_general_dilated_local": (
        _static("conv_general_dilated_local", (1, 1), "VALID", (3, 3)),
        (IMAGE, f32(2, 18, 3, 3)),
    ),
    "conv_general_dilated_patches": (
        _static("conv_general_dilated_patches", (2, 2), (1, 1), "VALID"),
        (IMAGE,),
    ),
    "conv_transpose": (
        _static("conv_transpose", (2, 2), "SAME"),
        (f32(1, 4, 4, 2), f32(3, 3, 2, 3)),
    ),
    "conv_with_general_padding": (
        _static("conv_with_general_padding", (1, 1), [(1, 1), (0, 2)], None, None),
        (IMAGE, KERNEL),
    ),
    "convert_element_type": (_static("convert_element_type", jnp.bfloat16), (X,)),
    "create_token": (lambda x: (lax.create_token(x), x)[1], (X,)),
    "cumlogsumexp": (_static("cumlogsumexp", axis=0), (X,)),
    "custom_linear_solve": (
        lambda a, b: lax.custom_linear_solve(
            lambda x: a @ x, b, lambda f, y: y / jnp.diagonal(a), None, symmetric=True
        ),
        (spd(3), f32(3)),
    ),
    "custom_root": (
        lambda x: lax.custom_root(lambda y: y**3 - x, x, lambda f, y: jnp.cbrt(x), lambda g, y: y),
        (np.float32(8),),
    ),
    "dot": _one("dot", X, Y.T.copy()),
    "dot_general": (
        _static("dot_general", (((2,), (1,)), ((0,), (0,)))),
        (Z, np.swapaxes(Z, 1, 2)),
    ),
    "dynamic_index_in_dim": (lambda x, i: lax.dynamic_index_in_dim(x, i, 1), (X, np.int32(3))),
    "dynamic_slice": (lambda x, i: lax.dynamic_slice(x, (i, i), (2, 2)), (X, np.int32(1))),
    "dynamic_slice_in_dim": (lambda x, i: lax.dynamic_slice_in_dim(x, i, 2), (X, np.int32(1))),
    "dynamic_update_index_in_dim": (
        lambda x, i: lax.dynamic_update_index_in_dim(x, x[0], i, 0),
        (X, np.int32(1)),
    ),
    "dynamic_update_slice": (
        lambda x, i: lax.dynamic_update_slice(x, x[:2, :2], (i, i)),
        (X, np.int32(1)),
    ),
    "dynamic_update_slice_in_dim": (
        lambda x, i: lax.dynamic_update_slice_in_dim(x, x[:2], i, 0),
        (X, np.int32(1)),
    ),
    "empty": (lambda: lax.empty((2, 3), np.float32), ()),
    "erf_inv": _one("erf_inv", X / 4),
    "expand_dims": (_static("expand_dims", (1,)), (X,)),
    "fft": (_static("fft", lax.FftType.RFFT, (5,)), (X,)),
    "fori_loop": (lambda x: lax.fori_loop(0, 3, lambda i, a: a * 2, x), (X,)),
    "full": (lambda: lax.full((2, 3), 7, np.int32), ()),
    "full_like": (_static("full_like", 3), (X,)),
    "gather": (_static("gather", _GATHER, (1, 5)), (X, _AT)),
    "igamma": _one("igamma", U + 1, V),
    "igamma_grad_a": _one("igamma_grad_a", U + 1, V),
    "igammac": _one("igammac", U + 1, V),
    "imag": (lambda x, y: lax.imag(lax.complex(x, y)), (X, Y)),
    "index_in_dim": (_static("index_in_dim", 2, 1), (X,)),
    "index_take": (lambda x, i: lax.index_take(x, (i,), (0,)), (X, np.array([2, 0], np.int32))),
    "integer_pow": (_static("integer_pow", 3), (X,)),
    "iota": (lambda: lax.iota(np.float32, 6), ()),
    "map": (lambda x: lax.map(jnp.sum, x), (X,)),
    "mulhi": _one("mulhi", u32(7), u32(7)),
    "optimization_barrier": _one("optimization_barrier", X),
    "pad": (_static("pad", [(1, -1, 0), (0, 2, 1)]), (X, np.float32(3))),
    "platform_dependent": (lambda x: lax.platform_dependent(x, default=lambda a: a + 1), (X,)),
    "polygamma": _one("polygamma", np.full(7, 1, np.float32), U),
    "population_count": _one("population_count", K),
    "ragged_dot": _one("ragged_dot", X, f32(2, 5, 3), np.array([1, 3], np.int32)),
    "ragged_dot_general": (
        lambda x, w, n: lax.ragged_dot_general(
            x, w, n, lax.RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), [0], [0])
        ),
        (X, f32(2, 5, 3), np.array([1, 3], np.int32)),
    ),
    "random_gamma_grad": _one("random_gamma_grad", U + 1, V),
    "real": (lambda x, y: lax.real(lax.complex(x, y)), (X, Y)),
    "reduce": (lambda x: lax.reduce(x, np.float32(0), lax.add, (0,)), (X,)),
    "reduce_precision": (_static("reduce_precision", 5, 10), (X,)),
    "reduce_window": (
        lambda x: lax.reduce_window(x, -np.inf, lax.max, (2, 2), (1, 1), "VALID"),
        (X,),
    ),
    "reshape": (_static("reshape", (2, 10)), (X,)),
    "rev": (_static("rev", (0,)), (X,)),
    "rng_bit_generator": (_static("rng_bit_generator", (3,), np.uint32), (u32(4),)),
    "rng_uniform": (lambda a, b: lax.rng_uniform(a, b, (3,)), (np.float32(0), np.float32(1))),
    "scaled_dot": (
        lambda x, y: lax.scaled_dot(x, y),
        (X, Y.T.copy()),
    ),
    "scan": (lambda x: lax.scan(lambda c, a: (c + a, c), jnp.zeros(5), x), (X,)),
    **{
        name: (_static(name, _SCATTER), (X, _AT, f32(2, 5)))
        for name in ("scatter", "scatter_add", "scatter_max", "scatter_min", "scatter_mul")
    },
    "scatter_apply": (
        lambda x, at: lax.scatter_apply(x, at, lambda a: a * 2, _SCATTER, update_shape=(2, 5)),
        (X, _AT),
    ),
    "scatter_sub": (_static("scatter_sub", _SCATTER), (X, _AT, f32(2, 5))),
    "select": _one("select", P, X, Y),
    "select_n": _one("select_n", P, X, Y),
    "slice": (_static("slice", (1, 0), (3, 5), (1, 2)), (X,)),
    "slice_in_dim": (_static("slice_in_dim", 1, 5, 2, 1), (X,)),
    "sort": _one("sort", X),
    "sort_key_val": _one("sort_key_val", X, Y),
    "split": (_static("split", (1, 3)), (X,)),
    "squeeze": (_static("squeeze", (0,)), (X[:1],)),
    "stack": (lambda x, y: lax.stack((x, y)), (X, Y)),
    "switch": (
        lambda i, x: lax.switch(i, [jnp.sin, jnp.cos, jnp.tanh], x),
        (np.int32(1), X),
    ),
    "tile": (_static("tile", (2, 1)), (X,)),
    "top_k": (_static("top_k", 2), (X,)),
    "transpose": (_static("transpose", (1, 0)), (X,)),
    "unstack": (_static("unstack"), (X,)),
    "while_loop": (
        lambda x: lax.while_loop(lambda a: a < 10, lambda a: a * 2, x),
        (np.float32(1),),
    ),
    "with_sharding_constraint": (lambda x: lax.with_sharding_constraint(x * 2, ONE_DEVICE), (X,)),
    "zeta": _one("zeta", U + 2, U),
}

LINALG: dict[str, Program] = {
    "cholesky": (lax.linalg.cholesky, (spd(4),)),
    "cholesky_update": (lax.linalg.cholesky_update, (np.linalg.cholesky(spd(4)).T.copy(), f32(4))),
    "eig": (lax.linalg.eig, (f32(3, 3),)),
    "eigh": (lax.linalg.eigh, (spd(3),)),
    "hessenberg": (lax.linalg.hessenberg, (f32(3, 3),)),
    "householder_product": (lax.linalg.householder_product, (f32(4, 3), f32(3))),
    "lu": (lax.linalg.lu, (spd(4),)),
    "lu_pivots_to_permutation": (
        lambda p: lax.linalg.lu_pivots_to_permutation(p, 4),
        (np.array([2, 1, 3], np.int32),),
    ),
    "qdwh": (lax.linalg.qdwh, (spd(3),)),
    "qr": (lambda a: lax.linalg.qr(a, full_matrices=False), (f32(4, 3),)),
    "ormqr": (lambda a, t, c: lax.linalg.ormqr(a, t, c), (f32(4, 3), f32(3), f32(4, 2))),
    "schur": (lax.linalg.schur, (f32(3, 3),)),
    "svd": (lax.linalg.svd, (f32(3, 3),)),
    "symmetric_product": (
        lambda a, c: lax.linalg.symmetric_product(a, c, symmetrize_output=True),
        (f32(3, 4), spd(3)),
    ),
    "triangular_solve": (
        lambda a, b: lax.linalg.triangular_solve(a, b, left_side=True, lower=True),
        (np.tril(spd(4)), f32(4, 2)),
    ),
    "tridiagonal": (lax.linalg.tridiagonal, (spd(3),)),
    "tridiagonal_solve": (lax.linalg.tridiagonal_solve, (f32(4), f32(4) + 9, f32(4), f32(4, 2))),
}

REFUSED = {
    **dict.fromkeys(("complex", "conj", "imag", "real"), "stablehlo.complex is not compiled"),
    **dict.fromkeys(("approx_max_k", "approx_min_k"), "custom_call @ApproxTopK is not compiled"),
    "cumlogsumexp": "stablehlo.reduce_window with this body is not compiled",
    "fft": "stablehlo.fft is not compiled",
    "rng_uniform": "stablehlo.rng is not compiled",
    "scaled_dot": "stablehlo.convert makes tensor<4x1xf8E8M0FNU>",
    "scatter_apply": "stablehlo.scatter with this body is not compiled",
}
"""Of PROGRAMS: words of the sentence that each hears."""
REFUSED_LINALG = {
    **dict.fromkeys(("eig", "eigh", "hessenberg", "schur", "svd"), "has no StableHLO form"),
    "tridiagonal": "has no StableHLO form",
    "householder_product": "custom_call @ProductOfElementaryHouseholderReflectors is not compiled",
    "qdwh": "custom_call @Qr is not compiled",
    "qr": "custom_call @Qr is not compiled",
}
NOT_OPS = frozenset(
    {
        "broadcast_shapes", "conv_dimension_numbers", "conv_general_permutations",
        "conv_general_shape_tuple", "conv_shape_tuple", "conv_transpose_shape_tuple", "dtype",
        "padtype_to_pads", "reduce_window_shape_tuple", "shape_as_value",
        "pbroadcast", "pcast", "precv", "psend", "ragged_all_to_all",
    }
)  # fmt: skip
"""Functions on shapes, and those that mean something between devices alone."""
