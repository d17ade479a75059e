"""Iteration spaces: merge axes until a task's three outer dims hold them.

An Axis has an extent and one stride (in elements) per operand; 0 is broadcast. Axes are listed
slowest first. Row-major order is kept, so what merges is only bookkeeping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """extent indices; strides: elements per index for each operand; group: only equals merge.

    parts: the original (axis, extent) pairs merged here, slowest first.
    """

    extent: int
    strides: tuple[int, ...]
    group: int
    parts: tuple[tuple[int, int], ...]


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Element strides of a dense row-major tensor.

    >>> row_major((2, 3, 4))
    (12, 4, 1)
    """
    strides, step = [], 1
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


def broadcast_strides(
    shape: Sequence[int], dims: Sequence[int], space: Sequence[int]
) -> tuple[int, ...]:
    """Strides over `space` of a tensor of `shape` whose axis i is space axis dims[i].

    >>> broadcast_strides((3,), (1,), (2, 3))
    (0, 1)
    """
    own = row_major(shape)
    strides = [0] * len(space)
    for axis, dim in enumerate(dims):
        strides[dim] = own[axis] if shape[axis] > 1 else 0
    return tuple(strides)


def collapse(
    space: Sequence[int], strides: Sequence[Sequence[int]], groups: Sequence[int]
) -> list[Axis]:
    """Drop unit axes and merge neighbours of one group that every operand walks as one."""
    axes: list[Axis] = []
    for i, extent in enumerate(space):
        if extent == 1:
            continue
        axis = Axis(extent, tuple(s[i] for s in strides), groups[i], ((i, extent),))
        if axes and _mergeable(axes[-1], axis):
            axes[-1] = Axis(
                axes[-1].extent * extent, axis.strides, axis.group, axes[-1].parts + axis.parts
            )
        else:
            axes.append(axis)
    return axes


def _mergeable(slow: Axis, fast: Axis) -> bool:
    same = slow.group == fast.group
    return same and all(
        s == f * fast.extent for s, f in zip(slow.strides, fast.strides, strict=True)
    )


def unit(n_operands: int, group: int = 0) -> Axis:
    """An axis of extent 1."""
    return Axis(1, (0,) * n_operands, group, ())
