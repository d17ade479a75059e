"""Views: how a fusion sees its parameters and results over its space."""

from __future__ import annotations

from spindle.ir.graph import Op, Region
from spindle.schedule.space import broadcast_strides
from spindle.schedule.strip import View


def find(region: Region, space: tuple[int, ...]) -> list[View]:
    """Return parameter views in order of first use, then results.

    A parameter seen in two ways (whole and broadcast) gives two views; operands of a dot give none.
    """
    found: dict[View, None] = {}
    for op in region.ops:
        for view in _op_views(op, region, space):
            found.setdefault(view)
    for value in region.returns:
        if value in region.params:
            found.setdefault(identity(space, region.params.index(value)))
    return [*found, *_results(region, space)]


def _op_views(op: Op, region: Region, space: tuple[int, ...]) -> list[View]:
    if op.kind in ("dot_general", "constant", "iota"):
        return []
    views = []
    for value in op.operands:
        if value not in region.params:
            continue
        index = region.params.index(value)
        if op.kind == "broadcast_in_dim":
            views.append(
                View(False, index, broadcast_strides(value.shape, op.attrs["dims"], space))
            )
        else:
            views.append(identity(space, index))
    return views


def identity(space: tuple[int, ...], index: int = 0) -> View:
    """The view of a parameter that has the space's shape."""
    return View(False, index, broadcast_strides(space, range(len(space)), space))


def _results(region: Region, space: tuple[int, ...]) -> list[View]:
    over = reduced_axes(region)
    reduces = {op.result for op in region.ops if op.kind == "reduce"}
    views = []
    for index, value in enumerate(region.returns):
        if value in reduces:
            kept = [axis for axis in range(len(space)) if axis not in over]
            shape = [space[axis] for axis in kept]
            views.append(View(True, index, broadcast_strides(shape, kept, space), True))
        else:
            strides = broadcast_strides(space, range(len(space)), space)
            views.append(View(True, index, strides))
    return views


def reduced_axes(region: Region) -> tuple[int, ...]:
    """Axes that the fusion's reductions sum over; () without reductions."""
    return next((op.attrs["dims"] for op in region.ops if op.kind == "reduce"), ())
