"""Numbers of any integer type as places along an axis: starts of slices, rows of gathers.

In: a Scope and the Value of the numbers. Out: numbers that a Module takes for places, which are
the same places: what lies beyond 2^31 lies beyond every axis too.
"""

from __future__ import annotations

import numpy as np

from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.scope import Scope
from spindle.ir.graph import DTYPES, PAIRS, TensorType, Value

LAST = 2**31 - 1


def as_start(scope: Scope, raw: RawOp, value: Value) -> Value:
    """Return i32, or ui32 below 2^31."""
    if value.dtype != "ui32":
        return as_place(scope, raw, value)
    bounded = scope.ranges.get(value, (0, LAST + 1))[1] <= LAST
    return value if bounded else _at_most(scope, raw, value)


def as_place(scope: Scope, raw: RawOp, value: Value) -> Value:
    """Return i32."""
    if value.dtype == "i32":
        return value
    if value.dtype in PAIRS | {"ui32"}:
        value = _at_most(scope, raw, value)
    if value.dtype == "i64":
        least = _splat(scope, raw, -LAST - 1, value)
        value = scope.emit(raw, "maximum", (value, least), value.type)
    return scope.emit(raw, "convert", (value,), TensorType(value.shape, "i32"))


def _at_most(scope: Scope, raw: RawOp, value: Value) -> Value:
    return scope.emit(raw, "minimum", (value, _splat(scope, raw, LAST, value)), value.type)


def _splat(scope: Scope, raw: RawOp, number: int, like: Value) -> Value:
    scalar = scope.constant(raw, np.array(number, DTYPES[like.dtype]), like.dtype)
    return scope.broadcast(raw, scalar, like.shape)
