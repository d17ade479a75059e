"""Split a fusion that one task should not do, or cannot; bits are the same.

In: a fusion. Out: fusions that do its parts, in order. Reducing rows of a narrow space gives work
to few lanes, and the elementwise part would be done by those few too: it becomes a fusion of its
own. So do parts whose operands are broadcast in ways that need more loop dims than a task has.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import Op, Region, Value
from spindle.schedule.dims import Dims
from spindle.spec.records import LANES

_NARROW = 4 * LANES
"""Columns below which a reduction of rows is split from what computes them."""

_FREE = ("constant", "broadcast_in_dim", "iota", "reduce")


def is_narrow(region: Region, dims: list[Dims]) -> bool:
    """Whether the fusion should be split."""
    computes = any(op.kind not in _FREE for op in region.ops)
    one = dims[0]
    columns = one.extents[0] * one.extents[2] if one.reduce_axis == 1 else one.extents[0]
    return computes and one.reduce_axis in (1, 3) and columns < _NARROW


def split(op: Op) -> list[Op]:
    """Return the elementwise fusion and one fusion per reduction, in order."""
    (region,) = op.regions
    reduces = [inner for inner in region.ops if inner.kind == "reduce"]
    reduced = {value for inner in reduces for value in inner.results}
    pairs = zip(region.returns, op.results, strict=True)
    outer = {value: result for value, result in pairs if value not in reduced}
    for inner in reduces:
        outer.setdefault(inner.operands[0], Value(inner.operands[0].type))
    ops = tuple(inner for inner in region.ops if inner.kind != "reduce")
    body = Region(region.params, ops, tuple(outer))
    first = replace(op, results=tuple(outer.values()), regions=(body,))
    return [first, *(_reduction(op, inner, outer) for inner in reduces)]


def off_dot(op: Op, head: Op) -> list[Op]:
    """Return the dot alone and what else the fusion does."""
    (region,) = op.regions
    outer = dict(zip(region.params, op.operands, strict=True))
    results = dict(zip(region.returns, op.results, strict=True))
    made = results.pop(head.result, Value(head.result.type))
    alone = Region(head.operands, (head,), (head.result,))
    operands = tuple(outer[value] for value in head.operands)
    dot = replace(op, operands=operands, results=(made,), regions=(alone,))
    outer[head.result] = made
    ops = tuple(inner for inner in region.ops if inner is not head)
    used = {value for inner in ops for value in inner.operands}
    params = tuple(value for value in outer if value in used)
    rest = Region(params, ops, tuple(results))
    operands = tuple(outer[value] for value in params)
    epilogue = replace(op, operands=operands, results=tuple(results.values()), regions=(rest,))
    return [dot, epilogue]


def _reduction(op: Op, reduce: Op, outer: dict[Value, Value]) -> Op:
    (region,) = op.regions
    source, init = reduce.operands
    (start,) = (inner for inner in region.ops if init in inner.results)
    inside = Value(source.type)
    pairs = zip(region.returns, op.results, strict=True)
    results = tuple(result for value, result in pairs if value is reduce.result)
    ops = (start, replace(reduce, operands=(inside, init)))
    body = Region((inside,), ops, (reduce.result,) * len(results))
    return replace(op, operands=(outer[source],), results=results, regions=(body,))
