"""Convolutions for tests: forms by name, hostile operands, the bound (docs/spec/convolution.md 5).

A Case makes op attributes and shapes; `training` gives the three convolutions of a layer, as
jax.grad makes them. `OPERANDS` makes (lhs, rhs) in canonical axes [M, C, *S], [N, C, *W], float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import lax
from native_tools import module_of
from numerics_data import BFP_MODES, DROPPED, QUANTISED

from spindle.ir.convolution import geometry
from spindle.ir.evaluate_conv import balance, images_of, kernel_of, rows, windows
from spindle.ir.graph import Module, Op, Region, TensorType, Value
from spindle.options import Options

Array = np.ndarray
Pair = tuple[Array, Array]


@dataclass(frozen=True)
class Layer:
    """A layer as Keras shapes it: x [image, rows, columns, channels], w [.., in, out]."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    strides: tuple[int, ...] = (1, 1)
    padding: Any = "SAME"
    lhs_dilation: tuple[int, ...] = (1, 1)
    rhs_dilation: tuple[int, ...] = (1, 1)
    groups: int = 1
    layout: tuple[str, str, str] = ("NHWC", "HWIO", "NHWC")

    def forward(self, x: Any, w: Any) -> Any:
        """The layer, without a bias."""
        return lax.conv_general_dilated(
            x,
            w,
            self.strides,
            self.padding,
            lhs_dilation=self.lhs_dilation,
            rhs_dilation=self.rhs_dilation,
            dimension_numbers=self.layout,
            feature_group_count=self.groups,
        )

    def training(self, x: Any, w: Any) -> Any:
        """y, and the gradients of x and w for dy = y."""
        y, pull = jax.vjp(self.forward, x, w)
        return (y, *pull(y))


LAYERS: dict[str, Layer] = {
    "3x3 same": Layer((2, 6, 5, 3), (3, 3, 3, 4)),
    "3x3 valid": Layer((2, 6, 5, 3), (3, 3, 3, 4), padding="VALID"),
    "1x1": Layer((2, 4, 4, 6), (1, 1, 6, 5), padding="VALID"),
    "1x1 strided": Layer((2, 5, 5, 4), (1, 1, 4, 3), (2, 2)),
    "3x3 strided": Layer((2, 7, 8, 3), (3, 3, 3, 4), (2, 2)),
    "7x7 strided": Layer((1, 14, 14, 3), (7, 7, 3, 4), (2, 2)),
    "valid strided, last rows unused": Layer((1, 8, 8, 2), (3, 3, 2, 3), (2, 3), "VALID"),
    "depthwise": Layer((2, 5, 5, 4), (3, 3, 1, 4), groups=4),
    "depthwise, multiplier 2": Layer((2, 5, 5, 3), (3, 3, 1, 6), groups=3),
    "depthwise strided": Layer((2, 6, 6, 3), (3, 3, 1, 3), (2, 2), groups=3),
    "grouped": Layer((2, 5, 5, 4), (3, 3, 2, 6), groups=2),
    "dilated": Layer((1, 8, 8, 2), (3, 3, 2, 3), padding="VALID", rhs_dilation=(2, 2)),
    "transposed": Layer((1, 4, 4, 3), (3, 3, 3, 2), padding=((2, 1), (1, 2)), lhs_dilation=(2, 2)),
    "cropped": Layer((1, 7, 7, 2), (3, 3, 2, 3), padding=((-1, 2), (0, -2))),
    "NCHW": Layer((2, 3, 5, 4), (4, 3, 3, 3), layout=("NCHW", "OIHW", "NCHW")),
    "1-d": Layer((2, 9, 3), (4, 3, 5), (2,), lhs_dilation=(1,), rhs_dilation=(1,),
                 layout=("NWC", "WIO", "NWC")),
    "3-d": Layer((1, 3, 4, 4, 2), (2, 2, 2, 2, 3), (1, 1, 1), lhs_dilation=(1, 1, 1),
                 rhs_dilation=(1, 1, 1), layout=("NDHWC", "DHWIO", "NDHWC")),
    "one output": Layer((1, 3, 3, 2), (3, 3, 2, 1), padding="VALID"),
}  # fmt: skip


def floats(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """N(0, 1), float32."""
    return rng.standard_normal(shape).astype(np.float32)


def arguments(layer: Layer, seed: int = 0) -> Pair:
    """Gaussian x and w of a layer."""
    rng = np.random.default_rng(seed)
    return floats(rng, layer.x), floats(rng, layer.w)


def training(layer: Layer) -> Module:
    """The Module of Layer.training."""
    return module_of(layer.training, arguments(layer))


# One op by itself

PLAIN = {
    "strides": (1, 1),
    "padding": ((1, 1), (1, 1)),
    "lhs_dilation": (1, 1),
    "rhs_dilation": (1, 1),
    "reversal": (False, False),
    "feature_groups": 1,
    "batch_groups": 1,
    "precision": "DEFAULT",
}
FORMS = {"forward": (0, 1), "weight_gradient": (1, 0)}


def conv_op(lhs: Array, rhs: Array, form: str = "forward", **attrs: Any) -> Op:
    """A convolution of canonical operands [M, C, H, W], [N, C, H, W], laid out for its form."""
    first = FORMS[form]
    axes = {"lhs_axes": (*first, 2, 3), "rhs_axes": (0, 1, 2, 3), "out_axes": (0, 1, 2, 3)}
    shape = [lhs.shape[axis] for axis in (*first, 2, 3)]
    dtype = {"f": "f32", "i": "i32"}[lhs.dtype.kind]
    operands = (Value(TensorType(tuple(shape), dtype)), Value(TensorType(rhs.shape, dtype)))
    op = Op("convolution", operands, (), {**PLAIN, **axes, **attrs})
    out = geometry(op).result_type
    return Op("convolution", operands, (Value(TensorType(out, dtype)),), op.attrs)


def laid_out(lhs: Array, form: str) -> Array:
    """A canonical lhs in the axes of conv_op."""
    return lhs.transpose(*FORMS[form], 2, 3)


def module_with(op: Op) -> Module:
    """A Module of the one op."""
    return Module("conv", Region(op.operands, (op,), op.results))


# Hostile operands: images [M, C, H, W], kernel [N, C, H, W]

Make = Callable[[np.random.Generator, Array, Array], Pair]


def _powers(rng: np.random.Generator, count: int) -> Array:
    return np.exp2(rng.integers(-20, 21, count))


def _timestamp(rng: np.random.Generator, a: Array, b: Array) -> Pair:
    a[:, 0] = 1.7e9 + rng.uniform(0, 1e6, a[:, 0].shape)
    return a, b


def _outlier(rng: np.random.Generator, a: Array, b: Array) -> Pair:
    a[0, 0, 1, 1] = 1e9
    return a, b


def _outlier_per_image(rng: np.random.Generator, a: Array, b: Array) -> Pair:
    a[:, 0, 1, 1] = 1e6
    return a, b


def _skewed_image(rng: np.random.Generator, a: Array, b: Array) -> Pair:
    a[0] *= np.exp2(np.linspace(-30, 30, a.shape[1]))[:, None, None]
    return a, b


def _all_max(rng: np.random.Generator, a: Array, b: Array) -> Pair:
    return np.full(a.shape, 2 - 2.0**-23), np.full(b.shape, 2 - 2.0**-23)


def _zeros(rng: np.random.Generator, a: Array, b: Array) -> Pair:
    a[0], a[:, -1], b[0] = 0, 0, 0
    return a, b


def _scaled(channels: bool) -> Make:
    def make(rng: np.random.Generator, a: Array, b: Array) -> Pair:
        axis = 1 if channels else 0
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        return a * _powers(rng, a.shape[axis]).reshape(shape), b

    return make


OPERANDS: dict[str, Make] = {
    "gauss": lambda rng, a, b: (a, b),
    "relu sparse": lambda rng, a, b: (np.maximum(a, 0) * (rng.random(a.shape) < 0.3), b),
    "timestamp channel": _timestamp,
    "channel scales": _scaled(True),
    "image scales": _scaled(False),
    "skewed image": _skewed_image,
    "outlier": _outlier,
    "outlier per image": _outlier_per_image,
    "constant": lambda rng, a, b: (np.full(a.shape, 0.1), np.full(b.shape, 0.3)),
    "all max": _all_max,
    "zeros": _zeros,
    "denormal operands": lambda rng, a, b: (a * 1e-40, b * 1e-3),
    "denormal results": lambda rng, a, b: (a * 1e-20, b * 1e-21),
    "overflow": lambda rng, a, b: (a * 1e19, b * 3e19),
}


def operands(name: str, m: int, c: int, n: int, image: int, window: int, seed: int = 0) -> Pair:
    """Float32 images [m, c, image, image] and kernel [n, c, window, window] of a named case."""
    rng = np.random.default_rng([seed, m, c, n])
    a = rng.standard_normal((m, c, image, image))
    b = rng.standard_normal((n, c, window, window))
    with np.errstate(all="ignore"):
        a, b = OPERANDS[name](rng, a, b)
        return a.astype(np.float32), b.astype(np.float32)


NONFINITE = {
    "lhs": ((np.inf, -np.inf, np.nan), ()),
    "rhs": ((), (np.inf, np.nan)),
    "both": ((np.inf, np.nan), (-np.inf,)),
}


def nonfinite(name: str) -> Pair:
    """Operands with an Inf or NaN in some images and output features; a zero weight meets one."""
    a, b = operands("gauss", 4, 3, 4, 5, 3)
    for array, values in zip((a, b), NONFINITE[name], strict=True):
        for index, value in enumerate(values):
            array[index, index % 3, 1, 2] = value
    b[3, 0] = 0
    return a, b


# Truth and bound, from the op's own windows


def matrices(op: Op, lhs: Array, rhs: Array, form: str) -> Pair:
    """The windows [G, rows, K] and kernel [G, N, K] of an op."""
    shape = geometry(op)
    images, kernel = images_of(op, lhs, shape), kernel_of(op, rhs, shape)
    return windows(images, shape, form), rows(kernel, form)


def bound(op: Op, lhs: Array, rhs: Array, form: str, mode: str = "bfp28") -> Array:
    """Bound on |y - exact|, float64 [G, rows, N]."""
    shape = geometry(op)
    images, kernel = images_of(op, lhs, shape), kernel_of(op, rhs, shape)
    d = balance(images, kernel)[:, None, :, None, None] * (mode == "bfp28")
    wide_a = np.ldexp(np.abs(images).astype(np.float64), d)
    wide_b = np.ldexp(np.abs(kernel).astype(np.float64), -d)
    top_a = np.repeat(wide_a.max(axis=(2, 3, 4)), shape.places, axis=1)
    top_b = wide_b.max(axis=(2, 3, 4))
    a, b = windows(wide_a, shape, form), rows(wide_b, form)
    tops = top_a[:, :, None] * top_b[:, None]
    total = top_a[:, :, None] * b.sum(2)[:, None] + a.sum(2)[:, :, None] * top_b[:, None]
    plain_a, plain_b = matrices(op, np.abs(lhs), np.abs(rhs), form)
    reach = plain_a.astype(np.float64) @ plain_b.astype(np.float64).swapaxes(1, 2)
    n_blocks = -(-shape.contracted // 512) if mode == "bfp28" else 1
    roundings = n_blocks + 3 if mode == "bfp28" else 1
    result: Array = roundings * 2.0**-24 * reach + QUANTISED[mode] * total
    return result + DROPPED[mode] * (shape.contracted + 1) * tops + n_blocks * 2.0**-150


FLOAT32 = Options(matmul="float32")
MODES = (*BFP_MODES, "float32")
