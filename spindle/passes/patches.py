"""The windows of a convolution as one matrix: padding, dilation, and overlapping strided reads.

In: images in canonical axes (docs/spec/convolution.md), as a Value. Out: a Value with the windows
of every place, one line each. Forward: images [B, *S, C] give [B, *P, W * C]; weight gradient:
[B, C, *S] give [B, *P, C * W]; feature groups have an axis before the last. P places, W window.
"""

from __future__ import annotations

from math import prod

from spindle.ir.convolution import Geometry, dilated
from spindle.ir.graph import TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.passes.pieces import cut, join

Shape = tuple[int, ...]


def forward(builder: Builder, images: Value, shape: Geometry, loc: str) -> Value:
    """Lines of (window, channel)."""
    value = _unfolded(builder, padded(builder, images, shape, 1, loc), shape, 1, loc)
    head, window = value.shape[: 1 + len(shape.result)], prod(shape.window)
    if shape.feature_groups == 1:
        return builder.reshape(value, (*head, shape.contracted), loc)
    groups, channels = shape.feature_groups, shape.channels
    split = (prod(head), groups, window, channels)
    steps = (window * groups * channels, channels, groups * channels, 1)
    lines = strided(builder, value, split, steps, loc)
    return builder.reshape(lines, (*head, groups, shape.contracted), loc)


def weight_gradient(builder: Builder, images: Value, shape: Geometry, loc: str) -> Value:
    """Lines of (channel, window)."""
    value = _unfolded(builder, padded(builder, images, shape, 2, loc), shape, 2, loc)
    head = value.shape[: 1 + len(shape.result)]
    groups = (shape.feature_groups,) if shape.feature_groups > 1 else ()
    return builder.reshape(value, (*head, *groups, shape.contracted), loc)


def _unfolded(builder: Builder, value: Value, shape: Geometry, first: int, loc: str) -> Value:
    """Turn one spatial axis after the other into places, before the mid axes, and a window.

    [B, *mid, S1, S2, *post] -> [B, P1, *mid, W1, S2, *post] -> [B, P1, P2, *mid, W1, W2, *post].
    One at a time: the axes around it stay dense, so that few copies do it on the machine.
    """
    for i in range(len(shape.window)):
        place, axis, own = 1 + i, first + 2 * i, row_major(value.shape)
        before, mid, after = value.shape[:place], value.shape[place:axis], value.shape[axis + 1 :]
        value = strided(
            builder,
            value,
            (*before, shape.result[i], *mid, shape.window[i], *after),
            (
                *own[:place],
                own[axis] * shape.strides[i],
                *own[place:axis],
                own[axis] * shape.rhs_dilation[i],
                *own[axis + 1 :],
            ),
            loc,
        )
    return value


def row_major(shape: Shape) -> Shape:
    """Element strides of a dense tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def strided(builder: Builder, value: Value, shape: Shape, strides: Shape, loc: str) -> Value:
    """Return elements at any strides of a tensor's words; a reshape where they are all in order."""
    pairs = zip(shape, strides, row_major(shape), strict=True)
    if prod(shape) == value.type.size and all(n == 1 or a == b for n, a, b in pairs):
        return builder.reshape(value, shape, loc)
    type_ = TensorType(shape, value.dtype)
    return builder.emit("strided", (value,), type_, {"strides": strides}, loc)


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
    line = builder.reshape(rows, (*before, n * step, *after), loc)
    return cut(builder, line, axis, 0, dilated(n, step), loc)


def _zeros(builder: Builder, like: Value, axis: int, count: int, loc: str) -> Value:
    shape = (*like.shape[:axis], count, *like.shape[axis + 1 :])
    return builder.splat(0, TensorType(shape, like.dtype), loc)
