"""Constant folding for `simplify`: the evaluator itself computes, so the bits are its bits.

In: an op with new operands and the Builder that made them. Out: the folded constant's value, or
None. Splat constants fold as one element; others only up to FOLD_LIMIT elements.
"""

from __future__ import annotations

import numpy as np

from spindle.ir.evaluate import evaluate
from spindle.ir.graph import DTYPES, Module, Op, Region, TensorType, Value
from spindle.ir.kinds import ELEMENTWISE
from spindle.ir.rewrite import Array, Builder, splat_value
from spindle.options import Options

FOLD_LIMIT = 256
"""Elements that an operand or result of a folded op may have, where it is no splat."""

_MOVES = frozenset({"reshape", "broadcast_in_dim", "transpose", "slice"})
_FOLDED = ELEMENTWISE | _MOVES | {"concatenate"}


def fold(builder: Builder, op: Op) -> Value | None:
    """Return a constant equal to the op's result, where all its operands are constants."""
    if op.kind not in _FOLDED or not op.operands:
        return None
    makers = [builder.defs.get(value) for value in op.operands]
    if not all(maker is not None and maker.kind == "constant" for maker in makers):
        return None
    splats = [splat_value(maker) for maker in makers]
    if op.kind != "concatenate" and all(splat is not None for splat in splats):
        one = splats[0] if op.kind in _MOVES else _apply(_at_one_element(op), splats)
        return builder.splat(one, op.result.type, op.loc)
    arrays = [maker.attrs["value"] for maker in makers if maker is not None]
    if max(op.result.type.size, *(array.size for array in arrays)) > FOLD_LIMIT:
        return None
    return builder.emit("constant", (), op.result.type, {"value": _apply(op, arrays)}, op.loc)


def _at_one_element(op: Op) -> Op:
    """The same elementwise op on scalars."""
    operands = tuple(Value(TensorType((), value.dtype)) for value in op.operands)
    result = Value(TensorType((), op.result.dtype))
    return Op(op.kind, operands, (result,), op.attrs, loc=op.loc)


def _apply(op: Op, arrays: list[Array]) -> Array:
    params = tuple(Value(value.type) for value in op.operands)
    inner = Op(op.kind, params, op.results, op.attrs, loc=op.loc)
    module = Module("fold", Region(params, (inner,), op.results))
    inputs = [np.ascontiguousarray(a).reshape(a.shape) for a in arrays]
    (result,) = evaluate(module, inputs, Options())
    return np.asarray(result, DTYPES[op.result.dtype]).reshape(op.result.shape)
