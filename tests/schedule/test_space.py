"""Merging of axes into iteration dims, and the dims of fusions and reductions."""

import pytest

from spindle.errors import UnsupportedError
from spindle.schedule import dims
from spindle.schedule.space import broadcast_strides, collapse, row_major


def test_dense_space_is_one_axis() -> None:
    (axis,) = collapse((4, 3, 5), [row_major((4, 3, 5))], [0, 0, 0])
    assert (axis.extent, axis.strides) == (60, (1,))


def test_unit_axes_disappear() -> None:
    axes = collapse((1, 7, 1), [row_major((1, 7, 1))], [0, 0, 0])
    assert [axis.extent for axis in axes] == [7]


def test_row_broadcast_keeps_two_axes() -> None:
    bias = broadcast_strides((5,), (2,), (4, 3, 5))
    axes = collapse((4, 3, 5), [row_major((4, 3, 5)), bias], [0, 0, 0])
    assert [(a.extent, a.strides) for a in axes] == [(12, (5, 0)), (5, (1, 1))]


def test_elementwise_dims_of_a_scalar() -> None:
    (one,) = dims.elementwise((), [()], "")
    assert one.extents == (1, 1, 1)


def test_four_alternating_axes_unroll_the_slowest() -> None:
    space = (2, 3, 4, 5)
    view = broadcast_strides((2, 4), (0, 2), space)
    found = dims.elementwise(space, [view], "")
    assert [one.outer[0][1] for one in found] == [0, 1]
    assert [one.offset(view) for one in found] == [0, 4]


def test_the_shortest_axes_are_unrolled() -> None:
    space = (65, 3, 4, 5)
    view = broadcast_strides((65, 4), (0, 2), space)
    found = dims.elementwise(space, [view], "")
    assert [one.extents for one in found] == [(65, 4, 5)] * 3
    assert [one.offset(row_major(space)) for one in found] == [0, 20, 40]


def test_too_much_unrolling_is_said() -> None:
    space = (65, 66, 67, 5)
    view = broadcast_strides((65, 67), (0, 2), space)
    with pytest.raises(UnsupportedError, match=r"model.py:3: .* 65 separate tasks"):
        dims.elementwise(space, [view], "model.py:3")


@pytest.mark.parametrize(
    ("space", "over", "axis", "extents"),
    [
        ((6, 10), (1,), 2, (1, 6, 10)),
        ((6, 10), (0,), 1, (1, 6, 10)),
        ((4, 6, 10), (1,), 1, (4, 6, 10)),
        ((4, 6, 10), (1, 2), 2, (1, 4, 60)),
        ((6, 10), (), 2, (1, 60, 1)),
    ],
)
def test_reduction_axis(
    space: tuple[int, ...], over: tuple[int, ...], axis: int, extents: tuple[int, int, int]
) -> None:
    kept = [i for i in range(len(space)) if i not in over]
    result = broadcast_strides([space[i] for i in kept], kept, space)
    (one,) = dims.reducing(space, [row_major(space), result], over, "") or []
    assert (one.reduce_axis, one.extents) == (axis, extents)


def test_reduction_over_two_axes_with_a_row_broadcast() -> None:
    space = (6, 10)
    bias = broadcast_strides((10,), (1,), space)
    (one,) = dims.reducing(space, [row_major(space), bias, (0, 0)], (0, 1), "") or []
    assert (one.reduce_axis, one.extents, one.reduced) == (3, (1, 6, 10), 60)


@pytest.mark.parametrize(
    ("n", "levels"), [(1, 1), (256, 1), (257, 2), (512, 2), (513, 2), (1025, 3)]
)
def test_tree_levels(n: int, levels: int) -> None:
    (one,) = dims.reducing((n,), [(1,), (0,)], (0,), "") or []
    assert one.tree_levels() == levels


def test_iota_inside_a_merged_axis() -> None:
    space = (4, 3, 5)
    (one,) = dims.elementwise(space, [row_major(space)], "")
    assert [one.iota(axis) for axis in range(3)] == [(2, 15, 4), (2, 5, 3), (2, 1, 5)]
