"""expand_precision: write reduce_precision with integer ops.

In: a Module. Out: the Module without it. Bits of the mantissa are rounded away; an exponent that
the asked width lacks makes the number infinite, or zero: there are no denormals.
"""

from __future__ import annotations

from spindle.ir.composition_parts import as_float, bits, unless_nan, with_constant
from spindle.ir.graph import Module, Op, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand
from spindle.passes.fit_words import INF, half_even

BIAS, EXPONENT_BITS, MANTISSA_BITS = 127, 8, 23


def expand_precision(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"reduce_precision"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "reduce_precision":
        return None
    emit, (x,) = Emitter(builder, op.loc), op.operands
    sign = with_constant(emit, "and", bits(emit, x), 1 << 31)
    size = with_constant(emit, "and", bits(emit, x), (1 << 31) - 1)
    if op.attrs["mantissa_bits"] < MANTISSA_BITS:
        size = half_even(emit, size, MANTISSA_BITS - op.attrs["mantissa_bits"])
    if op.attrs["exponent_bits"] < EXPONENT_BITS:
        size = _bounded(emit, size, op.attrs["exponent_bits"])
    return (unless_nan(emit, x, as_float(emit, emit.op("or", size, sign))),)


def _bounded(emit: Emitter, size: Value, exponent_bits: int) -> Value:
    """Replace what is too large or too small for an exponent of so many bits."""
    reach = (1 << (exponent_bits - 1)) - 1
    over = emit.compare("GE", size, emit.splat(BIAS + reach + 1 << MANTISSA_BITS, size))
    under = emit.compare("LT", size, emit.splat(BIAS - reach + 1 << MANTISSA_BITS, size))
    finite = emit.select(under, emit.splat(0, size), size)
    return emit.select(over, emit.splat(INF, size), finite)
