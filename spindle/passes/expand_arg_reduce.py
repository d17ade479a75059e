"""expand_arg_reduce: find the best value, then the smallest number of an element equal to it.

In: a Module. Out: the Module without `arg_reduce`: reduce, compare with the result, select the
numbers, reduce by minimum. The init takes part as one more element.
"""

from __future__ import annotations

from spindle.ir.graph import Module, Op, TensorType, Value
from spindle.ir.kinds import neutral
from spindle.ir.rewrite import Builder
from spindle.options import Options
from spindle.passes.emit import Emitter, expand


def expand_arg_reduce(module: Module, options: Options) -> Module:
    """Rewrite every region. Needs nothing of the options."""
    return expand(module, {"arg_reduce"}, _visit)


def _visit(builder: Builder, op: Op) -> tuple[Value, ...] | None:
    if op.kind != "arg_reduce":
        return None
    emit = Emitter(builder, op.loc)
    x, number, init, first = op.operands
    out, dims = op.result, op.attrs["dims"]
    kept = tuple(axis for axis in range(len(x.shape)) if axis not in dims)
    best = builder.emit("reduce", (x, init), TensorType(out.shape, x.dtype), op.attrs, op.loc)
    chosen = _chosen(emit, x, emit.spread(best, x.shape, kept), number)
    attrs = {"dims": dims, "reducer": "minimum"}
    last = emit.splat(neutral("minimum", number.dtype), first)
    smallest = builder.emit("reduce", (chosen, last), out.type, attrs, op.loc)
    starts = (emit.spread(init, out.shape), emit.spread(first, out.shape))
    return (emit.op("minimum", smallest, _chosen(emit, starts[0], best, starts[1])),)


def _chosen(emit: Emitter, x: Value, best: Value, number: Value) -> Value:
    """Keep the number where x is the best (where that is NaN: where x is NaN), else the largest."""
    is_best = emit.compare("EQ", x, best)
    if x.dtype == "f32":
        is_best = emit.op("or", is_best, emit.compare("NE", x, x))
    return emit.select(is_best, number, emit.splat(neutral("minimum", number.dtype), number))
