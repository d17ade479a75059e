"""Lower a dot with its epilogue: scan, balance, quantise, multiply (docs/spec/kernels.md).

Dims of every task: 0 batch, 1 free (rows), 2 columns, 3 the contracted index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from spindle.ir.dot_modes import WHOLE_ROWS
from spindle.ir.graph import WORD, DotNumerics, GivenNumerics, Op, Region, Value
from spindle.ir.plan import Instr, Operand
from spindle.schedule import copy, dims, quantise, strip, strip_task, views
from spindle.schedule.assemble import Draft, Tile
from spindle.schedule.dims import Dims
from spindle.schedule.jobs import Buf
from spindle.schedule.lower import Lowering
from spindle.schedule.panel import Matrix, Quantised
from spindle.schedule.quantise import up_to
from spindle.schedule.quantise_given import both_given
from spindle.schedule.quantise_rows import both_rows
from spindle.spec.records import CHUNK

_SHARES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_ROUND = {2: (8, 16, 24, 32, 48), 3: (*range(6, 34, 3), 48)}
"""By the rows that a kernel takes together: those in threes divide few extents evenly."""
_WIDEST = 64
_K_TILES = (64, 32, 16, 8)
_K_TILES_OF_ROWS = (256, 128, *_K_TILES)
_KERNELS = {"bfp28": "DOT_S28", "bfp16": "DOT_S16", "bfp13": "DOT_S13"}


@dataclass(frozen=True)
class _Parts:
    op: Op
    region: Region
    head: Op
    numerics: DotNumerics | GivenNumerics
    space: Dims
    found: list[strip.View]


def lower(ctx: Lowering, op: Op, head: Op, space: Dims) -> None:
    """Append the jobs of one dot fusion over its `dims_of`; its contraction is not empty."""
    (region,) = op.regions
    found = views.find(region, op.attrs["space"])
    parts = _Parts(op, region, head, head.attrs["numerics"], space, found)
    lhs, rhs = _matrices(ctx, op, region, head)
    if parts.numerics.mode == "float32":
        _multiply(ctx, parts, lhs, rhs, _float_operands(lhs, rhs), (), "DOT_F32")
    else:
        _on_mantissas(ctx, parts, lhs, rhs)


def _on_mantissas(ctx: Lowering, parts: _Parts, lhs: Matrix, rhs: Matrix) -> None:
    a, b = _quantised(ctx, parts, lhs, rhs)
    operands = (
        a.panel_operand(1),
        b.panel_operand(2),
        a.exponent_operand(1),
        b.exponent_operand(2),
        replace(lhs.operand(1, "lhs"), lazy=True),
        replace(rhs.operand(2, "rhs"), lazy=True),
    )
    extra = (a.panel, b.panel, a.exponents, b.exponents)
    _multiply(ctx, parts, lhs, rhs, operands, extra, _KERNELS[parts.numerics.mode], a.form.rows)


def _quantised(
    ctx: Lowering, parts: _Parts, lhs: Matrix, rhs: Matrix
) -> tuple[Quantised, Quantised]:
    loc, numerics = parts.head.loc or parts.op.loc, parts.numerics
    at = parts.region.params.index
    given = [ctx.bufs[parts.op.operands[at(value)]] for value in parts.head.operands[2:]]
    if numerics.mode in WHOLE_ROWS:
        words = (given[0], given[1]) if given else None
        return both_rows(ctx, (lhs, rhs), words, numerics.mode, loc)
    if isinstance(numerics, DotNumerics):
        return quantise.both(ctx, lhs, rhs, numerics, loc)
    d, rows, columns = given
    return both_given(ctx, (lhs, rhs), d, (rows, columns), numerics.k_block, loc)


def _float_operands(lhs: Matrix, rhs: Matrix) -> tuple[Operand, ...]:
    return lhs.operand(1, "lhs"), rhs.operand(2, "rhs")


def _multiply(
    ctx: Lowering,
    parts: _Parts,
    lhs: Matrix,
    rhs: Matrix,
    operands: tuple[Operand, ...],
    extra: tuple[Buf, ...],
    kernel: str,
    group: int = 2,
) -> None:
    """Append the multiplying task; group: rows and columns that its kernel takes together."""
    op = parts.op
    inputs = [ctx.bufs[value] for value in op.operands]
    outputs = [ctx.result_buf(value, op) for value in op.results]
    _, m, n = parts.space.extents
    c = Operand("C", inputs[0].addr(), (0, n * WORD, WORD, 0), 2, internal=True)
    first = len(operands) + 1
    program = strip.build(
        parts.region, parts.found, parts.space, (parts.head.result, first - 1), first
    )
    over = tuple(strip_task.operand(v, parts.space, inputs, outputs) for v in parts.found)
    draft = Draft(
        kernel,
        (parts.space.extents[0], m, n, lhs.k),
        (*operands, c, *over),
        (),
        program.program,
        len(program.prologue),
        program.n_temps,
        inner=3,
        k_block=parts.numerics.k_block,
        label=strip_task.label(parts.region),
        loc=parts.head.loc or op.loc,
        origin="gemm",
    )
    if program.program == (Instr("COPY", (first, first - 1)),):
        draft = replace(draft, program=(), shared=(first - 1, first))  # C itself is stored
    draft = replace(draft, tiles=tuple(_tiles(draft, ctx.options.max_tile, group)))
    ctx.add_drafts([draft], [*inputs, *extra, lhs.buf, rhs.buf], outputs)


def _tiles(draft: Draft, max_tile: int | None, group: int) -> Iterator[Tile]:
    _, m, n, k = draft.extent
    block = draft.k_block or up_to(k, CHUNK)
    deepest = min(up_to(k, CHUNK), block)
    limit = max(max_tile or deepest, CHUNK)
    sides = _K_TILES if draft.k_block else _K_TILES_OF_ROWS
    for t3 in {min(t, deepest, limit // CHUNK * CHUNK) for t in (deepest, *sides)}:
        if draft.k_block and block % t3 and t3 < k:
            continue
        for t1 in _sides(m, max_tile, group):
            for t2 in _sides(n, max_tile, group):
                yield (1, t1, t2, t3)


def _sides(extent: int, max_tile: int | None, group: int) -> list[int]:
    """Tile sides in whole groups: equal shares of the extent and some round ones up to max_tile."""
    most = min(up_to(extent, group), max_tile or _WIDEST, _WIDEST)
    limit = max(most // group * group, group)
    shares = [-(-extent // n) for n in _SHARES]
    return sorted({min(up_to(s, group), limit) for s in (*shares, *_ROUND[group])})


def dims_of(op: Op, head: Op) -> Dims | None:
    """Dims of a dot fusion's result; None where its epilogue fits no three."""
    n_batch = len(head.attrs["lhs_batch"])
    free = len(head.operands[0].shape) - n_batch - len(head.attrs["lhs_contract"])
    space = op.attrs["space"]
    groups = [0 if i < n_batch else 1 if i < n_batch + free else 2 for i in range(len(space))]
    strides = [view.strides for view in views.find(op.regions[0], space)]
    return dims.of_dot(space, strides, groups)


def _matrices(ctx: Lowering, op: Op, region: Region, head: Op) -> tuple[Matrix, Matrix]:
    lhs, rhs = (op.operands[region.params.index(value)] for value in head.operands[:2])
    return (
        _matrix(ctx, op, lhs, head.attrs["lhs_batch"], head.attrs["lhs_contract"]),
        _matrix(ctx, op, rhs, head.attrs["rhs_batch"], head.attrs["rhs_contract"]),
    )


def _matrix(
    ctx: Lowering, op: Op, value: Value, batch: Sequence[int], contract: Sequence[int]
) -> Matrix:
    """See an operand as [batch, free, k], copying it first where axes do not merge."""
    free = [axis for axis in range(len(value.shape)) if axis not in (*batch, *contract)]
    groups = [list(batch), free, list(contract)]
    buf, strides = copy.merged(ctx, op, value, groups)
    extents = [_product(value.shape[axis] for axis in group) for group in groups]
    return Matrix(buf, tuple(extents), tuple(strides))


def _product(values: Iterator[int]) -> int:
    n = 1
    for value in values:
        n *= value
    return n
