"""The windows of a convolution as one matrix: padding, dilation, strided slices put together.

In: images in canonical axes (docs/spec/convolution.md), as a Value. Out: a Value with the windows
of every place. Forward: images [B, *S, C] give [B, *places, W * C]; weight gradient: [B, C, *S]
give [B, places, C * W]. W and places are counted row-major.
"""

from __future__ import annotations

from math import prod

from spindle.errors import UnsupportedError
from spindle.ir.convolution import Geometry
from spindle.ir.graph import TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.passes.lower_reverse import cut, join

MAX_SLICES = 1024
"""Slices that one convolution may be taken apart into: each is a copy on the machine."""


def forward(builder: Builder, images: Value, shape: Geometry, loc: str) -> Value:
    """Put the window's positions side by side; feature groups get an axis before the last."""
    images = padded(builder, images, shape, 1, loc)
    if shape.feature_groups == 1 and shape.places < prod(shape.window):
        rows = (shape.contracted,)
        value = _by_place(builder, images, shape, 1, rows, loc)
        return builder.reshape(value, (images.shape[0], *shape.result, *rows), loc)
    _check(prod(shape.window), loc)
    steps = tuple(zip(shape.rhs_dilation, shape.result, shape.strides, strict=True))
    split = (images.shape[0], *shape.result, shape.feature_groups, shape.channels)
    parts = _slices(builder, images, 1, shape.window, steps, loc)
    if shape.feature_groups > 1:
        parts = [builder.reshape(part, split, loc) for part in parts]
    return join(builder, parts, len(parts[0].shape) - 1, loc)


def weight_gradient(builder: Builder, images: Value, shape: Geometry, loc: str) -> Value:
    """Put the places one after the other; feature groups get an axis before the last."""
    images = padded(builder, images, shape, 2, loc)
    groups = (shape.feature_groups,) if shape.feature_groups > 1 else ()
    return _by_place(builder, images, shape, 2, (*groups, shape.contracted), loc)


def _by_place(
    builder: Builder,
    images: Value,
    shape: Geometry,
    first_axis: int,
    row: tuple[int, ...],
    loc: str,
) -> Value:
    """Return [B, places, *row]: a slice, one window of every image, for each place."""
    _check(shape.places, loc)
    steps = tuple(zip(shape.strides, shape.window, shape.rhs_dilation, strict=True))
    parts = _slices(builder, images, first_axis, shape.result, steps, loc)
    lines = [builder.reshape(part, (images.shape[0], 1, *row), loc) for part in parts]
    return join(builder, lines, 1, loc)


def _check(n_slices: int, loc: str) -> None:
    if n_slices > MAX_SLICES:
        raise UnsupportedError(
            f"a convolution takes {n_slices} slices of its images",
            where=loc,
            limit=f"the limit is {MAX_SLICES}, one for each position of the window",
            fix="use a smaller window, or write it as a matrix product",
        )


def _slices(
    builder: Builder,
    value: Value,
    first_axis: int,
    counts: tuple[int, ...],
    steps: tuple[tuple[int, int, int], ...],
    loc: str,
) -> list[Value]:
    """Return a slice for each index over `counts`, row-major, cut one axis after the other.

    steps: per axis (distance of the first elements from index to index, elements, their distance).
    One axis at a time: the axes before it stay dense, so that the machine copies all in one task.
    """
    values = [value]
    for i, (count, (far, n, step)) in enumerate(zip(counts, steps, strict=True)):
        at = [(far * index, n, step) for index in range(count)]
        axis = first_axis + i
        values = [_slice(builder, one, axis, pick, loc) for one in values for pick in at]
    return values


def _slice(
    builder: Builder, value: Value, axis: int, pick: tuple[int, int, int], loc: str
) -> Value:
    """Return (first, count, step) elements along one axis."""
    first, count, step = pick
    start, limit, strides = [0] * len(value.shape), list(value.shape), [1] * len(value.shape)
    start[axis], limit[axis], strides[axis] = first, first + (count - 1) * step + 1, step
    shape = (*value.shape[:axis], count, *value.shape[axis + 1 :])
    if shape == value.shape:
        return value
    attrs = {"start": tuple(start), "limit": tuple(limit), "strides": tuple(strides)}
    return builder.emit("slice", (value,), TensorType(shape, value.dtype), attrs, loc)


def padded(builder: Builder, value: Value, shape: Geometry, first_axis: int, loc: str) -> Value:
    """Return the images with zeros between and around the elements; negative padding crops."""
    for i, (low, high) in enumerate(shape.padding):
        axis = first_axis + i
        value = _spread(builder, value, axis, shape.lhs_dilation[i], loc)
        edges = [_zeros(builder, value, axis, edge, loc) for edge in (low, high) if edge > 0]
        parts = [*edges[: low > 0], value, *edges[low > 0 :]]
        value = join(builder, [part for part in parts if part.shape[axis]] or [value], axis, loc)
        end = value.shape[axis] + min(high, 0)
        value = cut(builder, value, axis, max(-low, 0), end, loc)
    return value


def _spread(builder: Builder, value: Value, axis: int, step: int, loc: str) -> Value:
    """Put step - 1 zeros between the elements of one axis."""
    n = value.shape[axis]
    if step == 1 or n < 2:
        return value
    before, after = value.shape[:axis], value.shape[axis + 1 :]
    column = builder.reshape(value, (*before, n, 1, *after), loc)
    rows = join(builder, [column, _zeros(builder, column, axis + 1, step - 1, loc)], axis + 1, loc)
    return cut(
        builder,
        builder.reshape(rows, (*before, n * step, *after), loc),
        axis,
        0,
        (n - 1) * step + 1,
        loc,
    )


def _zeros(builder: Builder, like: Value, axis: int, count: int, loc: str) -> Value:
    shape = (*like.shape[:axis], count, *like.shape[axis + 1 :])
    return builder.splat(0, TensorType(shape, like.dtype), loc)
