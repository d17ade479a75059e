"""expand_case: compute every branch of a case, and select.

In: a Module. Out: the Module without `case`. Branches are pure, so computing one that is not taken
changes nothing but time; a `while` in it without a trip count runs no trip, as it might not end.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import Module, Op, Region, TensorType, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand

FLAG = TensorType((), "i1")


def expand_case(module: Module, options: Options) -> Module:
    """Rewrite the cases of every region. Needs nothing of the options."""
    return expand(module, {"case"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "case":
        return None
    flags = _flags(Emitter(builder, op.loc), op)
    made = [
        _inline(builder, region, op.operands[1:], flag)
        for region, flag in zip(op.regions, flags, strict=True)
    ]
    chosen = made[-1]
    for flag, values in zip(flags[:-1], made[:-1], strict=True):
        emit = Emitter(builder, op.loc)
        pairs = zip(values, chosen, strict=True)
        chosen = tuple(emit.select(flag, value, other) for value, other in pairs)
    return chosen


def _flags(emit: Emitter, op: Op) -> list[Value]:
    """Return one i1 per branch: whether it is taken. The last one takes every other index."""
    index, last = op.operands[0], len(op.regions) - 1
    flags = [emit.compare("EQ", index, emit.splat(k, index)) for k in range(last)]
    below = emit.compare("LT", index, emit.splat(0, index))
    return [*flags, emit.op("or", below, emit.compare("GE", index, emit.splat(last, index)))]


def _inline(
    builder: Builder, region: Region, operands: tuple[Value, ...], taken: Value
) -> tuple[Value, ...]:
    """Append a region's ops with `operands` for its parameters; return what it returns."""
    values = dict(zip(region.params, operands, strict=True))
    for op in region.ops:
        moved = replace(op, operands=tuple(values.get(v, v) for v in op.operands))
        guarded = _guarded(moved, taken)
        builder.add(guarded)
        values.update(zip(op.results, guarded.results, strict=False))
    return tuple(values.get(value, value) for value in region.returns)


def _guarded(op: Op, taken: Value) -> Op:
    """Let a loop that may not end carry `taken` and run only where it is true."""
    if op.kind != "while" or not _may_not_end(op):
        return op
    cond, body = op.regions
    test = _test(cond) if op.attrs["trip_count"] is None else _with_flag(cond, Value(FLAG))
    regions = (test, _guarded_body(body))
    results = (*(Value(v.type) for v in op.results), Value(FLAG))
    return replace(op, operands=(*op.operands, taken), results=results, regions=regions)


def _may_not_end(op: Op) -> bool:
    """Whether a loop, or one inside it, has no trip count."""
    if op.kind != "while":
        return False
    inner = (other for region in op.regions for other in region.ops)
    return op.attrs["trip_count"] is None or any(_may_not_end(other) for other in inner)


def _with_flag(region: Region, flag: Value) -> Region:
    return Region((*region.params, flag), region.ops, region.returns)


def _test(cond: Region) -> Region:
    """Return a condition that holds where the old one and the flag do."""
    flag = Value(FLAG)
    both = Op("and", (flag, cond.returns[0]), (Value(FLAG),))
    return Region((*cond.params, flag), (*cond.ops, both), both.results)


def _guarded_body(body: Region) -> Region:
    builder, flag = Builder(), Value(FLAG)
    returns = _inline(builder, body, body.params, flag)
    return Region((*body.params, flag), tuple(builder.ops), (*returns, flag))
