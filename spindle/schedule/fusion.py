"""Lower a fusion without a head: strip tasks over its space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spindle.ir.graph import Op, Region
from spindle.schedule import dims, dot, split, strip, strip_task, views
from spindle.schedule.assemble import Draft
from spindle.schedule.dims import Dims
from spindle.schedule.jobs import Buf
from spindle.schedule.lower import Lowering


def lower(ctx: Lowering, op: Op) -> None:
    """Append the fusion's jobs."""
    (region,) = op.regions
    if all(value.type.size == 0 for value in op.results):
        for value in op.results:
            ctx.result_buf(value, op)
        return
    head = next((inner for inner in region.ops if inner.kind == "dot_general"), None)
    if head is not None and _contracted(head) > 0:
        _lower_dot(ctx, op, head)
        return
    if head is not None:
        region = _with_zero(region, head)
    found = views.find(region, op.attrs["space"])
    found_dims = dims_of(op, region, found)
    if found_dims is None or split.is_narrow(region, found_dims):
        for part in split.split(op):
            lower(ctx, part)
        return
    inputs = [ctx.bufs[value] for value in op.operands]
    outputs = [ctx.result_buf(value, op) for value in op.results]
    drafts = [_draft(ctx, op, region, found, one, inputs, outputs) for one in found_dims]
    ctx.add_drafts(drafts, inputs, outputs)


def _lower_dot(ctx: Lowering, op: Op, head: Op) -> None:
    space = dot.dims_of(op, head)
    if space is not None:
        dot.lower(ctx, op, head, space)
        return
    for part in split.off_dot(op, head):
        lower(ctx, part)


def dims_of(op: Op, region: Region, found: Sequence[strip.View]) -> list[Dims] | None:
    """Dims of a fusion without head; None where its reduction fits no three."""
    space, strides = op.attrs["space"], [view.strides for view in found]
    if any(inner.kind == "reduce" for inner in region.ops):
        return dims.reducing(space, strides, views.reduced_axes(region), op.loc)
    return dims.elementwise(space, strides, op.loc)


def _draft(
    ctx: Lowering,
    op: Op,
    region: Region,
    found: Sequence[strip.View],
    one: Dims,
    inputs: Sequence[Buf],
    outputs: Sequence[Buf],
) -> Draft:
    program = strip.build(region, found, one, None, 0)
    return Draft(
        "STRIP",
        (*one.extents, 1),
        tuple(strip_task.operand(view, one, inputs, outputs) for view in found),
        tuple(strip_task.tiles(one, ctx.options.max_tile)),
        program.program,
        len(program.prologue),
        program.n_temps,
        {0: None, 1: 1, 2: 2, 3: 1}[one.reduce_axis],
        label=strip_task.label(region),
        loc=op.loc,
        origin=strip_task.origin(region),
    )


def _contracted(head: Op) -> int:
    n = 1
    for axis in head.attrs["lhs_contract"]:
        n *= head.operands[0].shape[axis]
    return n


def _with_zero(region: Region, head: Op) -> Region:
    """A contraction over nothing is +0 everywhere: the epilogue runs on a constant."""
    zeros = np.zeros(head.result.shape, np.float32)
    zero = Op("constant", (), (head.result,), {"value": zeros}, loc=head.loc)
    return replace(region, ops=tuple(zero if op is head else op for op in region.ops))
