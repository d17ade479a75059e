"""Algebra for `simplify`: ops that return one of their operands, or a constant, bit for bit.

In: an op with new operands and the Builder. Out: the value that equals its result, or None.
Float identities hold only where facts.py proves them: x + 0 changes -0, x * 1 changes odd NaNs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spindle.ir.graph import Op, Value
from spindle.ir.kinds import neutral
from spindle.ir.rewrite import Builder, splat_value
from spindle.passes.facts import has_one_nan, never_minus_zero

_COMMUTATIVE = frozenset({"add", "multiply", "and", "or", "xor", "maximum", "minimum"})
_RIGHT_ZERO = frozenset(
    {"subtract", "xor", "shift_left", "shift_right_logical", "shift_right_arithmetic"}
)


def identity(builder: Builder, op: Op) -> Value | None:
    """Return a value equal to the op's result for every input, if a rule here finds one."""
    if op.kind == "select":
        return _select(builder, op)
    if op.kind == "compare":
        return _compare(builder, op)
    if op.kind in ("convert", "bitcast_convert"):
        return _convert(builder, op)
    if len(op.operands) == 2 and op.kind not in ("reduce", "dot_general", "dynamic_slice"):
        return _neutral(builder, op) or _absorbing(builder, op) or _repeated(op)
    return None


def _splat(builder: Builder, value: Value) -> Any:
    return splat_value(builder.defs.get(value))


def _select(builder: Builder, op: Op) -> Value | None:
    pred, on_true, on_false = op.operands
    known = _splat(builder, pred)
    if known is not None:
        return on_true if known else on_false
    return on_true if on_true is on_false else None


def _compare(builder: Builder, op: Op) -> Value | None:
    a, b = op.operands
    if a is not b or a.dtype == "f32":
        return None
    return builder.splat(op.attrs["direction"] in ("EQ", "LE", "GE"), op.result.type, op.loc)


def _convert(builder: Builder, op: Op) -> Value | None:
    source = op.operands[0]
    if source.dtype == op.result.dtype:
        return source
    inner = builder.defs.get(source)
    if op.kind == "convert" and inner is not None and inner.kind == "convert":
        origin = inner.operands[0]
        if origin.dtype == "i1" and source.dtype != "i1":
            return builder.emit("convert", (origin,), op.result.type, loc=op.loc)
    return None


def _neutral(builder: Builder, op: Op) -> Value | None:
    """Return x for x (op) n, or n (op) x where the op commutes."""
    a, b = op.operands
    if _is_neutral(builder, op, a, _splat(builder, b)):
        return a
    if op.kind in _COMMUTATIVE and _is_neutral(builder, op, b, _splat(builder, a)):
        return b
    return None


def _is_neutral(builder: Builder, op: Op, x: Value, other: Any) -> bool:
    """Tell whether `x (op) other` is x; `other` is None where it is no known splat."""
    if other is None:
        return False
    if x.dtype == "f32":
        return _is_float_neutral(builder, op.kind, x, other)
    if op.kind in _RIGHT_ZERO:
        return bool(other == 0)
    if op.kind == "divide":
        return bool(other == 1)
    if op.kind in ("add", "multiply", "maximum", "minimum", "and", "or"):
        return bool(other == other.dtype.type(neutral(op.kind, x.dtype)))
    return False


def _is_float_neutral(builder: Builder, kind: str, x: Value, other: Any) -> bool:
    word = int(other.view(np.uint32))
    neutrals = {
        "add": _word(-0.0),
        "subtract": _word(0.0),
        "multiply": _word(1.0),
        "divide": _word(1.0),
        "maximum": _word(-np.inf),
        "minimum": _word(np.inf),
    }
    if kind == "add" and word == _word(0.0):
        return never_minus_zero(builder, x) and has_one_nan(builder, x)
    return word == neutrals.get(kind) and has_one_nan(builder, x)


def _word(x: float) -> int:
    return int(np.float32(x).view(np.uint32))


def _absorbing(builder: Builder, op: Op) -> Value | None:
    """Integers: x * 0, x and 0 are 0; x or ones is ones."""
    if op.operands[0].dtype == "f32":
        return None
    for value in op.operands:
        splat = _splat(builder, value)
        if splat is None:
            continue
        if op.kind in ("multiply", "and") and splat == 0:
            return value
        if op.kind == "or" and splat == splat.dtype.type(neutral("and", value.dtype)):
            return value
    return None


def _repeated(op: Op) -> Value | None:
    """Integers: x and x, x or x, the larger or smaller of x and x are x."""
    a, b = op.operands
    same = a is b and a.dtype != "f32" and op.kind in ("and", "or", "maximum", "minimum")
    return a if same else None
