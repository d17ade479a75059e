"""Lower what only moves: slices, dynamic slices and updates, concatenate, transpose, copies.

Each is one or several affine copies: an extent, and element strides on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spindle.errors import InternalError
from spindle.ir.graph import WORD, Op, Value
from spindle.ir.plan import Addr, Operand, SetReg
from spindle.schedule import dims, strip_task
from spindle.schedule.assemble import Draft, Tile
from spindle.schedule.dims import Dims
from spindle.schedule.jobs import Buf, Job
from spindle.schedule.lower import Lowering
from spindle.schedule.space import row_major
from spindle.spec.records import MAX_TERMS


@dataclass(frozen=True)
class Side:
    """One side of a copy: memory, first element, register terms (bytes), element strides."""

    buf: Buf
    strides: tuple[int, ...]
    offset: int = 0
    terms: tuple[tuple[int, int], ...] = ()

    def addr(self, more: int) -> Addr:
        """Address of the element `more` elements on."""
        return self.buf.addr((self.offset + more) * WORD, self.terms)


def affine(
    ctx: Lowering,
    extents: Sequence[int],
    source: Side,
    target: Side,
    op: Op,
    before: Sequence[SetReg] = (),
    reads: Sequence[Buf] = (),
    after: Sequence[Job] = (),
) -> Job | None:
    """Append a copy of `extents` elements; None when there are none."""
    if 0 in extents:
        return None
    drafts = [
        _draft(ctx, one, source, target, op)
        for one in dims.elementwise(tuple(extents), [source.strides, target.strides], op.loc)
    ]
    both = [source.buf, *reads]
    return ctx.add_drafts(drafts, both, [target.buf], before=before, after=after)


def _draft(ctx: Lowering, one: Dims, source: Side, target: Side, op: Op) -> Draft:
    left, right = _operand(one, source, "from"), _operand(one, target, "to", True)
    turned = left.fast is None and left.stride[1] == WORD and right.fast == 2
    if turned:
        left = replace(left, fast=1)
    tiles = _turned_tiles(one) if turned else strip_task.tiles(one, ctx.options.max_tile)
    return Draft(
        "TRANSPOSE" if turned else "COPY",
        (*one.extents, 1),
        (left, right),
        tuple(tiles),
        label=op.kind,
        loc=op.loc,
        origin="copy",
        shared=None if turned else (0, 1),
    )


def _turned_tiles(one: Dims) -> Iterator[Tile]:
    for t1 in (8, 16, 32, 64):
        for t2 in (8, 16, 32, 64):
            yield (1, min(t1, one.extents[1]), min(t2, one.extents[2]), 1)


def _operand(one: Dims, side: Side, name: str, store: bool = False) -> Operand:
    s0, s1, s2 = one.strides(side.strides)
    if one.extents[2] == 1:
        s2 = 1
    fast = 2 if s2 == 1 else None
    addr = side.addr(one.offset(side.strides))
    return Operand(name, addr, (s0 * WORD, s1 * WORD, s2 * WORD, 0), fast, store=store)


def whole(
    ctx: Lowering, source: Buf, target: Buf, n_words: int, op: Op, after: Sequence[Job] = ()
) -> Job | None:
    """Append a dense copy."""
    return affine(ctx, (n_words,), Side(source, (1,)), Side(target, (1,)), op, after=after)


def lower_slice(ctx: Lowering, op: Op) -> None:
    """slice: start, stride per axis."""
    (x,) = op.operands
    own = row_major(x.shape)
    strides = tuple(s * step for s, step in zip(own, op.attrs["strides"], strict=True))
    offset = sum(s * start for s, start in zip(own, op.attrs["start"], strict=True))
    out = ctx.result_buf(op.result, op)
    target = Side(out, row_major(op.result.shape))
    affine(ctx, op.result.shape, Side(ctx.bufs[x], strides, offset), target, op)


def lower_strided(ctx: Lowering, op: Op) -> None:
    """strided: the source walked as the op says; it may meet an element several times."""
    (x,) = op.operands
    out = ctx.result_buf(op.result, op)
    target = Side(out, row_major(op.result.shape))
    affine(ctx, op.result.shape, Side(ctx.bufs[x], op.attrs["strides"]), target, op)


def lower_transpose(ctx: Lowering, op: Op) -> None:
    """transpose: the source walked in the result's order."""
    (x,) = op.operands
    own = row_major(x.shape)
    strides = tuple(own[axis] for axis in op.attrs["permutation"])
    out = ctx.result_buf(op.result, op)
    target = Side(out, row_major(op.result.shape))
    affine(ctx, op.result.shape, Side(ctx.bufs[x], strides), target, op)


def lower_concatenate(ctx: Lowering, op: Op) -> None:
    """concatenate: one copy per operand."""
    out, own, at = ctx.result_buf(op.result, op), row_major(op.result.shape), 0
    axis = op.attrs["dim"]
    for value in op.operands:
        source = Side(ctx.bufs[value], row_major(value.shape))
        affine(ctx, value.shape, source, Side(out, own, at * own[axis]), op)
        at += value.shape[axis]


def lower_dynamic_slice(ctx: Lowering, op: Op) -> None:
    """dynamic_slice: starts are loop registers read from SDRAM, clamped; a view has no copy."""
    if op in ctx.views and _viewed(ctx, op):
        return
    x, *starts = op.operands
    sizes = op.attrs["sizes"]
    offset, terms, regs = _starts(ctx, op, x, sizes, starts)
    source = Side(ctx.bufs[x], row_major(x.shape), offset, terms)
    out = ctx.result_buf(op.result, op)
    target = Side(out, row_major(sizes))
    reads = [ctx.bufs[value] for value in starts]
    affine(ctx, sizes, source, target, op, regs, reads)


def _viewed(ctx: Lowering, op: Op) -> bool:
    """Make the result a view of its operand; False where no register is left."""
    x, *starts = op.operands
    axis = next(i for i, n in enumerate(x.shape) if n > 1)
    if starts[axis] in ctx.known:
        return False
    high = x.shape[axis] - op.result.shape[axis]
    stride = row_major(x.shape)[axis] * WORD
    view = ctx.view(op.result, ctx.bufs[x], starts[axis], high, stride)
    if view is not None:
        ctx.bufs[op.result] = view
    return view is not None


def lower_dynamic_update_slice(ctx: Lowering, op: Op) -> None:
    """dynamic_update_slice: in place where the result overwrites x, else after a copy of x."""
    x, update, *starts = op.operands
    out, inside = ctx.result_buf(op.result, op), ctx.bufs[x]
    copied = None
    if out.over is not inside:
        copied = whole(ctx, inside, out, x.type.size, op)
    offset, terms, regs = _starts(ctx, op, x, update.shape, starts)
    target = Side(out, row_major(x.shape), offset, terms)
    source = Side(ctx.bufs[update], row_major(update.shape))
    reads = [ctx.bufs[value] for value in starts] + ([inside] if copied is None else [])
    after = (copied,) if copied else ()
    affine(ctx, update.shape, source, target, op, regs, reads, after)


def _starts(
    ctx: Lowering, op: Op, x: Value, sizes: Sequence[int], starts: Sequence[Value]
) -> tuple[int, tuple[tuple[int, int], ...], list[SetReg]]:
    """Element offset of constant starts; terms and SetRegs of the others."""
    own, offset = row_major(x.shape), 0
    terms: list[tuple[int, int]] = []
    regs: list[SetReg] = []
    for axis, start in enumerate(starts):
        high = x.shape[axis] - sizes[axis]
        known = ctx.known.get(start)
        if high == 0:
            continue
        if known is not None:
            offset += min(max(known, 0), high) * own[axis]
            continue
        reg = len(regs)
        if reg == MAX_TERMS:
            raise InternalError(f"{op.kind} ({op.loc}) has more than {MAX_TERMS} unknown starts")
        regs.append(SetReg(reg, ctx.bufs[start].addr(), 0, high))
        terms.append((reg, own[axis] * WORD))
    return offset, tuple(terms), regs


def merged(
    ctx: Lowering, op: Op, value: Value, groups: Sequence[Sequence[int]]
) -> tuple[Buf, list[int]]:
    """See a tensor with each group of axes as one; copy it into that order where they do not merge.

    Returns its memory and one element stride per group (0 for a group of one element).
    """
    own = row_major(value.shape)
    strides = [_group_stride(value.shape, own, group) for group in groups]
    if all(stride is not None for stride in strides):
        return ctx.bufs[value], [stride or 0 for stride in strides]
    order = [axis for group in groups for axis in group]
    shape = tuple(value.shape[axis] for axis in order)
    buf = ctx.new_buf(value.type.size_bytes, "reordered operand", op.loc)
    source = Side(ctx.bufs[value], tuple(own[axis] for axis in order))
    affine(ctx, shape, source, Side(buf, row_major(shape)), op)
    sizes = [int(np.prod([value.shape[axis] for axis in group])) for group in groups]
    return buf, [0 if size == 1 else s for s, size in zip(row_major(sizes), sizes, strict=True)]


def _group_stride(shape: Sequence[int], own: Sequence[int], group: Sequence[int]) -> int | None:
    """Stride of a group's fastest real axis when the group walks evenly; None when it does not."""
    stride, expected = 0, 0
    for axis in reversed(group):
        if shape[axis] == 1:
            continue
        if expected == 0:
            stride = own[axis]
        elif own[axis] != expected:
            return None
        expected = own[axis] * shape[axis]
    return stride
