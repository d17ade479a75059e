"""Quantise a dot's operands for bfp16 and bfp13: one exponent a row (docs/spec/dots16.md).

In: two Matrix operands; with GivenNumerics the places of their exponent words. Out: panels and
exponents in scratch, as operands of the dot.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import WORD
from spindle.ir.plan import Operand
from spindle.schedule.jobs import Buf
from spindle.schedule.lower import Lowering
from spindle.schedule.panel import NARROW, WIDE, Matrix, PanelForm, Quantised, panel_of
from spindle.schedule.quantise import draft_of
from spindle.schedule.room import BUDGET_WORDS
from spindle.spec.records import CHUNK
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
    """Rows too long for one tile have their exponents found first."""
    out = panel_of(ctx, x, form, 0, loc)
    if given is None and not _fits(out):
        given = _scanned(ctx, x, loc)
    reads, deep, arg = [x.buf], [x.k], QUANTISE_WIDE if form is WIDE else 0
    operands = [x.operand(1, "x"), out.panel_operand(1, True), out.exponent_operand(1, True)]
    if given is not None:
        operands.append(_words(x, given))
        reads, deep, arg = [x.buf, given], _cuts(ctx, x), arg | QUANTISE_GIVEN
    draft = draft_of(ctx, x, _KERNELS[mode], tuple(operands), loc, deep, form.rows)
    ctx.add_drafts([replace(draft, arg=arg)], reads, [out.panel, out.exponents])
    return out


def _fits(out: Quantised) -> bool:
    """Whether a group of whole rows lies in half of the arena, floats and mantissas."""
    words = out.form.rows * out.matrix.k + out.group_bytes // WORD
    return words + _SPARE <= BUDGET_WORDS


def _words(x: Matrix, buf: Buf) -> Operand:
    """Exponent words, one a row."""
    return Operand("words", buf.addr(), (x.free * WORD, WORD, 0, 0), 1)


def _cuts(ctx: Lowering, x: Matrix) -> list[int]:
    """Sides of tiles along k: whole chunks."""
    limit = max(ctx.options.max_tile or _DEEP[0], CHUNK)
    return [side for side in _DEEP if side <= limit and side < x.k + CHUNK]


def _scanned(ctx: Lowering, x: Matrix, loc: str) -> Buf:
    """Append the search for the rows' exponent words."""
    buf = ctx.new_buf(x.batch * x.free * WORD, "row exponents", loc)
    operands = (x.operand(1, "x"), replace(_words(x, buf), store=True))
    draft = draft_of(ctx, x, "SCAN_FREE", operands, loc)
    ctx.add_drafts([replace(draft, inner=3, arg=SCAN_WORDS)], [x.buf], [buf])
    return buf
