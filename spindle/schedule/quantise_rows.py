"""Quantise a dot's operands for bfp16 and bfp13: one exponent a row (docs/spec/dots16.md).

In: two Matrix operands; with GivenNumerics the places of their exponent words. Out: panels and
exponents in scratch, as operands of the dot.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import WORD
from spindle.schedule.assemble import Draft, assemble
from spindle.schedule.jobs import Buf
from spindle.schedule.lower import Lowering
from spindle.schedule.panel import NARROW, WIDE, Matrix, PanelForm, Quantised, panel_of
from spindle.schedule.quantise import draft_of
from spindle.schedule.room import BUDGET_WORDS, Room
from spindle.schedule.tile_cost import EPOCH_CYCLES, tile_cycles
from spindle.spec.records import CHUNK, LANES
from spindle.spec.tables import QUANTISE_GIVEN, QUANTISE_WIDE, SCAN_WORDS

_KERNELS = {"bfp16": "QUANTISE_16", "bfp13": "QUANTISE_13"}
_FORMS = {"bfp16": (WIDE, NARROW), "bfp13": (NARROW, NARROW)}
_SPARE = 64
_DEEP = (512, 256, 128, 64, 32, 16, 8)


def both_rows(
    ctx: Lowering,
    sides: tuple[Matrix, Matrix],
    given: tuple[Buf, Buf] | None,
    mode: str,
    loc: str,
) -> tuple[Quantised, Quantised]:
    """Append the jobs that quantise both operands of a dot; given: their exponent words."""
    words = given or (None, None)
    left, right = (
        _quantise(ctx, x, form, e, mode, loc)
        for x, form, e in zip(sides, _FORMS[mode], words, strict=True)
    )
    return left, right


def _quantise(
    ctx: Lowering, x: Matrix, form: PanelForm, given: Buf | None, mode: str, loc: str
) -> Quantised:
    """Whole rows at a time, or in pieces once their exponents are known: what takes less."""
    out = panel_of(ctx, x, form, 0, loc, given)
    if given is None and _whole_pays(ctx, out, mode, loc):
        draft = _draft(ctx, out, mode, loc, whole=True)
        ctx.add_drafts([draft], [x.buf], [out.panel, out.exponents])
        return out
    if given is None:
        ctx.add_drafts([_scan(ctx, out, loc)], [x.buf], [out.exponents])
    draft = _draft(ctx, out, mode, loc, whole=False)
    ctx.add_drafts([draft], [x.buf, out.exponents], [out.panel])
    return out


def _whole_pays(ctx: Lowering, out: Quantised, mode: str, loc: str) -> bool:
    """Whether rows fit in DTCM whole, and reading them twice would not be faster.

    It is where they lie across: few rows then are many short transfers.
    """
    if out.matrix.k * out.form.rows + out.group_bytes // WORD + _SPARE > BUDGET_WORDS:
        return False
    twice = _scan(ctx, out, loc), _draft(ctx, out, mode, loc, whole=False)
    cycles = EPOCH_CYCLES + sum(_cycles(draft) for draft in twice)
    return _cycles(_draft(ctx, out, mode, loc, whole=True)) <= cycles


def _cycles(draft: Draft) -> float:
    """Cycles of the busiest lane, where the task is much of its epoch."""
    task = assemble(draft, Room(large=True))
    return -(-task.n_tiles // LANES) * tile_cycles(task)


def _scan(ctx: Lowering, out: Quantised, loc: str) -> Draft:
    """Find the rows' exponent words."""
    operands = out.matrix.operand(1, "x"), out.exponent_operand(1, store=True)
    draft = draft_of(ctx, out.matrix, "SCAN_FREE", operands, loc)
    return replace(draft, inner=3, arg=SCAN_WORDS)


def _draft(ctx: Lowering, out: Quantised, mode: str, loc: str, *, whole: bool) -> Draft:
    """Quantise whole rows, which finds their exponents, or pieces, which is told them."""
    x, form = out.matrix, out.form
    operands = (
        x.operand(1, "x"),
        out.panel_operand(1, store=True),
        out.exponent_operand(1, store=whole),
    )
    deep, arg = ([x.k], 0) if whole else (_pieces(ctx, x), QUANTISE_GIVEN)
    draft = draft_of(ctx, x, _KERNELS[mode], operands, loc, deep, form.rows)
    return replace(draft, arg=arg | (QUANTISE_WIDE if form is WIDE else 0))


def _pieces(ctx: Lowering, x: Matrix) -> list[int]:
    """Sides of tiles along k: whole chunks."""
    limit = max(ctx.options.max_tile or _DEEP[0], CHUNK)
    return [side for side in _DEEP if side <= limit and side < x.k + CHUNK]
