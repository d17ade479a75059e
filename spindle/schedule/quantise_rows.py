"""Quantise a dot's operands for bfp16 and bfp13: one exponent a row (docs/spec/dots16.md).

In: two Matrix operands; with GivenNumerics the places of their exponent words. Out: panels and
exponents in scratch, as operands of the dot.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import WORD
from spindle.ir.plan import Operand
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
    out = panel_of(ctx, x, form, 0, loc)
    if given is None and not _whole_pays(ctx, out, mode, loc):
        given = out.exponents
        ctx.add_drafts([_scan(ctx, x, given, loc)], [x.buf], [given])
    reads = [x.buf] if given is None else [x.buf, given]
    writes = [out.panel, out.exponents] if given is None else [out.panel]
    ctx.add_drafts([_draft(ctx, out, given, mode, loc)], reads, writes)
    return out


def _whole_pays(ctx: Lowering, out: Quantised, mode: str, loc: str) -> bool:
    """Whether rows fit in DTCM whole, and reading them twice would not be faster.

    It is where they lie across: few rows then are many short transfers.
    """
    x, anywhere = out.matrix, out.exponents
    if x.k * out.form.rows + out.group_bytes // WORD + _SPARE > BUDGET_WORDS:
        return False
    twice = _scan(ctx, x, anywhere, loc), _draft(ctx, out, anywhere, mode, loc)
    cycles = EPOCH_CYCLES + sum(_cycles(draft) for draft in twice)
    return _cycles(_draft(ctx, out, None, mode, loc)) <= cycles


def _cycles(draft: Draft) -> float:
    """Cycles of the busiest lane, where the task is much of its epoch."""
    task = assemble(draft, Room(large=True))
    return -(-task.n_tiles // LANES) * tile_cycles(task)


def _words(x: Matrix, buf: Buf) -> Operand:
    """Exponent words, one a row."""
    return Operand("words", buf.addr(), (x.free * WORD, WORD, 0, 0), 1)


def _scan(ctx: Lowering, x: Matrix, words: Buf, loc: str) -> Draft:
    operands = (x.operand(1, "x"), replace(_words(x, words), store=True))
    draft = draft_of(ctx, x, "SCAN_FREE", operands, loc)
    return replace(draft, inner=3, arg=SCAN_WORDS)


def _draft(ctx: Lowering, out: Quantised, given: Buf | None, mode: str, loc: str) -> Draft:
    """Quantising with whole rows in a tile, or with exponent words that are given."""
    x, form = out.matrix, out.form
    deep, arg = [x.k], QUANTISE_WIDE if form is WIDE else 0
    words = out.exponent_operand(1, given is None)
    operands = [x.operand(1, "x"), out.panel_operand(1, True), words]
    if given is not None:
        deep, arg = _pieces(ctx, x), arg | QUANTISE_GIVEN
    draft = draft_of(ctx, x, _KERNELS[mode], tuple(operands), loc, deep, form.rows)
    return replace(draft, arg=arg)


def _pieces(ctx: Lowering, x: Matrix) -> list[int]:
    """Sides of tiles along k: whole chunks."""
    limit = max(ctx.options.max_tile or _DEEP[0], CHUNK)
    return [side for side in _DEEP if side <= limit and side < x.k + CHUNK]
