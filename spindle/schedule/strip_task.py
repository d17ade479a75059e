"""What every task with a strip program needs: its operands, candidate tiles, name.

In: views over Dims. Out: operands and tiles for a Draft.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spindle.ir.graph import WORD, Region
from spindle.ir.plan import Operand
from spindle.schedule import adam, strip
from spindle.schedule.assemble import Tile
from spindle.schedule.dims import Dims
from spindle.schedule.jobs import Buf

_SIDES = (1 << 12, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2)


def operand(view: strip.View, one: Dims, inputs: Sequence[Buf], outputs: Sequence[Buf]) -> Operand:
    """Make the operand of a view: strides in bytes, and which dim is contiguous."""
    buf = (outputs if view.is_result else inputs)[view.index]
    s0, s1, s2 = one.strides(view.strides)
    kept = one.reduce_axis not in (2, 3) or not view.reduced
    if one.extents[2] == 1 and kept:
        s2 = 1
    fast = 2 if s2 == 1 else 1 if s2 == 0 and s1 == 1 else None
    name = f"{'result' if view.is_result else 'operand'} {view.index}"
    offset = one.offset(view.strides) * WORD
    return Operand(
        name, buf.addr(offset), (s0 * WORD, s1 * WORD, s2 * WORD, 0), fast, store=view.is_result
    )


def tiles(one: Dims, max_tile: int | None) -> Iterator[Tile]:
    """Yield candidate tiles: powers of two, whole extents and sixteenths of them."""
    _, e1, e2 = one.extents
    columns = [e2] if one.reduce_axis == 3 else _sides(e2, max_tile)
    for t2 in columns:
        for t1 in _sides(e1, max_tile):
            yield (1, t1, t2, 1)


def _sides(extent: int, max_tile: int | None) -> list[int]:
    limit = min(extent, max_tile or extent, _SIDES[0])
    shares = [-(-extent // n) for n in (16, 32, 48, 64)]
    even = [share + share % 2 for share in shares]
    return sorted({min(side, limit) for side in (extent, *_SIDES, *even)}, reverse=True)


def label(region: Region) -> str:
    """Short name of a body for people: its kinds in order, without repeats."""
    kinds = dict.fromkeys(
        op.kind for op in region.ops if op.kind not in ("constant", "broadcast_in_dim")
    )
    names = list(kinds) or ["copy"]
    return "+".join(names[:4]) + ("..." if len(names) > 4 else "")


def origin(region: Region) -> str:
    """Kind of work, for reports."""
    if any(op.kind == "dot_general" for op in region.ops):
        return "gemm"
    if adam.find(region):
        return "adam"
    if any(op.kind == "reduce" for op in region.ops):
        return "reduce"
    return "elementwise"
