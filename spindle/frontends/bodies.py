"""What a region of a few scalars computes, found by trying every order they can be in.

In: the raw region of a reduce or sort. Out: its results for given operands. A body made only of
comparisons, selections, logic, minimum and maximum knows its operands by their order alone (and
by their place beside 0 and NaN, its only constants); so a table of probes, two from every place, is
a proof of what it computes for all values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spindle.frontends.jaxlib_adapter import RawOp, RawRegion
from spindle.frontends.scope import Scope
from spindle.ir.dtypes import FLOATS, INTEGERS, SMALL_FLOATS, integer_range
from spindle.ir.graph import DTYPES

Array = np.ndarray[Any, Any]

_F32 = np.array([-np.inf, -2, -1, -0.0, 0.0, 1, 2, np.inf, np.nan, np.nan], np.float32)
_F32[-1:] = -_F32[-1:]
_SMALL = tuple(DTYPES[dtype] for dtype in SMALL_FLOATS)


def _integers(dtype: str) -> Array:
    """Return an integer type's ends, and what lies around 0 or the middle."""
    low, high = integer_range(dtype)
    places = {low, -2, -1, 0, 1, 2, high // 2, high // 2 + 1, high}
    return np.array(sorted(x for x in places if low <= x <= high), DTYPES[dtype])


PROBES: dict[str, Array] = {
    **dict.fromkeys(FLOATS, _F32),
    **{dtype: _integers(dtype) for dtype in INTEGERS},
    "i1": np.array([False, True]),
}
"""Values of every place, by element type: both zeros, both infinities, NaNs of both signs.

float32 stands for the smaller floats, whose order is the same.
"""

_COMPARE: dict[str, Callable[[Array, Array], Array]] = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
_OPS: dict[str, Callable[..., Array]] = {
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
    "select": np.where,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


def run_body(
    scope: Scope, region: RawRegion, operands: tuple[Array, ...]
) -> tuple[Array, ...] | None:
    """Run a body on arrays of operands, element by element; None where it is of another kind."""
    values = _outer_constants(scope, region)
    values.update(zip(region.params, operands, strict=True))
    for op in region.ops:
        if not all(number in values for number in op.operands):
            return None
        result = _run(op, [values[number] for number in op.operands])
        if result is None:
            return None
        values[op.results[0]] = result
    if not all(number in values for number in region.returns):
        return None
    shape = operands[0].shape
    return tuple(np.broadcast_to(values[number], shape) for number in region.returns)


def _outer_constants(scope: Scope, region: RawRegion) -> dict[int, Array]:
    """Return the constants 0 and NaN that the body reads from outside."""
    found = {}
    for number in {number for op in region.ops for number in op.operands}:
        maker = scope.defs.get(scope.values[number]) if number in scope.values else None
        constant = (
            _zero_or_nan(maker.attrs["value"]) if maker and maker.kind == "constant" else None
        )
        if constant is not None:
            found[number] = constant
    return found


def _run(op: RawOp, operands: list[Array]) -> Array | None:
    name = op.name.removeprefix("stablehlo.")
    if name == "constant":
        return _zero_or_nan(op.attrs["value"])
    if name == "compare":
        a, b = operands
        if op.attrs.get("compare_type") == "TOTALORDER":
            a, b = total_order(a), total_order(b)
        return _COMPARE[op.attrs["comparison_direction"]](a, b)
    return _OPS[name](*operands) if name in _OPS else None


def _zero_or_nan(value: Any) -> Array | None:
    """Return a scalar constant 0 or NaN: every place beside those is among the probes."""
    if not isinstance(value, np.ndarray) or value.size != 1:
        return None
    scalar = value.reshape(())
    if not (scalar == 0 or scalar != scalar):
        return None
    return scalar.astype(np.float32) if scalar.dtype in _SMALL else scalar


def total_order(x: Array) -> Array:
    """Return int32 in the order of IEEE totalOrder: -NaN, -Inf .. -0, +0 .. Inf, NaN."""
    if x.dtype != np.float32:
        return x
    word = np.ascontiguousarray(x).view(np.int32).reshape(x.shape)
    return np.where(word < 0, word ^ np.int32(0x7FFFFFFF), word)
