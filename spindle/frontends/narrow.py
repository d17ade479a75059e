"""64-bit integers made ui32, where the values provably fit.

In: ops on i64/ui64 tensors, as JAX's threefry makes for its counters even with x64 off. Out: the
same ops on ui32, each with the range of its values (Scope.ranges). An op whose values may leave
0 .. 2^32-1 stays one of 64 bits, and so does what is made of it; `widened` lifts its operands.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spindle.frontends.jaxlib_adapter import RawOp
from spindle.frontends.scope import Range, Scope
from spindle.ir.dtypes import FLOATS, integer_range
from spindle.ir.graph import PAIRS, TensorType, Value

Rule = Callable[[Scope, RawOp], Value | None]

UI32_MAX = 2**32 - 1
READERS = frozenset({"convert", "dynamic_slice", "dynamic_update_slice", "gather", "scatter"})
"""Ops that make no 64-bit values, and whose rules take any integer for a number or a place."""


def is_wide(scope: Scope, raw: RawOp) -> bool:
    """Say whether an op reads or makes a 64-bit integer tensor."""
    return any(scope.types[number].dtype in PAIRS for number in (*raw.operands, *raw.results))


def narrow(scope: Scope, raw: RawOp) -> Value | None:
    """Emit the ui32 form of an op whose first result has 64 bits; None: it needs them all."""
    rule = _RULES.get(raw.name.removeprefix("stablehlo."))
    if rule is None or scope.types[raw.results[0]].dtype not in PAIRS:
        return None
    if any(value.dtype in PAIRS for value in scope.operands(raw)):
        return None
    return rule(scope, raw)


def widened(scope: Scope, raw: RawOp) -> Scope:
    """Return a scope, of the same region, in which the op's operands have the program's types."""
    wide = [n for n in raw.operands if scope.types[n].dtype in PAIRS]
    values = [scope.value(n, raw) for n in wide]
    kind = raw.name.removeprefix("stablehlo.")
    makes_wide = any(scope.types[n].dtype in PAIRS for n in raw.results)
    if not makes_wide and (kind in READERS or _all_narrow(values, kind)):
        return scope
    if kind == "reduce" and len(raw.results) == 2 and all(v in scope.ranges for v in values):
        return scope
    lifted = {n: scope.lifted(n, raw.loc) for n in wide}
    return replace(scope, values=ChainMap(lifted, scope.values))


def _all_narrow(values: list[Value], kind: str) -> bool:
    """Whether a comparison can be one of ui32."""
    return kind == "compare" and all(value.dtype == "ui32" for value in values)


def _out(scope: Scope, raw: RawOp) -> TensorType:
    """Return the ui32 type in place of the 64-bit one."""
    return TensorType(scope.result_type(raw).shape, "ui32")


def _fits(bounds: Range) -> bool:
    return 0 <= bounds[0] <= bounds[1] <= UI32_MAX


def _keep(scope: Scope, value: Value, bounds: Range) -> Value:
    scope.ranges[value] = bounds
    return value


def _range(scope: Scope, value: Value) -> Range:
    """Return the bounds of a value: those known, or those of its type; of floats none."""
    if value in scope.ranges:
        return scope.ranges[value]
    return (-1, -1) if value.dtype in FLOATS else integer_range(value.dtype)


def _constant(scope: Scope, raw: RawOp) -> Value | None:
    data = raw.attrs["value"]
    if not isinstance(data, np.ndarray):
        return None
    bounds = (int(data.min()), int(data.max())) if data.size else (0, 0)
    return _keep(scope, scope.constant(raw, data, "ui32"), bounds) if _fits(bounds) else None


def _iota(scope: Scope, raw: RawOp) -> Value:
    out, dim = _out(scope, raw), raw.attrs["iota_dimension"]
    value = scope.emit(raw, "iota", (), out, dim=dim)
    return _keep(scope, value, (0, max(out.shape[dim] - 1, 0)))


def _convert(scope: Scope, raw: RawOp) -> Value | None:
    (source,) = scope.operands(raw)
    bounds = _range(scope, source)
    if not _fits(bounds):
        return None
    if source.dtype == "ui32":
        return _keep(scope, source, bounds)
    return _keep(scope, scope.emit(raw, "convert", (source,), _out(scope, raw)), bounds)


def _shape_op(kind: str, **names: str) -> Rule:
    """Make the rule of an op that only moves values: the range stays."""

    def rule(scope: Scope, raw: RawOp) -> Value:
        attrs = {ours: tuple(raw.attrs[theirs]) for ours, theirs in names.items()}
        value = scope.emit(raw, kind, scope.operands(raw), _out(scope, raw), **attrs)
        return _keep(scope, value, _range(scope, scope.operands(raw)[0]))

    return rule


def _concatenate(scope: Scope, raw: RawOp) -> Value:
    bounds = [_range(scope, value) for value in scope.operands(raw)]
    joined = (min(low for low, _ in bounds), max(high for _, high in bounds))
    dim = raw.attrs["dimension"]
    value = scope.emit(raw, "concatenate", scope.operands(raw), _out(scope, raw), dim=dim)
    return _keep(scope, value, joined)


def _arithmetic(kind: str, bound: Callable[[Range, Range], Range]) -> Rule:
    """Make the rule of a two-operand op; `bound` gives the range of the result."""

    def rule(scope: Scope, raw: RawOp) -> Value | None:
        lhs, rhs = scope.operands(raw)
        bounds = bound(_range(scope, lhs), _range(scope, rhs))
        if not _fits(bounds):
            return None
        return _keep(scope, scope.emit(raw, kind, (lhs, rhs), _out(scope, raw)), bounds)

    return rule


def _shift_right(scope: Scope, raw: RawOp) -> Value | None:
    """Shift right; by 32 or more, which ui32 cannot say, gives zeros."""
    value, amount = scope.operands(raw)
    (low, high), (least, most) = _range(scope, value), _range(scope, amount)
    if least >= 32:
        zeros = np.zeros(value.shape, np.uint32)
        return _keep(scope, scope.constant(raw, zeros, "ui32"), (0, 0))
    if most >= 32:
        return None
    shifted = scope.emit(raw, "shift_right_logical", (value, amount), _out(scope, raw))
    return _keep(scope, shifted, (low >> most, high >> least))


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
