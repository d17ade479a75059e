"""Quantise a dot's operands with exponents that are its operands (docs/spec/convolution.md 6).

In: two Matrix operands, the places of d and of both operands' exponent words. Out: panels and
exponents in scratch, as quantise.py leaves them; no SCAN, no BALANCE.
"""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.graph import WORD
from spindle.ir.plan import Operand
from spindle.schedule.jobs import Buf
from spindle.schedule.lower import Lowering
from spindle.schedule.panel import PAIRS, Matrix, Quantised, panel_of
from spindle.schedule.quantise import draft_of, operands_of
from spindle.spec.tables import QUANTISE_GIVEN


def both_given(
    ctx: Lowering,
    sides: tuple[Matrix, Matrix],
    d: Buf,
    exponents: tuple[Buf, Buf],
    k_block: int,
    loc: str,
) -> tuple[Quantised, Quantised]:
    """Append the jobs that quantise both operands of a dot whose exponents are its operands."""
    left, right = (
        _quantise_given(ctx, x, d, e, is_rhs, k_block, loc)
        for is_rhs, (x, e) in enumerate(zip(sides, exponents, strict=True))
    )
    return left, right


def _quantise_given(
    ctx: Lowering, x: Matrix, d: Buf, given: Buf, is_rhs: int, k_block: int, loc: str
) -> Quantised:
    out = panel_of(ctx, x, PAIRS, k_block, loc)
    words = Operand("given", given.addr(), (x.free * WORD, WORD, 0, 0), 1)
    operands = (*operands_of(x, d, out), words)
    draft = draft_of(ctx, x, "QUANTISE", operands, loc, [k_block], PAIRS.rows)
    draft = replace(draft, k_block=k_block, arg=is_rhs | QUANTISE_GIVEN)
    ctx.add_drafts([draft], [x.buf, d, given], [out.panel, out.exponents])
    return out
