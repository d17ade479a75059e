"""Lower `while`: carried values live in fixed memory, the body is a block with its own frame.

A counted loop becomes Loop; any other While, whose condition is a block too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spindle.errors import UnsupportedError
from spindle.ir.graph import WORD, Op, Region, Value
from spindle.ir.plan import Addr, Loop, Step, While
from spindle.schedule import copy, layout, order
from spindle.schedule.jobs import Buf, map_addrs
from spindle.schedule.lower import VIEW_REGS, Lowering
from spindle.schedule.memory import place
from spindle.spec.records import LOOP_REGS

LowerRegion = Callable[[Lowering, Region, Sequence[Buf], Sequence[Value | None]], None]


@dataclass(frozen=True)
class _Body:
    steps: tuple[Step, ...]
    frame: Buf
    reads: tuple[Buf, ...]


def lower(ctx: Lowering, op: Op, lower_region: LowerRegion) -> None:
    """Append the loop's jobs. lower_region is region.lower (passed to avoid an import circle)."""
    cond, body = op.regions
    kept = [_is_kept(body, i) for i in range(len(op.results))]
    carried = [
        ctx.bufs[value] if same else _carry(ctx, op, i)
        for i, (value, same) in enumerate(zip(op.operands, kept, strict=True))
    ]
    results = [_result(ctx, op, i, carried[i]) for i, same in enumerate(kept) if not same]
    for i, same in enumerate(kept):
        if same:
            _keep(ctx, op, i)
    inner = _block(ctx, body, carried, lower_region)
    trips = op.attrs.get("trip_count")
    if trips is not None:
        reg = _register(ctx, op)
        step: Step = Loop(reg, trips, inner.steps, label=op.loc or "loop")
        frames, reads = [inner.frame], [*inner.reads]
    else:
        test, addr = _condition(ctx, cond, carried, lower_region)
        step = While(test.steps, addr, inner.steps, label=op.loc or "while")
        frames, reads = [inner.frame, test.frame], [*inner.reads, *test.reads]
    ctx.add(lambda room: [step], [*carried, *reads], [*results, *frames], alone=True)


def _register(ctx: Lowering, op: Op) -> int:
    reg = LOOP_REGS - 1 - ctx.depth
    if reg in VIEW_REGS:
        raise UnsupportedError(
            f"loops lie {ctx.depth + 1} deep, the limit is {ctx.depth}",
            where=op.loc,
            fix="join two counted loops to one",
        )
    return reg


def _is_kept(body: Region, index: int) -> bool:
    """Whether the loop carries value `index` around unchanged: it needs no memory of its own."""
    return body.returns[index] is body.params[index]


def _keep(ctx: Lowering, op: Op, index: int) -> None:
    source, result = ctx.bufs[op.operands[index]], op.results[index]
    target = ctx.targets.get(result)
    ctx.bufs[result] = source
    if target is not None and target.over is not source:
        copy.whole(ctx, source, target, result.type.size, op)
        ctx.bufs[result] = target


def _carry(ctx: Lowering, op: Op, index: int) -> Buf:
    """Memory of carried value `index`, holding its initial value once the jobs so far have run."""
    value, result = op.operands[index], op.results[index]
    source, target = ctx.bufs[value], ctx.targets.get(result)
    if target is not None and target.over is source:
        return source
    buf = ctx.new_buf(value.type.size_bytes, "carried value", op.loc)
    if target is not None:
        buf.segment, buf.offset, buf.over = target.segment, target.offset, target.over
        target.over = buf
    copy.whole(ctx, source, buf, value.type.size, op)
    return buf


def _result(ctx: Lowering, op: Op, index: int, carried: Buf) -> Buf:
    result = op.results[index]
    buf = ctx.targets.get(result)
    if buf is None:
        buf = ctx.new_buf(result.type.size_bytes, "carried value", op.loc, over=carried)
    ctx.bufs[result] = buf
    return buf


def _child(ctx: Lowering, region: Region, carried: Sequence[Buf]) -> Lowering:
    child = Lowering(
        ctx.options,
        ctx.constants,
        bufs=dict(ctx.bufs),
        ids=ctx.ids,
        known=dict(ctx.known),
        depth=ctx.depth + 1,
        registers=ctx.registers,
        outer=ctx,
    )
    child.bufs.update(zip(region.params, carried, strict=True))
    return child


def _block(
    ctx: Lowering, region: Region, carried: Sequence[Buf], lower_region: LowerRegion
) -> _Body:
    child = _child(ctx, region, carried)
    homes = [child.new_buf(b.size_bytes, b.name, b.loc, over=b) for b in carried]
    lower_region(child, region, homes, region.params)
    return _finish(ctx, child)


def _condition(
    ctx: Lowering, region: Region, carried: Sequence[Buf], lower_region: LowerRegion
) -> tuple[_Body, Addr]:
    """Lower the condition; its predicate has memory that nothing else ever has."""
    predicate = ctx.flag_buf()
    child = _child(ctx, region, carried)
    home = child.new_buf(WORD, "loop condition", over=predicate)
    lower_region(child, region, [home], [None])
    body = _finish(ctx, child)
    reads = (*body.reads, predicate)
    return _Body(body.steps, body.frame, reads), predicate.addr()


def _finish(ctx: Lowering, child: Lowering) -> _Body:
    """Order the child's jobs and place its scratch in a frame of the parent."""
    groups = order.epochs(child.block)
    laid_out = layout.steps(
        groups, child.resident
    )  # before placing: tiles decide the size of some Bufs
    frame = ctx.new_buf(WORD, "loop frame")
    homes, top = place(child.block, groups, base=frame.id)
    frame.size_bytes = max(top, WORD)
    steps = tuple(map_addrs(step, homes) for step in laid_out)
    own = set(child.block.bufs)
    outside = {b for job in child.block.jobs for b in job.reads if b not in own}
    return _Body(steps, frame, tuple(sorted(outside, key=lambda b: b.id)))
