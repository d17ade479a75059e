"""64-bit integers held in 32 bits, where the values provably fit.

In: ops on i64/ui64 tensors, as JAX's threefry makes for its counters even with x64 off. Out: the
same ops on ui32, each with the range of its values (Scope.ranges). A value that may leave
0 .. 2^32-1 is an UnsupportedError: nothing is ever cut silently.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.scope import WIDE, Range, Scope, tensor_type
from spindle.ir.graph import TensorType, Value

Rule = Callable[[Scope, RawOp], Value]

UI32_MAX = 2**32 - 1


def is_wide(scope: Scope, raw: RawOp) -> bool:
    """Say whether an op reads or makes a 64-bit integer tensor."""
    return any(scope.types[number].dtype in WIDE for number in (*raw.operands, *raw.results))


def narrow(scope: Scope, raw: RawOp) -> Value | None:
    """Emit the ui32 form of an op with one 64-bit result; None: the ordinary rule will do.

    Raises UnsupportedError naming the op where the values may not fit 32 bits.
    """
    if scope.types[raw.results[0]].dtype not in WIDE:
        return None
    value = _RULES.get(raw.name.removeprefix("stablehlo."), _refuse)(scope, raw)
    return value


def _refuse(scope: Scope, raw: RawOp) -> Value:
    tensor_type(scope.types[raw.results[0]], f"{raw.name} makes", raw.loc)
    raise AssertionError("a 64-bit type has no TensorType")


def _out(scope: Scope, raw: RawOp) -> TensorType:
    """Return the ui32 type in place of the 64-bit one."""
    wide = scope.types[raw.results[0]]
    return tensor_type(type(wide)(wide.shape, "ui32"), f"{raw.name} makes", raw.loc)


def _keep(scope: Scope, raw: RawOp, value: Value, bounds: Range) -> Value:
    low, high = bounds
    if not 0 <= low <= high <= UI32_MAX:
        return _refuse(scope, raw)
    scope.ranges[value] = bounds
    return value


def _range(scope: Scope, value: Value) -> Range:
    """Return the bounds of a value; an ordinary ui32 may be anything, i1 is 0 or 1."""
    if value in scope.ranges:
        return scope.ranges[value]
    return {"ui32": (0, UI32_MAX), "i1": (0, 1)}.get(value.dtype, (-1, UI32_MAX))


def _constant(scope: Scope, raw: RawOp) -> Value:
    data = raw.attrs["value"]
    low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
    if not 0 <= low <= high <= UI32_MAX:
        return _refuse(scope, raw)
    return _keep(scope, raw, scope.constant(raw, data, "ui32"), (low, high))


def _iota(scope: Scope, raw: RawOp) -> Value:
    out, dim = _out(scope, raw), raw.attrs["iota_dimension"]
    value = scope.emit(raw, "iota", (), out, dim=dim)
    return _keep(scope, raw, value, (0, max(out.shape[dim] - 1, 0)))


def _convert(scope: Scope, raw: RawOp) -> Value:
    (source,) = scope.operands(raw)
    bounds = _range(scope, source)
    if source.dtype == "ui32":
        return _keep(scope, raw, source, bounds)
    return _keep(scope, raw, scope.emit(raw, "convert", (source,), _out(scope, raw)), bounds)


def _shape_op(kind: str, **names: str) -> Rule:
    """Make the rule of an op that only moves values: the range stays."""

    def rule(scope: Scope, raw: RawOp) -> Value:
        attrs = {ours: tuple(raw.attrs[theirs]) for ours, theirs in names.items()}
        value = scope.emit(raw, kind, scope.operands(raw), _out(scope, raw), **attrs)
        return _keep(scope, raw, value, _range(scope, scope.operands(raw)[0]))

    return rule


def _concatenate(scope: Scope, raw: RawOp) -> Value:
    bounds = [_range(scope, value) for value in scope.operands(raw)]
    joined = (min(low for low, _ in bounds), max(high for _, high in bounds))
    dim = raw.attrs["dimension"]
    value = scope.emit(raw, "concatenate", scope.operands(raw), _out(scope, raw), dim=dim)
    return _keep(scope, raw, value, joined)


def _arithmetic(kind: str, bound: Callable[[Range, Range], Range]) -> Rule:
    """Make the rule of a two-operand op; `bound` gives the range of the result."""

    def rule(scope: Scope, raw: RawOp) -> Value:
        lhs, rhs = scope.operands(raw)
        bounds = bound(_range(scope, lhs), _range(scope, rhs))
        value = scope.emit(raw, kind, (lhs, rhs), _out(scope, raw))
        return _keep(scope, raw, value, bounds)

    return rule


def _shift_right(scope: Scope, raw: RawOp) -> Value:
    """Shift right; by 32 or more, which ui32 cannot say, gives zeros."""
    value, amount = scope.operands(raw)
    (low, high), (least, most) = _range(scope, value), _range(scope, amount)
    if least >= 32:
        zeros = np.zeros(value.shape, np.uint32)
        return _keep(scope, raw, scope.constant(raw, zeros, "ui32"), (0, 0))
    if most >= 32:
        return _refuse(scope, raw)
    shifted = scope.emit(raw, "shift_right_logical", (value, amount), _out(scope, raw))
    return _keep(scope, raw, shifted, (low >> most, high >> least))


_RULES: dict[str, Rule] = {
    "constant": _constant,
    "iota": _iota,
    "convert": _convert,
    "reshape": _shape_op("reshape"),
    "broadcast_in_dim": _shape_op("broadcast_in_dim", dims="broadcast_dimensions"),
    "transpose": _shape_op("transpose", permutation="permutation"),
    "slice": _shape_op("slice", start="start_indices", limit="limit_indices", strides="strides"),
    "concatenate": _concatenate,
    "add": _arithmetic("add", lambda a, b: (a[0] + b[0], a[1] + b[1])),
    "multiply": _arithmetic("multiply", lambda a, b: (a[0] * b[0], a[1] * b[1])),
    "subtract": _arithmetic("subtract", lambda a, b: (a[0] - b[1], a[1] - b[0])),
    "and": _arithmetic("and", lambda a, b: (0, min(a[1], b[1]))),
    "shift_right_logical": _shift_right,
    "shift_right_arithmetic": _shift_right,
}
