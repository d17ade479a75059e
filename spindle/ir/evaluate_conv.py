"""convolution in NumPy: all modes of a dot, integers (docs/spec/convolution.md).

In: two arrays and the op. Out: the result, in the op's axes. Inside, per group: images [G, M, C,
*S], kernel [G, N, C, *W], both seen as rows of the contracted index for the dots of
evaluate_dot.py. An image's exponent comes before its windows are taken, so it is the same in all.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from spindle.ir import evaluate_dot as dots
from spindle.ir.convolution import Geometry, dilated, geometry
from spindle.ir.dot_modes import WHOLE_ROWS, conv_numerics
from spindle.ir.evaluate_dot import Quantised
from spindle.ir.graph import ConvNumerics, Op
from spindle.options import Options

Array = np.ndarray[Any, Any]


def convolution(op: Op, lhs: Array, rhs: Array, options: Options) -> Array:
    """Evaluate a convolution op; see docs/spec/module.md for its attributes."""
    shape, numerics = geometry(op), conv_numerics(op, options)
    images, kernel = images_of(op, lhs, shape), kernel_of(op, rhs, shape)
    a, b = windows(images, shape, numerics.form), rows(kernel, numerics.form)
    if lhs.dtype != np.float32:
        out = np.matmul(a, b.swapaxes(1, 2))
    elif numerics.mode == "float32" or a.shape[2] == 0:
        out = dots.dot_float32(a, b)
    else:
        out = _quantised_dot(images, kernel, (a, b), shape, numerics)
    return _placed(op, out, shape)


def images_of(op: Op, lhs: Array, shape: Geometry) -> Array:
    """The lhs as [G, M, C, *S]."""
    x = lhs.transpose(op.attrs["lhs_axes"])
    split = (shape.batch_groups, shape.images, shape.feature_groups, shape.channels)
    x = x.reshape(*split, *shape.image).swapaxes(1, 2)
    return x.reshape(shape.groups, shape.images, shape.channels, *shape.image)


def kernel_of(op: Op, rhs: Array, shape: Geometry) -> Array:
    """The rhs as [G, N, C, *W], reversed axes turned."""
    w = rhs.transpose(op.attrs["rhs_axes"])
    w = w.reshape(shape.groups, shape.outputs, shape.channels, *shape.window)
    return np.flip(w, tuple(3 + axis for axis, turned in enumerate(shape.reversal) if turned))


def rows(kernel: Array, form: str) -> Array:
    """A kernel [G, N, C, *W] as [G, N, K]: window, channel, or channel, window."""
    if form == "forward":
        kernel = np.moveaxis(kernel, 2, -1)
    return kernel.reshape(*kernel.shape[:2], prod(kernel.shape[2:]))


def windows(images: Array, shape: Geometry, form: str) -> Array:
    """Images [G, M, C, *S] as [G, M * places, K]: the window of every place, zeros where it ends.

    The contracted index is (window, channel), or (channel, window) in a weight gradient.
    """
    padded = _padded(images, shape)
    out = np.zeros((*images.shape[:3], *shape.window, *shape.result), images.dtype)
    for at in np.ndindex(*shape.window) if shape.places else ():
        out[(..., *at, *(slice(None),) * len(at))] = _strided(padded, at, shape)
    n_axes = len(shape.window)
    window, places = range(3, 3 + n_axes), range(3 + n_axes, 3 + 2 * n_axes)
    order = (*window, 2) if form == "forward" else (2, *window)
    return out.transpose(0, 1, *places, *order).reshape(
        shape.groups, shape.images * shape.places, shape.contracted
    )


def _strided(padded: Array, at: tuple[int, ...], shape: Geometry) -> Array:
    """The elements that one position of the window meets at every place."""
    picks: list[Any] = [...]
    for axis, first in enumerate(at):
        start, step = first * shape.rhs_dilation[axis], shape.strides[axis]
        picks.append(slice(start, start + (shape.result[axis] - 1) * step + 1, step))
    found: Array = padded[tuple(picks)]
    return found


def _padded(images: Array, shape: Geometry) -> Array:
    """Zeros between the elements, then around them; negative padding crops."""
    for axis, n in enumerate(shape.image, 3):
        step, (low, high) = shape.lhs_dilation[axis - 3], shape.padding[axis - 3]
        wide = np.moveaxis(images, axis, 0)
        spread = np.zeros((dilated(n, step), *wide.shape[1:]), images.dtype)
        spread[::step] = wide
        edges = [(max(low, 0), max(high, 0))] + [(0, 0)] * (spread.ndim - 1)
        end = max(spread.shape[0] + max(low, 0) + high, 0)
        kept = np.pad(spread, edges)[max(-low, 0) : end]
        images = np.moveaxis(kept, 0, axis)
    return images


def _quantised_dot(
    images: Array,
    kernel: Array,
    floats: tuple[Array, Array],
    shape: Geometry,
    numerics: ConvNumerics,
) -> Array:
    d = balance(images, kernel)
    if numerics.mode in WHOLE_ROWS:
        d = np.zeros_like(d)
    qa, qb = quantised(images, d, numerics), quantised(kernel, -d, numerics)
    taken = windows(qa.q.reshape(images.shape), shape, numerics.form)
    n_blocks = dots.n_blocks(shape.contracted, numerics.k_block)
    a = Quantised(
        taken,
        np.repeat(qa.e, shape.places, axis=1).repeat(n_blocks, axis=2),
        np.repeat(qa.nonfinite, shape.places, axis=1),
    )
    kernel_rows = rows(qb.q.reshape(kernel.shape), numerics.form)
    b = Quantised(kernel_rows, qb.e.repeat(n_blocks, axis=2), qb.nonfinite)
    return dots.dot_quantised(a, b, floats, numerics)


def _flat(x: Array) -> Array:
    """[G, rows, C, *S] as [G, rows, C * |S|]."""
    return x.reshape(*x.shape[:2], prod(x.shape[2:]))


def balance(images: Array, kernel: Array) -> Array:
    """Balancing exponents d [G, C]."""
    peaks = [
        dots.column_peaks(_flat(x)).reshape(x.shape[0], x.shape[2], prod(x.shape[3:]))
        for x in (images, kernel)
    ]
    a, b = (peak.max(axis=2, initial=dots.EMPTY) for peak in peaks)
    return dots.balance_peaks(a, b)


def quantised(x: Array, d: Array, numerics: ConvNumerics) -> Quantised:
    """Mantissas of x [G, rows, C, *S] times 2^d (d [G, C]) with one exponent per row."""
    flat = _flat(x)
    spread = np.repeat(d, prod(x.shape[3:]), axis=1)
    return dots.quantise(flat, spread, 0, numerics.mantissa)


def _placed(op: Op, out: Array, shape: Geometry) -> Array:
    """[G, M * places, N] in the op's axes."""
    out = out.reshape(shape.groups, shape.images, shape.places, shape.outputs)
    named = out.transpose(1, 0, 3, 2).reshape(shape.result_type)
    return named.transpose(np.argsort(op.attrs["out_axes"]))
