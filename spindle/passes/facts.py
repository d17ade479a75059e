"""What can be proven about a float value from the ops that make it, for every input.

In: a Builder (who made what) and a value. Out: a yes, or a no that means "not proven".
Arithmetic returns the one NaN 0x7fc00000, but inputs may hold other NaNs, and bits must stay.
"""

from __future__ import annotations

import numpy as np

from spindle.ir.graph import Op, Value
from spindle.ir.kinds import ELEMENTWISE
from spindle.ir.rewrite import Array, Builder, splat_value

DEPTH = 12
"""Ops looked through, at most."""

_KEEPS_NAN_BITS = frozenset({"negate", "abs", "select", "bitcast_convert", "clamp", "convert"})
_MAKES_NAN_BITS = (ELEMENTWISE - _KEEPS_NAN_BITS) | {"reduce", "dot_general", "convolution", "iota"}
_MOVES = frozenset(
    {"reshape", "broadcast_in_dim", "transpose", "reverse", "slice", "strided", "concatenate"}
)
_MOVED = {"select": slice(1, 3), "dynamic_slice": slice(0, 1), "dynamic_update_slice": slice(0, 2)}


def has_one_nan(builder: Builder, value: Value, depth: int = DEPTH) -> bool:
    """Tell whether every NaN this float value may hold is 0x7fc00000."""
    op = builder.defs.get(value)
    if op is None or depth == 0:
        return False
    if op.kind == "constant":
        bits = np.ascontiguousarray(_sample(op)).view(np.uint32)
        return bool(np.all(~np.isnan(_sample(op)).reshape(-1) | (bits == 0x7FC00000).reshape(-1)))
    if op.kind in _MAKES_NAN_BITS or (op.kind == "convert" and op.operands[0].dtype != "f32"):
        return True
    moved = _moved_operands(op)
    return bool(moved) and all(has_one_nan(builder, v, depth - 1) for v in moved)


def never_minus_zero(builder: Builder, value: Value, depth: int = DEPTH) -> bool:
    """Tell whether no element of this float value can be -0."""
    op = builder.defs.get(value)
    if op is None or depth == 0:
        return False
    if op.kind == "constant":
        array = _sample(op)
        return not bool(np.any((array == 0) & np.signbit(array)))
    if op.kind in ("abs", "exponential", "logistic", "iota"):
        return True
    if op.kind == "convert" and op.operands[0].dtype != "f32":
        return True
    if op.kind == "add" or (op.kind == "reduce" and op.attrs["reducer"] == "add"):
        return any(_is_plus_zero(builder, v) for v in op.operands) or (
            op.kind == "add" and any(never_minus_zero(builder, v, depth - 1) for v in op.operands)
        )
    moved = _moved_operands(op)
    return bool(moved) and all(never_minus_zero(builder, v, depth - 1) for v in moved)


def _moved_operands(op: Op) -> tuple[Value, ...]:
    """The operands whose elements are the result's elements, () where it computes new ones."""
    if op.kind in _MOVES:
        return op.operands
    return op.operands[_MOVED[op.kind]] if op.kind in _MOVED else ()


def _is_plus_zero(builder: Builder, value: Value) -> bool:
    splat = splat_value(builder.defs.get(value))
    return splat is not None and bool(splat == 0) and not bool(np.signbit(splat))


def _sample(op: Op) -> Array:
    """A constant's elements, or its one element."""
    splat = splat_value(op)
    array: Array = op.attrs["value"] if splat is None else splat.reshape(1)
    return array
