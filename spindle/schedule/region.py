"""Lower one region: decide where returned values live, then lower its ops in order.

Returned values go straight into their homes (a result segment, a carried buffer) where alias.py
allows; else a copy at the end moves them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from spindle.errors import InternalError
from spindle.ir.graph import Op, Region, Value
from spindle.schedule import copy, fusion, loop
from spindle.schedule.alias import Uses
from spindle.schedule.jobs import Buf
from spindle.schedule.lower import Lowering

_COPY = Op("copy", (), ())


def lower(
    ctx: Lowering, region: Region, homes: Sequence[Buf], olds: Sequence[Value | None]
) -> None:
    """Lower `region`, whose parameters ctx.bufs knows; return i ends in homes[i].

    olds[i]: the parameter whose memory homes[i] takes over, or None.
    """
    uses = Uses(region)
    ctx.views = uses.views
    late = _claim(ctx, uses, homes, olds)
    for op in region.ops:
        _op(ctx, op)
    for value, home in late:
        _move(ctx, ctx.bufs[value], home, value)


def _claim(
    ctx: Lowering, uses: Uses, homes: Sequence[Buf], olds: Sequence[Value | None]
) -> list[tuple[Value, Buf]]:
    """Give produced values their homes; return those that need a copy at the end."""
    late: list[tuple[Value, Buf]] = []
    for value, home, old in zip(uses.region.returns, homes, olds, strict=True):
        root = uses.root(value)
        if old is not None and old is root:
            continue
        if root in ctx.targets or not _may_claim(uses, root, old):
            late.append((value, home))
        else:
            ctx.targets[root] = home
    return late


def _may_claim(uses: Uses, root: Value, old: Value | None) -> bool:
    producer = uses.made.get(root)
    if producer is None or producer.kind == "constant":
        return False
    return old is None or uses.may_overwrite(root, old)


def _move(ctx: Lowering, source: Buf, home: Buf, value: Value) -> None:
    n_words = value.type.n_words
    if n_words == 0:
        return
    if home.over is not None and source.root is not home.root:
        between = ctx.new_buf(source.size_bytes, "carried value")
        copy.whole(ctx, source, between, n_words, _COPY)
        source = between
    copy.whole(ctx, source, home, n_words, _COPY)


def _constant(ctx: Lowering, op: Op) -> None:
    value = np.asarray(op.attrs["value"])
    ctx.bufs[op.result] = ctx.constant_buf(value, op.result.type)
    if value.size == 1 and op.result.dtype in ("i32", "ui32"):
        ctx.known[op.result] = int(value.reshape(-1)[0])


def _reshape(ctx: Lowering, op: Op) -> None:
    ctx.bufs[op.result] = ctx.bufs[op.operands[0]]


_LOWER: dict[str, Callable[[Lowering, Op], None]] = {
    "constant": _constant,
    "reshape": _reshape,
    "words": _reshape,
    "fusion": fusion.lower,
    "slice": copy.lower_slice,
    "strided": copy.lower_strided,
    "transpose": copy.lower_transpose,
    "concatenate": copy.lower_concatenate,
    "dynamic_slice": copy.lower_dynamic_slice,
    "dynamic_update_slice": copy.lower_dynamic_update_slice,
}


def _op(ctx: Lowering, op: Op) -> None:
    if op.kind == "while":
        loop.lower(ctx, op, lower)
        return
    if op.kind not in _LOWER:
        raise InternalError(f"{op.kind} ({op.loc}) reached the scheduler unlowered")
    _LOWER[op.kind](ctx, op)
