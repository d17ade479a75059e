"""Dims: how a fusion's space becomes dims 0, 1, 2 of a task.

In: the space and every view's strides over it. Out: Dims, one per unrolled index of what does not
fit (slowest axes first); most fusions need exactly one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from spindle.errors import UnsupportedError
from spindle.ir.graph import ReduceTree
from spindle.schedule.space import Axis, broadcast_strides, collapse, row_major

Strides = tuple[int, ...]
MAX_UNROLL = 64


@dataclass(frozen=True)
class Dims:
    """axes[d]: the merged axis of dim d, or None. outer: unrolled axes with their index.

    reduce_axis: 0 none, 1, 2 or 3 as in docs/spec/kernels.md; reduced: elements per output.
    """

    space: tuple[int, ...]
    axes: tuple[Axis | None, Axis | None, Axis | None]
    outer: tuple[tuple[Axis, int], ...] = ()
    reduce_axis: int = 0
    reduced: int = 1

    @property
    def extents(self) -> tuple[int, int, int]:
        """Indices of dims 0, 1, 2."""
        e0, e1, e2 = (axis.extent if axis else 1 for axis in self.axes)
        return e0, e1, e2

    @property
    def identity(self) -> Strides:
        """Element strides over the space of a tensor that has its shape."""
        return broadcast_strides(self.space, range(len(self.space)), self.space)

    def broadcast(self, shape: Sequence[int], dims: Sequence[int]) -> Strides:
        """Element strides over the space of a broadcast tensor."""
        return broadcast_strides(shape, dims, self.space)

    def strides(self, over_space: Strides) -> tuple[int, int, int]:
        """Element strides per dim; a dim of one index has 0."""
        s0, s1, s2 = (_stride(axis, over_space) if axis else 0 for axis in self.axes)
        return s0, s1, s2

    def offset(self, over_space: Strides) -> int:
        """Elements from the tensor's start to this unrolled index."""
        return sum(_stride(axis, over_space) * index for axis, index in self.outer)

    def iota(self, axis: int) -> tuple[int | None, int, int]:
        """(dim, divisor, modulus) of the index along a space axis; (None, value, 0) if constant."""
        for dim, merged in enumerate(self.axes):
            found = _part(merged, axis)
            if found:
                return dim, *found
        for merged, index in self.outer:
            found = _part(merged, axis)
            if found:
                return None, index // found[0] % found[1], 0
        return None, 0, 0

    def tree_levels(self) -> int:
        """Levels of unfinished sums a float reduction may hold (docs/spec/kernels.md, RED)."""
        return (-(-self.reduced // ReduceTree().block)).bit_length()


def _stride(axis: Axis, over_space: Strides) -> int:
    return over_space[axis.parts[-1][0]]


def _part(merged: Axis | None, axis: int) -> tuple[int, int] | None:
    divisor = 1
    for number, extent in reversed(merged.parts if merged else ()):
        if number == axis:
            return divisor, extent
        divisor *= extent
    return None


def elementwise(space: Sequence[int], views: Sequence[Strides], loc: str) -> list[Dims]:
    """Dims of a fusion without reduction: the fastest axis and the two longest others."""
    axes = collapse(space, [*views, row_major(space)], [0] * len(space))
    others = sorted(axes[:-1], key=lambda axis: axis.extent)[:-2]
    kept = [axis for axis in axes if axis not in others]
    return list(_unroll(tuple(space), others, _last_three(kept), loc))


def reducing(
    space: Sequence[int], views: Sequence[Strides], over: Sequence[int], loc: str
) -> list[Dims] | None:
    """Dims of a fusion that reduces the contiguous axes `over`.

    None where it needs more than three: with several views axes do not merge, with one they do.
    """
    low, high = (min(over), max(over)) if over else (len(space), len(space))
    groups = [0 if i < low else 2 if i > high else 1 for i in range(len(space))]
    axes = collapse(space, [*views, row_major(space)], groups)
    outer = [a for a in axes if a.group == 0]
    red = [a for a in axes if a.group == 1]
    inner = [a for a in axes if a.group == 2]
    count = 1
    for axis in red:
        count *= axis.extent
    placed = _place_reduction(outer, red, inner)
    if placed is None:
        return None
    dims, axis_number, rest = placed
    return list(_unroll(tuple(space), rest, dims, loc, axis_number, count))


_Three = tuple[Axis | None, Axis | None, Axis | None]


def _place_reduction(
    outer: list[Axis], red: list[Axis], inner: list[Axis]
) -> tuple[_Three, int, list[Axis]] | None:
    if len(red) <= 1 and not inner:
        one = red[0] if red else None
        second = outer[-1] if outer else None
        first = outer[-2] if len(outer) > 1 else None
        return (first, second, one), 2, outer[:-2]
    first = outer[-1] if outer else None
    if len(red) == 2 and not inner:
        return (first, red[0], red[1]), 3, outer[:-1]
    if len(red) <= 1 and len(inner) == 1:
        return (first, red[0] if red else None, inner[0]), 1, outer[:-1]
    return None


def of_dot(space: Sequence[int], views: Sequence[Strides], groups: Sequence[int]) -> Dims | None:
    """Dims of a dot's result: batch axes to dim 0, lhs free to 1, rhs free to 2 (groups 0-2).

    None where the epilogue's views keep axes of a group apart.
    """
    axes = collapse(space, [*views, row_major(space)], groups)
    found: list[Axis | None] = [None, None, None]
    for axis in axes:
        if found[axis.group] is not None:
            return None
        found[axis.group] = axis
    return Dims(tuple(space), (found[0], found[1], found[2]))


def _last_three(axes: list[Axis]) -> _Three:
    padded = [None, None, None, *axes]
    return padded[-3], padded[-2], padded[-1]


def _unroll(
    space: tuple[int, ...],
    rest: list[Axis],
    dims: _Three,
    loc: str,
    reduce_axis: int = 0,
    reduced: int = 1,
) -> Iterator[Dims]:
    total = 1
    for axis in rest:
        total *= axis.extent
    if total > MAX_UNROLL:
        raise UnsupportedError(
            f"an operation over {space} with these broadcasts needs {total} separate tasks",
            where=loc,
            limit=f"the limit is {MAX_UNROLL}",
            fix="reshape so that fewer axes alternate between broadcast and not",
        )
    for indices in product(*(range(axis.extent) for axis in rest)):
        outer = tuple(zip(rest, indices, strict=True))
        yield Dims(space, dims, outer, reduce_axis, reduced)
