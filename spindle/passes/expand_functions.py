"""expand_functions: write the functions that have no kernel with kinds that have one.

In: a Module. Out: the Module without the kinds of ir/compositions.py, which says how.
"""

from __future__ import annotations

from spindle.ir.compositions import COMPOSITIONS
from spindle.ir.graph import Module, Op, Value
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand


def expand_functions(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, COMPOSITIONS, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind not in COMPOSITIONS:
        return None
    return (COMPOSITIONS[op.kind](Emitter(builder, op.loc), *op.operands),)
