"""expand_starts: at most MAX_TERMS places that are not known move a slice.

In: a Module. Out: the Module whose dynamic_slice and dynamic_update_slice have at most MAX_TERMS
starts that are no constants; further axes are moved by an op of their own. A start along an axis of
which all is taken counts as 0.
"""

from __future__ import annotations

from spindle.ir.graph import Module, Op, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand
from spindle.spec.records import MAX_TERMS

Starts = list[Value]
Shape = tuple[int, ...]


def expand_starts(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"dynamic_slice", "dynamic_update_slice"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind not in ("dynamic_slice", "dynamic_update_slice"):
        return None
    taken = 1 if op.kind == "dynamic_slice" else 2
    x, starts = op.operands[0], list(op.operands[taken:])
    sizes: Shape = op.result.shape if taken == 1 else op.operands[1].shape
    moving = _moving(builder, x, starts, sizes)
    if len(moving) <= MAX_TERMS:
        return None
    emit = Emitter(builder, op.loc)
    if taken == 1:
        return (_slice(emit, x, starts, sizes, moving),)
    return (_update(emit, x, op.operands[1], starts, moving),)


def _moving(builder: Builder, x: Value, starts: Starts, sizes: Shape) -> list[int]:
    """Return the axes along which the window's place is not known."""
    makers = [builder.defs.get(start) for start in starts]
    known = [maker is not None and maker.kind == "constant" for maker in makers]
    return [axis for axis, n in enumerate(x.shape) if n != sizes[axis] and not known[axis]]


def _only(emit: Emitter, starts: Starts, axes: list[int]) -> Starts:
    """Return the starts of some axes, 0 along the others."""
    zero = emit.scalar(0)
    return [start if axis in axes else zero for axis, start in enumerate(starts)]


def _slice(emit: Emitter, x: Value, starts: Starts, sizes: Shape, moving: list[int]) -> Value:
    """Take the first axes, then those that are left."""
    while len(moving) > MAX_TERMS:
        now, moving = moving[:MAX_TERMS], moving[MAX_TERMS:]
        part = tuple(sizes[i] if i in now else n for i, n in enumerate(x.shape))
        x = emit.dynamic_slice(x, _only(emit, starts, now), part)
    rest = [axis for axis, n in enumerate(x.shape) if n != sizes[axis]]
    return emit.dynamic_slice(x, _only(emit, starts, rest), sizes)


def _update(emit: Emitter, x: Value, update: Value, starts: Starts, moving: list[int]) -> Value:
    """Take a slab along the first axes, update it along the others, put it back."""
    if len(moving) <= MAX_TERMS:
        rest = [axis for axis, n in enumerate(x.shape) if n != update.shape[axis]]
        return emit.dynamic_update(x, update, _only(emit, starts, rest))
    now = moving[:MAX_TERMS]
    part = tuple(update.shape[i] if i in now else n for i, n in enumerate(x.shape))
    places = _only(emit, starts, now)
    slab = emit.dynamic_slice(x, places, part)
    return emit.dynamic_update(x, _update(emit, slab, update, starts, moving[MAX_TERMS:]), places)
