"""Quantise a dot's operands to 28-bit mantissas: scan, balance, quantise (docs/numerics.md 3).

In: two Matrix operands. Out: panels and exponents in scratch, as operands of the dot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from spindle.ir.graph import WORD, DotNumerics
from spindle.ir.plan import Operand, Step, Task, TaskStep
from spindle.schedule import catalogue
from spindle.schedule.assemble import Draft, Tile, assemble
from spindle.schedule.jobs import Buf
from spindle.schedule.lower import Lowering
from spindle.schedule.memory import RESIDENT_START, RESIDENT_WORDS
from spindle.schedule.panel import PAIRS, Matrix, Quantised, panel_of
from spindle.schedule.resident import Residence
from spindle.schedule.room import BUDGET_WORDS, Room
from spindle.spec.records import CHUNK, LANES, PANEL_ROW_WORDS

_ROWS = (2, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)
_SPARE = 64
_MORE_LANES = (0, -1, 1, -2, 2, -3, 3)
"""For resident tiles, beside a fair share of the lanes."""
_DEEP = (4096, 2048, 1024, 512, 256, 128, 64, 32, 16)


def both(
    ctx: Lowering, lhs: Matrix, rhs: Matrix, numerics: DotNumerics, loc: str
) -> tuple[Quantised, Quantised]:
    """Append the jobs that quantise both operands of a dot."""
    n_lhs, n_rhs = lhs.batch * lhs.free * lhs.k, rhs.batch * rhs.free * rhs.k
    left_lanes = min(max(round(LANES * n_lhs / (n_lhs + n_rhs)), 1), LANES - 1)
    kept = (
        _residence(ctx, lhs, numerics, left_lanes),
        _residence(ctx, rhs, numerics, LANES - left_lanes),
    )
    if kept[0] and kept[1]:
        kept[0].partner, kept[1].partner = kept[1], kept[0]
    a, b = _scan(ctx, lhs, kept[0], loc), _scan(ctx, rhs, kept[1], loc)
    if kept[0] and kept[1] and kept[0].first and kept[1].first:
        kept[0].first.beside, kept[1].first.beside = kept[1].first, kept[0].first
    if numerics.swapped:
        a, b = b, a
    d = _balance(ctx, a, b, lhs, loc)
    left = _quantise(ctx, lhs, d, kept[0], int(numerics.swapped), numerics, loc)
    right = _quantise(ctx, rhs, d, kept[1], int(not numerics.swapped), numerics, loc)
    return left, right


def operands_of(x: Matrix, d: Buf, out: Quantised) -> tuple[Operand, ...]:
    """The four operands of every QUANTISE."""
    return (
        x.operand(1, "x"),
        Operand("d", d.addr(), (x.k * WORD, 0, 0, WORD), 3),
        out.panel_operand(1, store=True),
        out.exponent_operand(1, store=True),
    )


def _residence(ctx: Lowering, x: Matrix, numerics: DotNumerics, lanes: int) -> Residence | None:
    """Where both reads of an operand can use the same tiles: one for each of about `lanes` lanes.

    The two operands of a dot share the lanes by their elements, so both epochs are balanced.
    """
    sides = [_staying_rows(x, lanes + more) for more in _MORE_LANES if lanes + more >= x.batch]
    rows = tuple(side for side in dict.fromkeys(sides) if _may_stay(ctx, x, numerics, side))
    return Residence(rows) if rows and rows[0] == sides[0] else None


def _staying_rows(x: Matrix, lanes: int) -> int:
    rows = -(-x.free // max(lanes // x.batch, 1))
    return rows + rows % 2


def _may_stay(ctx: Lowering, x: Matrix, numerics: DotNumerics, rows: int) -> bool:
    fits = x.k <= numerics.k_block and x.batch * -(-x.free // rows) <= LANES
    limit = ctx.options.max_tile or rows
    panel = rows * -(-x.k // CHUNK) * CHUNK + x.k + rows * PANEL_ROW_WORDS + _SPARE
    return fits and rows <= limit and rows * x.k <= RESIDENT_WORDS and panel <= BUDGET_WORDS


@dataclass
class _Partial:
    """Partial exponents; slots: rows of them, known when the scan's tile is chosen."""

    buf: Buf
    slots: int = 0


def _scan(ctx: Lowering, x: Matrix, kept: Residence | None, loc: str) -> _Partial:
    """Append a_k: largest exponent of each k over rows, relative to the row's largest."""
    words = 2 * x.k * (2 + 1) + 64
    if words <= BUDGET_WORDS:
        return _scan_with(ctx, x, "SCAN", (x.operand(1, "x"),), (), kept, loc)
    largest = ctx.new_buf(x.batch * x.free * WORD, "row exponents", loc)
    row = Operand("r", largest.addr(), (x.free * WORD, WORD, 0, 0), 1)
    operands = (x.operand(1, "x"), replace(row, store=True))
    draft = draft_of(ctx, x, "SCAN_FREE", operands, loc)
    ctx.add_drafts([replace(draft, inner=3)], [x.buf], [largest])
    return _scan_with(ctx, x, "SCAN_K", (x.operand(1, "x"), row), (largest,), None, loc)


def _scan_with(
    ctx: Lowering,
    x: Matrix,
    kernel: str,
    inputs: tuple[Operand, ...],
    extra: tuple[Buf, ...],
    kept: Residence | None,
    loc: str,
) -> _Partial:
    partial = _Partial(ctx.new_buf(WORD, "partial exponents", loc))
    out = Operand("a", partial.buf.addr(), (0, x.k * WORD, 0, WORD), 3, store=True)
    deep = [x.k] if kernel == "SCAN" else None
    draft = draft_of(ctx, x, kernel, (*inputs, out), loc, deep)
    draft = replace(draft, slot_operand=len(inputs))
    own = _staying_draft(draft, kept)

    def slots(task: Task) -> int:
        return -(-x.free // task.tile[1])

    def finish(task: Task) -> Task:
        return _set_batch_stride(task, len(inputs), slots(task) * x.k * WORD)

    def make(room: Room) -> list[Step]:
        return [TaskStep(finish(assemble(own, room)))]

    def settled(steps: list[Step]) -> list[Step]:
        (step,) = steps
        assert isinstance(step, TaskStep)
        task = step.task
        if kept and not _stay(ctx, task, kept):
            task = replace(finish(assemble(draft)), lane_first=task.lane_first)
        elif kept and kept.task:
            task = kept.task
        partial.slots = slots(task)
        partial.buf.size_bytes = x.batch * partial.slots * x.k * WORD
        return [TaskStep(task)]

    job = ctx.add(
        make,
        [x.buf, *extra],
        [partial.buf],
        work=draft.work,
        lane=lambda: kept.beside() if kept else None,
        settled=settled,
    )
    if kept:
        kept.first = job
    return partial


def _staying_draft(draft: Draft, kept: Residence | None) -> Draft:
    """A scan of which one tile per lane lies among the resident ones; the place is found later."""
    if kept is None:
        return draft
    x = replace(draft.operands[0], dtcm=RESIDENT_START)
    _, free, _, k = draft.extent
    tiles: tuple[Tile, ...] = tuple((1, min(rows, free), 1, k) for rows in kept.rows)
    return replace(draft, operands=(x, *draft.operands[1:]), tiles=tiles)


def _stay(ctx: Lowering, task: Task, kept: Residence) -> bool:
    """Find a place for a scan's tile; False where there is no room."""
    x = task.operands[0]
    words = catalogue.operand_words(x, catalogue.clipped(task.tile, task.extent))
    place = ctx.resident.place(kept, words)
    if place is None:
        return False
    kept.task = replace(task, operands=(replace(x, dtcm=place, buffer=0), *task.operands[1:]))
    return True


def _resident_draft(draft: Draft, scanned: Task) -> Draft:
    """Quantise the tiles that scanning left in DTCM."""
    x = replace(draft.operands[0], dtcm=scanned.operands[0].dtcm, resident=True)
    tile: Tile = (1, scanned.tile[1] + scanned.tile[1] % 2, 1, draft.k_block)
    return replace(draft, operands=(x, *draft.operands[1:]), tiles=(tile,))


def _set_batch_stride(task: Task, index: int, stride: int) -> Task:
    operands = list(task.operands)
    operands[index] = replace(operands[index], stride=(stride, *operands[index].stride[1:]))
    return replace(task, operands=tuple(operands))


def _balance(ctx: Lowering, a: _Partial, b: _Partial, x: Matrix, loc: str) -> Buf:
    buf = ctx.new_buf(x.batch * x.k * WORD, "balance", loc)

    def make(room: Room) -> list[Step]:
        return [TaskStep(assemble(_balancedraft_of(ctx, a, b, buf, x, loc), room))]

    ctx.add(make, [a.buf, b.buf], [buf], work=x.k * 200.0)
    return buf


def _balancedraft_of(ctx: Lowering, a: _Partial, b: _Partial, d: Buf, x: Matrix, loc: str) -> Draft:
    row = x.k * WORD
    operands = (
        Operand("a", a.buf.addr(), (a.slots * row, row, 0, WORD), 3),
        Operand("b", b.buf.addr(), (b.slots * row, 0, row, WORD), 3),
        Operand("d", d.addr(), (row, 0, 0, WORD), 3, store=True),
    )
    limit = ctx.options.max_tile or x.k
    sixteenth = -(-x.k // 16)
    sides = {min(side, limit, x.k) for side in (sixteenth + sixteenth % 2, *_DEEP, 8, 4, 2, 1)}
    tiles: tuple[Tile, ...] = tuple((1, a.slots, b.slots, t3) for t3 in sorted(sides))
    extent = (x.batch, a.slots, b.slots, x.k)
    return Draft("BALANCE", extent, operands, tiles, label="balance", loc=loc, origin="quantise")


def _quantise(
    ctx: Lowering,
    x: Matrix,
    d: Buf,
    kept: Residence | None,
    is_rhs: int,
    numerics: DotNumerics,
    loc: str,
) -> Quantised:
    block = numerics.k_block
    out = panel_of(ctx, x, PAIRS, block, loc)
    draft = draft_of(ctx, x, "QUANTISE", operands_of(x, d, out), loc, [block], PAIRS.rows)
    draft = replace(draft, k_block=block, arg=is_rhs)

    def make(room: Room) -> list[Step]:
        if kept is None or kept.task is None or room.again:
            return [TaskStep(assemble(draft, room))]
        return [TaskStep(assemble(_resident_draft(draft, kept.task), room))]

    def lane() -> int | None:
        return kept.task.lane_first if kept and kept.task else None

    job = ctx.add(make, [x.buf, d], [out.panel, out.exponents], work=draft.work, lane=lane)
    if kept:
        kept.last = job
    return out


def draft_of(
    ctx: Lowering,
    x: Matrix,
    kernel: str,
    operands: tuple[Operand, ...],
    loc: str,
    deep: list[int] | None = None,
    group: int = 1,
) -> Draft:
    """A task over the rows and contracted index of x.

    deep: the tiles' sides along the latter. group: rows that are taken together.
    """
    return Draft(
        kernel,
        (x.batch, x.free, 1, x.k),
        operands,
        tuple(_tiles(x, ctx.options.max_tile, deep, group)),
        label=kernel.lower(),
        loc=loc,
        origin="quantise",
    )


def _tiles(x: Matrix, max_tile: int | None, deep: list[int] | None, group: int) -> Iterator[Tile]:
    """Candidates: rows in whole groups; the whole of k, or `deep`."""
    limit, step = max_tile or 1 << 12, max(group, 2)
    share = -(-x.free // 16)
    for t3 in deep or [min(side, x.k, limit) for side in _DEEP]:
        for rows in {up_to(rows, step) for rows in (*_ROWS, share)}:
            rows = min(rows, up_to(x.free, step), max(limit // step * step, step))
            yield (1, min(rows, x.free) if group == 1 else rows, 1, t3)


def up_to(n: int, step: int) -> int:
    """Round up to a multiple of step."""
    return -(-n // step) * step
